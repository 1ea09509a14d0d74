"""The state of a family's commitment: its cycles, what is held, what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from services.conditionality.domain.commitment.cycles import (
    WITHDRAWN,
    Cycle,
    Hold,
    digest_of,
    with_revision,
)
from services.conditionality.domain.commitment.events import (
    Cleared,
    CorrectionApproved,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
    CycleEvaluated,
    CycleWithdrawn,
    Decision,
    Event,
    FindingBrought,
    FindingRejected,
    Found,
    InvestigationOpened,
    InvestigationWithdrawn,
    Released,
    Suspended,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """An investigation's finding, who says so, and what another person decided on it."""

    outcome: Found
    maker: str
    decision: Decision | Literal["WAITING"] = "WAITING"
    checker: str = ""


@dataclass(frozen=True, slots=True)
class Investigation:
    """The family's latest investigation, by the tahap at which it opened, and its last finding."""

    tahap: str
    outcome: Literal["OPEN", "WITHDRAWN", "CONFIRMED", "NOT_CONFIRMED"] = "OPEN"
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """The latest proposal for one tahap, waiting or rejected."""

    proposed: CorrectionProposed
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Commitment:
    """The family's cycles in order of tahap, its investigation and its open proposals."""

    cycles: tuple[Cycle, ...] = ()
    investigation: Investigation | None = None
    corrections: tuple[Correction, ...] = ()
    proposals: int = 0

    @property
    def standing_cycles(self) -> tuple[Cycle, ...]:
        """The cycles that count: not withdrawn with their tahap."""
        return tuple(cycle for cycle in self.cycles if cycle.result != WITHDRAWN)

    def cycle(self, tahap: str) -> Cycle | None:
        """The latest revision of a tahap's cycle, a withdrawn one too."""
        return next((cycle for cycle in self.cycles if cycle.tahap == tahap), None)

    def correction(self, tahap: str) -> Correction | None:
        """The latest proposal for a tahap."""
        return next((c for c in self.corrections if c.proposed.tahap == tahap), None)

    @property
    def terminated(self) -> bool:
        """True if the family has left the programme for its failures."""
        return self.investigation is not None and self.investigation.outcome == "CONFIRMED"

    @property
    def under_investigation(self) -> bool:
        """True if a person still has to decide on the family's failures."""
        return self.investigation is not None and self.investigation.outcome == "OPEN"

    @property
    def held(self) -> tuple[str, ...]:
        """The tahaps whose money is held."""
        return tuple(cycle.tahap for cycle in self.cycles if cycle.hold == "HELD")


def evolve(state: Commitment, event: Event) -> Commitment:
    """The commitment after one event."""
    match event:
        case CycleEvaluated():
            return replace(state, cycles=_evaluated(state, event))
        case CycleWithdrawn():
            return replace(state, cycles=_withdrawn(state, event))
        case Suspended():
            return replace(state, cycles=_holding(state, [event.tahap], "HELD"))
        case Released():
            return replace(state, cycles=_holding(state, event.tahaps, "RELEASED"))
        case InvestigationOpened():
            return replace(state, investigation=Investigation(event.tahap))
        case InvestigationWithdrawn():
            return replace(state, investigation=Investigation(event.tahap, "WITHDRAWN"))
        case FindingBrought():
            finding = Finding(event.outcome, event.maker)
            return replace(state, investigation=Investigation(event.tahap, "OPEN", finding))
        case FindingRejected():
            finding = Finding(event.outcome, event.maker, "REJECTED", event.checker)
            return replace(state, investigation=Investigation(event.tahap, "OPEN", finding))
        case Terminated():
            cycles = _holding(state, event.tahaps, "FORFEITED")
            return replace(state, cycles=cycles, investigation=_ended(event, "CONFIRMED"))
        case Cleared():
            cycles = _cleared(state, event)
            return replace(state, cycles=cycles, investigation=_ended(event, "NOT_CONFIRMED"))
        case CorrectionProposed():
            corrections = (*_without(state, event.tahap), Correction(event))
            return replace(state, corrections=corrections, proposals=event.correction)
        case CorrectionApproved() | CorrectionWithdrawn():
            return replace(state, corrections=_without(state, event.tahap))
        case CorrectionRejected():
            return _rejected(state, event)


def _evaluated(state: Commitment, event: CycleEvaluated) -> tuple[Cycle, ...]:
    revised = Cycle(
        tahap=event.tahap,
        revision=event.revision,
        roster_revision=event.roster_revision,
        result=event.result,
        digest=digest_of(event.duties),
        cut_percent=event.cut_percent,
    )
    return with_revision(state.cycles, revised)


def _withdrawn(state: Commitment, event: CycleWithdrawn) -> tuple[Cycle, ...]:
    return tuple(
        cycle._replace(
            revision=event.revision, result=WITHDRAWN, digest="", hold="NONE", cut_percent=0
        )
        if cycle.tahap == event.tahap
        else cycle
        for cycle in state.cycles
    )


def _holding(state: Commitment, tahaps: Iterable[str], hold: Hold) -> tuple[Cycle, ...]:
    named = frozenset(tahaps)
    return tuple(c._replace(hold=hold) if c.tahap in named else c for c in state.cycles)


def _cleared(state: Commitment, event: Cleared) -> tuple[Cycle, ...]:
    return tuple(
        cycle._replace(cleared=True) if cycle.tahap == event.cycle else cycle
        for cycle in _holding(state, event.tahaps, "RELEASED")
    )


def _ended(event: Terminated | Cleared, outcome: Found) -> Investigation:
    approved = Finding(outcome, event.maker, "APPROVED", event.checker)
    return Investigation(event.investigation, outcome, approved)


def _without(state: Commitment, tahap: str) -> tuple[Correction, ...]:
    return tuple(c for c in state.corrections if c.proposed.tahap != tahap)


def _rejected(state: Commitment, event: CorrectionRejected) -> Commitment:
    corrections = tuple(
        replace(c, rejected=True) if c.proposed.correction == event.correction else c
        for c in state.corrections
    )
    return replace(state, corrections=corrections)
