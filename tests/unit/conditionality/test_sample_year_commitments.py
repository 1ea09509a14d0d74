"""The proof: every commitment that a sample year must come to, from its files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
from services.conditionality.domain.duties import tokens_of
from services.conditionality.domain.person import (
    Person,
    RecordSchoolMonths,
    RecordVisits,
    SchoolMonth,
    Visit,
    person,
)
from tests.unit.conditionality import sample_roster
from tests.unit.conditionality.kit import FAMILY, approved, found
from tests.unit.conditionality.sample_roster import Row, Tahap, rows

EXAMPLES = Path(__file__).parents[3] / "examples"
YEARS = sorted(path.parent for path in EXAMPLES.glob("*/expected"))
OUTCOMES: tuple[Found, ...] = ("CONFIRMED", "NOT_CONFIRMED")
POLICY = policy.load()["2021-2024"]


class Answer(NamedTuple):
    """What a family's tahap came to, beside what it must come to."""

    expected: Row
    events: tuple[Event, ...]
    niks: Mapping[int, str]


@pytest.fixture(scope="module", params=YEARS, ids=lambda year: year.name)
def answers(request: pytest.FixtureRequest) -> list[Answer]:
    """The whole year: all facts, then cycle after cycle of every family on the lists."""
    year: Path = request.param
    facts = _facts(year)
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
            people[card], its_rows, tahaps, facts, outcomes.get(card, "")
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


def _through_the_year(
    family: list[sample_roster.Person],
    expected: list[Row],
    tahaps: Mapping[str, Tahap],
    facts: Mapping[str, Person],
    outcome: str,
) -> Iterator[Answer]:
    state = commitment.initial
    niks = {someone.ordinal: someone.nik for someone in family}
    for row in expected:
        events = _evaluated(family, tahaps[row["tahap"]], facts, state)
        state = commitment.fold(events, state)
        if any(isinstance(event, InvestigationOpened) for event in events):
            decision = _decided(tahaps[row["tahap"]].name, outcome, state)
            state = commitment.fold(decision, state)
            events += decision
        yield Answer(row, events, niks)


def _evaluated(
    family: Iterable[sample_roster.Person],
    tahap: Tahap,
    facts: Mapping[str, Person],
    state: Commitment,
) -> tuple[Event, ...]:
    members = tuple(sample_roster.listed(family, tahap))
    command = EvaluateCycle(
        family=FAMILY,
        tahap=tahap.name,
        months=tahap.months,
        roster_revision=1,
        facts_cut=0,
        members=members,
        facts={token: facts.get(token, Person()) for token in tokens_of(members)},
        policy=POLICY,
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
        credited[row["no_kk"], tahap] = int(row["amount"]) * (row["transfer"] == "CREDITED")
        moved = {"released": 0, "returned": 0}
        for event in answer.events:
            if isinstance(event, Released | Cleared):
                moved["released"] += sum(credited[row["no_kk"], held] for held in event.tahaps)
            if isinstance(event, Terminated):
                moved["returned"] += sum(credited[row["no_kk"], held] for held in event.tahaps)
        if row["disposition"] == "TRANSFER_FAILED":  # its own amount, which never was held
            moved["returned"] += int(row["amount"])
        if moved != {name: int(row[name]) for name in moved}:
            wrong.append((row, answer.events))

    assert wrong == []


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
