from dataclasses import replace

import pytest

from libs.events.domain.testing import Given
from services.payments.domain.run.messages import (
    Command,
    Event,
    MarkCredited,
    MarkEntitled,
    Reconcile,
    TahapReconciled,
    TransfersRecorded,
)
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.errors import (
    NotConserved,
    StepNotReached,
    TotalsDiffer,
    TransfersUnknown,
)
from tests.unit.payments.kit import TAHAP, of
from tests.unit.payments.run_steps import (
    ANSWER,
    CHECK,
    ENTITLED,
    FUNDS,
    OPEN,
    ORDERED,
    RECONCILED,
    RESULTS,
    SENT,
    SETTLED,
    after,
)

NOTHING = of(0, 0)

# -- Transfers recorded

TALLY = MarkCredited(of(1, 1_200_000), of(1, 800_000))


def test_transfers_are_recorded_when_payments_say_what_the_banks_said() -> None:
    after(*SENT, *RESULTS).when(TALLY).then(
        TransfersRecorded(TAHAP, "REGULAR", of(1, 1_200_000), of(1, 800_000))
    )


def test_recording_them_twice_changes_nothing() -> None:
    after(*SETTLED).when(TALLY).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        MarkCredited(of(2, 2_000_000), NOTHING),
        MarkCredited(of(1, 1_200_000), NOTHING),
        MarkCredited(of(1, 1_200_001), of(1, 799_999)),
    ],
)
def test_payments_that_say_otherwise_than_the_banks_are_refused(other: MarkCredited) -> None:
    after(*SENT, *RESULTS).when(other).then_refused(TotalsDiffer)


def test_a_bank_that_did_not_answer_leaves_transfers_unknown() -> None:
    one_silent = MarkCredited(of(1, 1_200_000), NOTHING)

    after(*SENT, RESULTS[0]).when(one_silent).then_refused(TransfersUnknown)


def test_a_bank_that_was_not_sent_its_file_keeps_the_run_waiting() -> None:
    after(*ORDERED, FUNDS, SENT[-2], RESULTS[0]).when(TALLY).then_refused(StepNotReached)
    after(*ORDERED).when(TALLY).then_refused(StepNotReached)


# -- Reconciled


def test_a_run_is_reconciled_when_its_books_agree() -> None:
    after(*SETTLED).when(RECONCILED).then(
        TahapReconciled(TAHAP, "REGULAR", of(2, 2_000_000), of(1, 1_200_000), of(1, 800_000))
    )


def test_reconciling_twice_changes_nothing() -> None:
    after(*SETTLED, RECONCILED).when(RECONCILED).then_nothing()


def test_instructed_is_credited_failed_and_unknown_to_the_rupiah() -> None:
    lost_one = replace(RECONCILED, failed=of(1, 799_999))

    after(*SETTLED).when(lost_one).then_refused(NotConserved)


def test_an_unknown_transfer_keeps_the_run_open() -> None:
    unknown = replace(RECONCILED, failed=NOTHING, unknown=of(1, 800_000))

    after(*SETTLED).when(unknown).then_refused(TransfersUnknown)


@pytest.mark.parametrize(
    "otherwise",
    [
        Reconcile(of(1, 1_200_000), of(1, 1_200_000), NOTHING, NOTHING),
        Reconcile(of(2, 2_000_000), of(2, 2_000_000), NOTHING, NOTHING),
    ],
)
def test_books_that_agree_with_themselves_alone_are_refused(otherwise: Reconcile) -> None:
    after(*SETTLED).when(otherwise).then_refused(TotalsDiffer)


def test_a_run_is_not_reconciled_before_its_transfers_are_recorded() -> None:
    after(*SENT, *RESULTS).when(RECONCILED).then_refused(StepNotReached)


ZERO = Reconcile(NOTHING, NOTHING, NOTHING, NOTHING)
NOBODY = after(OPEN, MarkEntitled(of(4, 4_000_000), NOTHING))


@pytest.mark.parametrize(
    "nothing_passed",
    [
        NOBODY,
        after(*ENTITLED, CHECK, replace(ANSWER, passed=NOTHING, failed=of(3, 3_000_000))),
    ],
    ids=["nobody payable", "no account passed"],
)
def test_a_run_of_which_nothing_can_be_paid_is_reconciled_on_zeros(
    nothing_passed: Given[Command, RunState, Event],
) -> None:
    nothing_passed.when(ZERO).then(TahapReconciled(TAHAP, "REGULAR", NOTHING, NOTHING, NOTHING))


def test_a_run_that_can_pay_is_not_reconciled_on_zeros() -> None:
    after(*ENTITLED).when(ZERO).then_refused(StepNotReached)
    after(*ENTITLED, CHECK, ANSWER).when(ZERO).then_refused(StepNotReached)
