"""Why nothing is paid while a family waits before it graduates, and why it is once re-opened."""

from __future__ import annotations

from typing import Any

from services.projection.explanation.facts import MemberBorn
from services.projection.explanation.messages import (
    Counted,
    FamilyGraduated,
    FamilyReopened,
    GraduationPending,
    LateFact,
    Published,
    ReopeningProposed,
    ReopeningRejected,
)
from tests.unit.projection.kit import (
    CARD,
    CUT,
    FAMILY,
    REGION,
    REGISTERED,
    TAHAP,
    closing_of,
    cycle,
    day,
    designated,
    entitled,
    registry,
    said,
    step,
    steps,
    why,
)

WAITS = registry(
    130, GraduationPending(FAMILY, TAHAP, REGION, day("2023-06-29"), day("2023-06-29"))
)
BORN_LATE = registry(140, MemberBorn(FAMILY, 4, day("2023-04-12"), "2020-2029"))
LATE = LateFact("MemberBorn", day("2023-04-12"), "budi")
PROPOSED = registry(141, ReopeningProposed(FAMILY, TAHAP, 1, REGION, (LATE,)))
REOPENED = registry(150, FamilyReopened(FAMILY, TAHAP, 1, REGION, "sari"))
ELIGIBLE_BEFORE = (REGISTERED, CARD, designated(tahap="2022-4"))
FOR_THE_BABY = Counted(4, "EARLY_CHILD", 750_000)


def explained_as(disposition: str | None, *more: Published[Any], tahap: str = TAHAP) -> Any:
    around = {} if tahap == TAHAP else {"of_tahap": closing_of(tahap)}
    return why(disposition, *more, family=ELIGIBLE_BEFORE, tahap=tahap, **around)


def test_a_waiting_family_is_told_until_when() -> None:
    explained = explained_as("GRADUATION_PENDING", WAITS)

    assert (explained.disposition, explained.amount) == ("GRADUATION_PENDING", 0)
    text = step(explained, "GRADUATION_PENDING").text
    assert "a closing on 29 June 2023 or later lets it graduate" in text.en
    assert "29 Juni 2023" in text.id
    [clause] = step(explained, "GRADUATION_PENDING").clauses
    assert clause.id == "graduation.term"


def test_a_proposal_and_its_rejection_are_told() -> None:
    rejected = registry(150, ReopeningRejected(FAMILY, TAHAP, 1, "sari"))

    explained = explained_as("GRADUATION_PENDING", WAITS, BORN_LATE, PROPOSED, rejected)

    texts = [each.text.en for each in steps(explained, "REOPENED")]
    assert ["MemberBorn (2023-04-12)" in texts[0], "sari rejected" in texts[1]] == [True, True]
    assert explained.disposition == "GRADUATION_PENDING"


def test_a_reopened_family_is_owed_until_a_run_pays_it() -> None:
    explained = explained_as("REOPENED", WAITS, BORN_LATE, PROPOSED, REOPENED, cycle())

    assert explained.disposition == "REOPENED"
    assert "sari approved re-opening 1" in said(explained)


def test_what_a_reopened_family_is_paid_rests_on_the_late_fact() -> None:
    paid = entitled(FOR_THE_BABY, kind="SUPPLEMENTARY-1")

    explained = explained_as("PAID", WAITS, BORN_LATE, PROPOSED, REOPENED, paid)

    assert (explained.disposition, explained.amount) == ("PAID", 750_000)
    [counted] = steps(explained, "COUNTED")
    assert ("born", 4, "2020-2029") in [(f.name, f.member, f.value) for f in counted.facts]
    assert explained.known.cut == CUT  # what the list knew is told as it was


def test_a_family_that_was_reopened_has_not_graduated_earlier() -> None:
    graduated = registry(130, FamilyGraduated(FAMILY, TAHAP, "NATURAL", REGION))
    later = "2023-4"

    gone = explained_as(None, graduated, tahap=later)
    back = explained_as(None, graduated, BORN_LATE, PROPOSED, REOPENED, tahap=later)

    assert gone.disposition == "GRADUATED_EARLIER"
    assert back.disposition == "NOT_LISTED_YET"
