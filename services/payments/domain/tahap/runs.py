"""The rules of a tahap behind its freeze: supplementary runs, and its close."""

from __future__ import annotations

from collections.abc import Sequence

from services.payments.domain.shared.approval import require_approval
from services.payments.domain.shared.errors import (
    AlreadyListed,
    FamiliesOutstanding,
    NotDeferred,
    NothingProposed,
    RunsOpen,
    StepNotReached,
)
from services.payments.domain.shared.ids import REGULAR, supplementary
from services.payments.domain.tahap.guards import (
    NAMED_IN_ERROR_MAX,
    checked_deferrals,
    exactly,
    quiet_if,
)
from services.payments.domain.tahap.messages import (
    ApproveClose,
    AwaitFamily,
    CloseProposed,
    CloseTahap,
    DeferFamilies,
    Deferral,
    Event,
    FamiliesDeferred,
    FamilyAwaited,
    MarkRunReconciled,
    OpenSupplementary,
    ProposeClose,
    RunSettled,
    SupplementaryOpened,
    TahapClosed,
)
from services.payments.domain.tahap.state import TahapState


def defer_families(command: DeferFamilies, state: TahapState) -> Sequence[Event]:
    """Leave families of a frozen list to a supplementary run, once.

    Their lines are taken out of the run in the same transaction, before its file is committed.
    Whom a later list has taken up is not left over again: two runs would pay the family.
    """
    payment_list = state.open_list(command.kind)
    if payment_list.frozen is None:
        raise StepNotReached(step="ListFrozen", kind=command.kind)
    later = state.lists[state.lists.index(payment_list) + 1 :]
    elsewhere = {*state.outstanding, *(family for other in later for family in other.families)}
    deferred = [one for one in checked_deferrals(command.deferred) if one.family not in elsewhere]
    return [FamiliesDeferred(state.tahap, command.kind, tuple(deferred))] if deferred else []


def await_family(command: AwaitFamily, state: TahapState) -> Sequence[Event]:
    """Let a re-opened family wait for a supplementary run, once; also when the tahap is closed."""
    regular = state.list_of(REGULAR)
    if regular is None or regular.frozen is None:
        raise StepNotReached(step="ListFrozen")
    if (command.family, command.reopening) in state.awaited:
        return []
    others = {
        *state.outstanding,
        *(family for payment_list in state.lists for family in payment_list.families),
    }
    if command.listed or command.family in others:
        raise AlreadyListed(tahap=state.tahap, family=command.family)
    return [FamilyAwaited(state.tahap, command.family, command.reopening)]


def open_supplementary(command: OpenSupplementary, state: TahapState) -> Sequence[Event]:
    """Open the next supplementary list for deferred families that are on no other list."""
    state.require_open()
    kind, families = supplementary(command.number), tuple(sorted(set(command.families)))
    listed = state.list_of(kind)
    if listed is not None:
        return quiet_if(listed.families == families, document="SupplementaryOpened")
    if command.number != len(state.lists):
        raise StepNotReached(step=supplementary(len(state.lists)))
    strangers = set(families) - set(state.outstanding)
    if strangers or not families:
        # Whoever is not outstanding is on another list of this tahap and would be paid twice.
        raise NotDeferred(families=sorted(strangers)[:NAMED_IN_ERROR_MAX], count=len(strangers))
    return [SupplementaryOpened(state.tahap, kind, families, command.day)]


def mark_run_reconciled(command: MarkRunReconciled, state: TahapState) -> Sequence[Event]:
    """Note that a run's money is all accounted for."""
    payment_list = state.list_of(command.kind)
    if payment_list is not None and payment_list.settled:
        return []
    state.require_open()
    if payment_list is None or payment_list.frozen is None:
        raise StepNotReached(step="ListFrozen", kind=command.kind)
    return [RunSettled(state.tahap, command.kind)]


def propose_close(command: ProposeClose, state: TahapState) -> Sequence[Event]:
    """Propose to close a tahap that can be closed; a later proposal takes its place."""
    proposed = CloseProposed(state.tahap, _lapsed(command.lapsed, state), command.maker)
    return [] if state.closing == proposed else [proposed]


def approve_close(command: ApproveClose, state: TahapState) -> Sequence[Event]:
    """Close as another person proposed; refused where the outstanding are others by now."""
    state.require_open()
    if state.closing is None:
        raise NothingProposed(tahap=state.tahap)
    maker, lapsed = state.closing.maker, state.closing.lapsed
    require_approval(maker, state.closing.hash, command.checker, command.hash)
    return [TahapClosed(state.tahap, _lapsed(lapsed, state), maker, command.checker)]


def close(command: CloseTahap, state: TahapState) -> Sequence[Event]:
    """Close when every run is reconciled and nobody is forgotten."""
    if state.closed is not None:
        lapsed = tuple(sorted(command.lapsed, key=lambda deferral: deferral.family))
        return quiet_if(state.closed.lapsed == lapsed, document="TahapClosed")
    return [TahapClosed(state.tahap, _lapsed(command.lapsed, state))]


def _lapsed(named: Sequence[Deferral], state: TahapState) -> tuple[Deferral, ...]:
    """Who lapses at the close: all of those who are outstanding, when every run is reconciled."""
    state.require_open()
    unsettled = [payment_list.kind for payment_list in state.lists if not payment_list.settled]
    if unsettled:
        raise RunsOpen(runs=unsettled)
    return exactly(named, state.outstanding, FamiliesOutstanding)
