"""Messages across the border of p2k2: those it sends, those it reads, and its kinds of streams.

Venues, reasons and notes are people's own words and stay inside; a family goes out by its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from libs.events.store.model import Message, StreamType, published
from services.p2k2.domain import group as groups
from services.p2k2.domain import session as sessions
from services.p2k2.domain.group import FamiliesJoined, FamiliesLeft, Group, GroupArranged, group
from services.p2k2.domain.session import (
    AttendanceRecorded,
    FamiliesCheckedIn,
    Session,
    SessionNoted,
    SessionSupervised,
    Sitting,
    session,
)

SERVICE: Final = "p2k2"
TOPIC: Final = "pkh.p2k2.session.v1"
GROUP_TOPIC: Final = "pkh.registry.group.v1"
FAMILY_TOPIC: Final = "pkh.registry.family.v2"
COMMITMENT_TOPIC: Final = "pkh.conditionality.commitment.v1"

# -- Sent, each under its group. AttendanceRecorded, FamiliesJoined and FamiliesLeft go out as they
# are stored.


@dataclass(frozen=True, slots=True)
class SessionPlanned:
    """A group's session is to be held."""

    session: str
    group: str
    facilitator: str
    on: date
    module: str
    number: int


@dataclass(frozen=True, slots=True)
class SessionHeld:
    """A group's session was held: which of a module's `sessions`, by number.

    `region` is the group's village, `rank` the module's place where modules are listed.
    """

    session: str
    group: str
    region: str
    facilitator: str
    on: date
    module: str
    number: int
    sessions: int
    rank: int


@dataclass(frozen=True, slots=True)
class SessionCorrected:
    """A held session is known otherwise: all of it as it stands now."""

    session: str
    group: str
    region: str
    facilitator: str
    on: date
    module: str
    number: int
    sessions: int
    rank: int


@dataclass(frozen=True, slots=True)
class SessionCancelled:
    """A session counts nowhere."""

    session: str
    group: str


def _planned(event: sessions.SessionPlanned, _state: Session) -> Message:
    sitting = event.sitting
    lesson = sitting.lesson
    body = SessionPlanned(
        event.session,
        sitting.group,
        sitting.facilitator,
        sitting.on,
        lesson.module,
        lesson.number,
    )
    return Message(TOPIC, sitting.group, body)


def _held(event: sessions.SessionHeld, _state: Session) -> Message:
    return Message(TOPIC, event.sitting.group, SessionHeld(*_facts(event.session, event.sitting)))


def _corrected(event: sessions.SessionCorrected, _state: Session) -> Message:
    body = SessionCorrected(*_facts(event.session, event.sitting))
    return Message(TOPIC, event.sitting.group, body)


def _facts(number: str, sitting: Sitting) -> tuple[str, str, str, str, date, str, int, int, int]:
    lesson = sitting.lesson
    where = number, sitting.group, sitting.region, sitting.facilitator, sitting.on
    return (*where, lesson.module, lesson.number, lesson.sessions, lesson.rank)


def _cancelled(event: sessions.SessionCancelled, _state: Session) -> Message:
    return Message(TOPIC, event.group, SessionCancelled(event.session, event.group))


# -- Read from others


@dataclass(frozen=True, slots=True)
class GroupAssigned:
    """Registry has assigned a family, by its card's token, to a group; from the first day on
    where `since` is None."""

    family: str
    card: str
    region: str
    group: str
    facilitator: str
    since: date | None = None


@dataclass(frozen=True, slots=True)
class FamilyDesignated:
    """The family was judged at a tahap: ELIGIBLE, INELIGIBLE or HOLD."""

    family: str
    tahap: str
    status: str


@dataclass(frozen=True, slots=True)
class FamilyGraduated:
    """The family has left the programme with a tahap."""

    family: str
    tahap: str


@dataclass(frozen=True, slots=True)
class FamilyUnlisted:
    """The tahap was cancelled: what its list said of the family, eligible or graduated, is void."""

    family: str
    tahap: str


@dataclass(frozen=True, slots=True)
class FamilyMoved:
    """The family lives elsewhere from a day on."""

    family: str
    effective_on: date
    region: str


@dataclass(frozen=True, slots=True)
class FamilyErased:
    """Two people had the family erased."""

    family: str


@dataclass(frozen=True, slots=True)
class Terminated:
    """The family's participation was ended, with the cycle of a tahap."""

    family: str
    cycle: str


@dataclass(frozen=True, slots=True)
class TerminationTakenBack:
    """The termination that came with the cycle of this tahap is void: the family is back."""

    family: str
    tahap: str


# -- Streams

SESSION: Final[StreamType[sessions.Command, Session, sessions.Event]] = StreamType(
    name="session",
    decider=session,
    events={
        "SessionPlanned": sessions.SessionPlanned,
        "SessionHeld": sessions.SessionHeld,
        "SessionCancelled": sessions.SessionCancelled,
        "SessionCorrected": sessions.SessionCorrected,
        "AttendanceRecorded": AttendanceRecorded,
        "FamiliesCheckedIn": FamiliesCheckedIn,
        "SessionNoted": SessionNoted,
        "SessionSupervised": SessionSupervised,
    },
    publish=published(
        TOPIC,
        "group",
        inside=[FamiliesCheckedIn, SessionNoted, SessionSupervised],
        otherwise={
            sessions.SessionPlanned: _planned,
            sessions.SessionHeld: _held,
            sessions.SessionCorrected: _corrected,
            sessions.SessionCancelled: _cancelled,
        },
    ),
    snapshot=(Session, 3),
)

GROUP: Final[StreamType[groups.Command, Group, groups.Event]] = StreamType(
    name="group",
    decider=group,
    events={
        "FamiliesJoined": FamiliesJoined,
        "FamiliesLeft": FamiliesLeft,
        "GroupArranged": GroupArranged,
    },
    publish=published(TOPIC, "group", inside=[GroupArranged]),
    snapshot=(Group, 1),
)
