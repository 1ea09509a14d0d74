"""A run that ends with its cancelled tahap: until when, and how it starts anew."""

from dataclasses import replace

import pytest

from services.payments.domain.errors import StepNotReached, TooLateToCancel
from services.payments.domain.run_cancellation_messages import CancelRun, RunCancelled
from services.payments.domain.run_messages import Command, MarkEntitled, Reconcile, RunOpened
from tests.unit.payments.kit import HASH, OTHER_HASH, TAHAP, of
from tests.unit.payments.run_steps import (
    ANSWER,
    APPROVE,
    CHECK,
    ENTITLED,
    NOTHING,
    OPEN,
    ORDERED,
    PROPOSE,
    RECONCILED,
    SENT,
    SETTLED,
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


@pytest.mark.parametrize(
    "steps",
    [(OPEN,), ENTITLED, (*ENTITLED, CHECK), CHECKED, (*CHECKED, PROPOSE)],
    ids=["open", "entitled", "asked", "checked", "requested"],
)
def test_a_run_ends_with_its_tahap_until_it_is_ordered(steps: tuple[Command, ...]) -> None:
    after(*steps).when(CANCEL).then(CANCELLED)
    after(*steps, CANCEL).when(CANCEL).then_nothing()


@pytest.mark.parametrize(
    "steps",
    [ORDERED, SENT, (*SETTLED, RECONCILED), NONE_PASSED],
    ids=["ordered", "sent", "reconciled", "none-passed"],
)
def test_a_run_that_is_ordered_or_closed_does_not_end(steps: tuple[Command, ...]) -> None:
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
