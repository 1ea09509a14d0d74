"""A cancelled announcement's entitlements and freezes are told of no more."""

from __future__ import annotations

from dataclasses import replace

from services.projection.explanation.messages import (
    AccountCheckFailed,
    CycleWithdrawn,
    FamilyUnlisted,
    PaymentVoided,
)
from services.projection.explanation.tahap_messages import ListFrozen, TahapCancelled
from tests.unit.projection.kit import (
    ANNOUNCED,
    CLOSING,
    FAMILY,
    HASH,
    PAPERS,
    PAYMENT,
    TAHAP,
    conditionality,
    cycle,
    entitled,
    payments,
    registry,
    said,
    step,
    steps,
    why,
)

FAILED = payments(31, AccountCheckFailed(PAYMENT, TAHAP, FAMILY, "ACCOUNT_CLOSED"))
VOIDED = payments(90, PaymentVoided(PAYMENT, TAHAP, FAMILY))
CANCELLED = payments(85, TahapCancelled(TAHAP, 1, "WRONG_DATES", "planner", "head"))
AGAIN = payments(100, ListFrozen(TAHAP, "b" * 64, 169, 126_000_000, "maker-2", "checker-2"))
AROUND = (*CLOSING, *PAPERS, CANCELLED)
ANEW = payments(91, replace(ANNOUNCED.body, revision=2))
UNLISTED = registry(200, FamilyUnlisted(FAMILY, TAHAP, 1))
WITHDRAWN = conditionality(20, CycleWithdrawn(FAMILY, TAHAP))


def test_a_voided_payment_is_owed_to_nobody() -> None:
    explanation = why(None, cycle(), entitled(), FAILED, VOIDED, of_tahap=AROUND)

    assert explanation.amount == 0
    assert steps(explanation, "SUM") == []
    assert "ACCOUNT_CLOSED" not in said(explanation)


def test_a_payment_that_is_entitled_anew_stands_on_the_list_that_was_frozen_anew() -> None:
    anew = replace(entitled(), position=110)
    around = (*AROUND, ANEW, AGAIN)
    explanation = why("PENDING", cycle(), entitled(), FAILED, VOIDED, anew, of_tahap=around)

    assert explanation.amount == anew.body.amount
    assert "maker-2" in step(explanation, "LIST").text.en
    assert HASH not in said(explanation)
    assert "ACCOUNT_CLOSED" not in said(explanation)


def test_a_cancelled_tahap_tells_who_cancelled_it_and_what_was_taken_back_of_the_family() -> None:
    explanation = why(None, cycle(), entitled(), VOIDED, UNLISTED, WITHDRAWN, of_tahap=AROUND)

    assert (explanation.disposition, explanation.amount) == ("CANCELLED", 0)
    assert explanation.text.en == "The amount of tahap 2023-1 is none: the tahap is cancelled."
    cancelled = step(explanation, "CANCELLED")
    assert cancelled.text.en == (
        "planner proposed and head decided to cancel revision 1 of the tahap (WRONG_DATES). Taken "
        "back of the family: its line on the list, the evaluation of its cycle, its payment of "
        "Rp 975,000, which is void because no bank had a file yet. The tahap is not announced "
        "anew: it pays nobody."
    )
    assert "planner mengusulkan dan head memutuskan pembatalan revisi 1" in cancelled.text.id
    assert [each.type for each in cancelled.references] == [
        *("TahapCancelled", "FamilyUnlisted", "CycleWithdrawn", "PaymentVoided"),
    ]


def test_a_corrected_tahap_tells_which_revision_pays_instead() -> None:
    anew = replace(entitled(), position=110)

    explanation = why(
        "PAID", cycle(), entitled(), VOIDED, UNLISTED, anew, of_tahap=(*AROUND, ANEW, AGAIN)
    )

    assert (explanation.disposition, explanation.amount) == ("PAID", 975_000)
    cancelled = step(explanation, "CANCELLED").text
    assert "payment of Rp 975,000, which is void" in cancelled.en
    assert cancelled.en.endswith("Revision 2 is announced in its place, and pays instead.")
    assert cancelled.id.endswith("Revisi 2 diumumkan sebagai gantinya, dan menyalurkan bantuannya.")


def test_each_cancellation_tells_of_the_payment_that_it_voided() -> None:
    anew = replace(entitled(amount=500_000), position=110)
    ended = payments(120, TahapCancelled(TAHAP, 2, "WRONG_MONTHS", "planner-2", "head-2"))
    voided = payments(130, PaymentVoided(PAYMENT, TAHAP, FAMILY))
    third = payments(131, replace(ANNOUNCED.body, revision=3))

    explanation = why(
        *(None, cycle(), entitled(), VOIDED, anew, voided),
        of_tahap=(*AROUND, ANEW, AGAIN, ended, third),
    )

    first, second = [each.text.en for each in steps(explanation, "CANCELLED")]
    assert ("Rp 975,000" in first, "Rp 500,000" in second) == (True, True)
    assert ("Revision 2 is" in first, "Revision 3 is" in second) == (True, True)
    assert explanation.disposition != "CANCELLED"


def test_a_tahap_that_was_never_cancelled_tells_of_no_cancellation() -> None:
    assert steps(why("PENDING", cycle(), entitled()), "CANCELLED") == []
