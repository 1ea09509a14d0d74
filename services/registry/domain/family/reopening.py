"""A closing that found no category, looked at again: late facts propose, another person decides."""

from __future__ import annotations

from dataclasses import replace

from libs.events.domain.persons import same_person
from services.registry.domain.closing import Closing
from services.registry.domain.family import roster
from services.registry.domain.family.commands import DecideReopening, ReviewClosing
from services.registry.domain.family.errors import (
    DaysLost,
    ListNotFrozen,
    NoSuchReopening,
    NotInProgramme,
    ReopeningDecided,
    SamePerson,
)
from services.registry.domain.family.events import (
    Event,
    FamilyReopened,
    LateFact,
    ReopeningProposed,
    ReopeningRejected,
    ReopeningWithdrawn,
)
from services.registry.domain.family.lines import listed_line
from services.registry.domain.family.state import (
    Family,
    Payee,
    Reopening,
    WithoutCategory,
    known_by,
)


def review(command: ReviewClosing, state: Family) -> list[Event]:
    """Propose what the list would have said, had it known all that was reported by its term's end.

    Facts from after the closing change nothing, nor do facts reported behind the term. A proposal
    that says what the last one said is quiet, also where that was rejected; one that lost its
    ground is withdrawn.
    """
    closing, reopening = command.closing, state.reopening(command.closing.tahap)
    found = _without_category(state, closing)
    if found is None or _terminated(state) or (reopening and reopening.standing == "APPROVED"):
        return []
    if state.closed:
        raise DaysLost(family=state.family)
    then = known_by(state, found.term_ends_on)
    if not roster.any_category(then, closing.closing_date, closing.rules):
        return _withdrawn(state, reopening)
    number = state.proposals + 1
    line = listed_line(closing, then, command.nik_order, command.persons, number)
    late = tuple(fact for fact in command.late if _counts(fact, found))
    if reopening is not None and (reopening.late, reopening.line) == (
        late,
        replace(line, reopening=reopening.number),
    ):
        return []
    return [
        ReopeningProposed(
            family=state.family,
            tahap=closing.tahap,
            reopening=number,
            closing_date=closing.closing_date,
            late=late,
            line=line,
        )
    ]


def paid_when_reopened(closing: Closing, state: Family) -> Payee | None:
    """Who receives the money of the line that a re-opening would bring; None where nobody may."""
    found = _without_category(state, closing)
    if found is None:
        return None
    then, on = known_by(state, found.term_ends_on), closing.closing_date
    valid = roster.payee_valid(then, on, closing.rules)
    return roster.payee(then, on, closing.rules) if valid else None


def _without_category(state: Family, closing: Closing) -> WithoutCategory | None:
    looked_at = closing.tahap, closing.closing_date
    return next((c for c in state.without_category if (c.tahap, c.closing_date) == looked_at), None)


def _terminated(state: Family) -> bool:
    return state.departure is not None and state.departure.kind == "TERMINATED"


def _withdrawn(state: Family, reopening: Reopening | None) -> list[Event]:
    if reopening is None or reopening.standing != "WAITING":
        return []
    return [ReopeningWithdrawn(state.family, reopening.tahap, reopening.number)]


def _counts(late: LateFact, found: WithoutCategory) -> bool:
    """True where a fact can be behind the line: true by the closing, reported within its term."""
    true = late.effective_on is None or late.effective_on <= found.closing_date
    return true and (late.reported_on is None or late.reported_on <= found.term_ends_on)


def decide_reopening(command: DecideReopening, state: Family) -> list[Event]:
    """Approved, the family is back and its line follows; rejected, all stays as it is."""
    reopening = state.reopening(command.tahap)
    if reopening is None:
        raise NoSuchReopening(tahap=command.tahap)
    # All of them, not the last alone: none may approve what follows from their own fact.
    if same_person(command.checker, *(late.recorded_by for late in reopening.late)):
        raise SamePerson(reopening=reopening.number)
    if reopening.standing == command.decision:
        return []
    if reopening.standing != "WAITING":
        raise ReopeningDecided(tahap=command.tahap, decision=reopening.standing)
    if command.decision == "REJECTED":
        decided = state.family, reopening.tahap, reopening.number, command.checker
        return [ReopeningRejected(*decided)]
    if _terminated(state):
        raise NotInProgramme(family=state.family)
    if not command.frozen:
        raise ListNotFrozen(tahap=command.tahap)
    reopened = FamilyReopened(
        family=state.family,
        tahap=reopening.tahap,
        reopening=reopening.number,
        region=reopening.line.region,
        checker=command.checker,
    )
    return [reopened, reopening.line]
