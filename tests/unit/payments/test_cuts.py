"""A cut: what a failed cycle takes off an entitlement, what is then paid, and how it is booked."""

from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.payments import policy
from services.payments.domain.entitlement import NO_CUT, Cut, Member, cut_of, entitlement
from services.payments.domain.ledger import (
    Movement,
    MovementName,
    of_payment,
)
from services.payments.domain.ledger_checks import (
    balances,
    check_cut,
)
from services.payments.domain.payment.decider import payment
from services.payments.domain.payment.messages import (
    Credit,
    FailTransfer,
    PaymentCredited,
    PaymentDeferred,
    PaymentEntitled,
    PaymentInstructed,
    TakeOut,
    TransferFailed,
)
from services.payments.domain.run.decider import run
from services.payments.domain.run.messages import MarkEntitled, OpenRun
from services.payments.domain.shared.errors import (
    AmountDiffers,
    Contradiction,
    Malformed,
    NothingToPay,
    TotalsDiffer,
)
from services.payments.domain.tahap.decider import tahap
from services.payments.domain.tahap.messages import ListFrozen, MarkListReady
from tests.unit.payments.kit import AMOUNT, ANNOUNCED, ENTITLE, HASH, INSTRUCT, TAHAP, of, past

CUT = Cut(135_000, 10, 2)
DUE = AMOUNT - CUT.rupiah
ENTITLE_CUT = replace(ENTITLE, cut=CUT)
CREDIT_DUE = Credit("BNI-0001", DUE)
FAIL_DUE = FailTransfer("ACCOUNT_CLOSED", DUE)


# -- How much -------------------------------------------------------------------------------------


def test_2026_a_pupil_below_the_threshold_costs_a_family_a_tenth() -> None:
    pupils = [Member(1, 1, ("SD",)), Member(2, 2, ("SMP",))]
    owed = entitlement(pupils, policy.load().benefit("2025-2026"))

    cut = cut_of(owed.amount, 10, 1)

    assert (owed.amount, cut.rupiah, owed.amount - cut.rupiah) == (600_000, 60_000, 540_000)


def test_a_tenth_of_every_amount_since_2021_is_whole_rupiah() -> None:
    for table in ("2021-2024", "2025-2026"):
        for amount in policy.load().benefit(table).components.values():
            assert cut_of(amount, 10, 1).rupiah * 10 == amount


@pytest.mark.parametrize(
    ("amount", "percent", "rupiah"),
    [(225_005, 10, 22_500), (225_009, 10, 22_500), (9, 10, 0), (0, 10, 0), (7, 100, 7)],
)
def test_the_family_keeps_the_fraction_of_a_rupiah(amount: int, percent: int, rupiah: int) -> None:
    assert cut_of(amount, percent, 1).rupiah == rupiah


def test_nothing_is_cut_without_an_order_to_cut() -> None:
    assert cut_of(600_000, 0, 3) == NO_CUT


# -- A payment ------------------------------------------------------------------------------------


def test_the_entitlement_stays_whole_and_says_what_is_cut_and_on_what_it_rests() -> None:
    [entitled] = given(payment).when(ENTITLE_CUT).events

    assert isinstance(entitled, PaymentEntitled)
    assert (entitled.amount, entitled.cut) == (AMOUNT, 135_000)
    assert (entitled.cut_percent, entitled.evaluation) == (10, 2)


def test_what_is_instructed_and_credited_is_the_amount_less_the_cut() -> None:
    _, instructed, credited = past(ENTITLE_CUT, INSTRUCT, CREDIT_DUE)

    assert isinstance(instructed, PaymentInstructed)
    assert isinstance(credited, PaymentCredited)
    assert (instructed.amount, credited.amount) == (DUE, DUE)


def test_a_failed_transfer_returns_the_amount_less_the_cut() -> None:
    *_, failed = past(ENTITLE_CUT, INSTRUCT, FAIL_DUE)

    assert isinstance(failed, TransferFailed)
    assert failed.amount == DUE


def test_a_bank_that_answers_the_uncut_amount_is_refused() -> None:
    instructed = past(ENTITLE_CUT, INSTRUCT)

    given(payment, *instructed).when(Credit("BNI-0001", AMOUNT)).then_refused(AmountDiffers)


@pytest.mark.parametrize("other", [NO_CUT, Cut(135_001, 10, 2)])
def test_another_cut_on_the_same_payment_is_refused(other: Cut) -> None:
    given(payment, *past(ENTITLE_CUT)).when(replace(ENTITLE, cut=other)).then_refused(Contradiction)


@pytest.mark.parametrize("rupiah", [-1, AMOUNT + 1])
def test_a_cut_below_zero_or_above_the_amount_is_refused(rupiah: int) -> None:
    given(payment).when(replace(ENTITLE, cut=Cut(rupiah, 10, 1))).then_refused(Malformed)


def test_an_amount_that_is_cut_whole_is_not_instructed() -> None:
    whole = past(replace(ENTITLE, cut=Cut(AMOUNT, 100, 1)))

    given(payment, *whole).when(INSTRUCT).then_refused(NothingToPay)


def test_a_line_that_leaves_its_run_takes_back_what_was_instructed_of_it() -> None:
    instructed = past(ENTITLE_CUT, INSTRUCT)

    [deferred] = given(payment, *instructed).when(TakeOut("ON_HOLD", ordered=True)).events

    assert isinstance(deferred, PaymentDeferred)
    assert deferred.returned == DUE


# -- The ledger -----------------------------------------------------------------------------------


def movements(*commands: object) -> list[Movement]:
    events = past(*commands)  # type: ignore[arg-type]
    state = payment.fold(events)
    return [movement for event in events for movement in of_payment(event, state)]


@pytest.mark.parametrize("answer", [CREDIT_DUE, FAIL_DUE])
def test_the_cut_is_booked_once_with_the_banks_answer(answer: object) -> None:
    booked = movements(ENTITLE_CUT, INSTRUCT, answer)

    [cut] = [movement for movement in booked if movement.name is MovementName.CUT]
    assert (cut.debit, cut.credit, cut.amount) == ("benefit_cut", "state_treasury", 135_000)
    assert sum(balances(booked).values()) == 0


def test_nothing_is_cut_in_the_books_before_the_bank_answers() -> None:
    assert [m.name for m in movements(ENTITLE_CUT, INSTRUCT)] == [MovementName.INSTRUCTED]
    out = movements(ENTITLE_CUT, INSTRUCT, TakeOut("ON_HOLD", ordered=True))
    assert MovementName.CUT not in {movement.name for movement in out}


def test_a_cut_that_nobody_approved_breaks_the_books() -> None:
    assert check_cut(TAHAP, 135_000, {MovementName.CUT: 135_000}) == []
    [broken] = check_cut(TAHAP, 135_000, {})
    assert (broken.expected, broken.found) == (135_000, 0)


# -- The list and the run -------------------------------------------------------------------------


def test_the_frozen_list_says_what_is_cut_of_its_rupiah() -> None:
    ready = MarkListReady(HASH, 3, 3_000_000, cut=135_000)
    [event] = given(tahap, ANNOUNCED).when(ready).events

    assert getattr(event, "cut", None) == 135_000
    assert ListFrozen(TAHAP, HASH, 3, 3_000_000, (), "maker", "checker").cut == 0


@pytest.mark.parametrize("cut", [-1, 3_000_001])
def test_a_list_of_which_more_is_cut_than_there_is_is_refused(cut: int) -> None:
    given(tahap, ANNOUNCED).when(MarkListReady(HASH, 3, 3_000_000, cut=cut)).then_refused(Malformed)


@pytest.mark.parametrize("cut", [0, 134_999, 135_001])
def test_a_run_that_cuts_otherwise_than_was_approved_does_not_go_on(cut: int) -> None:
    opened = run.decide(OpenRun(TAHAP, "REGULAR", HASH, 3, 3_000_000, 135_000), run.initial)
    entitled = MarkEntitled(of(3, 3_000_000), of(3, 2_865_000), cut)

    given(run, *opened).when(entitled).then_refused(TotalsDiffer)


def test_a_run_that_cuts_as_was_approved_goes_on() -> None:
    opened = run.decide(OpenRun(TAHAP, "REGULAR", HASH, 3, 3_000_000, 135_000), run.initial)

    assert (
        given(run, *opened).when(MarkEntitled(of(3, 3_000_000), of(3, 2_865_000), 135_000)).events
    )
