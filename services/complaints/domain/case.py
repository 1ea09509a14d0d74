"""A case: one complaint of somebody about the programme, whichever way it came in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeAlias

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError, NotFound
from services.complaints.domain.deadlines import Ladder, Level, Turn

# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReceiveCase:
    """A complaint has come in; `region` is what it is about, `family` whose it is, where known.

    `due_on` is the last day on which `level` answers in time; None while no ladder holds for it.
    `reference` is its number in the file that it came in.
    """

    case: str
    category: str
    channel: str
    region: str
    level: Level
    received_on: date
    due_on: date | None
    anonymous: bool
    family: str | None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class AdvanceTo:
    """A business date has come: whoever's term is over by then has the case no more."""

    on: date
    ladder: Ladder


@dataclass(frozen=True, slots=True)
class ResolveCase:
    """The level that has the case resolved it on a day."""

    on: date
    resolution: str


Command: TypeAlias = ReceiveCase | AdvanceTo | ResolveCase


# -- Events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseReceived:
    """A complaint has become a case; its fields are those of `ReceiveCase`."""

    case: str
    category: str
    channel: str
    region: str
    level: Level
    received_on: date
    due_on: date | None = None
    anonymous: bool = False
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseFiled:
    """The case has come in by a file, under a number of its own there."""

    case: str
    reference: str


@dataclass(frozen=True, slots=True)
class CaseEscalated:
    """A level has received the case on a day, as the one below did not resolve it in its term."""

    case: str
    level: Level
    on: date
    due_on: date
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseResolved:
    """A level has resolved the case on a day."""

    case: str
    level: Level
    on: date
    resolution: str
    family: str | None = None


Event: TypeAlias = CaseReceived | CaseFiled | CaseEscalated | CaseResolved


# -- State ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands; `received` is None until there is one.

    `turns` are the levels that have had it, where terms are known; the last one has it.
    """

    received: CaseReceived | None = None
    turns: tuple[Turn, ...] = ()
    resolved: CaseResolved | None = None
    reference: str = ""


def evolve(state: Case, event: Event) -> Case:
    """The case after one event."""
    match event:
        case CaseReceived(level=level, received_on=on, due_on=due_on):
            return Case(event, () if due_on is None else (Turn(level, on, due_on),))
        case CaseFiled(reference=reference):
            return replace(state, reference=reference)
        case CaseEscalated(level=level, on=on, due_on=due_on):
            return replace(state, turns=(*state.turns, Turn(level, on, due_on)))
        case CaseResolved():
            return replace(state, resolved=event)


# -- Rules ----------------------------------------------------------------------------------------


class CaseReceivedDifferently(DomainError):
    """Another case has this id."""


class CaseUnknown(NotFound):
    """There is no case of this id."""


class CaseResolvedDifferently(DomainError):
    """The case was resolved otherwise, or on another day."""


class ResolvedBeforeReceived(DomainError):
    """A case is not resolved before the day on which it is received."""


def decide(command: Command, state: Case) -> list[Event]:
    """The events that a command leaves."""
    match command:
        case ReceiveCase():
            return receive(command, state)
        case AdvanceTo():
            return advance(command, state)
        case ResolveCase():
            return resolve(command, state)


def receive(command: ReceiveCase, state: Case) -> list[Event]:
    """A case is received once; the same again is quiet."""
    received = CaseReceived(
        command.case,
        command.category,
        command.channel,
        command.region,
        command.level,
        command.received_on,
        command.due_on,
        command.anonymous,
        command.family,
    )
    if state.received is None:
        filed = [CaseFiled(command.case, command.reference)] if command.reference else []
        return [received, *filed]
    if (state.received, state.reference) == (received, command.reference):
        return []
    raise CaseReceivedDifferently(case=command.case)


def advance(command: AdvanceTo, state: Case) -> list[Event]:
    """Every level that receives the case by then is an event; nobody receives a resolved one."""
    if state.received is None or not state.turns or state.resolved is not None:
        return []
    name, family = state.received.case, state.received.family
    return [
        CaseEscalated(name, turn.level, turn.received_on, turn.due_on, family)
        for turn in command.ladder.next_turns(state.turns[-1], command.on)
    ]


def resolve(command: ResolveCase, state: Case) -> list[Event]:
    """The level that has the case resolves it once; the same again is quiet."""
    received, resolved = state.received, state.resolved
    if received is None:
        raise CaseUnknown
    if resolved is not None:
        if (resolved.on, resolved.resolution) == (command.on, command.resolution):
            return []
        raise CaseResolvedDifferently(case=received.case)
    if command.on < received.received_on:
        raise ResolvedBeforeReceived(case=received.case)
    level = state.turns[-1].level if state.turns else received.level
    return [CaseResolved(received.case, level, command.on, command.resolution, received.family)]


case: Final[Decider[Command, Case, Event]] = Decider(Case(), decide, evolve)
