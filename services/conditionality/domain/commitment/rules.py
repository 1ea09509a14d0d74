"""The rules of a family's commitment: what each command leaves behind."""

from __future__ import annotations

from libs.events.decider import Decider
from libs.events.errors import DomainError
from services.conditionality.domain.commitment.commands import (
    ApproveCorrection,
    Command,
    DecideInvestigation,
    EvaluateCycle,
    RejectCorrection,
    RepeatEvaluation,
)
from services.conditionality.domain.commitment.corrections import (
    SamePerson,
    approve_correction,
    propose,
    reject_correction,
)
from services.conditionality.domain.commitment.cycles import digest_of
from services.conditionality.domain.commitment.events import Cleared, Event, Terminated
from services.conditionality.domain.commitment.sanctions import (
    Verdict,
    effect_id,
    failures_to_investigation,
    take_effect,
)
from services.conditionality.domain.commitment.state import Commitment, evolve
from services.conditionality.domain.duties import duties_of, evidence_of, result_of


class FamilyTerminated(DomainError):
    """A terminated family has no further cycles."""


class NotUnderInvestigation(DomainError):
    """There is no open investigation to decide."""


def evaluate(command: EvaluateCycle, state: Commitment) -> list[Event]:
    """A first result counts at once, a changed one before the freeze as the next revision.

    After the freeze, or once the family is terminated, a change is only proposed. The same
    result again is quiet, and so is a roster line older than the one that was judged.
    """
    failures_max = failures_to_investigation(command.policy)
    known = state.cycle(command.tahap)
    if known is None and state.terminated:
        raise FamilyTerminated(tahap=command.tahap)
    if known is not None and command.roster_revision < known.roster_revision:
        return []
    verdict = _judge(command)
    if known is None:
        return take_effect(state, verdict, failures_max)
    if command.frozen or state.terminated:
        return propose(command, verdict, known, state)
    if known.digest == verdict.digest and known.roster_revision == verdict.roster_revision:
        return []
    return take_effect(state, verdict, failures_max)


def _judge(command: EvaluateCycle) -> Verdict:
    grounds = command.members, command.months, command.facts, command.policy
    duties = duties_of(*grounds)
    return Verdict(
        family=command.family,
        tahap=command.tahap,
        roster_revision=command.roster_revision,
        facts_cut=command.facts_cut,
        duties=duties,
        result=result_of(duties),
        digest=digest_of(duties),
        evidence=evidence_of(duties, *grounds),
    )


def decide_investigation(command: DecideInvestigation, state: Commitment) -> list[Event]:
    """CONFIRMED ends the family's participation; NOT_CONFIRMED gives back all that is held."""
    if command.maker == command.checker:
        raise SamePerson(investigation=command.tahap)
    investigation = state.investigation
    if investigation is None or investigation.tahap != command.tahap:
        raise NotUnderInvestigation(tahap=command.tahap)
    if investigation.outcome == command.outcome:
        return []
    if investigation.outcome != "OPEN":
        raise NotUnderInvestigation(tahap=command.tahap)
    return [_decided(command, state)]


def _decided(command: DecideInvestigation, state: Commitment) -> Event:
    # The decision counts from the latest cycle on: everything that is held until then moves.
    latest = state.cycles[-1]
    confirmed = command.outcome == "CONFIRMED"
    ended, name = (Terminated, "Terminated") if confirmed else (Cleared, "Cleared")
    return ended(
        family=command.family,
        tahaps=state.held,
        cycle=latest.tahap,
        revision=latest.revision,
        investigation=command.tahap,
        maker=command.maker,
        checker=command.checker,
        effect=effect_id(command.family, latest.tahap, latest.revision, name),
    )


def repeat(command: RepeatEvaluation, state: Commitment) -> list[Event]:
    """The latest revision of a cycle once more, as it stands; an older one is not said again."""
    known = state.cycle(command.evaluated.tahap)
    if known is None or known.revision != command.evaluated.revision:
        return []
    return [command.evaluated]


def decide(command: Command, state: Commitment) -> list[Event]:
    """What a command leaves behind on a family's commitment."""
    match command:
        case EvaluateCycle():
            return evaluate(command, state)
        case ApproveCorrection():
            return approve_correction(command, state)
        case RejectCorrection():
            return reject_correction(command, state)
        case DecideInvestigation():
            return decide_investigation(command, state)
        case RepeatEvaluation():
            return repeat(command, state)


commitment: Decider[Command, Commitment, Event] = Decider(Commitment(), decide, evolve)
