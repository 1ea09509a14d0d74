"""A family is judged once, at its first closing; the first ground that matches decides."""

from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.registry.domain.family import family
from services.registry.domain.family.commands import Command, Death, MarkDuplicate
from services.registry.domain.family.events import FamilyDesignated, MemberRow
from tests.unit.registry.families import (
    FAMILY_ID,
    FIRST,
    MOTHER,
    RULES,
    SECOND,
    TODDLER,
    birth,
    given_family,
    judgement,
    list_at,
    members,
    past,
    person,
    register,
    report,
)

OFFICIAL = person("official", "1985-01-01", occupation="ASN")
ODD_NUMBER = person("odd", "1985-01-01", nik_valid=False)


def test_a_family_with_a_category_and_nothing_against_it_is_eligible() -> None:
    [designated, _] = given_family(MOTHER, TODDLER).when(list_at(FIRST)).events

    assert designated == FamilyDesignated(
        family=FAMILY_ID,
        tahap="2023-1",
        status="ELIGIBLE",
        reason="",
        region="61.03.01.2026",
        closing_date=FIRST.closing_date,
        rule_set="2021-2024",
    )


@pytest.mark.parametrize(
    ("broken", "status", "reason"),
    [
        (0, "INELIGIBLE", "NOT_IN_DTKS"),
        (1, "INELIGIBLE", "EXCLUDED_OCCUPATION"),
        (2, "HOLD", "INVALID_NIK"),
        (3, "HOLD", "DUPLICATE_NIK"),
        (4, "INELIGIBLE", "NO_COMPONENT"),
    ],
)
def test_the_first_ground_that_matches_decides(broken: int, status: str, reason: str) -> None:
    """Each case breaks its own ground and every one after it."""
    happened = past(
        register(dtks=broken > 0),
        members(MOTHER, *([OFFICIAL] * (broken <= 1)), *([ODD_NUMBER] * (broken <= 2))),
        *([MarkDuplicate("mother")] * (broken <= 3)),
    )

    found = given(family, *happened).when(list_at(FIRST))

    assert judgement(found) == (status, reason)
    assert len(found.events) == 1  # and no line


@pytest.mark.parametrize("occupation", sorted(RULES.excluded_occupations))
def test_every_excluded_occupation_excludes(occupation: str) -> None:
    found = given_family(TODDLER, replace(OFFICIAL, occupation=occupation)).when(list_at(FIRST))

    assert judgement(found) == ("INELIGIBLE", "EXCLUDED_OCCUPATION")


def test_other_occupations_do_not_exclude() -> None:
    farmer = replace(OFFICIAL, occupation="PETANI")

    assert judgement(given_family(TODDLER, farmer).when(list_at(FIRST)))[0] == "ELIGIBLE"


@pytest.mark.parametrize("row", [OFFICIAL, ODD_NUMBER], ids=["occupation", "number"])
def test_the_dead_exclude_nobody_once_their_death_is_known(row: MemberRow) -> None:
    rows = register(), members(TODDLER, row)
    died = report(Death(row.token), "2023-03-31", "2023-03-31")
    too_late = report(Death(row.token), "2023-03-31", "2023-04-01")

    assert judgement(given(family, *past(*rows, died)).when(list_at(FIRST)))[0] == "ELIGIBLE"
    assert judgement(given(family, *past(*rows, too_late)).when(list_at(FIRST)))[0] != "ELIGIBLE"


def test_a_newborn_with_an_odd_number_holds_the_family_too() -> None:
    born = report(birth("baby", "2023-02-01", nik_valid=False), "2023-02-01")
    not_yet = report(birth("baby", "2023-04-01", nik_valid=False), "2023-04-01")
    rows = register(), members(TODDLER)

    assert judgement(given(family, *past(*rows, born)).when(list_at(FIRST))) == (
        "HOLD",
        "INVALID_NIK",
    )
    assert judgement(given(family, *past(*rows, not_yet)).when(list_at(FIRST)))[0] == "ELIGIBLE"


def test_a_number_on_another_card_holds_even_when_its_holder_is_dead() -> None:
    elder = person("elder", "1940-01-01")
    happened = past(
        register(),
        members(TODDLER, elder),
        MarkDuplicate("elder"),
        report(Death("elder"), "2023-01-05"),
    )

    assert judgement(given(family, *happened).when(list_at(FIRST))) == ("HOLD", "DUPLICATE_NIK")


def test_a_category_at_a_months_end_alone_does_not_make_eligible() -> None:
    turns_seven = person("child", "2016-03-15")

    assert judgement(given_family(turns_seven).when(list_at(FIRST))) == (
        "INELIGIBLE",
        "NO_COMPONENT",
    )


def test_a_family_without_members_has_no_component() -> None:
    found = given(family, *past(register())).when(list_at(FIRST))

    assert judgement(found) == ("INELIGIBLE", "NO_COMPONENT")


def test_a_family_that_came_later_is_judged_at_its_own_first_closing() -> None:
    assert judgement(given_family(TODDLER).when(list_at(SECOND)))[0] == "ELIGIBLE"


@pytest.mark.parametrize(
    "happened",
    [
        (register(dtks=False), members(TODDLER)),
        (register(), members(TODDLER), MarkDuplicate("toddler")),
    ],
    ids=["ineligible", "on hold"],
)
def test_who_was_not_found_eligible_is_neither_judged_nor_listed_again(
    happened: tuple[Command, ...],
) -> None:
    judged = past(*happened, list_at(FIRST))

    given(family, *judged).when(list_at(FIRST)).then_nothing()
    given(family, *judged).when(list_at(SECOND)).then_nothing()
