"""Changes that late facts would bring to a frozen cycle: proposed, then decided by a person."""

from __future__ import annotations

from typing import Literal

from libs.events.domain.errors import DomainError
from libs.events.domain.persons import same_person
from services.conditionality.domain.commitment.commands import (
    ApproveCorrection,
    Cause,
    EvaluateCycle,
    RejectCorrection,
)
from services.conditionality.domain.commitment.cycles import Cycle, digest_of
from services.conditionality.domain.commitment.events import (
    AppealEnded,
    CorrectionApproved,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
    Event,
    OrderAnswered,
)
from services.conditionality.domain.commitment.sanctions import (
    failures_to_investigation,
    outlook,
    take_effect,
)
from services.conditionality.domain.commitment.state import Appeal, Commitment, Correction
from services.conditionality.domain.commitment.verdicts import Verdict
from services.conditionality.domain.duties import CommitmentPolicy


class SamePerson(DomainError):
    """A second person must decide, not the one who brought it."""


class NoSuchCorrection(DomainError):
    """No correction of this number is waiting for a decision."""


def propose(
    command: EvaluateCycle, verdict: Verdict, cycle: Cycle, state: Commitment
) -> list[Event]:
    """A verdict that differs from the known cycle waits for a person; a repeat is quiet.

    Where the facts have come back to what the cycle says, a waiting proposal is withdrawn.
    """
    last = state.correction(command.tahap)
    if verdict.digest == cycle.digest:
        return withdrawn(command.tahap, state, "NOTHING_CHANGED")
    # A changed result without a cause is a redelivered roster line that met newer facts. The
    # re-decider reads those facts too and names who recorded them; without that name the same
    # person could record a fact and approve what follows from it.
    if command.cause is None or _is_repeat(command.cause, verdict, last):
        return []
    # Facts that come while an order waits are decided with it.
    waits = last is not None and not last.rejected
    named = (last.proposed.order, last.proposed.case) if last and waits else ("", "")
    return [proposal_of(command.cause, verdict, cycle, state, command.policy, named)]


def withdrawn(tahap: str, state: Commitment, reason: str) -> list[Event]:
    """A proposal for the tahap that waits is withdrawn, and so is the order that it answers."""
    last = state.correction(tahap)
    if last is None or last.rejected:
        return []
    proposed = last.proposed
    return [
        CorrectionWithdrawn(tahap, proposed.family, proposed.correction),
        *_answered(proposed, state, "REFUSED", reason),
    ]


def _is_repeat(cause: Cause, verdict: Verdict, last: Correction | None) -> bool:
    if last is None or _digest(last.proposed) != verdict.digest:
        return False
    # A rejected change stays rejected until a newer fact asks for it again.
    return not last.rejected or cause.fact <= last.proposed.fact


def _digest(proposed: CorrectionProposed) -> str:
    return digest_of(proposed.duties, proposed.excused)


def proposal_of(
    cause: Cause,
    verdict: Verdict,
    cycle: Cycle,
    state: Commitment,
    policy: CommitmentPolicy,
    named: tuple[str, str] = ("", ""),
) -> CorrectionProposed:
    """The proposal that the verdict takes the place of the cycle; `named` is (order, case)."""
    new = outlook(state, verdict, failures_to_investigation(policy))
    last = state.correction(verdict.tahap)
    # Facts behind an earlier proposal are still behind this one, and so are their recorders.
    earlier = last.proposed.recorded_by if last else ()
    return CorrectionProposed(
        tahap=verdict.tahap,
        family=verdict.family,
        correction=state.proposals + 1,
        revision=new.revision,
        roster_revision=verdict.roster_revision,
        facts_cut=verdict.facts_cut,
        result=verdict.result,
        counter=new.counter,
        duties=verdict.duties,
        fact=cause.fact,
        recorded_by=tuple(sorted({*earlier, *cause.recorded_by})),
        evidence=verdict.evidence,
        cut_percent=verdict.cut_percent,
        cut_percent_before=cycle.cut_percent,
        order=named[0],
        case=named[1],
        excused=verdict.excused,
        access=verdict.access,
    )


def approve_correction(command: ApproveCorrection, state: Commitment) -> list[Event]:
    """The proposed result counts from now on, with everything that follows from it."""
    proposed = _waiting(command, state)
    verdict = Verdict(
        family=command.family,
        tahap=proposed.tahap,
        roster_revision=proposed.roster_revision,
        facts_cut=proposed.facts_cut,
        duties=proposed.duties,
        result=proposed.result,
        digest=_digest(proposed),
        evidence=proposed.evidence,
        cut_percent=proposed.cut_percent,
        case=proposed.case,
        excused=proposed.excused,
        access=proposed.access,
    )
    return [
        CorrectionApproved(proposed.tahap, command.family, proposed.correction, command.approver),
        *take_effect(state, verdict, failures_to_investigation(command.policy)),
        *_answered(proposed, state, "DONE"),
    ]


def reject_correction(command: RejectCorrection, state: Commitment) -> list[Event]:
    """The cycle stays as it is."""
    proposed = _waiting(command, state)
    return [
        CorrectionRejected(proposed.tahap, command.family, proposed.correction, command.approver),
        *_answered(proposed, state, "REFUSED", "NOT_APPROVED"),
    ]


def _answered(
    proposed: CorrectionProposed,
    state: Commitment,
    outcome: Literal["DONE", "REFUSED"],
    reason: str = "",
) -> list[Event]:
    """The answers to the orders behind a proposal; and the ends of the appeals that they served."""
    if not proposed.order:
        return []
    appeals = state.ordering(proposed.tahap)
    orders = [(proposed.order, proposed.case), *((appeal.order, appeal.case) for appeal in appeals)]
    family, corrected = proposed.family, outcome == "DONE"
    return [
        *(OrderAnswered(family, *order, outcome, reason) for order in dict.fromkeys(orders)),
        *(ended(family, appeal, corrected=corrected) for appeal in appeals),
    ]


def ended(family: str, appeal: Appeal, *, corrected: bool) -> AppealEnded:
    """The end of an upheld appeal, whose cycle was `corrected` or is not going to be."""
    outcome: Literal["UPHELD", "REFUSED"] = "UPHELD" if corrected else "REFUSED"
    return AppealEnded(family, appeal.case, appeal.tahap, appeal.against, outcome)


def _waiting(
    command: ApproveCorrection | RejectCorrection, state: Commitment
) -> CorrectionProposed:
    for correction in state.corrections:
        proposed = correction.proposed
        if proposed.correction == command.correction and not correction.rejected:
            if same_person(command.approver, *proposed.recorded_by):
                raise SamePerson(correction=command.correction)
            return proposed
    raise NoSuchCorrection(correction=command.correction)
