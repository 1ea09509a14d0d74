"""The rules of a family's commitment: what each command leaves behind."""

from __future__ import annotations

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError
from services.conditionality.domain.commitment.appeals import (
    answer_order,
    decide_appeal,
    note_appeal,
    order_reevaluation,
    resumed,
)
from services.conditionality.domain.commitment.commands import (
    AnswerOrder,
    ApproveCorrection,
    BringFinding,
    Command,
    DecideAppeal,
    DecideFinding,
    EvaluateCycle,
    NoteAppeal,
    OrderReevaluation,
    Reinstate,
    RejectCorrection,
    RepeatEvaluation,
    WithdrawCycle,
)
from services.conditionality.domain.commitment.corrections import (
    approve_correction,
    propose,
    reject_correction,
)
from services.conditionality.domain.commitment.corrections import withdrawn as withdraw_proposal
from services.conditionality.domain.commitment.cycles import WITHDRAWN, standing
from services.conditionality.domain.commitment.events import (
    CycleWithdrawn,
    Event,
    InvestigationWithdrawn,
)
from services.conditionality.domain.commitment.investigations import (
    bring_finding,
    decide_finding,
    reinstate,
)
from services.conditionality.domain.commitment.sanctions import (
    effect_id,
    failures_to_investigation,
    take_effect,
)
from services.conditionality.domain.commitment.state import Commitment, evolve
from services.conditionality.domain.commitment.verdicts import judge


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
    by_decision = not is_first and (command.frozen or state.terminated)
    verdict = judge(command, state.excused_by(command.tahap, by_decision=by_decision))
    if cycle is None or is_first:
        return take_effect(state, verdict, failures_max)
    if by_decision:
        return propose(command, verdict, cycle, state)
    if cycle.digest == verdict.digest and cycle.roster_revision == verdict.roster_revision:
        return []
    return take_effect(state, verdict, failures_max)


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
    events: list[Event] = [withdrawn, *withdraw_proposal(command.tahap, state, "TAHAP_CANCELLED")]
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
            return resumed(evaluate(command, state), state, command.policy)
        case ApproveCorrection():
            return resumed(approve_correction(command, state), state, command.policy)
        case RejectCorrection():
            return resumed(reject_correction(command, state), state, command.policy)
        case BringFinding():
            return bring_finding(command, state)
        case DecideFinding():
            return decide_finding(command, state)
        case WithdrawCycle():
            return resumed(withdraw(command, state), state, command.policy)
        case RepeatEvaluation():
            return repeat(command, state)
        case Reinstate():
            return reinstate(command, state)
        case NoteAppeal():
            return note_appeal(command, state)
        case DecideAppeal():
            return resumed(decide_appeal(command, state), state, command.policy)
        case OrderReevaluation():
            ordered = order_reevaluation(command, state)
            return resumed(ordered, state, command.evaluate.policy)
        case AnswerOrder():
            return resumed(answer_order(command, state), state, command.policy)


commitment: Decider[Command, Commitment, Event] = Decider(Commitment(), decide, evolve)
