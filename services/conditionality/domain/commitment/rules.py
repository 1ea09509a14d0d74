"""The rules of a family's commitment: what each command leaves behind."""

from __future__ import annotations

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError
from services.conditionality.domain.commitment.commands import (
    ApproveCorrection,
    BringFinding,
    Command,
    DecideFinding,
    EvaluateCycle,
    RejectCorrection,
    RepeatEvaluation,
    WithdrawCycle,
)
from services.conditionality.domain.commitment.corrections import (
    approve_correction,
    propose,
    reject_correction,
)
from services.conditionality.domain.commitment.cycles import WITHDRAWN, digest_of, standing
from services.conditionality.domain.commitment.events import (
    CorrectionWithdrawn,
    CycleWithdrawn,
    Event,
    InvestigationWithdrawn,
)
from services.conditionality.domain.commitment.investigations import bring_finding, decide_finding
from services.conditionality.domain.commitment.sanctions import (
    Verdict,
    cut_percent,
    effect_id,
    failures_to_investigation,
    take_effect,
)
from services.conditionality.domain.commitment.state import Commitment, evolve
from services.conditionality.domain.duties import duties_of, evidence_of, result_of


class FamilyTerminated(DomainError):
    """A terminated family has no further cycles."""


def evaluate(command: EvaluateCycle, state: Commitment) -> list[Event]:
    """A first result counts at once, a changed one before the freeze as the next revision.

    After the freeze, or once the family is terminated, a change is only proposed. The same
    result again is quiet, and so is a roster line older than the one that was judged.
    """
    failures_max = failures_to_investigation(command.policy)
    cycle = state.cycle(command.tahap)
    is_first = cycle is None or cycle.result == WITHDRAWN
    if is_first and state.terminated:
        raise FamilyTerminated(tahap=command.tahap)
    if cycle is not None and command.roster_revision < cycle.roster_revision:
        return []
    verdict = _judge(command)
    if cycle is None or is_first:
        return take_effect(state, verdict, failures_max)
    if command.frozen or state.terminated:
        return propose(command, verdict, cycle, state)
    if cycle.digest == verdict.digest and cycle.roster_revision == verdict.roster_revision:
        return []
    return take_effect(state, verdict, failures_max)


def _judge(command: EvaluateCycle) -> Verdict:
    judged_by = command.members, command.months, command.facts, command.policy
    duties = duties_of(*judged_by)
    result = result_of(duties)
    return Verdict(
        family=command.family,
        tahap=command.tahap,
        roster_revision=command.roster_revision,
        facts_cut=command.facts_cut,
        duties=duties,
        result=result,
        digest=digest_of(duties),
        evidence=evidence_of(duties, *judged_by),
        cut_percent=cut_percent(command.policy, result),
    )


def withdraw(command: WithdrawCycle, state: Commitment) -> list[Event]:
    """The cycle counts no more, once, and what waits because of it waits no longer.

    What it has released of older tahaps stays released, as when a compliant cycle is corrected;
    what two people have decided of an investigation stays decided.
    """
    cycle = state.cycle(command.tahap)
    if cycle is None or cycle.result == WITHDRAWN:
        return []
    if cycle.roster_revision > command.roster_revision:
        return []
    revision = cycle.revision + 1
    cause = command.family, command.tahap, revision
    withdrawn = CycleWithdrawn(
        command.tahap, command.family, revision, effect_id(*cause, "CycleWithdrawn")
    )
    events: list[Event] = [withdrawn]
    correction = state.correction(command.tahap)
    if correction is not None and not correction.rejected:
        number = correction.proposed.correction
        events.append(CorrectionWithdrawn(command.tahap, command.family, number))
    after = evolve(state, withdrawn)
    grounds = standing(after.cycles, failures_to_investigation(command.policy)).grounds
    if state.investigation is not None and state.under_investigation and not grounds:
        events.append(
            InvestigationWithdrawn(
                family=command.family,
                tahap=state.investigation.tahap,
                cycle=command.tahap,
                revision=revision,
                effect=effect_id(*cause, "InvestigationWithdrawn"),
            )
        )
    return events


def repeat(command: RepeatEvaluation, state: Commitment) -> list[Event]:
    """The latest revision of a cycle once more, as it stands; an older one is not said again."""
    cycle = state.cycle(command.evaluated.tahap)
    if cycle is None or cycle.revision != command.evaluated.revision:
        return []
    return [command.evaluated]


def decide(command: Command, state: Commitment) -> list[Event]:
    """The events that a command causes on a family's commitment."""
    match command:
        case EvaluateCycle():
            return evaluate(command, state)
        case ApproveCorrection():
            return approve_correction(command, state)
        case RejectCorrection():
            return reject_correction(command, state)
        case BringFinding():
            return bring_finding(command, state)
        case DecideFinding():
            return decide_finding(command, state)
        case WithdrawCycle():
            return withdraw(command, state)
        case RepeatEvaluation():
            return repeat(command, state)


commitment: Decider[Command, Commitment, Event] = Decider(Commitment(), decide, evolve)
