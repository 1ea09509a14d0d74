"""Reads of families' data on record: what one subject saw of families, and whom they looked up.

A record is an event of the stream of its reader and day: readers wait for nobody else, and what
they read stands in the log's chain beside what was decided. It names families by id, never what
was told of them; who read is the actor of its block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias, assert_never

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError
from libs.events.domain.persons import folded_name
from libs.events.store.model import StreamType

FAMILIES_AN_EVENT_MAX: Final = 1_000
_DIGEST_CHARACTERS: Final = 32


class LookUpLimitReached(DomainError):
    """Nobody looks up more identities in a day than the limit says."""


# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoteRead:
    """Families' data go out: by which operation, to which filters, and of whom, by family id."""

    operation: str
    filters: Mapping[str, str]
    families: Sequence[str]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Identities are asked for: why, how many, and which families' will be told.

    `limit` is what a subject may ask for in a day.
    """

    operation: str
    purpose: str
    asked: int
    families: Sequence[str]
    limit: int


# -- Events: a disk format ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FamiliesRead:
    """A reader was told of families; of many, several events of one append name them."""

    operation: str
    filters: Mapping[str, str]
    families: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdentitiesLookedUp:
    """A reader was told who families are; of those `asked` for, others are foreign or unknown."""

    operation: str
    purpose: str
    asked: int
    families: tuple[str, ...]


# -- What follows ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadsOfDay:
    """The identities that a reader has asked for on a day."""

    looked_up: int = 0


Command: TypeAlias = NoteRead | LookUp
Event: TypeAlias = FamiliesRead | IdentitiesLookedUp


def decide(command: Command, state: ReadsOfDay) -> list[Event]:
    """Reads are noted; a look-up beyond the day's limit is refused and tells nothing."""
    match command:
        case NoteRead(operation, filters, families):
            begins = range(0, len(families) or 1, FAMILIES_AN_EVENT_MAX)
            parts = (tuple(families[begin : begin + FAMILIES_AN_EVENT_MAX]) for begin in begins)
            return [FamiliesRead(operation, filters, part) for part in parts]
        case LookUp(operation, purpose, asked, families, limit):
            if state.looked_up + asked > limit:
                raise LookUpLimitReached(limit=limit, looked_up=state.looked_up, asked=asked)
            return [IdentitiesLookedUp(operation, purpose, asked, tuple(families))]
        case _:
            assert_never(command)


def evolve(state: ReadsOfDay, event: Event) -> ReadsOfDay:
    """Look-ups count; reads of other data do not."""
    match event:
        case IdentitiesLookedUp(asked=asked):
            return ReadsOfDay(state.looked_up + asked)
        case FamiliesRead():
            return state
        case _:
            assert_never(event)


READS: Final[StreamType[Command, ReadsOfDay, Event]] = StreamType(
    name="reads",
    decider=Decider(ReadsOfDay(), decide, evolve),
    events={"FamiliesRead": FamiliesRead, "IdentitiesLookedUp": IdentitiesLookedUp},
    publish=lambda _event, _state: None,
    snapshot=(ReadsOfDay, 1),
)
"""The records of every service; none is published."""


def stream_of(subject: str, day: date) -> str:
    """The stream of one reader and one day (UTC); a name is of any length, so a hash stands for it.

    Those of a reader follow each other by day.
    """
    digest = hashlib.sha256(folded_name(subject).encode()).hexdigest()
    return READS.stream(digest[:_DIGEST_CHARACTERS], day.isoformat())
