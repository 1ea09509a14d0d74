"""A family that is not in a tahap gets an explanation that says so, and why."""

from __future__ import annotations

from typing import Any

import pytest

from services.projection.explanation.facts import FamilyRegistered, MemberDied, SchoolChanged
from services.projection.explanation.messages import (
    FamilyGraduated,
    PaymentReturned,
    Published,
    Terminated,
)
from services.projection.explanation.story import Story
from tests.unit.projection.kit import (
    CARD,
    CLOSING,
    FAMILY,
    KNOWN_FAMILY,
    PAYMENT,
    REGION,
    REGISTERED,
    TAHAP,
    closing_of,
    conditionality,
    day,
    designated,
    payments,
    registry,
    said,
    step,
    why,
)

LATER_TAHAP = "2023-4"


@pytest.mark.parametrize(
    ("status", "reason", "disposition"),
    [
        ("INELIGIBLE", "NOT_IN_DTKS", "INELIGIBLE"),
        ("INELIGIBLE", "EXCLUDED_OCCUPATION", "INELIGIBLE"),
        ("INELIGIBLE", "NO_COMPONENT", "INELIGIBLE"),
        ("HOLD", "INVALID_NIK", "ON_HOLD"),
        ("HOLD", "DUPLICATE_NIK", "ON_HOLD"),
    ],
)
def test_a_family_that_may_not_take_part_is_told_its_ground(
    status: str, reason: str, disposition: str
) -> None:
    explanation = why(None, family=(REGISTERED, CARD, designated(status, reason)))

    ground = step(explanation, "ELIGIBILITY")
    assert (explanation.disposition, explanation.amount) == (disposition, 0)
    assert ground.clauses[0].id == f"eligibility.{reason}"
    assert "the family was" in ground.text.en


def test_nobody_in_a_category_is_shown_by_births_and_schools() -> None:
    explanation = why(None, family=(REGISTERED, CARD, designated("INELIGIBLE", "NO_COMPONENT")))

    facts = [(fact.name, fact.member) for fact in step(explanation, "ELIGIBILITY").facts]
    assert facts == [("born", 1), ("born", 2), ("school_level", 2), ("born", 3)]


def test_a_judgement_of_an_earlier_closing_shows_no_facts_of_this_one() -> None:
    earlier = designated("INELIGIBLE", "NO_COMPONENT", tahap="2022-4")

    explanation = why(None, family=(REGISTERED, CARD, earlier))

    assert step(explanation, "ELIGIBILITY").facts == ()
    assert "At the closing of tahap 2022-4" in said(explanation)


GRADUATED = registry(130, FamilyGraduated(FAMILY, TAHAP, "NATURAL", REGION))


def test_a_family_that_graduates_is_told_that_nobody_holds_a_category() -> None:
    explanation = why("GRADUATED_NATURAL", GRADUATED)

    assert (explanation.disposition, explanation.amount) == ("GRADUATED_NATURAL", 0)
    assert "nobody in the family held a category" in step(explanation, "GRADUATED").text.en


def test_a_graduation_shows_who_left_school_and_who_died() -> None:
    left = SchoolChanged(FAMILY, 2, day("2023-01-10"), day("2023-01-20"), None)
    died = MemberDied(FAMILY, 3, day("2023-02-01"), day("2023-02-15"))

    explanation = why("GRADUATED_NATURAL", GRADUATED, registry(60, left), registry(61, died))

    shown = [(each.name, each.member, each.value) for each in step(explanation, "GRADUATED").facts]
    assert ("school_level", 2, "") in shown
    assert ("died", 3, "Y") in shown


def test_what_was_blocked_of_a_family_that_graduates_goes_back() -> None:
    back = PaymentReturned(PAYMENT, "2022-4", FAMILY, 225_000, TAHAP, "GRADUATED_NATURAL")

    explanation = why("GRADUATED_NATURAL", GRADUATED, payments(902, back))

    assert step(explanation, "MOVED").amount == 225_000


@pytest.mark.parametrize(
    ("left", "disposition", "sentence"),
    [
        (GRADUATED, "GRADUATED_EARLIER", "At the closing of tahap 2023-1 nobody in the family"),
        (
            conditionality(20, Terminated(FAMILY, (), TAHAP, TAHAP, "ida", "surya")),
            "TERMINATED_EARLIER",
            "was confirmed by ida and surya",
        ),
    ],
)
def test_a_family_that_left_earlier_is_told_when(
    left: Published[Any], disposition: str, sentence: str
) -> None:
    explanation = why(None, left, of_tahap=closing_of(LATER_TAHAP), tahap=LATER_TAHAP)

    assert (explanation.disposition, explanation.amount) == (disposition, 0)
    assert sentence in said(explanation)


def test_a_family_that_was_registered_behind_the_cut_is_told_so() -> None:
    late = registry(101, FamilyRegistered(FAMILY, REGION, dtks=True))

    assert why(None, family=(late,)).disposition == "REGISTERED_LATER"


def test_a_tahap_whose_list_is_not_made_yet_is_not_known_yet() -> None:
    explanation = why(None, family=(REGISTERED, CARD), of_tahap=CLOSING[:1])

    assert explanation.disposition == "NOT_LISTED_YET"
    assert explanation.known.closing_date == day("2023-03-31")
    assert explanation.known.cut is None


def test_a_tahap_that_was_never_announced_has_no_story() -> None:
    assert Story.of(FAMILY, TAHAP, None, KNOWN_FAMILY, ()) is None
