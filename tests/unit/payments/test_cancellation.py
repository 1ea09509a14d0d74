from dataclasses import replace
from datetime import date

import pytest

from libs.events.domain.testing import Given, given
from services.payments.domain.shared.errors import (
    AnnouncementRefused,
    LaterTahapStands,
    Malformed,
    NotAfterOtherTahap,
    NothingProposed,
    RuleSetNotRun,
    SamePerson,
    StaleHash,
    StepNotReached,
    TooLateToCancel,
)
from services.payments.domain.tahap.decider import tahap
from services.payments.domain.tahap.messages import (
    ApproveCancellation,
    CancellationCompleted,
    CancellationProposed,
    Circumstances,
    ClosingAnnounced,
    Command,
    CompleteCancellation,
    Event,
    FamilyAwaited,
    ListReady,
    MakeWay,
    MarkListReady,
    OtherTahap,
    ProposeCancellation,
    ReannouncementApproved,
    SupplementaryOpened,
    TahapCancelled,
    TahapClosed,
)
from services.payments.domain.tahap.state import TahapState
from tests.unit.payments.kit import (
    AFTER,
    ALONE,
    ANNOUNCED,
    APPROVE,
    HASH,
    OTHER_HASH,
    PROPOSE,
    PROPOSED,
    TAHAP,
    TERMS,
    frozen,
)

READY = ListReady(TAHAP, "REGULAR", HASH, 3, 3_000_000, ())
REASON = "WRONG_DATES"
CANCEL = ProposeCancellation(REASON, "maker", ALONE)
WANTED = CancellationProposed(TAHAP, 1, REASON, "maker")
CONFIRM = ApproveCancellation("checker", WANTED.hash, ALONE)
CANCELLED = TahapCancelled(TAHAP, 1, REASON, "maker", "checker")
COMPLETED = CancellationCompleted(TAHAP, 1)
LATER = replace(ALONE, others=(OtherTahap("2023-2", ("2023-04",)),))
WAITING = replace(ALONE, others=(OtherTahap("2023-2", ("2023-04",), waits=True),))

OTHER_TERMS = replace(TERMS, credit_date=date(2023, 4, 28))
CORRECT = replace(CANCEL, terms=OTHER_TERMS)
CORRECTION = replace(WANTED, terms=OTHER_TERMS)
CONFIRM_CORRECTION = replace(CONFIRM, hash=CORRECTION.hash, after=AFTER)
AGAIN: ClosingAnnounced = replace(ANNOUNCED, credit_date=OTHER_TERMS.credit_date, revision=2)
APPROVED_AGAIN = ReannouncementApproved(TAHAP, AGAIN)


def announced(*events: Event) -> Given[Command, TahapState, Event]:
    """A tahap that is announced, and what happened to it since."""
    return given(tahap, PROPOSED, ANNOUNCED, *events)


# -- Cancelling


def test_a_cancellation_waits_for_another_person() -> None:
    announced(READY).when(CANCEL).then(WANTED)
    announced(READY, WANTED).when(CANCEL).then_nothing()


def test_another_person_cancels_the_tahap() -> None:
    announced(READY, WANTED).when(CONFIRM).then(CANCELLED)


def test_approving_a_cancellation_again_changes_nothing() -> None:
    announced(WANTED, CANCELLED).when(CONFIRM).then_nothing()
    announced(WANTED, CANCELLED, COMPLETED).when(CONFIRM).then_nothing()


def test_nobody_cancels_what_they_proposed_and_nothing_that_was_not() -> None:
    announced(WANTED).when(replace(CONFIRM, checker="maker")).then_refused(SamePerson)
    announced(WANTED).when(replace(CONFIRM, hash=OTHER_HASH)).then_refused(StaleHash)
    announced().when(CONFIRM).then_refused(NothingProposed)
    given(tahap).when(CANCEL).then_refused(StepNotReached)


def test_a_reason_is_a_code() -> None:
    announced().when(replace(CANCEL, reason="because of Siti")).then_refused(Malformed)


def test_a_tahap_is_cancelled_behind_its_freeze_too() -> None:
    announced(READY, frozen()).when(CANCEL).then(WANTED)
    announced(READY, frozen(), WANTED).when(CONFIRM).then(CANCELLED)


@pytest.mark.parametrize(
    "further",
    [
        (FamilyAwaited(TAHAP, "f", 1),),
        (
            FamilyAwaited(TAHAP, "f", 1),
            SupplementaryOpened(TAHAP, "SUPPLEMENTARY-1", ("f",), date(2023, 5, 1)),
        ),
    ],
    ids=["re-opened", "supplementary"],
)
def test_a_tahap_is_cancelled_with_whom_a_later_list_took_up(further: tuple[Event, ...]) -> None:
    announced(READY, frozen(), *further).when(CANCEL).then(WANTED)
    announced(READY, frozen(), *further, WANTED).when(CONFIRM).then(CANCELLED)


def test_a_tahap_that_is_closed_is_not_cancelled() -> None:
    closed = TahapClosed(TAHAP, ())

    announced(READY, frozen(), closed).when(CANCEL).then_refused(TooLateToCancel)
    announced(READY, frozen(), WANTED, closed).when(CONFIRM).then_refused(TooLateToCancel)


def test_a_tahap_that_later_ones_rest_on_is_not_cancelled() -> None:
    announced().when(replace(CANCEL, circumstances=LATER)).then_refused(LaterTahapStands)
    announced(WANTED).when(replace(CONFIRM, circumstances=LATER)).then_refused(LaterTahapStands)


def test_a_later_tahap_that_waits_makes_way_and_is_shown_to_both_people() -> None:
    shown = replace(WANTED, behind=("2023-2",))
    confirm = replace(CONFIRM, hash=shown.hash, circumstances=WAITING)

    announced().when(replace(CANCEL, circumstances=WAITING)).then(shown)
    announced(shown).when(confirm).then(CANCELLED)
    announced(WANTED).when(replace(CONFIRM, circumstances=WAITING)).then_refused(LaterTahapStands)
    announced(shown).when(replace(confirm, circumstances=LATER)).then_refused(LaterTahapStands)
    announced(shown).when(replace(confirm, circumstances=ALONE)).then(CANCELLED)


def test_what_makes_way_is_announced_anew_word_for_word() -> None:
    aside = replace(CANCELLED, reason="EARLIER_TAHAP_CANCELLED")
    again = replace(ANNOUNCED, revision=2)
    upcoming = ReannouncementApproved(TAHAP, again)

    announced().when(MakeWay("maker", "checker")).then(aside, upcoming)
    announced(aside, upcoming).when(CompleteCancellation(1)).then(COMPLETED, again)
    given(tahap).when(MakeWay("maker", "checker")).then_refused(StepNotReached)


def test_a_later_tahap_that_waits_makes_way_for_a_correction_too() -> None:
    correct = replace(CORRECT, circumstances=WAITING)
    shown = replace(CORRECTION, behind=("2023-2",))
    confirm = replace(CONFIRM_CORRECTION, hash=shown.hash, circumstances=WAITING)
    begun = replace(confirm, circumstances=LATER)

    announced().when(correct).then(shown)
    announced(shown).when(confirm).then(CANCELLED, APPROVED_AGAIN)
    announced(shown).when(begun).then_refused(LaterTahapStands)
    announced().when(replace(correct, circumstances=LATER)).then_refused(LaterTahapStands)
    unseen = replace(CONFIRM_CORRECTION, circumstances=WAITING)
    announced(CORRECTION).when(unseen).then_refused(LaterTahapStands)


def test_a_correction_takes_no_month_of_a_tahap_that_makes_way() -> None:
    april = (*TERMS.months, "2023-04")
    longer = replace(OTHER_TERMS, months=april, closing_date=date(2023, 4, 5))
    gone = replace(WAITING, others=(OtherTahap("2023-2", ("2023-02", "2023-03"), waits=True),))

    for correct in (
        replace(CORRECT, terms=longer, circumstances=WAITING),
        replace(CORRECT, circumstances=gone),
    ):
        announced().when(correct).then_refused(NotAfterOtherTahap)


def test_a_cancelled_tahap_is_announced_again_before_one_that_waits() -> None:
    again = replace(PROPOSED, revision=2, behind=("2023-2",))
    cancelled = announced(WANTED, CANCELLED, COMPLETED)
    approval = replace(APPROVE, hash=again.hash, circumstances=WAITING)

    cancelled.when(replace(PROPOSE, circumstances=WAITING)).then(again)
    proposed = announced(WANTED, CANCELLED, COMPLETED, again)
    proposed.when(approval).then(replace(ANNOUNCED, revision=2))
    proposed.when(replace(approval, circumstances=LATER)).then_refused(NotAfterOtherTahap)
    cancelled.when(replace(PROPOSE, circumstances=LATER)).then_refused(NotAfterOtherTahap)


def test_nobody_makes_way_for_an_announcement_who_was_not_shown() -> None:
    again = replace(PROPOSED, revision=2)
    approval = replace(APPROVE, hash=again.hash, circumstances=WAITING)

    announced(WANTED, CANCELLED, COMPLETED, again).when(approval).then_refused(NotAfterOtherTahap)


def test_nobody_makes_way_for_a_tahap_that_never_was() -> None:
    given(tahap).when(replace(PROPOSE, circumstances=WAITING)).then_refused(NotAfterOtherTahap)


def test_nothing_of_its_list_is_taken_behind_a_cancellation() -> None:
    late = MarkListReady(HASH, 3, 3_000_000)

    announced(WANTED, CANCELLED).when(late).then_refused(StepNotReached)


def test_a_cancelled_tahap_is_proposed_anew_and_announced_once_it_is_undone() -> None:
    again = replace(PROPOSED, revision=2)
    approval = replace(APPROVE, hash=again.hash)

    announced(WANTED, CANCELLED).when(PROPOSE).then(again)
    announced(WANTED, CANCELLED, again).when(approval).then_refused(StepNotReached)
    announced(WANTED, CANCELLED, COMPLETED, again).when(approval).then(
        replace(ANNOUNCED, revision=2)
    )


def test_a_cancellation_is_completed_once() -> None:
    announced(WANTED, CANCELLED).when(CompleteCancellation(1)).then(COMPLETED)
    announced(WANTED, CANCELLED, COMPLETED).when(CompleteCancellation(1)).then_nothing()
    announced().when(CompleteCancellation(1)).then_nothing()


# -- Correcting


def test_a_correction_cancels_and_announces_anew_in_one_approval() -> None:
    announced().when(CORRECT).then(CORRECTION)
    announced(CORRECTION).when(CONFIRM_CORRECTION).then(CANCELLED, APPROVED_AGAIN)
    announced(CORRECTION, CANCELLED, APPROVED_AGAIN).when(CompleteCancellation(1)).then(
        COMPLETED, AGAIN
    )


def test_the_next_revision_can_be_corrected_too() -> None:
    twice = announced(CORRECTION, CANCELLED, APPROVED_AGAIN, COMPLETED, AGAIN)

    twice.when(CONFIRM_CORRECTION).then_nothing()
    twice.when(CANCEL).then(replace(WANTED, revision=2))


def test_a_correction_is_checked_as_an_announcement_is() -> None:
    silent = Circumstances(answers=tuple(replace(a, rule_sets={}) for a in ALONE.answers))
    elsewhere = replace(CORRECT, terms=replace(TERMS, tahap="2023-2"))

    announced().when(replace(CORRECT, circumstances=silent)).then_refused(RuleSetNotRun)
    announced(CORRECTION).when(replace(CONFIRM_CORRECTION, circumstances=silent)).then_refused(
        RuleSetNotRun
    )
    announced().when(elsewhere).then_refused(AnnouncementRefused)


@pytest.mark.parametrize(
    ("waits", "approval"),
    [(CORRECTION, replace(CONFIRM, hash=CORRECTION.hash)), (WANTED, replace(CONFIRM, after={}))],
)
def test_a_correction_is_not_approved_as_a_cancellation_nor_the_other_way_round(
    waits: CancellationProposed, approval: ApproveCancellation
) -> None:
    announced(waits).when(approval).then_refused(NothingProposed)
