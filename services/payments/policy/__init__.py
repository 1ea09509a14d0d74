"""The dated rules of payment: which benefit table is valid when, each with its legal source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from libs.events.errors import DomainError
from services.payments.domain.entitlement import BenefitTable
from services.payments.domain.errors import UnverifiedBenefit
from services.payments.policy.files import (
    MalformedPolicy,
    RuleSetEntry,
    read_benefit_table,
    read_rule_sets,
)

__all__ = ["FOLDER", "MalformedPolicy", "NoRuleSet", "Policies", "RuleSet", "load"]

FOLDER: Final = Path(__file__).parent
RULE_SETS: Final = "rule_sets.yaml"


class NoRuleSet(DomainError):
    """No rule set is known for this."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that are valid on closing dates from `valid_from` to `valid_to`, both included."""

    id: str
    valid_from: date
    valid_to: date
    benefit: BenefitTable


@dataclass(frozen=True, slots=True)
class Policies:
    """Every rule set, and every benefit table; some tables are for a channel, not for a date."""

    rule_sets: Mapping[str, RuleSet]
    benefits: Mapping[str, BenefitTable]

    def on(self, closing_date: date) -> RuleSet:
        """The rule set of a closing date."""
        for each in self.rule_sets.values():
            if each.valid_from <= closing_date <= each.valid_to:
                return each
        raise NoRuleSet(closing_date=closing_date)

    def payable_on(self, closing_date: date) -> RuleSet:
        """The rule set by which money may be paid; UnverifiedBenefit where its source is weak.

        A tahap is announced by this, so that nothing is listed, judged or frozen under a table
        that could not be paid by.
        """
        valid = self.on(closing_date)
        if not valid.benefit.verified:
            raise UnverifiedBenefit(table=valid.benefit.id)
        return valid

    def benefit(self, rule_set: str) -> BenefitTable:
        """The benefit table of an announced rule set."""
        if rule_set not in self.rule_sets:
            raise NoRuleSet(rule_set=rule_set)
        return self.rule_sets[rule_set].benefit


def load(folder: Path = FOLDER) -> Policies:
    """All policy files of a folder; MalformedPolicy names file and key of the first mistake."""
    benefits = {
        file.stem: read_benefit_table(file)
        for file in sorted(folder.glob("*.yaml"))
        if file.name != RULE_SETS
    }
    rule_sets: dict[str, RuleSet] = {}
    latest: date | None = None
    for name, entry in read_rule_sets(folder / RULE_SETS).items():
        rule_sets[name] = _rule_set(name, entry, benefits, latest)
        latest = entry.valid_to
    return Policies(rule_sets, benefits)


def _rule_set(
    name: str, entry: RuleSetEntry, benefits: Mapping[str, BenefitTable], latest: date | None
) -> RuleSet:
    key = f"rule_sets.{name}"
    if entry.benefit not in benefits:
        raise MalformedPolicy(RULE_SETS, f"{key}.benefit", f"there is no {entry.benefit}.yaml")
    if entry.valid_to < entry.valid_from:
        raise MalformedPolicy(RULE_SETS, f"{key}.to", "is before `from`")
    if latest is not None and entry.valid_from <= latest:
        raise MalformedPolicy(RULE_SETS, f"{key}.from", "is not after the rule set before it")
    return RuleSet(name, entry.valid_from, entry.valid_to, benefits[entry.benefit])
