"""A cancelled announcement's entitlements and freezes are told of no more."""

from __future__ import annotations

from dataclasses import replace

from services.projection.explanation.cancellation_messages import PaymentVoided
from services.projection.explanation.messages import AccountCheckFailed
from services.projection.explanation.tahap_messages import ListFrozen, TahapCancelled
from tests.unit.projection.kit import (
    CLOSING,
    FAMILY,
    HASH,
    PAPERS,
    PAYMENT,
    TAHAP,
    cycle,
    entitled,
    payments,
    said,
    step,
    steps,
    why,
)

FAILED = payments(31, AccountCheckFailed(PAYMENT, TAHAP, FAMILY, "ACCOUNT_CLOSED"))
VOIDED = payments(90, PaymentVoided(PAYMENT, TAHAP, FAMILY))
CANCELLED = payments(85, TahapCancelled(TAHAP, 1))
AGAIN = payments(100, ListFrozen(TAHAP, "b" * 64, 169, 126_000_000, "maker-2", "checker-2"))
AROUND = (*CLOSING, *PAPERS, CANCELLED)


def test_a_voided_payment_is_owed_to_nobody() -> None:
    explanation = why(None, cycle(), entitled(), FAILED, VOIDED, of_tahap=AROUND)

    assert explanation.amount == 0
    assert steps(explanation, "SUM") == []
    assert "ACCOUNT_CLOSED" not in said(explanation)


def test_a_payment_that_is_entitled_anew_stands_on_the_list_that_was_frozen_anew() -> None:
    anew = replace(entitled(), position=110)
    explanation = why(
        "PENDING", cycle(), entitled(), FAILED, VOIDED, anew, of_tahap=(*AROUND, AGAIN)
    )

    assert explanation.amount == anew.body.amount
    assert "maker-2" in step(explanation, "LIST").text.en
    assert HASH not in said(explanation)
    assert "ACCOUNT_CLOSED" not in said(explanation)
