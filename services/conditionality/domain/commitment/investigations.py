"""An open investigation: one person brings what it found, another decides whether that stands."""

from __future__ import annotations

from libs.events.domain.errors import DomainError
from libs.events.domain.persons import same_person
from services.conditionality.domain.commitment.commands import (
    BringFinding,
    DecideFinding,
    Reinstate,
)
from services.conditionality.domain.commitment.corrections import SamePerson
from services.conditionality.domain.commitment.events import (
    Cleared,
    Event,
    FindingApproved,
    FindingBrought,
    FindingRejected,
    Reinstated,
    Terminated,
)
from services.conditionality.domain.commitment.sanctions import effect_id
from services.conditionality.domain.commitment.state import Commitment, Finding, Investigation


class NotUnderInvestigation(DomainError):
    """The family is not under investigation for this tahap."""


class FindingWaits(DomainError):
    """Another finding waits for its decision; it must be rejected before a new one is brought."""


class NoSuchFinding(DomainError):
    """Nobody has brought a finding of this investigation."""


class FindingDecided(DomainError):
    """The finding was decided otherwise, and a decision is not reversed."""


def bring_finding(command: BringFinding, state: Commitment) -> list[Event]:
    """A finding waits for a second person; one at a time, the same one again is quiet."""
    investigation = _investigation(command, state)
    if investigation.outcome != "OPEN":
        raise NotUnderInvestigation(tahap=command.tahap)
    earlier = investigation.finding
    if earlier == Finding(command.outcome, command.maker):
        return []
    # What a checker has looked at is not exchanged under their hands.
    if earlier is not None and earlier.decision != "REJECTED":
        raise FindingWaits(tahap=command.tahap)
    return [FindingBrought(command.family, command.tahap, command.outcome, command.maker)]


def decide_finding(command: DecideFinding, state: Commitment) -> list[Event]:
    """Rejected, the investigation goes on; approved, it is over.

    CONFIRMED then ends the family's participation, NOT_CONFIRMED gives back all that is held. While
    an appeal of the family pauses anything, an approved finding waits for its end.
    """
    investigation = _investigation(command, state)
    if investigation.outcome == "WITHDRAWN":
        raise NotUnderInvestigation(tahap=command.tahap)
    finding = investigation.finding
    if finding is None:
        raise NoSuchFinding(tahap=command.tahap)
    if same_person(command.checker, finding.maker):
        raise SamePerson(investigation=command.tahap)
    if finding.decision == command.decision:
        return []
    if finding.decision != "WAITING":
        raise FindingDecided(tahap=command.tahap, decision=finding.decision)
    decided = command.family, command.tahap, finding.outcome, finding.maker, command.checker
    if command.decision == "REJECTED":
        return [FindingRejected(*decided)]
    approved = FindingApproved(*decided)
    return [approved if state.pausing else end(approved, state)]


def reinstate(command: Reinstate, state: Commitment) -> list[Event]:
    """A terminated family is judged again, once; its failures are counted anew."""
    if not state.terminated:
        return []
    return [Reinstated(command.family, state.standing_cycles[-1].tahap)]


def _investigation(command: BringFinding | DecideFinding, state: Commitment) -> Investigation:
    investigation = state.investigation
    if investigation is None or investigation.tahap != command.tahap:
        raise NotUnderInvestigation(tahap=command.tahap)
    return investigation


def end(approved: FindingApproved, state: Commitment) -> Event:
    """The end that two people have given the family's investigation."""
    # The decision counts from the latest cycle on: everything that is held until then moves.
    latest = state.standing_cycles[-1]
    confirmed = approved.outcome == "CONFIRMED"
    ended, name = (Terminated, "Terminated") if confirmed else (Cleared, "Cleared")
    return ended(
        family=approved.family,
        tahaps=state.held,
        cycle=latest.tahap,
        revision=latest.revision,
        investigation=approved.tahap,
        maker=approved.maker,
        checker=approved.checker,
        effect=effect_id(approved.family, latest.tahap, latest.revision, name),
    )
