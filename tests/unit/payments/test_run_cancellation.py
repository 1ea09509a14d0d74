"""A run that ends with its cancelled tahap: until when, and how it starts anew."""

from dataclasses import replace

import pytest

from libs.events.domain.errors import DomainError
from services.payments.domain.run.messages import (
    CancelRun,
    Command,
    MarkEntitled,
    OrderCancelled,
    Reconcile,
    RecordOrderCancelled,
    RunCancelled,
    RunOpened,
    WithdrawFile,
)
from services.payments.domain.shared.errors import (
    Contradiction,
    Malformed,
    StepNotReached,
    TooLateToCancel,
    TotalsDiffer,
)
from tests.unit.payments.kit import HASH, ORDER, OTHER_HASH, TAHAP, of
from tests.unit.payments.run_steps import (
    ANSWER,
    APPROVE,
    CHECK,
    ENTITLED,
    FUNDS,
    NOTHING,
    OPEN,
    ORDERED,
    PROPOSE,
    RECONCILED,
    SENT,
    SETTLED,
    TO_BNI,
    after,
)

CANCEL = CancelRun()
CANCELLED = RunCancelled(TAHAP, "REGULAR")
CHECKED: tuple[Command, ...] = (*ENTITLED, CHECK, ANSWER)
NONE_PASSED: tuple[Command, ...] = (
    OPEN,
    MarkEntitled(of(4, 4_000_000), NOTHING),
    Reconcile(NOTHING, NOTHING, NOTHING, NOTHING),
)
RECEIPT = "987654321098765"
BACK = RecordOrderCancelled(ORDER, RECEIPT, FUNDS.number, 2, 2_000_000)
NOT_RELEASED = RecordOrderCancelled(ORDER, RECEIPT, "", 0, 0)
GIVEN_BACK = OrderCancelled(TAHAP, "REGULAR", ORDER, RECEIPT, FUNDS.number, 2, 2_000_000)
NOTHING_BACK = OrderCancelled(TAHAP, "REGULAR", ORDER, RECEIPT, "", 0, 0)
FUNDED: tuple[Command, ...] = (*ORDERED, FUNDS)


@pytest.mark.parametrize(
    "steps",
    [(OPEN,), ENTITLED, (*ENTITLED, CHECK), CHECKED, (*CHECKED, PROPOSE), ORDERED, FUNDED],
    ids=["open", "entitled", "asked", "checked", "requested", "ordered", "funded"],
)
def test_a_run_ends_with_its_tahap_until_a_bank_has_a_file(steps: tuple[Command, ...]) -> None:
    after(*steps).when(CANCEL).then(CANCELLED)
    after(*steps, CANCEL).when(CANCEL).then_nothing()


@pytest.mark.parametrize(
    "steps",
    [
        (*FUNDED, TO_BNI),
        (*FUNDED, TO_BNI, WithdrawFile(TO_BNI.file, ())),
        SENT,
        (*SETTLED, RECONCILED),
        NONE_PASSED,
    ],
    ids=["one-file", "withdrawn-file", "sent", "reconciled", "none-passed"],
)
def test_a_run_does_not_end_once_a_bank_may_have_a_file(steps: tuple[Command, ...]) -> None:
    after(*steps).when(CANCEL).then_refused(TooLateToCancel)


def test_a_run_that_was_never_opened_has_nothing_to_end() -> None:
    after().when(CANCEL).then_nothing()


def test_what_was_requested_of_a_run_that_ended_is_ordered_no_more() -> None:
    after(*CHECKED, PROPOSE, CANCEL).when(APPROVE).then_refused(StepNotReached)


def test_a_run_that_ended_is_opened_anew_for_another_list() -> None:
    again = replace(OPEN, list_hash=OTHER_HASH)

    assert OTHER_HASH != HASH
    after(*CHECKED, CANCEL).when(again).then(
        RunOpened(TAHAP, "REGULAR", OTHER_HASH, again.count, again.rupiah)
    )


# -- The order of a run that is over


@pytest.mark.parametrize(
    ("steps", "command", "event"),
    [
        (ORDERED, NOT_RELEASED, NOTHING_BACK),
        (ORDERED, BACK, replace(GIVEN_BACK, unrecorded=True)),
        (FUNDED, BACK, GIVEN_BACK),
        (FUNDED, replace(BACK, unvoided=5), replace(GIVEN_BACK, unvoided=5)),
    ],
    ids=["never-released", "released-unheard", "released", "one-unvoided"],
)
def test_what_the_treasury_gives_back_is_recorded_once(
    steps: tuple[Command, ...], command: RecordOrderCancelled, event: OrderCancelled
) -> None:
    other = replace(command, receipt="000000000000000")

    after(*steps, CANCEL).when(command).then(event)
    after(*steps, CANCEL, command).when(command).then_nothing()
    after(*steps, CANCEL, command).when(other).then_refused(Contradiction)


@pytest.mark.parametrize(
    ("steps", "command", "refusal"),
    [
        (FUNDED, replace(BACK, count=1), TotalsDiffer),
        (FUNDED, replace(BACK, rupiah=1_999_999), TotalsDiffer),
        (ORDERED, replace(NOT_RELEASED, count=2, rupiah=2_000_000), TotalsDiffer),
        (ORDERED, replace(BACK, count=0, rupiah=0), TotalsDiffer),
        (FUNDED, NOT_RELEASED, Contradiction),
        (FUNDED, replace(BACK, number="230951304099999"), Contradiction),
        (FUNDED, replace(BACK, order=f"{ORDER}-R2"), Contradiction),
        (FUNDED, replace(BACK, unvoided=2_000_001), Malformed),
    ],
    ids=[
        *("fewer", "less", "nothing-with-figures", "released-without-figures"),
        *("released-is-denied", "another-release", "another-order", "more-unvoided-than-released"),
    ],
)
def test_what_the_treasury_cannot_have_released_is_not_believed(
    steps: tuple[Command, ...], command: RecordOrderCancelled, refusal: type[DomainError]
) -> None:
    after(*steps, CANCEL).when(command).then_refused(refusal)


def test_an_order_that_stands_is_not_taken_back() -> None:
    after(*FUNDED).when(BACK).then_refused(StepNotReached)
    after(*CHECKED, CANCEL).when(BACK).then_refused(StepNotReached)


def test_no_run_is_opened_while_the_treasury_may_still_release_for_the_last_one() -> None:
    after(*FUNDED, CANCEL).when(OPEN).then_refused(StepNotReached)
    after(*FUNDED, CANCEL, BACK).when(OPEN).then(
        RunOpened(TAHAP, "REGULAR", HASH, OPEN.count, OPEN.rupiah)
    )


def test_a_release_for_a_cancelled_order_is_not_recorded_in_any_run() -> None:
    anew = [replace(step, order=f"{ORDER}-R2") if step == APPROVE else step for step in ORDERED]

    after(*ORDERED, CANCEL).when(FUNDS).then_refused(StepNotReached)
    after(*FUNDED, CANCEL, BACK, *anew).when(FUNDS).then_refused(Contradiction)
