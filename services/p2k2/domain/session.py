"""A session of a group: planned, held, cancelled, corrected; and who of its families was there.

A correction keeps both versions: the event holds what stood and what stands instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Literal, NamedTuple, TypeAlias

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError, NotFound
from services.p2k2.domain.curriculum import Lesson

Status: TypeAlias = Literal["H", "I", "A"]
"""Present (hadir), excused (izin), absent."""
Standing: TypeAlias = Literal["", "PLANNED", "HELD", "CANCELLED"]
STATUSES: Final = ("H", "I", "A")


@dataclass(frozen=True, slots=True)
class Sitting:
    """When, where and on what a group meets, and who leads it; `region` is the group's village.

    `starts_at` is HH:MM of the place's own clock, "" where nobody said.
    """

    group: str
    region: str
    facilitator: str
    on: date
    starts_at: str
    venue: str
    lesson: Lesson


class Mark(NamedTuple):
    """A family's attendance; `was` is what stood before, "" for nothing."""

    family: str
    status: Status
    was: Literal["", "H", "I", "A"] = ""


class Scan(NamedTuple):
    """A family's token was scanned, at a moment in UTC."""

    family: str
    at: str


class Visit(NamedTuple):
    """A supervisor's visit to a session, and what was found, in words that name nobody."""

    supervisor: str
    on: date
    findings: str


# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanSession:
    """A session is to be held."""

    session: str
    sitting: Sitting


@dataclass(frozen=True, slots=True)
class HoldSession:
    """A session was held; `reported_on` is the day on which that is said."""

    session: str
    sitting: Sitting
    reported_on: date


@dataclass(frozen=True, slots=True)
class CancelSession:
    """A session is not held, or was not held after all."""

    reason: str


@dataclass(frozen=True, slots=True)
class CorrectSession:
    """A session was held otherwise than was said; its group stays."""

    sitting: Sitting
    reason: str
    reported_on: date


@dataclass(frozen=True, slots=True)
class RecordAttendance:
    """Families were present, excused or absent; of a family's marks the last counts."""

    marks: tuple[tuple[str, Status], ...]


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Families were present: their tokens were scanned at the session, and each counts."""

    scans: tuple[Scan, ...]


@dataclass(frozen=True, slots=True)
class NoteSession:
    """Notes, the follow-up plan (rencana tindak lanjut) and a photo's reference; "" for none."""

    notes: str
    follow_up: str
    photo: str


@dataclass(frozen=True, slots=True)
class SuperviseSession:
    """A supervisor was at a session and found something; `reported_on` as of `HoldSession`."""

    visit: Visit
    reported_on: date


Command: TypeAlias = (
    PlanSession
    | HoldSession
    | CancelSession
    | CorrectSession
    | RecordAttendance
    | CheckIn
    | NoteSession
    | SuperviseSession
)


# -- Events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionPlanned:
    """A session is to be held."""

    session: str
    sitting: Sitting


@dataclass(frozen=True, slots=True)
class SessionHeld:
    """A session was held."""

    session: str
    sitting: Sitting


@dataclass(frozen=True, slots=True)
class SessionCancelled:
    """A session counts nowhere; `was` is how it stood until then."""

    session: str
    group: str
    was: Literal["PLANNED", "HELD"]
    reason: str


@dataclass(frozen=True, slots=True)
class SessionCorrected:
    """A held session is known otherwise: as it stood, and as it stands."""

    session: str
    was: Sitting
    sitting: Sitting
    reason: str


@dataclass(frozen=True, slots=True)
class AttendanceRecorded:
    """The marks that are new or differ from what was known; one a family."""

    session: str
    group: str
    on: date
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class FamiliesCheckedIn:
    """Tokens of families were scanned at the session, which stays in this service."""

    session: str
    scans: tuple[Scan, ...]


@dataclass(frozen=True, slots=True)
class SessionNoted:
    """The facilitator has noted something of a session; it stays in this service."""

    notes: str
    follow_up: str
    photo: str


@dataclass(frozen=True, slots=True)
class SessionSupervised:
    """A supervisor was at a session; the findings stay in this service."""

    visit: Visit


Event: TypeAlias = (
    SessionPlanned
    | SessionHeld
    | SessionCancelled
    | SessionCorrected
    | AttendanceRecorded
    | FamiliesCheckedIn
    | SessionNoted
    | SessionSupervised
)


# -- State ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Session:
    """A session; `standing` is empty and there is no `sitting` until somebody says it is one."""

    session: str = ""
    standing: Standing = ""
    sitting: Sitting | None = None
    marks: dict[str, Status] = field(default_factory=dict)
    notes: str = ""
    follow_up: str = ""
    photo: str = ""
    corrections: int = 0
    visits: tuple[Visit, ...] = ()
    scanned_at: dict[str, str] = field(default_factory=dict)  # by family


def evolve(state: Session, event: Event) -> Session:
    """The session after one event."""
    match event:
        case SessionPlanned():
            return replace(state, session=event.session, standing="PLANNED", sitting=event.sitting)
        case SessionHeld():
            return replace(state, session=event.session, standing="HELD", sitting=event.sitting)
        case SessionCancelled():
            return replace(state, standing="CANCELLED")
        case SessionCorrected():
            return replace(state, sitting=event.sitting, corrections=state.corrections + 1)
        case AttendanceRecorded():
            marks = {mark.family: mark.status for mark in event.marks}
            return replace(state, marks=state.marks | marks)
        case FamiliesCheckedIn():
            return replace(state, scanned_at=state.scanned_at | dict(event.scans))
        case SessionNoted():
            return replace(state, notes=event.notes, follow_up=event.follow_up, photo=event.photo)
        case SessionSupervised():
            return replace(state, visits=(*state.visits, event.visit))


# -- Rules ----------------------------------------------------------------------------------------


class SessionUnknown(NotFound):
    """There is no session of this number."""


class SessionRecordedDifferently(DomainError):
    """Another session has this number."""


class SessionInFuture(DomainError):
    """A session that is still to come was not held."""


class SessionIsCancelled(DomainError):
    """The session was cancelled."""


class SessionNotHeld(DomainError):
    """The session has not been held."""


class CheckedInAlready(DomainError):
    """The family was checked in at this session before."""


class SessionClashes(DomainError):
    """The group has another session at that time."""


class VisitOutOfTime(DomainError):
    """A visit to a session lies before it, or is still to come."""


class NoteUnfit(DomainError):
    """A note holds what must not stand in it."""


_MARKUP: Final = re.compile(r"[<>]")
_LONG_NUMBER: Final = re.compile(r"(?:[0-9][.-]?){10,}|(?:[0-9][ .-]?){14,}")


def plan(command: PlanSession, state: Session) -> list[Event]:
    """A session is planned once; what is planned may be planned otherwise until it is held."""
    if state.standing == "CANCELLED":
        raise SessionIsCancelled(session=command.session)
    if state.sitting is not None and state.sitting.group != command.sitting.group:
        raise SessionRecordedDifferently(session=command.session)
    if state.sitting == command.sitting:
        return []
    if state.standing == "HELD":
        raise SessionRecordedDifferently(session=command.session)
    return [SessionPlanned(command.session, command.sitting)]


def hold(command: HoldSession, state: Session) -> list[Event]:
    """A session was held, planned or not; one that was held otherwise is corrected instead."""
    _ensure_not_ahead(command.session, command.sitting, command.reported_on)
    if state.standing == "CANCELLED":
        raise SessionIsCancelled(session=command.session)
    if state.sitting is not None and state.sitting.group != command.sitting.group:
        raise SessionRecordedDifferently(session=command.session)
    if state.standing == "HELD":
        if state.sitting == command.sitting:
            return []
        raise SessionRecordedDifferently(session=command.session)
    return [SessionHeld(command.session, command.sitting)]


def cancel(command: CancelSession, state: Session) -> list[Event]:
    """A session is cancelled once; its marks stay in the log and count nowhere."""
    sitting = _of_known(state)
    if state.standing == "CANCELLED":
        return []
    ensure_fit(command.reason)
    was: Literal["PLANNED", "HELD"] = "HELD" if state.standing == "HELD" else "PLANNED"
    return [SessionCancelled(state.session, sitting.group, was, command.reason)]


def correct(command: CorrectSession, state: Session) -> list[Event]:
    """A held session is corrected, with a reason."""
    sitting = _of_held(state)
    _ensure_not_ahead(state.session, command.sitting, command.reported_on)
    ensure_fit(command.reason)
    corrected = replace(command.sitting, group=sitting.group, region=sitting.region)
    if corrected == sitting:
        return []
    return [SessionCorrected(state.session, sitting, corrected, command.reason)]


def record(command: RecordAttendance, state: Session) -> list[Event]:
    """A later mark of a family replaces the earlier; an identical one changes nothing."""
    sitting = _of_held(state)
    marks = tuple(
        Mark(family, status, state.marks.get(family, ""))
        for family, status in dict(command.marks).items()
        if state.marks.get(family) != status
    )
    if not marks:
        return []
    return [AttendanceRecorded(state.session, sitting.group, sitting.on, marks)]


def check_in(command: CheckIn, state: Session) -> list[Event]:
    """A family is checked in once a session; the same scan that is sent again changes nothing."""
    _of_held(state)
    before = dict(state.scanned_at)
    for family, at in command.scans:
        if before.setdefault(family, at) != at:
            raise CheckedInAlready(session=state.session)
    new = tuple(Scan(family, at) for family, at in before.items() if family not in state.scanned_at)
    if not new:
        return []
    present = RecordAttendance(tuple((scan.family, "H") for scan in new))
    return [FamiliesCheckedIn(state.session, new), *record(present, state)]


def note(command: NoteSession, state: Session) -> list[Event]:
    """The last notes stand."""
    _of_known(state)
    if state.standing == "CANCELLED":
        raise SessionIsCancelled(session=state.session)
    ensure_fit(command.notes, command.follow_up, command.photo)
    if (command.notes, command.follow_up, command.photo) == (
        state.notes,
        state.follow_up,
        state.photo,
    ):
        return []
    return [SessionNoted(command.notes, command.follow_up, command.photo)]


def supervise(command: SuperviseSession, state: Session) -> list[Event]:
    """A visit is noted once; a session that was not held had no visitor."""
    sitting, visit = _of_held(state), command.visit
    if visit.on > command.reported_on or visit.on < sitting.on:
        raise VisitOutOfTime(on=visit.on, held_on=sitting.on)
    ensure_fit(visit.findings)
    return [] if visit in state.visits else [SessionSupervised(visit)]


def clashes(sitting: Sitting, other: Sitting, minutes: int) -> bool:
    """True where two sittings of a group would be at one time; one without a time has its day."""
    if (sitting.group, sitting.on) != (other.group, other.on):
        return False
    if not (sitting.starts_at and other.starts_at):
        return True
    return abs(_minute(sitting.starts_at) - _minute(other.starts_at)) < minutes


def ensure_no_clash(sitting: Sitting, others: Iterable[Sitting], minutes: int) -> None:
    """Refuse a sitting while its group is at another one."""
    if any(clashes(sitting, other, minutes) for other in others):
        raise SessionClashes(on=sitting.on)


def ensure_fit(*texts: str) -> None:
    """Refuse markup, and numbers as long as those of cards and accounts: notes name nobody."""
    for text in texts:
        if _MARKUP.search(text):
            raise NoteUnfit(holds="markup")
        if _LONG_NUMBER.search(text):
            raise NoteUnfit(holds="a long number")


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def _ensure_not_ahead(session: str, sitting: Sitting, reported_on: date) -> None:
    if sitting.on > reported_on:
        raise SessionInFuture(session=session, on=sitting.on)


def _of_known(state: Session) -> Sitting:
    if state.sitting is None:
        raise SessionUnknown()
    return state.sitting


def _of_held(state: Session) -> Sitting:
    sitting = _of_known(state)
    if state.standing == "CANCELLED":
        raise SessionIsCancelled(session=state.session)
    if state.standing != "HELD":
        raise SessionNotHeld(session=state.session)
    return sitting


def decide(command: Command, state: Session) -> list[Event]:
    """The events that a command causes on a session."""
    match command:
        case PlanSession():
            return plan(command, state)
        case HoldSession():
            return hold(command, state)
        case CancelSession():
            return cancel(command, state)
        case CorrectSession():
            return correct(command, state)
        case RecordAttendance():
            return record(command, state)
        case CheckIn():
            return check_in(command, state)
        case NoteSession():
            return note(command, state)
        case SuperviseSession():
            return supervise(command, state)


session: Final[Decider[Command, Session, Event]] = Decider(Session(), decide, evolve)
