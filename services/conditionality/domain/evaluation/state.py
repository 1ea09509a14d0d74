"""State of a tahap's evaluation, folded from its events."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.conditionality.domain.evaluation.messages import (
    EvaluationAnnounced,
    EvaluationCancelled,
    EvaluationClosed,
    EvaluationFrozen,
    EvaluationListed,
    Event,
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The state of a tahap's evaluation; announcement and list may come in either order.

    `closed_roster` is the roster revision that `closed` accounts for, `cancelled` the latest one
    whose tahap was cancelled.
    """

    announced: EvaluationAnnounced | None = None
    listed: EvaluationListed | None = None
    closed: EvaluationClosed | None = None
    closed_roster: int = 0
    frozen: EvaluationFrozen | None = None
    cancelled: int = 0

    @property
    def is_closed(self) -> bool:
        """True if every family of the latest roster is accounted for."""
        return self.closed is not None and self.closed_roster == self.roster_revision

    @property
    def roster_revision(self) -> int:
        """The latest roster known, 0 before the first."""
        return self.listed.roster_revision if self.listed else 0

    def is_frozen_for(self, family: str) -> bool:
        """True if a changed result of this family needs a person's approval."""
        return self.frozen is not None and family not in self.frozen.deferred


def evolve(state: Evaluation, event: Event) -> Evaluation:
    """The evaluation after one event."""
    match event:
        case EvaluationAnnounced():
            return replace(state, announced=event)
        case EvaluationListed():
            return replace(state, listed=event)
        case EvaluationClosed():
            return replace(state, closed=event, closed_roster=state.roster_revision)
        case EvaluationFrozen():
            return replace(state, frozen=event)
        case EvaluationCancelled():
            # All begins anew; the last closing stays, since the next one's revision follows it.
            return Evaluation(closed=state.closed, closed_roster=-1, cancelled=event.revision)
