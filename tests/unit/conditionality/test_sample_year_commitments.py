"""The proof: every commitment that a sample year must come to, from its files."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from services.conditionality import policy
from services.conditionality.domain.commitment import (
    Cleared,
    Commitment,
    CycleEvaluated,
    EvaluateCycle,
    Event,
    Found,
    InvestigationOpened,
    Released,
    Terminated,
    commitment,
)
from services.conditionality.domain.duties import CommitmentPolicy, Cut, tokens_of
from services.conditionality.domain.person import (
    Person,
    RecordSchoolMonths,
    RecordVisits,
    SchoolMonth,
    Visit,
    person,
)
from tests.sample_years import rule_set_of
from tests.unit.conditionality import sample_roster
from tests.unit.conditionality.kit import FAMILY, approved, found
from tests.unit.conditionality.sample_roster import Row, Tahap, elderly_from, rows

OUTCOMES: tuple[Found, ...] = ("CONFIRMED", "NOT_CONFIRMED")
POLICIES = policy.load()


class Answer(NamedTuple):
    """The result of a family's tahap, beside what it must come to."""

    expected: Row
    events: tuple[Event, ...]
    niks: Mapping[int, str]
    rules: CommitmentPolicy


@pytest.fixture(scope="module")
def answers(sample_year: Path) -> list[Answer]:
    """The whole year: all facts, then cycle after cycle of every family on the lists."""
    year = sample_year
    facts, rules, elderly = _facts(year), POLICIES[rule_set_of(year)], elderly_from(year)
    people = sample_roster.families(year)
    outcomes = {row["no_kk"]: row["outcome"] for row in rows(year / "investigations.csv")}
    tahaps = {tahap.number: tahap for tahap in sample_roster.calendar(year)}
    expected: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows(year / "expected/entitlements.csv"):
        if row["disposition"] != "GRADUATED_NATURAL":
            expected[row["no_kk"]].append(row)
    return [
        answer
        for card, its_rows in expected.items()
        for answer in _through_the_year(
            Family(people[card], elderly, rules, outcomes.get(card, "")), its_rows, tahaps, facts
        )
    ]


def _facts(year: Path) -> Mapping[str, Person]:
    """Every person's state after the year's records, NIKs standing in for tokens."""
    months: defaultdict[str, list[SchoolMonth]] = defaultdict(list)
    for row in rows(year / "school_attendance.csv"):
        days = (int(row[name]) for name in ("effective_days", "absent", "permitted", "sick"))
        months[row["nik"]].append(SchoolMonth(row["month"], *days))
    visits: defaultdict[str, list[Visit]] = defaultdict(list)
    for row in rows(year / "health_verification.csv"):
        attended = row["attended"] == "Y"
        visits[row["nik"]].append(Visit(row["month"], row["service"], attended))
    facts: defaultdict[str, Person] = defaultdict(Person)
    for nik, records in months.items():
        recorded = person.decide(RecordSchoolMonths(tuple(records)), facts[nik])
        facts[nik] = person.fold(recorded, facts[nik])
    for nik, visited in visits.items():
        recorded = person.decide(RecordVisits(tuple(visited)), facts[nik])
        facts[nik] = person.fold(recorded, facts[nik])
    return facts


class Family(NamedTuple):
    """A family's people, the rules of its year, and what an investigation would find."""

    people: list[sample_roster.Person]
    elderly: int
    rules: CommitmentPolicy
    outcome: str


def _through_the_year(
    family: Family,
    expected: list[Row],
    tahaps: Mapping[str, Tahap],
    facts: Mapping[str, Person],
) -> Iterator[Answer]:
    state = commitment.initial
    niks = {someone.ordinal: someone.nik for someone in family.people}
    for row in expected:
        events = _evaluated(family, tahaps[row["tahap"]], facts, state)
        state = commitment.fold(events, state)
        if any(isinstance(event, InvestigationOpened) for event in events):
            decision = _decided(tahaps[row["tahap"]].name, family.outcome, state)
            state = commitment.fold(decision, state)
            events += decision
        yield Answer(row, events, niks, family.rules)


def _evaluated(
    family: Family,
    tahap: Tahap,
    facts: Mapping[str, Person],
    state: Commitment,
) -> tuple[Event, ...]:
    members = tuple(sample_roster.listed(family.people, tahap, family.elderly))
    command = EvaluateCycle(
        family=FAMILY,
        tahap=tahap.name,
        months=tahap.months,
        roster_revision=1,
        facts_cut=0,
        members=members,
        facts={token: facts.get(token, Person()) for token in tokens_of(members)},
        policy=family.rules,
    )
    return tuple(commitment.decide(command, state))


def _decided(tahap: str, outcome: str, state: Commitment) -> tuple[Event, ...]:
    come_to = next((known for known in OUTCOMES if known == outcome), None)
    if come_to is None:
        return ()
    events: list[Event] = []
    for command in (found(come_to, tahap), approved(tahap)):
        events += commitment.decide(command, commitment.fold(events, state))
    return tuple(events)


# -- The year's rows ------------------------------------------------------------------------------


def test_every_family_has_the_commitment_that_the_year_must_come_to(answers: list[Answer]) -> None:
    wrong = [
        (answer.expected, answer.events)
        for answer in answers
        if _evaluation(answer).result != answer.expected["commitment"]
    ]

    assert wrong == []


def test_the_failing_members_are_those_that_the_year_must_come_to(answers: list[Answer]) -> None:
    wrong = [
        (answer.expected, answer.events)
        for answer in answers
        if _failing(answer) != answer.expected["failing_members"]
    ]

    assert wrong == []


def test_investigations_end_as_the_year_must_come_to(answers: list[Answer]) -> None:
    wrong = [
        (answer.expected, answer.events)
        for answer in answers
        if _ending(answer) != answer.expected["disposition"].partition("+")[2]
    ]

    assert wrong == []


def test_the_money_that_moves_is_what_the_year_must_come_to(answers: list[Answer]) -> None:
    credited: dict[tuple[str, str], int] = {}
    wrong = []
    for answer in answers:
        row = answer.expected
        tahap = _evaluation(answer).tahap
        ordered = int(row["amount"]) - int(row.get("cut") or 0)
        credited[row["no_kk"], tahap] = ordered * (row["transfer"] == "CREDITED")
        moved = {"released": 0, "returned": 0}
        for event in answer.events:
            if isinstance(event, Released | Cleared):
                moved["released"] += sum(credited[row["no_kk"], held] for held in event.tahaps)
            if isinstance(event, Terminated):
                moved["returned"] += sum(credited[row["no_kk"], held] for held in event.tahaps)
        if row["disposition"] == "TRANSFER_FAILED":  # its own amount, which never was held
            moved["returned"] += ordered
        if moved != {name: int(row[name]) for name in moved}:
            wrong.append((row, answer.events))

    assert wrong == []


def test_the_cut_is_what_the_year_must_come_to(answers: list[Answer]) -> None:
    """By the share that the evaluation orders, of rows that are in the payment order."""
    wrong = []
    for answer in answers:
        row, evaluated = answer.expected, _evaluation(answer)
        ordered = evaluated.cut_percent * int(row["amount"]) // 100 if row["transfer"] else 0
        cuts = isinstance(answer.rules.sanction, Cut) and evaluated.result == "FAILED"
        if ordered != int(row.get("cut") or 0) or bool(evaluated.cut_percent) != cuts:
            wrong.append((row, answer.events))

    assert wrong == []


def test_families_are_reached_as_the_years_indicators_say(
    answers: list[Answer], sample_year: Path
) -> None:
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for answer in answers:
        for access in _evaluation(answer).access:
            of = access.of.lower()
            counted[answer.expected["tahap"]].update([f"{of}_families"])
            counted[answer.expected["tahap"]].update([f"{of}_reached"] * access.reached)

    expected = json.loads((sample_year / "expected" / "indicators.json").read_text())
    assert counted == {
        tahap: {name: sums[name] for name in sums if name.startswith(("health", "education"))}
        for tahap, sums in expected.items()
    }


def test_every_row_of_the_year_was_asked(answers: list[Answer]) -> None:
    asked = {(answer.expected["tahap"], answer.expected["no_kk"]) for answer in answers}

    assert len(asked) == len(answers) > 600
    assert {tahap for tahap, _ in asked} == {"1", "2", "3", "4"}


def _evaluation(answer: Answer) -> CycleEvaluated:
    [evaluated] = [event for event in answer.events if isinstance(event, CycleEvaluated)]
    return evaluated


def _failing(answer: Answer) -> str:
    failed = {d.member for d in _evaluation(answer).duties if d.outcome == "FAILED"}
    return ";".join(sorted(answer.niks[ordinal] for ordinal in failed))


def _ending(answer: Answer) -> str:
    kinds = {type(event) for event in answer.events}
    if InvestigationOpened not in kinds:
        return ""
    if Terminated in kinds:
        return "TERMINATED"
    return "CLEARED" if Cleared in kinds else "INVESTIGATION"
