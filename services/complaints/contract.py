"""Messages of pkh.complaints.case.v1, each under its case, and the streams of complaints.

A case goes out by an id of its own and, where it is of one, by its family's id: no person's name,
nobody's words, no account of a channel, no receipt number and no PIN. `family` stands in each
message of a family's case, so that the family's timeline shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

from libs.events.store.model import StreamType, published
from services.complaints.domain.case import Case, CaseReceived, Command, Event, Level, case

SERVICE: Final = "complaints"
TOPIC: Final = "pkh.complaints.case.v1"

Effect: TypeAlias = Literal["HOLD", "CUT", "TERMINATION"]
"""An appeal is against money held back, money cut, or the end of participation."""
Ordered: TypeAlias = Literal[
    "REEVALUATE_CYCLE",
    "TAKE_BACK_TERMINATION",
    "RECHECK_ACCOUNT",
    "REPAIR_PAYMENT",
    "UPDATE_DATA",
]

# -- Sent, each under its case. CaseReceived goes out as it is stored.


@dataclass(frozen=True, slots=True)
class CaseEscalated:
    """A case was not resolved in time and passed to the next level, which has until `due_on`."""

    case: str
    level: Level
    on: date
    due_on: date
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CasePaused:
    """The case waits for the reporter until `due_on`; its level's days do not run."""

    case: str
    on: date
    due_on: date | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseResumed:
    """The case waits no more; its level has until `due_on`."""

    case: str
    on: date
    due_on: date | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseResolved:
    """A level has resolved the case."""

    case: str
    level: Level
    on: date
    resolution: str
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """A resolved case is closed."""

    case: str
    on: date
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseReopened:
    """A closed or resolved case is open again at a level."""

    case: str
    level: Level
    on: date
    due_on: date | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseLinked:
    """The case is about the same thing as another one, with which it is handled."""

    case: str
    to: str
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseUnlinked:
    """The case is handled by itself again."""

    case: str
    to: str
    family: str | None = None


@dataclass(frozen=True, slots=True)
class AppealOpened:
    """A family's case appeals against an effect of a tahap's cycle."""

    case: str
    family: str
    tahap: str
    effect: Effect
    received_on: date


@dataclass(frozen=True, slots=True)
class AppealDecided:
    """Two people have ended an appeal."""

    case: str
    family: str
    tahap: str
    effect: Effect
    outcome: Literal["UPHELD", "REJECTED", "WITHDRAWN"]
    decided_on: date


@dataclass(frozen=True, slots=True)
class OrderRequested:
    """A case asks another service for something, which decides by its own rules and answers on its
    own topic."""

    order: str
    case: str
    ordered: Ordered
    family: str
    asked_on: date
    tahap: str | None = None


# -- Streams

CASE: Final[StreamType[Command, Case, Event]] = StreamType(
    name="case",
    decider=case,
    events={"CaseReceived": CaseReceived},
    publish=published(TOPIC, "case"),
)
