from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.payments.domain.run.decider import run
from services.payments.domain.run.messages import (
    ApproveOrder,
    Command,
    FundsReleased,
    ListEntitled,
    MarkEntitled,
    OpenRun,
    PaymentOrdered,
    PaymentRequested,
    RecordAccountCheck,
    RecordFundsRelease,
    RunOpened,
)
from services.payments.domain.run.state import RunStep
from services.payments.domain.shared.errors import (
    Contradiction,
    Malformed,
    NothingProposed,
    NothingToPay,
    SamePerson,
    StaleHash,
    StepNotReached,
    TotalsDiffer,
)
from services.payments.domain.shared.totals import Totals
from tests.unit.payments.kit import HASH, ORDER, OTHER_HASH, TAHAP, of
from tests.unit.payments.run_steps import (
    ANSWER,
    APPROVE,
    CHECK,
    ENTITLED,
    FUNDS,
    OPEN,
    ORDERED,
    PROPOSE,
    RECONCILED,
    RESULTS,
    SENT,
    SETTLED,
    after,
)

NOTHING = of(0, 0)
NOBODY_PASSES = RecordAccountCheck(CHECK.file, "d" * 64, NOTHING, of(3, 3_000_000))
MARK_ENTITLED = MarkEntitled(of(4, 4_000_000), of(3, 3_000_000))

# -- The steps


@pytest.mark.parametrize(
    ("taken", "step", "settled"),
    [
        ((), RunStep.OPEN, 0),
        ((OPEN,), RunStep.ENTITLE, 0),
        (ENTITLED, RunStep.CHECK_ACCOUNTS, 1),
        ((*ENTITLED, CHECK), RunStep.CHECK_ACCOUNTS, 1),
        ((*ENTITLED, CHECK, ANSWER), RunStep.ORDER, 2),
        ((*ENTITLED, CHECK, ANSWER, PROPOSE), RunStep.ORDER, 2),
        ((*ENTITLED, CHECK, NOBODY_PASSES), RunStep.RECONCILE, 4),
        (ORDERED, RunStep.RELEASE_FUNDS, 2),
        ((*ORDERED, FUNDS), RunStep.PAY, 2),
        ((*SENT, *RESULTS), RunStep.PAY, 4),
        (SETTLED, RunStep.RECONCILE, 4),
        ((*SETTLED, RECONCILED), RunStep.DONE, 4),
    ],
)
def test_a_run_says_which_step_comes_next_and_for_whom_none_does(
    taken: tuple[Command, ...], step: RunStep, settled: int
) -> None:
    state = after(*taken).state

    assert (state.next_step, state.settled) == (step, settled)


# -- Opening


@pytest.mark.parametrize("kind", ["REGULAR", "SUPPLEMENTARY-1"])
def test_a_run_is_opened_for_a_frozen_list(kind: str) -> None:
    given(run).when(OpenRun(TAHAP, kind, HASH, 4, 4_000_000)).then(
        RunOpened(TAHAP, kind, HASH, 4, 4_000_000)
    )


def test_opening_twice_changes_nothing() -> None:
    after(*SETTLED).when(OPEN).then_nothing()


@pytest.mark.parametrize(
    "other", [replace(OPEN, list_hash=OTHER_HASH), replace(OPEN, rupiah=4_000_001)]
)
def test_a_run_is_not_opened_for_another_list(other: OpenRun) -> None:
    after(OPEN).when(other).then_refused(Contradiction)


@pytest.mark.parametrize(
    "malformed", [replace(OPEN, kind="URGENT"), replace(OPEN, tahap="x"), replace(OPEN, count=-1)]
)
def test_a_run_that_can_not_be_is_not_opened(malformed: OpenRun) -> None:
    given(run).when(malformed).then_refused(Malformed)


@pytest.mark.parametrize("command", [c for c in (*SETTLED, RECONCILED) if c is not OPEN], ids=repr)
def test_nothing_happens_to_a_run_that_is_not_opened(command: Command) -> None:
    given(run).when(command).then_refused(StepNotReached)


# -- Entitled


def test_a_list_is_entitled_when_its_totals_are_those_that_were_frozen() -> None:
    after(OPEN).when(MARK_ENTITLED).then(
        ListEntitled(TAHAP, "REGULAR", of(4, 4_000_000), of(3, 3_000_000))
    )


def test_entitling_twice_changes_nothing() -> None:
    after(*SETTLED).when(MARK_ENTITLED).then_nothing()


@pytest.mark.parametrize("entitled", [of(3, 4_000_000), of(4, 3_999_999), of(5, 4_000_000)])
def test_entitlements_that_are_not_what_was_frozen_are_refused(entitled: Totals) -> None:
    short = replace(MARK_ENTITLED, entitled=entitled)

    after(OPEN).when(short).then_refused(TotalsDiffer)


def test_no_more_is_payable_than_is_entitled() -> None:
    after(OPEN).when(replace(MARK_ENTITLED, payable=of(5, 1))).then_refused(TotalsDiffer)
    after(OPEN).when(replace(MARK_ENTITLED, payable=of(0, 1))).then_refused(Malformed)


def test_what_is_payable_does_not_change_afterwards() -> None:
    after(*ENTITLED).when(replace(MARK_ENTITLED, payable=of(2, 2_000_000))).then_refused(
        Contradiction
    )


# -- The payment request (SPP)


def test_a_maker_requests_what_passed_the_check() -> None:
    after(*ENTITLED, CHECK, ANSWER).when(PROPOSE).then(
        PaymentRequested(TAHAP, "REGULAR", "SPP-2023-1-REGULAR", HASH, 2, 2_000_000, "maker")
    )


def test_the_same_request_again_changes_nothing() -> None:
    after(*ENTITLED, CHECK, ANSWER, PROPOSE).when(PROPOSE).then_nothing()
    after(*SETTLED).when(PROPOSE).then_nothing()


def test_a_new_request_takes_the_place_of_the_last() -> None:
    requested = after(*ENTITLED, CHECK, ANSWER, PROPOSE)

    assert requested.when(replace(PROPOSE, maker="other", hash=OTHER_HASH)).events


def test_after_the_order_no_other_request_is_taken() -> None:
    after(*ORDERED).when(replace(PROPOSE, maker="other")).then_refused(Contradiction)


@pytest.mark.parametrize("steps", [ENTITLED, (*ENTITLED, CHECK)])
def test_no_request_before_every_account_is_checked(steps: tuple[Command, ...]) -> None:
    after(*steps).when(PROPOSE).then_refused(StepNotReached)


@pytest.mark.parametrize("totals", [(1, 2_000_000), (2, 2_000_001), (3, 3_000_000)])
def test_no_rupiah_more_or_less_is_requested_than_passed(totals: tuple[int, int]) -> None:
    other = replace(PROPOSE, count=totals[0], rupiah=totals[1])

    after(*ENTITLED, CHECK, ANSWER).when(other).then_refused(TotalsDiffer)


def test_nothing_is_requested_when_no_account_passed() -> None:
    none_passed = replace(ANSWER, passed=NOTHING, failed=of(3, 3_000_000))

    after(*ENTITLED, CHECK, none_passed).when(PROPOSE).then_refused(NothingToPay)


# -- The payment order (SPM)


def test_a_second_person_orders_the_payment() -> None:
    after(*ENTITLED, CHECK, ANSWER, PROPOSE).when(APPROVE).then(
        PaymentOrdered(TAHAP, "REGULAR", ORDER, HASH, 2, 2_000_000, "maker", "checker")
    )


def test_approving_again_changes_nothing() -> None:
    after(*ORDERED).when(APPROVE).then_nothing()
    after(*ORDERED).when(replace(APPROVE, checker="another checker")).then_nothing()


def test_the_maker_does_not_approve_the_own_request() -> None:
    own = replace(APPROVE, checker="maker")

    after(*ENTITLED, CHECK, ANSWER, PROPOSE).when(own).then_refused(SamePerson)
    after(*ORDERED).when(own).then_refused(SamePerson)


def test_a_hash_that_was_not_requested_is_not_ordered() -> None:
    stale = replace(APPROVE, hash=OTHER_HASH)

    after(*ENTITLED, CHECK, ANSWER, PROPOSE).when(stale).then_refused(StaleHash)
    after(*ORDERED).when(stale).then_refused(StaleHash)


def test_nothing_is_ordered_that_nobody_requested() -> None:
    after(*ENTITLED, CHECK, ANSWER).when(APPROVE).then_refused(NothingProposed)


def test_a_request_is_ordered_once() -> None:
    after(*ORDERED).when(ApproveOrder("checker", "SPM-OTHER", HASH)).then_refused(Contradiction)


# -- The funds release (SP2D)


def test_the_treasury_releases_what_was_ordered() -> None:
    after(*ORDERED).when(FUNDS).then(
        FundsReleased(TAHAP, "REGULAR", ORDER, "230951304012345", 2, 2_000_000)
    )


def test_the_same_release_again_changes_nothing() -> None:
    after(*SETTLED).when(FUNDS).then_nothing()


def test_funds_are_released_once() -> None:
    second = replace(FUNDS, number="230951304099999")

    after(*ORDERED, FUNDS).when(second).then_refused(Contradiction)


@pytest.mark.parametrize(
    "other", [replace(FUNDS, order="SPM-OTHER"), replace(FUNDS, hash=OTHER_HASH)]
)
def test_funds_of_another_order_are_refused(other: RecordFundsRelease) -> None:
    after(*ORDERED).when(other).then_refused(Contradiction)


@pytest.mark.parametrize("other", [replace(FUNDS, rupiah=1_999_999), replace(FUNDS, count=1)])
def test_another_sum_than_was_ordered_is_refused(other: RecordFundsRelease) -> None:
    after(*ORDERED).when(other).then_refused(TotalsDiffer)


def test_no_funds_without_an_order() -> None:
    after(*ENTITLED, CHECK, ANSWER, PROPOSE).when(FUNDS).then_refused(StepNotReached)
