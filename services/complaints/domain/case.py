"""A case: one complaint of somebody about the programme, whichever way it came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError

Level: TypeAlias = Literal["DISTRICT", "REGENCY", "PROVINCE", "NATION"]
"""The levels that handle cases, from the lowest up."""


# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReceiveCase:
    """A complaint has come in; `region` is what it is about, `family` whose it is, where known.

    `due_on` is the last day on which `level` answers in time; None while no ladder holds for it.
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


Command: TypeAlias = ReceiveCase


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


Event: TypeAlias = CaseReceived


# -- State ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands; `received` is None until there is one."""

    received: CaseReceived | None = None


def evolve(_state: Case, event: Event) -> Case:
    """The case after one event."""
    return Case(event)


# -- Rules ----------------------------------------------------------------------------------------


class CaseReceivedDifferently(DomainError):
    """Another case has this id."""


def decide(command: Command, state: Case) -> list[Event]:
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
        return [received]
    if state.received == received:
        return []
    raise CaseReceivedDifferently(case=command.case)


case: Final[Decider[Command, Case, Event]] = Decider(Case(), decide, evolve)
