"""The dated rules of payment: which benefit table is valid when, each with its legal source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MINYEAR, date
from pathlib import Path
from typing import Final

from libs.events.domain.errors import DomainError
from libs.policy.files import PolicyError
from libs.policy.rule_sets import RULE_SETS, ListedRuleSet, listed, read_rule_sets
from services.payments.domain.entitlement import BenefitTable
from services.payments.policy.files import PaidRuleSet, read_benefit_table

FOLDER: Final = Path(__file__).parent


class NoRuleSet(DomainError):
    """No rule set is known for this."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that are valid on closing dates from `valid_from` to `valid_to`, both included."""

    id: str
    valid_from: date
    valid_to: date | None
    benefit: BenefitTable


@dataclass(frozen=True, slots=True)
class Policies:
    """Every rule set, and every benefit table; some tables are for a channel, not for a date.

    `listed` is what payments answers to others of its rule sets.
    """

    rule_sets: Mapping[str, RuleSet]
    benefits: Mapping[str, BenefitTable]
    listed: tuple[ListedRuleSet, ...] = ()

    def on(self, day: date) -> RuleSet:
        """The rule set that is valid on a day."""
        for rules in self.rule_sets.values():
            if rules.valid_from <= day <= (rules.valid_to or date.max):
                return rules
        raise NoRuleSet(closing_date=day)

    def of_tahap(self, tahap: str, closing_date: date) -> RuleSet:
        """The rule set of a tahap: that of its closing date, within the year of its name.

        The last tahap of a year may be closed in January; the rules of the new year are not its.
        """
        year = max(int(tahap.partition("-")[0]), MINYEAR)
        return self.on(min(closing_date, date(year, 12, 31)))

    def benefit(self, rule_set: str) -> BenefitTable:
        """The benefit table of an announced rule set."""
        if rule_set not in self.rule_sets:
            raise NoRuleSet(rule_set=rule_set)
        return self.rule_sets[rule_set].benefit


def load(folder: Path = FOLDER) -> Policies:
    """All policy files of a folder; PolicyError names file and key of the first mistake."""
    benefits = {
        file.stem: read_benefit_table(file)
        for file in sorted(folder.glob("*.yaml"))
        if file.name != RULE_SETS
    }
    entries = read_rule_sets(folder / RULE_SETS, PaidRuleSet)
    for name, entry in entries.items():
        if entry.benefit not in benefits:
            why = f"there is no {entry.benefit}.yaml"
            raise PolicyError(RULE_SETS, f"rule_sets.{name}.benefit", why)
    rule_sets = {
        name: RuleSet(name, entry.valid_from, entry.valid_to, benefits[entry.benefit])
        for name, entry in entries.items()
    }
    answered = (
        listed(name, entry, verified=benefits[entry.benefit].verified)
        for name, entry in entries.items()
    )
    return Policies(rule_sets, benefits, tuple(answered))
