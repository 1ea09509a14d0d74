"""Why an amount was cut: its arithmetic, the evaluation it rests on, and its legal source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.projection.explanation.messages import (
    AccountCheckFailed,
    CorrectionProposed,
    PaymentCredited,
    PaymentInstructed,
    Published,
)
from services.projection.explanation.tahap_messages import ListFrozen, Override
from tests.unit.projection.kit import (
    ABSENT,
    ANNOUNCED,
    DAYS_AWAY,
    FAMILY,
    HASH,
    JUDGING,
    LISTING,
    PAPERS,
    PASSED,
    PAYMENT,
    TAHAP,
    conditionality,
    cycle,
    entitled,
    payments,
    said,
    step,
    steps,
    why,
)

TERMS = replace(JUDGING.body.terms, cut_percent=10)
CUTTING = (ANNOUNCED, LISTING, replace(JUDGING, body=replace(JUDGING.body, terms=TERMS)))
DUE = 877_500


def evaluated() -> Published[Any]:
    shown = cycle("FAILED", PASSED, ABSENT, counter=1, evidence=(DAYS_AWAY,))
    return replace(shown, body=replace(shown.body, cut_percent=10))


def entitled_less() -> Published[Any]:
    shown = entitled()
    return replace(shown, body=replace(shown.body, cut=97_500, cut_percent=10, evaluation=1))


ORDERED = payments(62, PaymentInstructed(PAYMENT, TAHAP, FAMILY, DUE, "BNI", "SPM-1"))
CREDITED = payments(80, PaymentCredited(PAYMENT, TAHAP, FAMILY, DUE, "NONE", "BNI-0001"))


def explained(*shown: Published[Any], disposition: str = "PAID") -> Any:
    return why(disposition, evaluated(), entitled_less(), *shown, of_tahap=(*CUTTING, *PAPERS))


def test_the_cut_is_told_with_its_arithmetic_its_evaluation_and_its_source() -> None:
    shown = step(explained(ORDERED, CREDITED), "CUT")

    assert shown.text.en == (
        "10 % of Rp 975,000 is cut because the cycle failed (revision 1 of its evaluation): "
        "Rp 975,000 - Rp 97,500 = Rp 877,500."
    )
    assert "Rp975.000 - Rp97.500 = Rp877.500" in shown.text.id
    assert shown.amount == DUE
    assert {reference.type for reference in shown.references} == {
        "PaymentEntitled",
        "CycleEvaluated",
    }
    [clause] = shown.clauses
    assert "cut by 10 % of the family's amount" in clause.text.en
    assert "dipotong 10 %" in clause.text.id
    assert [source.title for source in clause.sources] == ["Kebijakan 2017, penangguhan"]


def test_the_explanation_says_what_was_paid_and_of_what_it_is_the_rest() -> None:
    explanation = explained(ORDERED, CREDITED)

    assert (explanation.amount, explanation.cut) == (975_000, 97_500)
    assert explanation.text.en == (
        "The Rp 877,500 of tahap 2023-1 (Rp 975,000 less a cut of Rp 97,500) was paid."
    )
    assert explanation.text.id.startswith(
        "Bantuan Rp877.500 tahap 2023-1 (Rp975.000 dipotong Rp97.500)"
    )


def test_nothing_is_cut_of_what_was_not_ordered() -> None:
    failed = payments(41, AccountCheckFailed(PAYMENT, TAHAP, FAMILY, "ACCOUNT_CLOSED"))

    explanation = explained(failed, disposition="ACCOUNT_FAILED")

    assert (explanation.amount, explanation.cut) == (975_000, 0)
    assert steps(explanation, "CUT") == []


def test_a_year_that_cuts_says_nothing_of_held_money() -> None:
    shown = said(explained(ORDERED, CREDITED))

    assert "blocked" not in shown
    assert "diblokir" not in shown


def test_the_list_tells_how_much_of_it_is_cut() -> None:
    body = ListFrozen(TAHAP, HASH, 170, 126_275_000, "maker", "checker", 97_500)

    explanation = why(
        "PAID",
        evaluated(),
        entitled_less(),
        ORDERED,
        CREDITED,
        of_tahap=(*CUTTING, payments(20, body), *PAPERS[1:]),
    )

    assert "Rp 126,275,000 (Rp 97,500 of it cut; SHA-256" in step(explanation, "LIST").text.en


def test_a_late_correction_says_what_it_would_change_and_that_money_stays() -> None:
    proposed = CorrectionProposed(TAHAP, FAMILY, 1, "COMPLIANT", 0, 10)

    later = steps(explained(ORDERED, CREDITED, conditionality(90, proposed)), "LATER")

    assert "what it cuts 0 % instead of 10 %" in later[0].text.en
    assert "the money of the frozen list stays as it is" in later[0].text.en


# -- Announced under a table that nobody has verified ---------------------------------------------

OVERRIDE = Override("2021-2024", "decree 12 is signed and not yet printed", "announcer-1")


@pytest.mark.parametrize("disposition", ["PAID", None])
def test_an_override_is_told_in_every_explanation_of_its_tahap(disposition: str | None) -> None:
    announced = replace(ANNOUNCED, body=replace(ANNOUNCED.body, override=OVERRIDE))
    money = (entitled(), ORDERED) if disposition else ()

    shown = step(
        why(disposition, cycle(), *money, of_tahap=(announced, LISTING, JUDGING, *PAPERS)),
        "OVERRIDE",
    )

    for words in ("2021-2024", "announcer-1", "decree 12 is signed and not yet printed"):
        assert words in shown.text.en
        assert words in shown.text.id


def test_a_tahap_without_an_override_says_nothing_of_one() -> None:
    assert steps(why("PAID", cycle(), entitled(), ORDERED), "OVERRIDE") == []
