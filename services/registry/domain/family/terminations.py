"""A termination, and how it is taken back: a case orders it, and another person decides."""

from __future__ import annotations

from dataclasses import replace

from libs.events.domain.persons import same_person
from services.registry.domain.family.commands import (
    AbandonTakeBack,
    AskTakeBack,
    DecideTakeBack,
    MarkTerminated,
)
from services.registry.domain.family.errors import (
    FamilyNotRegistered,
    NoSuchTakeBack,
    NotParticipating,
    SamePerson,
    TakeBackDecided,
)
from services.registry.domain.family.events import (
    Event,
    FamilyReinstated,
    FamilyTerminated,
    OrderAnswered,
    TakeBackEvent,
    TakeBackProposed,
    TakeBackRejected,
    TerminationTakenBack,
)
from services.registry.domain.family.state import Departure, Family, TakeBack


def terminate(
    command: MarkTerminated | AskTakeBack | DecideTakeBack | AbandonTakeBack, state: Family
) -> list[Event]:
    """The family leaves with its failures, or comes back."""
    match command:
        case MarkTerminated():
            return mark_terminated(command, state)
        case AskTakeBack():
            return ask_take_back(command, state)
        case DecideTakeBack():
            return decide_take_back(command, state)
        case AbandonTakeBack():
            return abandon_take_back(command, state)


def mark_terminated(command: MarkTerminated, state: Family) -> list[Event]:
    """The family leaves the programme with the tahap, once."""
    if not state.family:
        raise FamilyNotRegistered
    if state.designation is None or state.designation.status != "ELIGIBLE":
        raise NotParticipating(family=state.family, tahap=command.tahap)
    if state.departure is not None and state.departure.kind == "TERMINATED":
        return []
    return [FamilyTerminated(command.tahap, command.effect)]


def ask_take_back(command: AskTakeBack, state: Family) -> list[Event]:
    """The order waits for another person; one that nothing can follow from is refused by name."""
    if command.order in state.orders:
        return []
    order = command.family, command.order, command.case
    reason = _refused_because(command, state)
    if reason:
        return [OrderAnswered(*order, "REFUSED", reason)]
    return [TakeBackProposed(*order, command.asked_by), OrderAnswered(*order, "PROPOSED")]


def _refused_because(command: AskTakeBack, state: Family) -> str:
    # Said first: elsewhere and nowhere are alike to who asks.
    if not command.inside:
        return "OUTSIDE_REGIONS"
    if not command.there:
        return "FAMILY_UNKNOWN"
    if state.departure is None or state.departure.kind != "TERMINATED":
        return "NOT_TERMINATED"
    waits = state.take_back is not None and state.take_back.standing == "WAITING"
    return "TAKE_BACK_WAITS" if waits else ""


def decide_take_back(command: DecideTakeBack, state: Family) -> list[Event]:
    """Approved, the family is in the programme again, from its next list on."""
    asked, departure = state.take_back, state.departure
    if asked is None:
        raise NoSuchTakeBack(family=state.family)
    if same_person(command.checker, *asked.asked_by):
        raise SamePerson
    if asked.standing == command.decision:
        return []
    if asked.standing != "WAITING" or departure is None:
        raise TakeBackDecided(decision=asked.standing)
    order = state.family, asked.order, asked.case
    if command.decision == "REJECTED":
        rejected = TakeBackRejected(*order, command.checker)
        return [rejected, OrderAnswered(*order, "REFUSED", "NOT_APPROVED")]
    taken = TerminationTakenBack(state.family, departure.tahap, *order[1:], command.checker)
    return [taken, FamilyReinstated(state.family), OrderAnswered(*order, "DONE")]


def abandon_take_back(command: AbandonTakeBack, state: Family) -> list[Event]:
    """An order that waits is refused, as one about nobody: the family is being erased."""
    asked = state.take_back
    if asked is None or asked.standing != "WAITING":
        return []
    order = state.family, asked.order, asked.case
    rejected = TakeBackRejected(*order, command.checker)
    return [rejected, OrderAnswered(*order, "REFUSED", "FAMILY_UNKNOWN")]


def terminated(state: Family, event: FamilyTerminated | TakeBackEvent) -> Family:
    """The family after its termination, or a step of taking that back."""
    match event:
        case FamilyTerminated():
            return replace(state, departure=Departure("TERMINATED", event.tahap))
        case TakeBackProposed():
            return replace(state, take_back=TakeBack(event.order, event.case, event.asked_by))
        case TakeBackRejected() if state.take_back is not None:
            return replace(state, take_back=state.take_back._replace(standing="REJECTED"))
        case TerminationTakenBack() if state.take_back is not None:
            approved = state.take_back._replace(standing="APPROVED")
            return replace(state, take_back=approved, departure=None)
        case OrderAnswered():
            return replace(state, orders=tuple(dict.fromkeys([*state.orders, event.order])))
        case _:
            return state
