"""One tahap: announced, its lists frozen by two people, closed when all its money is known.

The regular list and every supplementary one go the same way: ready, proposed, frozen. What a
frozen list then needs in documents and files is the run's own affair (run/). A family is on one
list of a tahap at most: a supplementary list takes only families that were deferred by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.domain.decider import Decider
from libs.events.domain.persons import same_person
from services.payments.domain.shared.approval import require_approval
from services.payments.domain.shared.errors import (
    Contradiction,
    DiffNotAcknowledged,
    Malformed,
    MissingNotDeferred,
    NotDeferred,
    NothingProposed,
    StaleHash,
    TooManyDeferred,
)
from services.payments.domain.shared.ids import REGULAR
from services.payments.domain.shared.totals import Totals, checked
from services.payments.domain.tahap import announcement, cancellation
from services.payments.domain.tahap.guards import (
    checked_deferrals,
    exactly,
    quiet_if,
)
from services.payments.domain.tahap.messages import (
    AnnouncementCommand,
    ApproveAnnouncement,
    ApproveCancellation,
    ApproveClose,
    ApproveFreeze,
    AwaitFamily,
    BucketRequested,
    CancellationCommand,
    CloseTahap,
    Command,
    CompleteCancellation,
    DeferFamilies,
    Event,
    FamiliesDeferred,
    FreezeProposed,
    ListFrozen,
    ListReady,
    MakeWay,
    MarkListReady,
    MarkRunReconciled,
    OpenSupplementary,
    ProposeAnnouncement,
    ProposeCancellation,
    ProposeClose,
    ProposeFreeze,
    RequestBuckets,
    SupplementaryFrozen,
    WithdrawProposal,
)
from services.payments.domain.tahap.runs import (
    approve_close,
    await_family,
    close,
    defer_families,
    mark_run_reconciled,
    open_supplementary,
    propose_close,
)
from services.payments.domain.tahap.state import TahapState, evolve

# Above this something is broken, not late: the parked families are to be replayed, and the
# event that names the deferred ones stays far below what a bus carries.
DEFERRED_FAMILIES_MAX: Final = 5_000

# -- Rules: the list and its freeze


def request_buckets(command: RequestBuckets, state: TahapState) -> Sequence[Event]:
    """Ask once an attempt."""
    state.require_open()
    if not command.buckets:
        raise Malformed(buckets=0)
    last = state.last_asked(command.topic)
    if last is not None and command.attempt <= last.attempt:
        return []
    return [BucketRequested(state.tahap, command.topic, command.buckets, command.attempt)]


def mark_list_ready(command: MarkListReady, state: TahapState) -> Sequence[Event]:
    """Say what stands to be approved; a later revision replaces it and voids a proposal."""
    payment_list = state.open_list(command.kind)
    totals = checked(Totals(command.count, command.rupiah))
    if not 0 <= command.cut <= totals.rupiah:
        raise Malformed(cut=command.cut, rupiah=totals.rupiah)
    if len(command.missing) > DEFERRED_FAMILIES_MAX:
        raise TooManyDeferred(missing=len(command.missing), most=DEFERRED_FAMILIES_MAX)
    if payment_list.families and not set(command.missing) <= set(payment_list.families):
        raise NotDeferred(kind=command.kind)
    ready = ListReady(
        tahap=state.tahap,
        kind=command.kind,
        hash=command.hash,
        count=totals.count,
        rupiah=totals.rupiah,
        missing=tuple(sorted(set(command.missing))),
        cut=command.cut,
        withheld=command.withheld,
        diff=command.diff,
    )
    if payment_list.ready == ready:
        return []
    if payment_list.frozen is not None:
        raise Contradiction(document="ListFrozen", kind=command.kind, hash=payment_list.frozen.hash)
    return [ready]


def propose_freeze(command: ProposeFreeze, state: TahapState) -> Sequence[Event]:
    """Propose the hash that stands, with every missing family deferred by name."""
    payment_list = state.open_list(command.kind)
    ready = payment_list.require_ready()
    if command.hash != ready.hash:
        raise StaleHash(given=command.hash, stands=ready.hash)
    _require_acknowledged(command.diff, ready)
    deferred = exactly(command.deferred, ready.missing, MissingNotDeferred)
    if payment_list.frozen is not None:
        same = (payment_list.frozen.hash, payment_list.frozen.deferred) == (command.hash, deferred)
        again = same and same_person(payment_list.frozen.maker, command.maker)
        return quiet_if(again, document="ListFrozen")
    proposed = FreezeProposed(
        *(state.tahap, command.kind, command.hash, command.maker, deferred), diff=command.diff
    )
    return [] if payment_list.proposal == proposed else [proposed]


def approve_freeze(command: ApproveFreeze, state: TahapState) -> Sequence[Event]:
    """Freeze the list, approved by a second person; approving it again changes nothing."""
    payment_list = state.open_list(command.kind)
    proposal, ready = payment_list.proposal, payment_list.require_ready()
    if proposal is None:
        raise NothingProposed(tahap=state.tahap, kind=command.kind)
    require_approval(proposal.maker, proposal.hash, command.checker, command.hash)
    _require_acknowledged(command.diff, ready)
    if payment_list.frozen is not None:
        return []
    if command.kind == REGULAR:
        return [_frozen(ready, proposal, command), *_withheld(command, ready)]
    return [_supplementary_frozen(ready, proposal, command)]


def _require_acknowledged(diff: str, ready: ListReady) -> None:
    """Refuse whoever has not seen how the list differs from the last frozen one.

    A total says nothing of whom it goes to; a list that was joined anew has other differences.
    """
    stands = ready.diff.hash if ready.diff and ready.diff.families else ""
    if diff != stands:
        raise DiffNotAcknowledged(given=diff, stands=stands)


def _frozen(ready: ListReady, proposal: FreezeProposed, command: ApproveFreeze) -> ListFrozen:
    return ListFrozen(
        tahap=ready.tahap,
        hash=ready.hash,
        count=ready.count,
        rupiah=ready.rupiah,
        deferred=proposal.deferred,
        maker=proposal.maker,
        checker=command.checker,
        cut=ready.cut,
        withheld=ready.withheld,
        diff=command.diff,
    )


def _withheld(command: ApproveFreeze, ready: ListReady) -> Sequence[FamiliesDeferred]:
    """Everybody whom the list counts without a name is deferred by name, some thousands an event.

    So no event is larger than a bus carries, however many the registry withheld.
    """
    if not ready.withheld and not command.withheld:
        return []
    deferred = checked_deferrals(command.withheld)
    if len(deferred) != ready.withheld:
        raise MissingNotDeferred(count=ready.withheld - len(deferred))
    return [
        FamiliesDeferred(ready.tahap, ready.kind, deferred[at : at + DEFERRED_FAMILIES_MAX])
        for at in range(0, len(deferred), DEFERRED_FAMILIES_MAX)
    ]


def _supplementary_frozen(
    ready: ListReady, proposal: FreezeProposed, command: ApproveFreeze
) -> SupplementaryFrozen:
    return SupplementaryFrozen(
        tahap=ready.tahap,
        kind=ready.kind,
        hash=ready.hash,
        count=ready.count,
        rupiah=ready.rupiah,
        deferred=proposal.deferred,
        maker=proposal.maker,
        checker=command.checker,
        cut=ready.cut,
        diff=command.diff,
    )


# -- The decider


def _announce(
    command: AnnouncementCommand | CancellationCommand, state: TahapState
) -> Sequence[Event]:
    match command:
        case ProposeAnnouncement():
            return announcement.propose(command, state)
        case ApproveAnnouncement():
            return announcement.approve(command, state)
        case WithdrawProposal():
            return announcement.withdraw(command, state)
        case ProposeCancellation():
            return cancellation.propose(command, state)
        case ApproveCancellation():
            return cancellation.approve(command, state)
        case CompleteCancellation():
            return cancellation.complete(command, state)
        case MakeWay():
            return cancellation.make_way(command, state)


def decide(command: Command, state: TahapState) -> Sequence[Event]:
    """The events of a command; none where it was already done."""
    match command:
        case RequestBuckets():
            return request_buckets(command, state)
        case MarkListReady():
            return mark_list_ready(command, state)
        case ProposeFreeze():
            return propose_freeze(command, state)
        case ApproveFreeze():
            return approve_freeze(command, state)
        case DeferFamilies():
            return defer_families(command, state)
        case AwaitFamily():
            return await_family(command, state)
        case OpenSupplementary():
            return open_supplementary(command, state)
        case MarkRunReconciled():
            return mark_run_reconciled(command, state)
        case ProposeClose():
            return propose_close(command, state)
        case ApproveClose():
            return approve_close(command, state)
        case CloseTahap():
            return close(command, state)
        case _:
            return _announce(command, state)


tahap: Final[Decider[Command, TahapState, Event]] = Decider(TahapState(), decide, evolve)
