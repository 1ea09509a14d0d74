"""A group of families of a village: who belongs to it, who leads it, where and when it meets.

Nobody keys a family in: registry assigns families to groups, and a family belongs while it is in
the programme. A family that moves away stays in its group until two people assign it to another.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal, TypeAlias

from libs.events.domain.decider import Decider
from libs.events.domain.errors import NotFound
from services.p2k2.domain.session import ensure_fit

LeftFor: TypeAlias = Literal["GRADUATED", "TERMINATED", "REASSIGNED", "UNLISTED", "ERASED"]
"""Why a family is of a group no more; UNLISTED: the tahap that found it eligible was cancelled."""


# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddFamilies:
    """Families in the programme belong to the group now; `region` is its village."""

    group: str
    region: str
    facilitator: str
    families: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveFamilies:
    """Families belong to the group no more."""

    families: tuple[str, ...]
    reason: LeftFor


@dataclass(frozen=True, slots=True)
class ArrangeGroup:
    """Where and when the group meets, as people say it."""

    venue: str
    schedule: str


Command: TypeAlias = AddFamilies | RemoveFamilies | ArrangeGroup


# -- Events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FamiliesJoined:
    """Families belong to the group now."""

    group: str
    region: str
    facilitator: str
    families: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FamiliesLeft:
    """Families belong to the group no more."""

    group: str
    families: tuple[str, ...]
    reason: LeftFor


@dataclass(frozen=True, slots=True)
class GroupArranged:
    """Where and when the group meets."""

    group: str
    venue: str
    schedule: str


Event: TypeAlias = FamiliesJoined | FamiliesLeft | GroupArranged


# -- State ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """A group; it is one once a family belongs to it."""

    group: str = ""
    region: str = ""
    facilitator: str = ""
    families: tuple[str, ...] = ()  # by id
    venue: str = ""
    schedule: str = ""


def evolve(state: Group, event: Event) -> Group:
    """The group after one event."""
    match event:
        case FamiliesJoined():
            return replace(
                state,
                group=event.group,
                region=event.region,
                facilitator=event.facilitator,
                families=tuple(sorted({*state.families, *event.families})),
            )
        case FamiliesLeft():
            staying = (family for family in state.families if family not in event.families)
            return replace(state, families=tuple(staying))
        case GroupArranged():
            return replace(state, venue=event.venue, schedule=event.schedule)


# -- Rules ----------------------------------------------------------------------------------------


class GroupUnknown(NotFound):
    """There is no group of this name."""


def decide(command: Command, state: Group) -> list[Event]:
    """The events that a command causes on a group."""
    match command:
        case AddFamilies():
            new = tuple(family for family in command.families if family not in state.families)
            if not new and command.facilitator == state.facilitator:
                return []
            return [FamiliesJoined(command.group, command.region, command.facilitator, new)]
        case RemoveFamilies():
            gone = tuple(family for family in command.families if family in state.families)
            return [FamiliesLeft(state.group, gone, command.reason)] if gone else []
        case ArrangeGroup():
            if not state.group:
                raise GroupUnknown()
            ensure_fit(command.venue, command.schedule)
            if (command.venue, command.schedule) == (state.venue, state.schedule):
                return []
            return [GroupArranged(state.group, command.venue, command.schedule)]


def size_warning(families: int, least: int, most: int) -> Literal["", "TOO_SMALL", "TOO_LARGE"]:
    """The warning of a group's size, where it lies outside `least` to `most`."""
    if families < least:
        return "TOO_SMALL"
    return "TOO_LARGE" if families > most else ""


def months_missed(year: int, held: Collection[str], until: date) -> list[str]:
    """The months (YYYY-MM) of a year without a session, of those that had ended by a day."""
    months = [f"{year}-{month:02}" for month in range(1, 13)]
    return [month for month in months if month not in held and month < until.isoformat()[:7]]


group: Final[Decider[Command, Group, Event]] = Decider(Group(), decide, evolve)
