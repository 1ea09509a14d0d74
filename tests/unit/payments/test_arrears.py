"""A cycle behind a cut is decided otherwise behind the freeze: what is owed then, and said once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.payments.domain.entitlement import NO_CUT, Cut
from services.payments.domain.ledger import of_payment
from services.payments.domain.payment.decider import carried, payment
from services.payments.domain.payment.messages import (
    ArrearOwed,
    ClearHold,
    Command,
    CorrectCut,
    Credit,
    CutCorrected,
    Defer,
    Event,
    FailAccountCheck,
    FailTransfer,
    PaymentCredited,
)
from tests.unit.payments.kit import AMOUNT, ENTITLE, FAMILY, HOLD, INSTRUCT, PAYMENT, TAHAP, past

CASE = "7c0f4d2e-51b7-4c37-9a52-0e8d6f1b2a90"
CUT = Cut(135_000, 10, 1)
ENTITLE_CUT = replace(ENTITLE, cut=CUT)
CREDIT = Credit("BNI-0001", AMOUNT - CUT.rupiah)
FAIL = FailTransfer("ACCOUNT_CLOSED", AMOUNT - CUT.rupiah)
LIFT = CorrectCut(0, 2, CASE)
NOTED = CutCorrected(0, 2, CASE)


def owed(rupiah: int, percent: int = 0, evaluation: int = 2, case: str = CASE) -> ArrearOwed:
    return ArrearOwed(PAYMENT, TAHAP, FAMILY, rupiah, percent, evaluation, case)


def owed_by(*commands: Command) -> list[int]:
    """The rupiah that the family was said to be owed, word by word."""
    return [event.amount for event in past(*commands) if isinstance(event, ArrearOwed)]


def test_a_cut_that_is_lifted_behind_the_credit_is_owed_with_its_case() -> None:
    given(payment, *past(ENTITLE_CUT, INSTRUCT, CREDIT)).when(LIFT).then(NOTED, owed(135_000))


@pytest.mark.parametrize(
    "order",
    [
        (LIFT, ENTITLE_CUT, INSTRUCT, CREDIT),
        (ENTITLE_CUT, LIFT, INSTRUCT, CREDIT),
        (ENTITLE_CUT, INSTRUCT, LIFT, CREDIT),
        (ENTITLE_CUT, INSTRUCT, CREDIT, LIFT),
    ],
)
def test_it_is_owed_once_whenever_the_correction_comes(order: tuple[Command, ...]) -> None:
    assert owed_by(*order, LIFT) == [135_000]
    assert sum(isinstance(event, PaymentCredited) for event in past(*order)) == 1


def test_a_smaller_cut_is_owed_as_the_difference() -> None:
    half = CorrectCut(5, 2)

    assert past(ENTITLE_CUT, INSTRUCT, CREDIT, half)[-1] == owed(67_500, 5, case="")


def test_a_later_revision_takes_the_place_of_an_earlier_one_and_an_older_is_quiet() -> None:
    again = CorrectCut(10, 3)

    assert owed_by(ENTITLE_CUT, INSTRUCT, CREDIT, LIFT, again) == [135_000, 0]
    assert owed_by(ENTITLE_CUT, INSTRUCT, LIFT, again, CREDIT) == []
    given(payment, *past(ENTITLE_CUT, INSTRUCT, CREDIT, LIFT, again)).when(LIFT).then_nothing()


@pytest.mark.parametrize(
    "order",
    [
        (replace(ENTITLE_CUT, cut=NO_CUT), INSTRUCT, Credit("BNI-0001", AMOUNT), LIFT),
        (ENTITLE_CUT, INSTRUCT, FAIL, LIFT),
        (ENTITLE_CUT, LIFT, INSTRUCT, FAIL),
        (ENTITLE_CUT, FailAccountCheck("ACCOUNT_CLOSED"), LIFT),
        (LIFT, ClearHold("withdrawn-2023-1"), ENTITLE_CUT, INSTRUCT, CREDIT),
    ],
    ids=["nothing cut", "failed, lifted", "lifted, failed", "account failed", "tahap cancelled"],
)
def test_nothing_is_owed_of_what_was_not_cut_or_not_paid(order: tuple[Command, ...]) -> None:
    assert owed_by(*order) == []


def test_what_is_owed_moves_no_money() -> None:
    events: tuple[Event, ...] = past(ENTITLE_CUT, INSTRUCT, CREDIT, LIFT)
    state = payment.fold(events)

    assert [of_payment(event, state) for event in events[-2:]] == [(), ()]


def test_a_hold_forgets_no_correction() -> None:
    assert owed_by(LIFT, HOLD, ENTITLE_CUT, INSTRUCT, CREDIT) == [135_000]


def test_the_payment_in_place_of_a_deferred_one_is_told_of_the_correction() -> None:
    deferred = payment.fold(past(Defer(TAHAP, FAMILY, "REGULAR", "PARKED"), LIFT))

    assert carried(deferred.hold) == [LIFT]
