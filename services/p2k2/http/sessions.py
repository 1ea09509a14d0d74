"""Sessions over HTTP: planned, held, cancelled, corrected, attended; by file or one by one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal, is_outside, require, require_one_of
from libs.chassis.bodies import OFFICE_ID, Day, Id, OfficeId, Strict
from libs.chassis.csv_upload import ImportReport
from libs.chassis.deciding import DecidingOf, moved
from libs.chassis.etag import IfMatch, Unconditional, etag
from libs.chassis.idempotency import Reply
from libs.chassis.imports import Take, import_route
from libs.chassis.middleware import Asked, resource
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from libs.events.domain.errors import DomainError
from libs.events.domain.persons import folded_name
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.p2k2.contract import SESSION
from services.p2k2.domain.curriculum import ModuleUnknown, lesson
from services.p2k2.domain.days import today
from services.p2k2.domain.group import GroupUnknown
from services.p2k2.domain.session import (
    CancelSession,
    Command,
    CorrectSession,
    HoldSession,
    NoteSession,
    NoteUnfit,
    PlanSession,
    RecordAttendance,
    SessionClashes,
    SessionInFuture,
    SessionIsCancelled,
    SessionNotHeld,
    SessionRecordedDifferently,
    SessionUnknown,
    Sitting,
    Status,
    SuperviseSession,
    Visit,
    VisitOutOfTime,
    ensure_fit,
    ensure_no_clash,
)
from services.p2k2.http.csv_commands import (
    ATTENDANCE_COLUMNS,
    CLOCK,
    MODULE,
    SESSION_COLUMNS,
    VENUE_CHARACTERS_MAX,
    CsvImport,
)
from services.p2k2.policy import Policies
from services.p2k2.tables import sessions as rows
from services.p2k2.tables.groups import (
    GroupRow,
    facilitator_of,
    group_on,
    lock_groups,
    memberships_of_families,
    not_erased,
)

READ, RECORD, FACILITATE = "p2k2:read", "p2k2:record", "p2k2:facilitate"
"""The last of them reads and records as the others do, and of one's own groups alone."""
Recorder = Annotated[Principal, require_one_of(RECORD, FACILITATE)]
Reader = Annotated[Principal, require_one_of(READ, FACILITATE)]
Clerk = Annotated[Principal, require(RECORD)]
Officer = Annotated[Principal, require(READ)]
CsvImportOf = Annotated[CsvImport, resource("csv_import")]
PoliciesOf = Annotated[Policies, resource("policies")]

MARKS_MAX = 1_000
Number = Annotated[OfficeId, Field(description="A session's number, such as S0000001.")]
Findings = Annotated[str, Field(examples=["The material was there."])]
Words = Annotated[str, Field(max_length=2_000)]
Venue = Annotated[str, Field(max_length=VENUE_CHARACTERS_MAX)]

router = APIRouter(tags=["p2k2"])


class FamilyOfAnotherGroup(DomainError):
    """The family did not belong to the session's group on that day."""


# -- Files ----------------------------------------------------------------------------------------


@import_route(router, "p2k2-sessions", SESSION_COLUMNS, ImportReport)
async def import_sessions(csv_import: CsvImportOf, recorder: Clerk) -> Take[ImportReport]:
    """Sessions held: session_id, group_id, facilitator_id, held_on, module, session (1 to n)."""
    return csv_import.for_(recorder).sessions


@import_route(router, "p2k2-attendance", ATTENDANCE_COLUMNS, ImportReport)
async def import_attendance(csv_import: CsvImportOf, recorder: Clerk) -> Take[ImportReport]:
    """Families at sessions: session_id, no_kk, status (H present, I excused, A absent)."""
    return csv_import.for_(recorder).attendance


# -- Requests -------------------------------------------------------------------------------------


class Meeting(Strict):
    """When, where and on what a group meets; `session` is which of the module's sessions."""

    facilitator: OfficeId
    on: Day
    starts_at: Annotated[str, Field(pattern=f"^({CLOCK.pattern})?$")] = ""
    venue: Venue = ""
    module: Annotated[str, Field(pattern=f"^{MODULE.pattern}$")]
    session: Annotated[int, Field(ge=1, le=99)]


class GroupMeeting(Meeting):
    """A meeting of a group."""

    group: OfficeId


class Correction(Meeting):
    """The session as it was in truth, and why it was said otherwise."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Cancellation(Strict):
    """Why a session counts nowhere."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Attendance(Strict):
    """A family's attendance: H present, I excused, A absent."""

    family: Id
    status: Status


class Attendances(Strict):
    """The attendance of families at a session."""

    marks: Annotated[list[Attendance], Field(min_length=1, max_length=MARKS_MAX)]


class Notes(Strict):
    """Notes of a session; a photo by its reference. They name nobody: no number, no markup."""

    notes: Words = ""
    follow_up: Words = ""
    photo: Annotated[str, Field(max_length=200)] = ""


class Supervision(Strict):
    """A supervisor's visit to a session and what was found; it names nobody."""

    supervisor: OfficeId
    on: Day
    findings: Annotated[Findings, Field(min_length=1, max_length=2_000)]


SITTING = (GroupUnknown, ModuleUnknown, SessionClashes, NoteUnfit)


@router.post(
    "/sessions/{number}/plan",
    status_code=204,
    responses=refuses(*SITTING, SessionIsCancelled, SessionRecordedDifferently),
    dependencies=[Unconditional],
)
async def plan_session(
    number: Number,
    body: GroupMeeting,
    deciding: DecidingOf,
    policies: PoliciesOf,
    recorder: Recorder,
) -> Response:
    """Plan a session of a group; it may be planned otherwise until it is held."""

    async def decided(unit: Transaction) -> Reply:
        group = await group_within(unit, recorder, body.group)
        sitting = await _sitting(unit, policies, number, group, body)
        return await session_moved(unit, number, PlanSession(number, sitting))

    return await deciding(decided)


@router.post(
    "/sessions/{number}/report",
    status_code=204,
    responses=refuses(*SITTING, SessionInFuture, SessionIsCancelled, SessionRecordedDifferently),
    dependencies=[Unconditional],
)
async def report_session(
    number: Number,
    body: GroupMeeting,
    deciding: DecidingOf,
    policies: PoliciesOf,
    context: Asked,
    recorder: Recorder,
) -> Response:
    """Report that a session was held, planned or not; the same report again changes nothing."""

    async def decided(unit: Transaction) -> Reply:
        group = await group_within(unit, recorder, body.group)
        sitting = await _sitting(unit, policies, number, group, body)
        command = HoldSession(number, sitting, today(context.at))
        return await session_moved(unit, number, command)

    return await deciding(decided)


@router.post(
    "/sessions/{number}/cancellation",
    status_code=204,
    responses=refuses(SessionUnknown, NoteUnfit),
)
async def cancel_session(
    number: Number,
    body: Cancellation,
    deciding: DecidingOf,
    recorder: Clerk,
    seen: IfMatch,
) -> Response:
    """Cancel a session, planned or held; its marks stay in the log and count nowhere."""

    async def decided(unit: Transaction) -> Reply:
        await group_of_session(unit, recorder, number)
        await seen.ensure_stream(unit, SESSION, SESSION.stream(number))
        return await session_moved(unit, number, CancelSession(body.reason))

    return await deciding(decided)


@router.post(
    "/sessions/{number}/correction",
    status_code=204,
    responses=refuses(
        SessionUnknown,
        ModuleUnknown,
        SessionClashes,
        NoteUnfit,
        SessionInFuture,
        SessionIsCancelled,
        SessionNotHeld,
    ),
)
async def correct_session(
    number: Number,
    body: Correction,
    deciding: DecidingOf,
    policies: PoliciesOf,
    context: Asked,
    recorder: Clerk,
    seen: IfMatch,
) -> Response:
    """Correct a held session; both versions are kept."""

    async def decided(unit: Transaction) -> Reply:
        group = await group_of_session(unit, recorder, number)
        await seen.ensure_stream(unit, SESSION, SESSION.stream(number))
        sitting = await _sitting(unit, policies, number, group, body)
        command = CorrectSession(sitting, body.reason, today(context.at))
        return await session_moved(unit, number, command)

    return await deciding(decided)


@router.post(
    "/sessions/{number}/attendance",
    status_code=204,
    responses=refuses(SessionUnknown, SessionIsCancelled, SessionNotHeld, FamilyOfAnotherGroup),
    dependencies=[Unconditional],
)
async def record_attendance(
    number: Number, body: Attendances, deciding: DecidingOf, recorder: Recorder
) -> Response:
    """Record who was there; a later mark of a family replaces the earlier. All or none is taken."""
    marks = tuple((str(mark.family), mark.status) for mark in body.marks)

    async def decided(unit: Transaction) -> Reply:
        await group_of_session(unit, recorder, number)
        sitting = (await session_within(unit, recorder, number, RECORD)).sitting
        await ensure_of_group(unit, sitting, number, [family for family, _ in marks])
        return await session_moved(unit, number, RecordAttendance(marks))

    return await deciding(decided)


@router.post(
    "/sessions/{number}/notes",
    status_code=204,
    responses=refuses(SessionUnknown, SessionIsCancelled, NoteUnfit),
    dependencies=[Unconditional],
)
async def note_session(
    number: Number, body: Notes, deciding: DecidingOf, recorder: Recorder
) -> Response:
    """Keep notes, the follow-up plan and a photo's reference; what was noted last stands."""

    async def decided(unit: Transaction) -> Reply:
        await group_of_session(unit, recorder, number)
        command = NoteSession(body.notes, body.follow_up, body.photo)
        return await session_moved(unit, number, command)

    return await deciding(decided)


@router.post(
    "/sessions/{number}/supervision",
    status_code=204,
    responses=refuses(
        SessionUnknown, SessionIsCancelled, SessionNotHeld, VisitOutOfTime, NoteUnfit
    ),
    dependencies=[Unconditional],
)
async def supervise_session(
    number: Number, body: Supervision, deciding: DecidingOf, context: Asked, recorder: Clerk
) -> Response:
    """Note a supervisor's visit and its findings; the same again changes nothing."""
    visit = Visit(body.supervisor, body.on, body.findings)

    async def decided(unit: Transaction) -> Reply:
        await group_of_session(unit, recorder, number)
        return await session_moved(unit, number, SuperviseSession(visit, today(context.at)))

    return await deciding(decided)


async def group_within(unit: Transaction, recorder: Principal, name: str) -> GroupRow:
    """A group of the recorder's regions, held until the end; any other is unknown."""
    group = (await lock_groups(unit, [name])).get(name)
    if group is None or is_outside(recorder, group.region):
        raise GroupUnknown()
    if not is_theirs(recorder, RECORD, group.facilitator):
        raise GroupUnknown()
    return group


async def group_of_session(unit: Transaction, recorder: Principal, number: str) -> GroupRow:
    """The group of a session of the recorder's regions, held; any other session is unknown."""
    row = await session_within(unit, recorder, number, RECORD)
    return (await lock_groups(unit, [row.sitting.group]))[row.sitting.group]


async def session_within(
    unit: Transaction, asker: Principal, number: str, wide: str
) -> rows.SessionRow:
    """A session of the asker's regions, of any group there with the scope `wide`, else of one of
    their own; any other is unknown."""
    found = (await rows.sessions_numbered(unit.connection, [number])).get(number)
    if found is None or is_outside(asker, found.sitting.region):
        raise SessionUnknown()
    if own_only(asker, wide) is not None:
        facilitator = await facilitator_of(unit.connection, found.sitting.group)
        if not is_theirs(asker, wide, facilitator):
            raise SessionUnknown()
    return found


def own_only(asker: Principal, wide: str) -> str | None:
    """The facilitator whose groups alone somebody sees who has not the scope `wide`; else None.

    A facilitator's token names its person by the id that families.csv has for them.
    """
    return None if wide in asker.scopes else folded_name(asker.subject).upper()


def is_theirs(asker: Principal, wide: str, facilitator: str) -> bool:
    """True where somebody sees a group of a facilitator: any with the scope `wide`, else theirs."""
    return own_only(asker, wide) in (None, facilitator)


async def ensure_of_group(
    unit: Transaction, sitting: Sitting, number: str, families: Collection[str]
) -> None:
    """Refuse families that were not of a session's group on its day."""
    theirs = await memberships_of_families(unit.connection, families)
    for family in families:
        if group_on(theirs.get(family, ()), sitting.on) != sitting.group:
            raise FamilyOfAnotherGroup(family=family, session=number)


async def _sitting(
    unit: Transaction, policies: Policies, number: str, group: GroupRow, body: Meeting
) -> Sitting:
    """The sitting that is meant, at whose time its group has no other."""
    meant = lesson(policies.modules, body.module, body.session, body.on)
    ensure_fit(body.venue)
    who = group.group, group.region, body.facilitator
    sitting = Sitting(*who, body.on, body.starts_at, body.venue, meant)
    standing = await rows.sessions_of_days(unit.connection, [group.group], [body.on])
    minutes = policies.figures(body.on).session_minutes
    ensure_no_clash(sitting, rows.others_of(standing, number), minutes)
    return sitting


async def session_moved(unit: Transaction, number: str, command: Command) -> Reply:
    outcome = await handle(unit, SESSION, SESSION.stream(number), command)
    await rows.keep_sessions(unit, [outcome])
    return moved(outcome)


# -- What there is --------------------------------------------------------------------------------


class SessionInList(BaseModel):
    """A session: of which group, when, and on what."""

    number: str
    group: str
    facilitator: str
    on: date
    starts_at: str
    module: str
    session: int
    standing: Literal["PLANNED", "HELD", "CANCELLED"]


class Present(BaseModel):
    """A family's mark; `scanned_at` where its token was scanned at the session."""

    family: UUID
    status: Status
    scanned_at: datetime | None


class VisitView(BaseModel):
    """A supervisor's visit and its findings."""

    supervisor: str
    on: date
    findings: Findings


class SessionView(SessionInList):
    """A session with all that is known of it."""

    venue: str
    marks: list[Present]
    notes: str
    follow_up: str
    photo: str
    corrections: int
    visits: list[VisitView]


@router.get("/sessions")
async def list_sessions(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    group: Annotated[str | None, Query(pattern=OFFICE_ID)] = None,
    facilitator: Annotated[str | None, Query(pattern=OFFICE_ID)] = None,
    region: RegionWithin = None,
) -> Page[SessionInList]:
    """The sessions of groups, in order of their numbers."""
    own = own_only(reader, READ)
    wanted = rows.SessionsWanted(reader.within(region), group, facilitator, own)
    found, following = paging.cut(
        await rows.sessions(store, wanted, paging.after(str), paging.rows), lambda row: row.session
    )
    items = [SessionInList(**_listed(row.session, row.standing, row.sitting)) for row in found]
    return Page[SessionInList](items=items, next=following)


@router.get("/sessions/{number}", responses=refuses(SessionUnknown) | UNCHANGED)
async def session_of(
    number: Number, store: StoreOf, reader: Reader, response: Response, noted: Noted
) -> SessionView:
    """One session; its ETag is what a correction and a cancellation name."""
    async with store.looking() as look:
        row = await session_within(look, reader, number, READ)
        found = (await look.load(SESSION, [SESSION.stream(number)]))[SESSION.stream(number)]
        families = await not_erased(look.connection, found.state.marks)
    state = found.state
    sitting = state.sitting or row.sitting
    response.headers["ETag"] = etag(found.version)
    return await noted(
        SessionView(
            **_listed(number, state.standing, sitting),
            venue=sitting.venue,
            marks=[
                Present(
                    family=UUID(family),
                    status=status,
                    scanned_at=moment(state.scanned_at.get(family)),
                )
                for family, status in sorted(state.marks.items())
                if family in families
            ],
            notes=state.notes,
            follow_up=state.follow_up,
            photo=state.photo,
            corrections=state.corrections,
            visits=[VisitView(**visit._asdict()) for visit in state.visits],
        )
    )


def moment(text: str | None) -> datetime | None:
    """The moment of a scan as it is stored."""
    return datetime.fromisoformat(text) if text else None


def _listed(number: str, standing: str, sitting: Sitting) -> dict[str, Any]:
    return {
        "number": number,
        "group": sitting.group,
        "facilitator": sitting.facilitator,
        "on": sitting.on,
        "starts_at": sitting.starts_at,
        "module": sitting.lesson.module,
        "session": sitting.lesson.number,
        "standing": standing,
    }
