"""Families missing at the freeze: deferred by name, then paid by a supplementary run or named."""

from dataclasses import replace

import pytest

from libs.events.domain.testing import Given, given
from services.payments.domain.shared.errors import (
    Contradiction,
    FamiliesOutstanding,
    Malformed,
    MissingNotDeferred,
    NotDeferred,
    NothingProposed,
    NotMissing,
    RunsOpen,
    SamePerson,
    StaleHash,
    StepNotReached,
    TahapIsClosed,
    TooManyDeferred,
)
from services.payments.domain.tahap.decider import DEFERRED_FAMILIES_MAX, tahap
from services.payments.domain.tahap.messages import (
    ApproveClose,
    ApproveFreeze,
    CloseProposed,
    CloseTahap,
    Command,
    DeferFamilies,
    Deferral,
    Event,
    FamiliesDeferred,
    FreezeProposed,
    ListFrozen,
    ListReady,
    MarkListReady,
    MarkRunReconciled,
    OpenSupplementary,
    ProposeClose,
    ProposeFreeze,
    RequestBuckets,
    RunSettled,
    SupplementaryFrozen,
    SupplementaryOpened,
    TahapClosed,
)
from services.payments.domain.tahap.state import TahapState
from tests.unit.payments.kit import (
    APPROVE,
    FAMILY,
    HASH,
    NEIGHBOUR,
    OTHER_HASH,
    PARKED,
    PROPOSE,
    TAHAP,
)

SUPPLEMENTARY = "SUPPLEMENTARY-1"
LATE = "c3b2a190-1111-4222-8333-444455556666"
BOTH = (PARKED, Deferral(LATE, "UNDER_REVIEW"))
READY_WITHOUT_ONE = MarkListReady(HASH, 3, 3_000_000, (NEIGHBOUR,))
READY_WITHOUT_TWO = MarkListReady(HASH, 3, 3_000_000, (NEIGHBOUR, LATE))
OPEN = OpenSupplementary(1, (NEIGHBOUR,))
SUPPLEMENTARY_READY = MarkListReady(OTHER_HASH, 1, 225_000, kind=SUPPLEMENTARY)


def after(*commands: Command) -> Given[Command, TahapState, Event]:
    """A tahap in which these commands were taken, one after another."""
    events: list[Event] = []
    for command in (PROPOSE, APPROVE, *commands):
        events += given(tahap, *events).when(command).events
    return given(tahap, *events)


def freeze(*deferred: Deferral, kind: str = "REGULAR", hash_: str = HASH) -> tuple[Command, ...]:
    return (
        ProposeFreeze("maker", hash_, deferred, kind),
        ApproveFreeze("checker", hash_, kind),
    )


# -- Deferring at the freeze


def test_a_missing_family_is_deferred_by_name() -> None:
    (frozen,) = after(READY_WITHOUT_ONE, freeze(PARKED)[0]).when(freeze()[1]).events

    assert isinstance(frozen, ListFrozen)
    assert frozen.deferred == (PARKED,)


def test_deferred_families_stand_in_order_however_they_were_named() -> None:
    (proposed,) = after(READY_WITHOUT_TWO).when(ProposeFreeze("m", HASH, BOTH[::-1])).events

    assert isinstance(proposed, FreezeProposed)
    assert proposed.deferred == BOTH


def test_a_missing_family_that_is_not_named_stops_the_freeze() -> None:
    waiting = after(READY_WITHOUT_TWO)

    waiting.when(ProposeFreeze("maker", HASH)).then_refused(MissingNotDeferred)
    waiting.when(ProposeFreeze("maker", HASH, (PARKED,))).then_refused(MissingNotDeferred)


def test_a_family_that_arrived_is_not_deferred() -> None:
    too_many = ProposeFreeze("maker", HASH, (PARKED, Deferral(FAMILY, "PARKED")))

    after(READY_WITHOUT_ONE).when(too_many).then_refused(NotMissing)


@pytest.mark.parametrize(
    "malformed",
    [
        (PARKED, PARKED),
        (Deferral(NEIGHBOUR, ""),),
        (Deferral(NEIGHBOUR, "Siti Aminah moved to her daughter"),),
    ],
    ids=["named twice", "no reason", "free text"],
)
def test_a_deferral_has_one_family_and_a_code_for_its_reason(
    malformed: tuple[Deferral, ...],
) -> None:
    after(READY_WITHOUT_ONE).when(ProposeFreeze("maker", HASH, malformed)).then_refused(Malformed)


def test_so_many_missing_families_are_a_fault_and_not_late() -> None:
    missing = tuple(f"{n:08x}" for n in range(DEFERRED_FAMILIES_MAX + 1))

    after().when(MarkListReady(HASH, 1, 1, missing)).then_refused(TooManyDeferred)
    assert after().when(MarkListReady(HASH, 1, 1, missing[1:])).events


def test_whom_the_registry_withheld_by_thousands_is_deferred_by_name_at_the_freeze() -> None:
    count = DEFERRED_FAMILIES_MAX + 1
    gone = tuple(Deferral(f"{n:08x}", "KEY_DESTROYED") for n in range(count))
    ready = MarkListReady(HASH, 3, 3_000_000, withheld=count)
    approval = ApproveFreeze("checker", HASH, withheld=gone)
    waits = after(ready, ProposeFreeze("maker", HASH))

    (frozen, *deferred) = waits.when(approval).events
    assert isinstance(frozen, ListFrozen)
    assert frozen.withheld == count
    assert deferred == [
        FamiliesDeferred(TAHAP, "REGULAR", gone[:DEFERRED_FAMILIES_MAX]),
        FamiliesDeferred(TAHAP, "REGULAR", gone[DEFERRED_FAMILIES_MAX:]),
    ]
    assert waits.when(approval).state.outstanding == tuple(each.family for each in gone)
    waits.when(replace(approval, withheld=gone[1:])).then_refused(MissingNotDeferred)


def test_another_number_of_withheld_families_is_another_list_and_voids_its_proposal() -> None:
    ready = MarkListReady(HASH, 3, 3_000_000, withheld=1)

    (again,) = after(ready, ProposeFreeze("maker", HASH)).when(replace(ready, withheld=2)).events
    assert isinstance(again, ListReady)
    assert again.withheld == 2


# -- Opening a supplementary run


def test_a_supplementary_run_takes_up_deferred_families() -> None:
    after(READY_WITHOUT_ONE, *freeze(PARKED)).when(OPEN).then(
        SupplementaryOpened(TAHAP, SUPPLEMENTARY, (NEIGHBOUR,))
    )


def test_opening_it_again_changes_nothing() -> None:
    after(READY_WITHOUT_ONE, *freeze(PARKED), OPEN).when(OPEN).then_nothing()


def test_the_same_run_with_other_families_is_refused() -> None:
    opened = after(READY_WITHOUT_TWO, *freeze(*BOTH), OPEN)

    opened.when(OpenSupplementary(1, (LATE,))).then_refused(Contradiction)


@pytest.mark.parametrize("families", [(), (FAMILY,), (NEIGHBOUR, FAMILY)])
def test_who_was_not_deferred_is_on_another_list_and_not_paid_twice(
    families: tuple[str, ...],
) -> None:
    frozen = after(READY_WITHOUT_ONE, *freeze(PARKED))

    frozen.when(OpenSupplementary(1, families)).then_refused(NotDeferred)


def test_a_family_is_taken_up_by_one_supplementary_run_only() -> None:
    opened = after(READY_WITHOUT_TWO, *freeze(*BOTH), OPEN)

    opened.when(OpenSupplementary(2, (NEIGHBOUR,))).then_refused(NotDeferred)
    assert opened.when(OpenSupplementary(2, (LATE,))).events


def test_supplementary_runs_are_numbered_without_gaps() -> None:
    frozen = after(READY_WITHOUT_ONE, *freeze(PARKED))

    frozen.when(OpenSupplementary(2, (NEIGHBOUR,))).then_refused(StepNotReached)


def test_before_the_freeze_nobody_is_deferred() -> None:
    after(READY_WITHOUT_ONE).when(OPEN).then_refused(NotDeferred)


# -- Its list and its freeze

OPENED = (READY_WITHOUT_ONE, *freeze(PARKED), OPEN)


def test_a_supplementary_list_is_frozen_by_the_same_rules() -> None:
    propose, approve = freeze(kind=SUPPLEMENTARY, hash_=OTHER_HASH)
    ready = after(*OPENED, SUPPLEMENTARY_READY, propose)

    ready.when(ApproveFreeze("maker", OTHER_HASH, SUPPLEMENTARY)).then_refused(SamePerson)
    ready.when(approve).then(
        SupplementaryFrozen(TAHAP, SUPPLEMENTARY, OTHER_HASH, 1, 225_000, (), "maker", "checker")
    )


def test_a_supplementary_list_lacks_only_families_of_its_own() -> None:
    stranger = replace(SUPPLEMENTARY_READY, missing=(FAMILY,))

    after(*OPENED).when(stranger).then_refused(NotDeferred)


def test_a_family_deferred_again_waits_for_the_next_run() -> None:
    empty = MarkListReady(OTHER_HASH, 0, 0, (NEIGHBOUR,), SUPPLEMENTARY)
    again = after(*OPENED, empty, *freeze(PARKED, kind=SUPPLEMENTARY, hash_=OTHER_HASH))

    assert again.when(OpenSupplementary(2, (NEIGHBOUR,))).events


# -- Deferred behind the freeze

DONE = MarkRunReconciled()
PAID = (MarkListReady(HASH, 3, 3_000_000), *freeze())
LEFT = DeferFamilies((Deferral(FAMILY, "ON_HOLD"),))


def test_a_family_of_a_frozen_list_is_deferred_after_all() -> None:
    frozen = after(*PAID)

    frozen.when(LEFT).then(FamiliesDeferred(TAHAP, "REGULAR", LEFT.deferred))
    assert after(*PAID, LEFT).when(OpenSupplementary(1, (FAMILY,))).events


def test_deferring_a_family_behind_the_freeze_twice_changes_nothing() -> None:
    after(*PAID, LEFT).when(LEFT).then_nothing()


def test_a_family_that_a_later_list_has_taken_up_is_not_left_over_again() -> None:
    after(*PAID, LEFT, OpenSupplementary(1, (FAMILY,))).when(LEFT).then_nothing()


def test_a_family_that_leaves_a_supplementary_run_waits_for_the_next_one() -> None:
    ready = replace(SUPPLEMENTARY_READY, missing=())
    opened = after(*OPENED, ready, *freeze(kind=SUPPLEMENTARY, hash_=OTHER_HASH))
    again = DeferFamilies((Deferral(NEIGHBOUR, "ON_HOLD"),), SUPPLEMENTARY)

    opened.when(again).then(FamiliesDeferred(TAHAP, SUPPLEMENTARY, again.deferred))


def test_nobody_is_deferred_behind_a_freeze_that_has_not_been() -> None:
    after(READY_WITHOUT_ONE).when(LEFT).then_refused(StepNotReached)


def test_a_family_that_was_deferred_behind_the_freeze_keeps_the_tahap_open() -> None:
    waiting = after(*PAID, LEFT, DONE)

    waiting.when(CloseTahap()).then_refused(FamiliesOutstanding)
    waiting.when(CloseTahap(LEFT.deferred)).then(TahapClosed(TAHAP, LEFT.deferred))


# -- Reconciled and closed


def test_a_reconciled_run_is_noted_once() -> None:
    after(*PAID).when(DONE).then(RunSettled(TAHAP, "REGULAR"))
    after(*PAID, DONE).when(DONE).then_nothing()


def test_a_run_without_a_frozen_list_is_not_reconciled() -> None:
    after(READY_WITHOUT_ONE).when(DONE).then_refused(StepNotReached)
    after(*PAID).when(MarkRunReconciled(SUPPLEMENTARY)).then_refused(StepNotReached)


def test_a_tahap_closes_when_all_its_money_is_accounted_for() -> None:
    after(*PAID, DONE).when(CloseTahap()).then(TahapClosed(TAHAP, ()))


def test_closing_again_changes_nothing_and_differently_is_refused() -> None:
    closed = after(*PAID, DONE, CloseTahap())

    closed.when(CloseTahap()).then_nothing()
    closed.when(CloseTahap((PARKED,))).then_refused(Contradiction)


# -- Closed by two people


def test_two_people_close_it_and_its_last_run_closes_it_by_itself() -> None:
    proposed = CloseProposed(TAHAP, BOTH, "ana")
    waiting = after(READY_WITHOUT_TWO, *freeze(*BOTH), DONE)

    waiting.when(ProposeClose("ana", BOTH[::-1])).then(proposed)
    asked = after(READY_WITHOUT_TWO, *freeze(*BOTH), DONE, ProposeClose("ana", BOTH))
    asked.when(ProposeClose("ana", BOTH)).then_nothing()
    closed = TahapClosed(TAHAP, BOTH, "ana", "ben")
    asked.when(ApproveClose("ben", proposed.hash)).then(closed)


@pytest.mark.parametrize("person", ["ana", "Ana"])
def test_nobody_closes_what_they_proposed_to_close(person: str) -> None:
    proposed = CloseProposed(TAHAP, BOTH, "ana")
    asked = after(READY_WITHOUT_TWO, *freeze(*BOTH), DONE, ProposeClose("ana", BOTH))

    asked.when(ApproveClose(person, proposed.hash)).then_refused(SamePerson)
    asked.when(ApproveClose("ben", HASH)).then_refused(StaleHash)


def test_a_close_that_forgets_somebody_is_not_proposed_and_none_approved_unproposed() -> None:
    waiting = after(READY_WITHOUT_TWO, *freeze(*BOTH), DONE)

    waiting.when(ProposeClose("ana", BOTH[:1])).then_refused(FamiliesOutstanding)
    waiting.when(ApproveClose("ben", HASH)).then_refused(NothingProposed)
    after(*PAID).when(ProposeClose("ana")).then_refused(RunsOpen)


def test_a_proposal_to_close_falls_when_somebody_else_is_outstanding() -> None:
    proposed = CloseProposed(TAHAP, (), "ana")
    moved = after(*PAID, DONE, ProposeClose("ana"), LEFT)

    moved.when(ApproveClose("ben", proposed.hash)).then_refused(NothingProposed)


def test_an_open_run_keeps_the_tahap_open() -> None:
    after(*PAID).when(CloseTahap()).then_refused(RunsOpen)
    after(*OPENED, DONE).when(CloseTahap()).then_refused(RunsOpen)


def test_deferred_families_are_not_forgotten_at_the_close() -> None:
    waiting = after(READY_WITHOUT_TWO, *freeze(*BOTH), DONE)

    waiting.when(CloseTahap()).then_refused(FamiliesOutstanding)
    waiting.when(CloseTahap((PARKED,))).then_refused(FamiliesOutstanding)
    waiting.when(CloseTahap(BOTH[::-1])).then(TahapClosed(TAHAP, BOTH))


def test_who_was_paid_does_not_lapse() -> None:
    after(*PAID, DONE).when(CloseTahap((PARKED,))).then_refused(NotMissing)


@pytest.mark.parametrize(
    "command",
    [
        MarkListReady(OTHER_HASH, 1, 1),
        ProposeFreeze("maker", HASH),
        ApproveFreeze("checker", HASH),
        OPEN,
        RequestBuckets("pkh.registry.roster.v1", ("3f",), 1),
    ],
)
def test_a_closed_tahap_stays_closed(command: Command) -> None:
    after(*PAID, DONE, CloseTahap()).when(command).then_refused(TahapIsClosed)
