"""The cancellation of a tahap, and its correction: cancelled and announced anew in one approval.

Only the last tahap that has a list is cancelled, because later ones rest on what it did; and only
until a bank may have a file of one of its runs, which the run decides (run/cancellation.py). Whom a
supplementary list took up, and who was re-opened beside the list, goes with it.

A later tahap whose list has not begun rests on nothing. It makes way in the same approval: its
announcement is cancelled before the earlier one, and announced anew, word for word, behind it and
behind what the earlier one is corrected to. So whatever the registry has begun of it meanwhile is
taken back first, and no line is taken as one of the next revision.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from services.payments.domain.shared.approval import require_approval
from services.payments.domain.shared.errors import (
    AnnouncementRefused,
    LaterTahapStands,
    Malformed,
    NothingProposed,
    StepNotReached,
    TooLateToCancel,
)
from services.payments.domain.tahap.announcement import (
    announced_on,
    require_circumstances,
    require_terms,
    waiting_behind,
)
from services.payments.domain.tahap.guards import REASON
from services.payments.domain.tahap.messages import (
    ApproveCancellation,
    CancellationCompleted,
    CancellationProposed,
    CompleteCancellation,
    Event,
    MakeWay,
    OtherTahap,
    ProposeCancellation,
    ReannouncementApproved,
    TahapCancelled,
)
from services.payments.domain.tahap.state import TahapState

EARLIER_CANCELLED: Final = "EARLIER_TAHAP_CANCELLED"
"""The reason of a cancellation that only makes way."""


def propose(command: ProposeCancellation, state: TahapState) -> Sequence[Event]:
    """Let a cancellation or a correction wait for another person's approval."""
    if not REASON.fullmatch(command.reason):
        raise Malformed(reason=len(command.reason))
    _require_cancellable(state)
    behind = _behind(state, command.circumstances.others)
    if command.terms is not None:
        if command.terms.tahap != state.tahap:
            raise AnnouncementRefused(field="tahap", why="is not the one that is corrected")
        require_terms(command.terms)
        require_circumstances(command.terms, {}, command.circumstances, behind)
    proposed = CancellationProposed(
        state.tahap, state.revision, command.reason, command.maker, command.terms, behind
    )
    return [] if state.proposal == proposed else [proposed]


def approve(command: ApproveCancellation, state: TahapState) -> Sequence[Event]:
    """Cancel what another person proposed to cancel; approving it again is quiet."""
    proposal = state.proposal
    if not isinstance(proposal, CancellationProposed):
        if state.approved and state.approved == command.hash:
            return []
        raise NothingProposed(tahap=state.tahap)
    if (proposal.terms is None) != (command.after is None):
        raise NothingProposed(tahap=state.tahap)
    require_approval(proposal.maker, proposal.hash, command.checker, command.hash)
    _require_cancellable(state)
    behind = _behind(state, command.circumstances.others)
    _require_none_but(proposal.behind, behind, state.tahap)
    cancelled = TahapCancelled(
        tahap=state.tahap,
        revision=state.revision,
        reason=proposal.reason,
        maker=proposal.maker,
        checker=command.checker,
    )
    if proposal.terms is None or command.after is None:
        return [cancelled]
    require_circumstances(proposal.terms, command.after, command.circumstances, behind)
    people = proposal.maker, command.checker
    announcement = announced_on(proposal.terms, proposal.revision + 1, command.after, *people)
    return [cancelled, ReannouncementApproved(proposal.tahap, announcement)]


def make_way(command: MakeWay, state: TahapState) -> Sequence[Event]:
    """Cancel the announcement for an earlier tahap's sake, and have it announced anew as it was."""
    if state.announced is None:
        raise StepNotReached(step="ClosingAnnounced")
    cancelled = TahapCancelled(
        tahap=state.tahap,
        revision=state.revision,
        reason=EARLIER_CANCELLED,
        maker=command.maker,
        checker=command.checker,
    )
    again = replace(state.announced, revision=state.revision + 1)
    return [cancelled, ReannouncementApproved(state.tahap, again)]


def complete(command: CompleteCancellation, state: TahapState) -> Sequence[Event]:
    """Note once that the cancelled revision is undone here, and announce what was corrected."""
    if not state.undoing or command.revision != state.revision:
        return []
    completed = CancellationCompleted(state.tahap, state.revision)
    return [completed, state.upcoming] if state.upcoming is not None else [completed]


def _require_cancellable(state: TahapState) -> None:
    if state.announced is None:
        raise StepNotReached(step="ClosingAnnounced")
    if state.closed is not None:
        raise TooLateToCancel(tahap=state.tahap, step="TahapClosed")


def _behind(state: TahapState, others: Collection[OtherTahap]) -> tuple[str, ...]:
    """The later tahaps that make way. Raises `LaterTahapStands` at one that does not wait."""
    resting = [other.tahap for other in others if other.tahap > state.tahap and not other.waits]
    if resting:
        raise LaterTahapStands(tahap=state.tahap, other=min(resting))
    return waiting_behind(state.tahap, others)


def _require_none_but(shown: Collection[str], behind: Collection[str], tahap: str) -> None:
    """Nobody makes way whom the two people were not shown."""
    for other in behind:
        if other not in shown:
            raise LaterTahapStands(tahap=tahap, other=other)
