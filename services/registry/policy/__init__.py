"""The rule sets by year, read once at start from a dated file that names its legal sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import msgspec

from libs.policy.files import PolicyError, Shape, Text
from libs.policy.rule_sets import RULE_SETS, ListedRuleSet, RuleSetEntry, listed, read_rule_sets
from services.registry.domain.closing import Closing, PolicyKind, Reference, RuleSet
from services.registry.domain.listing.state import Listing

FILE: Final = Path(__file__).with_name(RULE_SETS)
SOURCED: Final = frozenset(
    {f.name for f in fields(RuleSet)} - {"id", "valid_from", "valid_to", "references"}
)

Bound = Annotated[int, msgspec.Meta(ge=0)]


class RuleSetUnknown(LookupError):
    """No rule set has this id."""


class ReferenceEntry(Shape):
    """The source of numbers, and which they are."""

    title: Text
    covers: tuple[str, ...]
    href: str | None = None


class Rules(RuleSetEntry, kw_only=True):
    """One rule set of the file."""

    excluded_occupations: frozenset[str]
    pregnancy_days_before: Bound
    pregnancy_days_after: Bound
    pregnancy_order_max: Bound | None
    early_child_below_years: Bound
    school_from_years: Bound
    school_to_years: Bound
    elderly_from_years: Bound
    payee_from_years: Bound
    natural_graduation_term_days: Bound
    birth_reported_days_max: Bound
    second_person_for: frozenset[PolicyKind]
    payee_cooling_off_days: Bound
    references: tuple[ReferenceEntry, ...]

    def rule_set(self, rule_set: str) -> RuleSet:
        """The rules as the domain knows them."""
        numbers = {name: getattr(self, name) for name in SOURCED}
        references = tuple(
            Reference(reference.title, reference.covers, reference.href)
            for reference in self.references
        )
        return RuleSet(
            id=rule_set,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            references=references,
            **numbers,
        )


@dataclass(frozen=True, slots=True)
class RuleSets:
    """Every rule set that a closing may name, by id; and how they are answered for."""

    by_id: Mapping[str, RuleSet]
    listed: tuple[ListedRuleSet, ...] = ()

    def named(self, rule_set: str) -> RuleSet:
        """The rule set of this id; raises `RuleSetUnknown`."""
        if rule_set not in self.by_id:
            raise RuleSetUnknown(f"{rule_set!r} is none of {sorted(self.by_id)}")
        return self.by_id[rule_set]

    def closing(self, listing: Listing) -> Closing:
        """The closing of a tahap's list, by the rules that it was announced with where this release
        has them no more, so that it can still be ended."""
        name = listing.policies["rule_set"]
        announced = listing.rules if name not in self.by_id else None
        terms = listing.tahap, listing.revision, listing.months, listing.closing_date
        return Closing(*terms, announced or self.named(name))

    def on(self, day: date) -> RuleSet:
        """The rule set of a day; of one before or behind all of them, the first or the last."""
        in_order = sorted(self.by_id.values(), key=lambda rules: rules.valid_from)
        begun = [rules for rules in in_order if rules.valid_from <= day]
        return begun[-1] if begun else in_order[0]


def load_rule_sets(file: Path = FILE) -> RuleSets:
    """Read the rule sets; a file that is not whole is refused with `PolicyError`.

    Every key must be there and no other, and every number covered by a reference.
    """
    entries = read_rule_sets(file, Rules)
    for rule_set, rules in entries.items():
        for key, why in _contradictions(rules):
            raise PolicyError(file.name, f"rule_sets.{rule_set}.{key}", why)
    return RuleSets(
        {rule_set: rules.rule_set(rule_set) for rule_set, rules in entries.items()},
        tuple(listed(rule_set, rules) for rule_set, rules in entries.items()),
    )


def _contradictions(rules: Rules) -> Iterator[tuple[str, str]]:
    covered = {name for reference in rules.references for name in reference.covers}
    yield from ((name, "has no reference") for name in sorted(SOURCED - covered))
    yield from (("references", f"cover {name}, which is none") for name in covered - SOURCED)
    if rules.school_to_years < rules.school_from_years:
        yield "school_to_years", "is below school_from_years"
