"""The state of a family's commitment: its cycles, what is held, what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

from services.conditionality.domain.commitment.cycles import (
    WITHDRAWN,
    Cycle,
    Hold,
    digest_of,
    with_revision,
)
from services.conditionality.domain.commitment.events import (
    Against,
    AppealDecisionRefused,
    AppealEnded,
    AppealNotPaused,
    AppealPaused,
    AppealUpheld,
    Cleared,
    CorrectionApproved,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
    CycleEvaluated,
    CycleWithdrawn,
    Decision,
    Event,
    FindingApproved,
    FindingBrought,
    FindingRejected,
    Found,
    InvestigationOpened,
    InvestigationWithdrawn,
    OrderAnswered,
    RefusedBecause,
    Reinstated,
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
    outcome: Literal["OPEN", "WITHDRAWN", "CONFIRMED", "NOT_CONFIRMED", "TAKEN_BACK"] = "OPEN"
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """The latest proposal for one tahap, waiting or rejected."""

    proposed: CorrectionProposed
    rejected: bool = False


class Appeal(NamedTuple):
    """A case's appeal against what came of a tahap's cycle; `pauses` says whether that waits.

    OPEN until it is decided, UPHELD until the cycle is decided again, then CORRECTED; else ENDED.
    REFUSED is no appeal at all. `order` is the order of an upheld one that waits for two people,
    `early` says that it came before there was a cycle.
    """

    case: str
    tahap: str
    against: Against
    pauses: bool
    standing: Literal["OPEN", "UPHELD", "CORRECTED", "ENDED", "REFUSED"] = "OPEN"
    order: str = ""
    early: bool = False


@dataclass(frozen=True, slots=True)
class Commitment:
    """The family's cycles in order of tahap, its investigation, its open proposals, its appeals and
    the orders of cases that were answered."""

    cycles: tuple[Cycle, ...] = ()
    investigation: Investigation | None = None
    corrections: tuple[Correction, ...] = ()
    proposals: int = 0
    appeals: tuple[Appeal, ...] = ()
    orders: tuple[str, ...] = ()

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

    def ordered(self, tahap: str) -> CorrectionProposed | None:
        """The proposal for a tahap that a case ordered and that waits for a person."""
        last = self.correction(tahap)
        return last.proposed if last and not last.rejected and last.proposed.order else None

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

    # -- Appeals

    def appeal(self, case: str) -> Appeal | None:
        """The appeal of a case."""
        return next((appeal for appeal in self.appeals if appeal.case == case), None)

    @property
    def pausing(self) -> tuple[Appeal, ...]:
        """The appeals against a failed cycle that something waits for."""
        if not self.appeals:
            return ()
        failed = {cycle.tahap for cycle in self.cycles if cycle.result == "FAILED"}
        return tuple(
            appeal
            for appeal in self.appeals
            if appeal.pauses and appeal.standing in {"OPEN", "UPHELD"} and appeal.tahap in failed
        )

    @property
    def paused(self) -> frozenset[str]:
        """The tahaps of the appeals that something waits for."""
        return frozenset(appeal.tahap for appeal in self.pausing)

    @property
    def decision_waits(self) -> bool:
        """True if two people have ended the investigation, and that waits for an appeal."""
        found = self.investigation.finding if self.investigation else None
        return self.under_investigation and found is not None and found.decision == "APPROVED"

    @property
    def termination_waits(self) -> bool:
        """True if the decision that waits ends the family's participation."""
        found = self.investigation.finding if self.investigation else None
        return self.decision_waits and found is not None and found.outcome == "CONFIRMED"

    @property
    def unmoved(self) -> frozenset[str]:
        """The tahaps whose held money does not move, because an appeal is open."""
        termination = any(appeal.against == "TERMINATION" for appeal in self.pausing)
        if termination or self.termination_waits:
            return frozenset(self.held)
        return self.paused

    def upheld(self, case: str, tahap: str) -> Appeal | None:
        """The upheld appeal of a case against a tahap's cycle whose order is yet to come."""
        found = self.appeal(case)
        waits = found and found.standing == "UPHELD" and found.tahap == tahap and not found.order
        return found if waits else None

    def ordering(self, tahap: str) -> tuple[Appeal, ...]:
        """The upheld appeals for whose orders a correction of the tahap's cycle waits."""
        return tuple(
            a for a in self.appeals if a.tahap == tahap and a.standing == "UPHELD" and a.order
        )

    def excused_by(self, tahap: str, *, by_decision: bool = False) -> str:
        """The case whose upheld appeal has set the tahap's cycle right; `by_decision`, or is to by
        the correction that waits."""
        right = [a for a in self.appeals if a.tahap == tahap and a.standing == "CORRECTED"]
        if by_decision:
            right += self.ordering(tahap)
        return right[0].case if right else ""


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
        case FindingBrought() | FindingRejected() | FindingApproved():
            return replace(state, investigation=Investigation(event.tahap, "OPEN", _found(event)))
        case Terminated():
            cycles = _holding(state, event.tahaps, "FORFEITED")
            return replace(state, cycles=cycles, investigation=_ended(event, "CONFIRMED"))
        case Cleared():
            cycles = _cleared(state, event)
            return replace(state, cycles=cycles, investigation=_ended(event, "NOT_CONFIRMED"))
        case Reinstated():
            return _reinstated(state, event)
        case CorrectionProposed():
            corrections = (*_without(state, event.tahap), Correction(event))
            return replace(state, corrections=corrections, proposals=event.correction)
        case CorrectionApproved() | CorrectionWithdrawn():
            return replace(state, corrections=_without(state, event.tahap))
        case CorrectionRejected():
            return _rejected(state, event)
        case OrderAnswered():
            orders = tuple(dict.fromkeys([*state.orders, event.order]))
            return replace(state, orders=orders, appeals=_ordered(state, event))
        case _:
            return replace(state, appeals=_appealed(state, event))


def _evaluated(state: Commitment, event: CycleEvaluated) -> tuple[Cycle, ...]:
    revised = Cycle(
        tahap=event.tahap,
        revision=event.revision,
        roster_revision=event.roster_revision,
        result=event.result,
        digest=digest_of(event.duties, event.excused),
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


def _cleared(state: Commitment, event: Cleared | Reinstated) -> tuple[Cycle, ...]:
    released = event.tahaps if isinstance(event, Cleared) else ()
    return tuple(
        cycle._replace(cleared=True) if cycle.tahap == event.cycle else cycle
        for cycle in _holding(state, released, "RELEASED")
    )


def _reinstated(state: Commitment, event: Reinstated) -> Commitment:
    left = state.investigation
    over = left and replace(left, outcome="TAKEN_BACK")
    return replace(state, cycles=_cleared(state, event), investigation=over)


def _found(event: FindingBrought | FindingRejected | FindingApproved) -> Finding:
    match event:
        case FindingBrought():
            return Finding(event.outcome, event.maker)
        case FindingRejected():
            return Finding(event.outcome, event.maker, "REJECTED", event.checker)
        case FindingApproved():
            return Finding(event.outcome, event.maker, "APPROVED", event.checker)


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


def _ordered(state: Commitment, event: OrderAnswered) -> tuple[Appeal, ...]:
    """The appeals, one of which may now wait for the correction that its order has proposed."""
    if event.outcome != "PROPOSED":
        return state.appeals
    # An order for which no correction was proposed has joined the one of the appeal's cycle.
    own = [c.proposed.tahap for c in state.corrections if c.proposed.order == event.order]
    return tuple(
        appeal._replace(order=event.order)
        if state.upheld(event.case, appeal.tahap) == appeal
        and appeal.tahap in (own or [appeal.tahap])
        else appeal
        for appeal in state.appeals
    )


def _opened(event: AppealPaused | AppealNotPaused) -> Appeal:
    named = event.case, event.tahap, event.against
    if isinstance(event, AppealPaused):
        return Appeal(*named, pauses=True)
    refused = event.reason in get_args(RefusedBecause)
    early = event.reason == "NO_SUCH_CYCLE"
    return Appeal(*named, pauses=False, standing="REFUSED" if refused else "OPEN", early=early)


def _appealed(
    state: Commitment,
    event: AppealPaused | AppealNotPaused | AppealUpheld | AppealDecisionRefused | AppealEnded,
) -> tuple[Appeal, ...]:
    standing: Literal["UPHELD", "CORRECTED", "ENDED"]
    match event:
        case AppealPaused() | AppealNotPaused():
            return (*state.appeals, _opened(event))
        case AppealDecisionRefused():
            return state.appeals
        case AppealUpheld():
            standing = "UPHELD"
        case AppealEnded():
            standing = "CORRECTED" if event.outcome == "UPHELD" else "ENDED"
    return tuple(
        appeal._replace(standing=standing) if appeal.case == event.case else appeal
        for appeal in state.appeals
    )
