from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.registry.domain.family import family
from services.registry.domain.family.commands import (
    Death,
    LifeEvent,
    Move,
    PayeeChange,
    Pregnancy,
    SchoolChange,
)
from services.registry.domain.family.errors import (
    BirthNotRecent,
    DateImplausible,
    FamilyNotRegistered,
    PersonAlreadyMember,
    PersonUnknown,
)
from services.registry.domain.family.events import (
    ChangeProposed,
    FamilyMoved,
    MemberBorn,
    MemberDied,
    PayeeChanged,
    PersonsRegistered,
    PregnancyReported,
    SchoolChanged,
)
from tests.unit.registry.families import FAMILY_ID, birth, day, given_past, life_day, report

PAYEE = PayeeChange("aunt", "sealed-aunt", "BRI", "sealed-account-2", "sealed-name-2")
SINCE, KNOWN = day("2023-02-01"), day("2023-02-09")
EVERY_KIND: list[LifeEvent] = [
    birth("baby", "2023-02-01"),
    Death("mother"),
    SchoolChange("toddler", "SD"),
    Pregnancy("mother", life_day("2023-09-01"), 2),
    Move("61.10.05.2004"),
    PAYEE,
]


@pytest.mark.parametrize("fact", EVERY_KIND, ids=lambda fact: type(fact).__name__)
def test_the_same_report_again_changes_nothing(fact: LifeEvent) -> None:
    reported = report(fact, "2023-02-01")

    given_past(reported).when(reported).then_nothing()


@pytest.mark.parametrize("fact", EVERY_KIND, ids=lambda fact: type(fact).__name__)
def test_a_report_waits_for_its_family(fact: LifeEvent) -> None:
    given(family).when(report(fact, "2023-02-01")).then_refused(FamilyNotRegistered)


@pytest.mark.parametrize(
    "fact",
    [
        Death("stranger"),
        SchoolChange("stranger", "SD"),
        Pregnancy("stranger", life_day("2023-09-01"), 1),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_a_report_on_a_stranger_is_refused(fact: LifeEvent) -> None:
    given_past().when(report(fact, "2023-02-01")).then_refused(PersonUnknown)


BABY = birth("baby", "2023-02-01")
IMPLAUSIBLE: list[tuple[LifeEvent, str, str, str]] = [
    (BABY, "2023-02-01", "2023-01-31", "birth_date"),
    (BABY, "2023-01-31", "2023-02-01", "effective_on"),
    (BABY, "2023-02-02", "2023-02-01", "effective_on"),
    (Death("mother"), "2023-02-02", "2023-02-01", "effective_on"),
    (Death("mother"), "1990-05-04", "2023-02-01", "effective_on"),
    (SchoolChange("toddler", "SD"), "2020-08-16", "2023-02-01", "effective_on"),
    (SchoolChange("toddler", "SD"), "2023-05-05", "2023-02-01", "effective_on"),
    (Move("61.10.05.2004"), "2023-05-05", "2023-02-01", "effective_on"),
    (Move("61.10.05.2004"), "2006-12-31", "2006-12-31", "reported_on"),
    (PAYEE, "9999-12-31", "2023-02-01", "effective_on"),
    (
        Pregnancy("mother", life_day("9999-12-31"), 1),
        "2023-02-01",
        "2023-02-01",
        "due_date",
    ),
    (
        Pregnancy("mother", life_day("0001-01-01"), 1),
        "2023-02-01",
        "2023-02-01",
        "due_date",
    ),
    (Pregnancy("mother", life_day("2024-02-03"), 1), "2023-02-01", "2023-02-01", "due_date"),
    (Pregnancy("mother", life_day("2022-01-30"), 1), "2023-02-01", "2023-02-01", "due_date"),
    (Pregnancy("toddler", life_day("2023-09-01"), 1), "2023-02-01", "2023-02-01", "due_date"),
]


@pytest.mark.parametrize(("fact", "since", "known", "field"), IMPLAUSIBLE)
def test_a_date_that_cannot_be_true_is_refused_by_its_field(
    fact: LifeEvent, since: str, known: str, field: str
) -> None:
    refused = given_past().when(report(fact, since, known)).then_refused(DateImplausible)

    assert refused.refusal is not None
    assert refused.refusal.facts["field"] == field


@pytest.mark.parametrize(
    ("fact", "since", "known"),
    [
        (SchoolChange("toddler", "SD"), "2023-05-04", "2023-02-01"),
        (Death("mother"), "2013-02-01", "2023-02-01"),
        (Pregnancy("mother", life_day("2024-02-02"), 1), "2023-02-01", "2023-02-01"),
        (Pregnancy("mother", life_day("2022-01-31"), 1), "2022-01-01", "2023-02-01"),
    ],
)
def test_what_is_told_early_or_late_but_can_be_true_is_a_fact(
    fact: LifeEvent, since: str, known: str
) -> None:
    assert len(given_past().when(report(fact, since, known)).events) == 1


def test_a_child_gets_the_next_number() -> None:
    reported = report(birth("baby", "2023-02-01"), "2023-02-01", "2023-02-09", "f")

    given_past().when(reported).then(
        MemberBorn(
            member=3,
            effective_on=life_day("2023-02-01"),
            reported_on=KNOWN,
            fingerprint="f",
            token="baby",
            nik="sealed-baby",
            name="sealed-name-baby",
            nik_valid=True,
            sex="F",
            birth_date=life_day("2023-02-01"),
        ),
        PersonsRegistered(FAMILY_ID, "61.03.01.2026", ("baby",)),
    )


def test_a_child_is_made_known_where_the_family_has_moved() -> None:
    moved = report(Move("61.10.05.2004"), "2023-01-20")

    [_, known] = given_past(moved).when(report(birth("baby", "2023-02-01"), "2023-02-01")).events

    assert known == PersonsRegistered(FAMILY_ID, "61.10.05.2004", ("baby",))


def test_twins_are_two_members() -> None:
    first = report(birth("twin-1", "2023-02-01"), "2023-02-01")
    second = report(birth("twin-2", "2023-02-01"), "2023-02-01")

    [born, _] = given_past(first).when(second).events

    assert isinstance(born, MemberBorn)
    assert born.member == 4


def test_who_is_a_member_already_is_not_born_again() -> None:
    reported = report(birth("toddler", "2023-02-01"), "2023-02-01")

    given_past().when(reported).then_refused(PersonAlreadyMember)


@pytest.mark.parametrize(
    ("born", "closed_on"),
    [("2004-02-01", None), ("2022-01-31", None), ("2023-01-31", "2024-02-01")],
    ids=["a year and a day before the report", "an adult", "long before the last closing"],
)
def test_who_was_born_long_ago_is_not_born_into_the_family(
    born: str, closed_on: str | None
) -> None:
    reported = report(birth("baby", born), born, "2023-02-01")
    judged = replace(reported, judged_on=day(closed_on)) if closed_on else reported

    given_past().when(judged).then_refused(BirthNotRecent)


def test_a_birth_of_a_year_ago_is_a_birth() -> None:
    reported = report(birth("baby", "2022-02-01"), "2022-02-01", "2023-02-01")

    assert [type(event) for event in given_past().when(reported).events] == [
        MemberBorn,
        PersonsRegistered,
    ]


def test_a_later_event_finds_the_child() -> None:
    born = report(birth("baby", "2023-02-01"), "2023-02-01")
    died = report(Death("baby"), "2023-02-20", "2023-02-21", "f")

    given_past(born).when(died).then(MemberDied(3, day("2023-02-20"), day("2023-02-21"), "f"))


def test_every_fact_keeps_both_of_its_dates() -> None:
    def reported(fact: LifeEvent) -> object:
        [event] = given_past().when(report(fact, "2023-02-01", "2023-02-09", "f")).events
        return event

    assert reported(Death("mother")) == MemberDied(1, SINCE, KNOWN, "f")
    assert reported(SchoolChange("toddler", "SD", "school", "pupil")) == SchoolChanged(
        2, SINCE, KNOWN, "f", "SD", "school", "pupil"
    )
    assert reported(Pregnancy("mother", life_day("2023-09-01"), 2)) == PregnancyReported(
        1, SINCE, KNOWN, "f", life_day("2023-09-01"), 2
    )
    assert reported(Move("61.10.05.2004")) == FamilyMoved(SINCE, KNOWN, "f", "61.10.05.2004")


def test_a_payee_may_be_nobody_of_the_family() -> None:
    reported = report(PAYEE, "2023-02-01", "2023-02-09", "f")

    given_past().when(reported).then(
        ChangeProposed(
            1,
            "clerk-1",
            "job-1",
            "f",
            payee_changed=PayeeChanged(
                effective_on=SINCE,
                reported_on=KNOWN,
                fingerprint="f",
                payee_token="aunt",
                payee_nik="sealed-aunt",
                bank="BRI",
                account_no="sealed-account-2",
                account_name="sealed-name-2",
            ),
        )
    )
