"""The state of a tahap: its announcement, the list of each of its runs, who is still unpaid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from services.payments.domain.shared.errors import StepNotReached, TahapIsClosed
from services.payments.domain.shared.ids import REGULAR
from services.payments.domain.tahap.messages import (
    AnnouncementEvent,
    AnnouncementProposed,
    BucketRequested,
    CancellationCompleted,
    CancellationEvent,
    CancellationProposed,
    CloseProposed,
    ClosingAnnounced,
    Deferral,
    Event,
    FamiliesDeferred,
    FamilyAwaited,
    FreezeProposed,
    ListFrozen,
    ListReady,
    ProposalWithdrawn,
    ReannouncementApproved,
    RunSettled,
    SupplementaryFrozen,
    SupplementaryOpened,
    TahapCancelled,
    TahapClosed,
    Terms,
)


@dataclass(frozen=True, slots=True)
class PaymentList:
    """The list of one run, on its way from joined to frozen to paid.

    `families` bounds a supplementary list; the regular one is bounded by the roster alone. `day` is
    the one that a supplementary run's payments count for.
    """

    kind: str
    families: tuple[str, ...] = ()
    day: date | None = None
    ready: ListReady | None = None
    proposal: FreezeProposed | None = None
    frozen: ListFrozen | SupplementaryFrozen | None = None
    settled: bool = False

    def require_ready(self) -> ListReady:
        """The figures that stand to be approved. Raises `StepNotReached` before there are any."""
        if self.ready is None:
            raise StepNotReached(step="ListReady", kind=self.kind)
        return self.ready


@dataclass(frozen=True, slots=True)
class TahapState:
    """The state of a tahap that later decisions need.

    `proposal` waits for an approval, `decided` is the last one that was approved. `revision`
    counts the announcements; `cancelled` is the last of them where it was cancelled, `undoing`
    while payments takes back what it did, and `upcoming` is announced then. `outstanding` are the
    deferred families that no open or frozen list has, `closing` a proposal to close, `asked` the
    last attempt a topic was asked for buckets, `awaited` (family, reopening) the re-opened.
    """

    proposal: AnnouncementProposed | CancellationProposed | None = None
    decided: AnnouncementProposed | CancellationProposed | None = None
    revision: int = 0
    announced: ClosingAnnounced | None = None
    cancelled: ClosingAnnounced | None = None
    undoing: bool = False
    upcoming: ClosingAnnounced | None = None
    asked: tuple[BucketRequested, ...] = ()
    lists: tuple[PaymentList, ...] = ()
    outstanding: tuple[str, ...] = ()
    closing: CloseProposed | None = None
    closed: TahapClosed | None = None
    awaited: tuple[tuple[str, int], ...] = ()

    @property
    def tahap(self) -> str:
        """The tahap's id; empty where it was never announced and does not wait to be."""
        document = self.announced or self.proposal or self.cancelled
        return document.tahap if document else ""

    @property
    def approved(self) -> str:
        """The hash of the last proposal that was approved; empty where none was."""
        return self.decided.hash if self.decided else ""

    @property
    def terms(self) -> Terms | None:
        """The terms that it is announced with, or that wait for an approval."""
        standing = self.announced or self.upcoming or self.proposal
        return standing.terms if standing else None

    def list_of(self, kind: str) -> PaymentList | None:
        """The list of the run of this kind, None where no such run was opened."""
        return next(
            (payment_list for payment_list in self.lists if payment_list.kind == kind), None
        )

    def require_open(self) -> None:
        """Refuse where the tahap is closed, or was never announced."""
        if self.closed is not None:
            raise TahapIsClosed(tahap=self.tahap)
        if self.announced is None:
            raise StepNotReached(step="ClosingAnnounced")

    def open_list(self, kind: str) -> PaymentList:
        """The list of a run. Raises where the tahap is not open, or has no such run."""
        self.require_open()
        payment_list = self.list_of(kind)
        if payment_list is None:
            raise StepNotReached(step="SupplementaryOpened", kind=kind)
        return payment_list

    def day_of(self, kind: str) -> date:
        """The day that a run's payments count for: the credit date, or a supplementary run's own.

        ValueError where the tahap neither is announced nor waits to be.
        """
        own, terms = self.list_of(kind), self.terms
        if own is not None and own.day is not None:
            return own.day
        if terms is None:
            raise ValueError("no terms")
        return terms.credit_date

    def last_asked(self, topic: str) -> BucketRequested | None:
        """The last request for buckets of a topic."""
        return next((request for request in self.asked if request.topic == topic), None)


def evolve(state: TahapState, event: Event) -> TahapState:
    """The state after an event."""
    match event:
        case BucketRequested():
            others = tuple(request for request in state.asked if request.topic != event.topic)
            return replace(state, asked=(*others, event))
        case ListReady():
            # What is ready now is not what was proposed, so the proposal falls with it.
            return _update(state, event.kind, lambda x: replace(x, ready=event, proposal=None))
        case FreezeProposed():
            return _update(state, event.kind, lambda x: replace(x, proposal=event))
        case ListFrozen():
            frozen = _update(state, REGULAR, lambda x: replace(x, frozen=event))
            return _with_outstanding(frozen, event.deferred)
        case SupplementaryFrozen():
            frozen = _update(state, event.kind, lambda x: replace(x, frozen=event))
            return _with_outstanding(frozen, event.deferred)
        case FamiliesDeferred():
            return _with_outstanding(state, event.deferred)
        case FamilyAwaited():
            # Who was named as lapsed at the close is not owed anything by its being undone.
            outstanding = () if state.closed is not None else state.outstanding
            return replace(
                state,
                closed=None,
                closing=None,
                outstanding=(*outstanding, event.family),
                awaited=(*state.awaited, (event.family, event.reopening)),
            )
        case SupplementaryOpened():
            left = tuple(
                family for family in state.outstanding if family not in set(event.families)
            )
            opened = PaymentList(event.kind, event.families, event.day)
            return replace(state, lists=(*state.lists, opened), outstanding=left, closing=None)
        case RunSettled():
            return _update(state, event.kind, lambda x: replace(x, settled=True))
        case CloseProposed():
            return replace(state, closing=event)
        case TahapClosed():
            return replace(state, closed=event, closing=None)
        case _:
            return _announced(state, event)


def _announced(state: TahapState, event: AnnouncementEvent | CancellationEvent) -> TahapState:
    """The state after what announces a tahap, or cancels it."""
    match event:
        case AnnouncementProposed():
            return replace(state, proposal=event)
        case ProposalWithdrawn():
            return replace(state, proposal=None)
        case CancellationProposed():
            return replace(state, proposal=event)
        case TahapCancelled():
            return TahapState(
                decided=state.proposal,
                revision=state.revision,
                cancelled=state.announced,
                undoing=True,
            )
        case ReannouncementApproved():
            return replace(state, upcoming=event.announcement)
        case CancellationCompleted():
            return replace(state, undoing=False)
        case ClosingAnnounced():
            return TahapState(
                decided=state.proposal or state.decided,
                revision=event.revision,
                announced=event,
                lists=(PaymentList(REGULAR),),
            )


def _update(
    state: TahapState, kind: str, change: Callable[[PaymentList], PaymentList]
) -> TahapState:
    lists = tuple(
        change(payment_list) if payment_list.kind == kind else payment_list
        for payment_list in state.lists
    )
    return replace(state, lists=lists)


def _with_outstanding(state: TahapState, deferred: tuple[Deferral, ...]) -> TahapState:
    # Who was proposed as lapsed is not everybody any more, so the proposal falls with it.
    outstanding = (*state.outstanding, *(deferral.family for deferral in deferred))
    return replace(state, outstanding=outstanding, closing=None)
