"""The rule sets of all services agree with one contract: contracts/rule-sets.yaml."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Final

import pytest

from libs.policy.files import Shape, read
from libs.policy.rule_sets import ListedRuleSet
from services.conditionality import policy as of_conditionality
from services.payments import policy as of_payments
from services.registry.policy import load_rule_sets
from tools.contracts.generate import CONTRACTS

LISTED: Final = {
    "registry": load_rule_sets().listed,
    "conditionality": of_conditionality.list_rule_sets(),
    "payments": of_payments.load().listed,
}


class Agreed(Shape):
    """A rule set: when it is valid, and for each service that knows it, whether it runs there."""

    valid_from: date
    valid_to: date | None
    runs: dict[str, bool]


class Contract(Shape):
    rule_sets: dict[str, Agreed]


def contract() -> dict[str, Agreed]:
    return read(CONTRACTS / "rule-sets.yaml", Contract).rule_sets


def by_service() -> dict[str, dict[str, ListedRuleSet]]:
    """{rule set: {service: what it says of it}}."""
    found: dict[str, dict[str, ListedRuleSet]] = defaultdict(dict)
    for service, rule_sets in LISTED.items():
        for rules in rule_sets:
            found[rules.id][service] = rules
    return found


def test_the_contract_names_every_rule_set_and_who_runs_it() -> None:
    runs = {
        rule_set: {service: rules.runs for service, rules in services.items()}
        for rule_set, services in by_service().items()
    }

    assert {rule_set: agreed.runs for rule_set, agreed in contract().items()} == runs


def test_every_service_that_knows_a_rule_set_has_it_valid_on_the_same_days() -> None:
    for rule_set, services in by_service().items():
        agreed = contract()[rule_set]
        validity = {(rules.valid_from, rules.valid_to) for rules in services.values()}
        assert validity == {(agreed.valid_from, agreed.valid_to)}, rule_set


def test_a_rule_set_that_does_not_run_says_why() -> None:
    for rule_sets in LISTED.values():
        assert all((rules.reason is None) == rules.runs for rules in rule_sets)


@pytest.mark.parametrize("rule_set", ["2021-2024", "2025-2026"])
def test_a_year_that_can_be_announced_runs_in_every_service(rule_set: str) -> None:
    assert contract()[rule_set].runs == dict.fromkeys(LISTED, True)


def test_the_payments_service_alone_says_which_tables_are_unverified() -> None:
    unverified = {
        service: [rules.id for rules in rule_sets if not rules.verified]
        for service, rule_sets in LISTED.items()
    }

    assert unverified == {
        "registry": [],
        "conditionality": [],
        "payments": ["2007-2012", "2013-2014", "2015", "2016", "2018"],
    }
