"""Rows of sessions and of attendance become commands; a card's number goes no further than here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from libs.chassis.auth import NOBODY, Principal
from libs.chassis.csv_upload import Columns, ImportReport, Row
from libs.chassis.forms import NIK, OFFICE_ID, day
from libs.events.domain.errors import DomainError
from libs.events.store.handle import handle_many
from libs.events.store.transaction import Transaction
from libs.privacy.recognition import Recognition
from services.p2k2.contract import SESSION
from services.p2k2.domain.curriculum import ModuleUnknown, lesson
from services.p2k2.domain.days import today
from services.p2k2.domain.session import (
    STATUSES,
    Command,
    HoldSession,
    NoteUnfit,
    RecordAttendance,
    SessionClashes,
    SessionInFuture,
    SessionIsCancelled,
    SessionNotHeld,
    SessionRecordedDifferently,
    Sitting,
    Status,
    ensure_fit,
    ensure_no_clash,
)
from services.p2k2.policy import Policies
from services.p2k2.tables.groups import (
    GroupRow,
    group_on,
    lock_groups,
    memberships_of_cards,
)
from services.p2k2.tables.sessions import (
    keep_sessions,
    sessions_numbered,
    sessions_of_days,
)

SESSION_COLUMNS: Final = Columns(
    ("session_id", "group_id", "facilitator_id", "held_on", "module", "session"),
    ("starts_at", "venue"),
)
ATTENDANCE_COLUMNS: Final = Columns(("session_id", "no_kk", "status"))
MODULE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
NUMBER: Final = re.compile(r"[1-9][0-9]?")
VENUE_CHARACTERS_MAX: Final = 200


class Mistake(Enum):
    """Why a row of sessions or attendance is refused."""

    MISSING = "The cell is empty."
    NOT_AN_ID = "The cell is no number or id of this kind."
    NOT_16_DIGITS = "The cell is no number of 16 digits."
    NOT_A_DATE = "The cell is no day of the calendar as YYYY-MM-DD, 1900 to 2100."
    NOT_A_TIME = "The cell is no time of a day as HH:MM."
    NOT_A_STATUS = "The cell is none of H, I and A."
    NOT_FIT = "The cell is too long, or holds markup or a long number."
    MODULE_UNKNOWN = "No module of this code has such a session on that day."
    GROUP_UNKNOWN = "No group has this id in the regions of the token."
    SESSION_UNKNOWN = "No session has this number in the regions of the token."
    SESSION_IN_FUTURE = "A session that is still to come was not held."
    SESSION_CLASHES = "The group has another session at that time."
    SESSION_CANCELLED = "The session was cancelled."
    SESSION_NOT_HELD = "The session has not been held."
    RECORDED_DIFFERENTLY = "Another session has this number."
    FAMILY_OF_ANOTHER_GROUP = "The family belonged to another group on that day."
    FAMILY_UNKNOWN = "No family that belongs to a group has this card."


REFUSALS: Final[Mapping[type[Exception], tuple[str, Mistake]]] = {
    ModuleUnknown: ("module", Mistake.MODULE_UNKNOWN),
    SessionClashes: ("held_on", Mistake.SESSION_CLASHES),
    SessionInFuture: ("held_on", Mistake.SESSION_IN_FUTURE),
    SessionIsCancelled: ("session_id", Mistake.SESSION_CANCELLED),
    SessionNotHeld: ("session_id", Mistake.SESSION_NOT_HELD),
    SessionRecordedDifferently: ("session_id", Mistake.RECORDED_DIFFERENTLY),
    NoteUnfit: ("venue", Mistake.NOT_FIT),
}
"""The meaning of a refusal for the row behind the command."""

FORMS: Final[Mapping[str, tuple[re.Pattern[str], Mistake]]] = {
    "session_id": (OFFICE_ID, Mistake.NOT_AN_ID),
    "group_id": (OFFICE_ID, Mistake.NOT_AN_ID),
    "facilitator_id": (OFFICE_ID, Mistake.NOT_AN_ID),
    "module": (MODULE, Mistake.NOT_AN_ID),
    "session": (NUMBER, Mistake.NOT_AN_ID),
}


@dataclass(frozen=True, slots=True)
class CsvImport:
    """Takes files of sessions and attendance in, a batch of rows at a time.

    A row of a group outside the sender's regions is refused; `NOBODY` has none.
    """

    recognition: Recognition
    policies: Policies
    sender: Principal = NOBODY

    def for_(self, sender: Principal) -> CsvImport:
        """The same, for whoever sends a file."""
        return replace(self, sender=sender)

    # -- Sessions

    async def sessions(self, unit: Transaction, rows: list[Row], report: ImportReport) -> None:
        """p2k2_sessions.csv: a session that was held, one a row."""
        reported_on = today(unit.context.at)
        good = [row for row in rows if _formed(row, report)]
        groups = await lock_groups(unit, {cells["group_id"] for _, cells in good})
        parsed: list[tuple[int, HoldSession]] = []
        for line, cells in good:
            group = groups.get(cells["group_id"])
            if group is None or not self.sender.may_see(group.region):
                report.refuse(line, "group_id", Mistake.GROUP_UNKNOWN)
            elif (sitting := self._sitting(line, cells, group, report)) is not None:
                parsed.append((line, HoldSession(cells["session_id"], sitting, reported_on)))
        commands = await self._unclashing(unit, parsed, report)
        streams: list[tuple[str, Command]] = [
            (SESSION.stream(command.session), command) for _, command in commands
        ]
        outcomes = await handle_many(unit, SESSION, streams)
        for (line, _), outcome in zip(commands, outcomes, strict=True):
            if outcome.error is None:
                report.accepted += bool(outcome.events)
                report.unchanged += not outcome.events
            else:
                _refuse(line, outcome.error, report)
        await keep_sessions(unit, outcomes)

    def _sitting(
        self, line: int, cells: Mapping[str, str], group: GroupRow, report: ImportReport
    ) -> Sitting | None:
        try:
            on = day(cells["held_on"])
        except ValueError:
            report.refuse(line, "held_on", Mistake.NOT_A_DATE)
            return None
        starts_at, venue = cells["starts_at"], cells["venue"]
        if starts_at and not CLOCK.fullmatch(starts_at):
            report.refuse(line, "starts_at", Mistake.NOT_A_TIME)
            return None
        if len(venue) > VENUE_CHARACTERS_MAX:
            report.refuse(line, "venue", Mistake.NOT_FIT)
            return None
        try:
            ensure_fit(venue)
            meant = lesson(self.policies.modules, cells["module"], int(cells["session"]), on)
        except DomainError as error:
            _refuse(line, error, report)
            return None
        who = group.group, group.region, cells["facilitator_id"]
        return Sitting(*who, on, starts_at, venue, meant)

    async def _unclashing(
        self, unit: Transaction, parsed: Sequence[tuple[int, HoldSession]], report: ImportReport
    ) -> list[tuple[int, HoldSession]]:
        """The sessions at whose time their group has no other, in the file or before it."""
        groups = {command.sitting.group for _, command in parsed}
        days = {command.sitting.on for _, command in parsed}
        standing = await sessions_of_days(unit.connection, groups, days)
        taken: dict[tuple[str, object], dict[str, Sitting]] = {}
        for row in standing:
            taken.setdefault((row.sitting.group, row.sitting.on), {})[row.session] = row.sitting
        free: list[tuple[int, HoldSession]] = []
        for line, command in parsed:
            sitting = command.sitting
            beside = taken.setdefault((sitting.group, sitting.on), {})
            minutes = self.policies.figures(sitting.on).session_minutes
            others = [other for number, other in beside.items() if number != command.session]
            try:
                ensure_no_clash(sitting, others, minutes)
            except SessionClashes as error:
                _refuse(line, error, report)
            else:
                beside[command.session] = sitting
                free.append((line, command))
        return free

    # -- Attendance

    async def attendance(self, unit: Transaction, rows: list[Row], report: ImportReport) -> None:
        """p2k2_attendance.csv: a family at a session, one a row; a session's are one command."""
        good = [row for row in rows if _marked(row, report)]
        cards = [cells["no_kk"] for _, cells in good]
        pseudonymizer = await self.recognition.of(cards=cards, keep=False)
        tokens = [*map(pseudonymizer.card, cards)]
        numbered = await sessions_numbered(
            unit.connection, {cells["session_id"] for _, cells in good}
        )
        families = await memberships_of_cards(unit.connection, tokens)
        marks: dict[str, list[tuple[int, str, Status]]] = {}
        for (line, cells), token in zip(good, tokens, strict=True):
            session = numbered.get(cells["session_id"])
            if session is None or not self.sender.may_see(session.sitting.region):
                report.refuse(line, "session_id", Mistake.SESSION_UNKNOWN)
            elif token not in families:
                report.refuse(line, "no_kk", Mistake.FAMILY_UNKNOWN)
            elif group_on(families[token], session.sitting.on) != session.sitting.group:
                report.refuse(line, "no_kk", Mistake.FAMILY_OF_ANOTHER_GROUP)
            else:
                family, status = families[token][0].family, cells["status"]
                # `_marked` has refused whatever is no status.
                marks.setdefault(session.session, []).append((line, family, status))  # type: ignore[arg-type]
        await self._record(unit, marks, report)

    async def _record(
        self,
        unit: Transaction,
        marks: Mapping[str, Sequence[tuple[int, str, Status]]],
        report: ImportReport,
    ) -> None:
        streams: list[tuple[str, Command]] = [
            (
                SESSION.stream(number),
                RecordAttendance(tuple((family, status) for _, family, status in reported)),
            )
            for number, reported in marks.items()
        ]
        outcomes = await handle_many(unit, SESSION, streams)
        for reported, outcome in zip(marks.values(), outcomes, strict=True):
            if outcome.error is not None:
                for line, _, _ in reported:
                    _refuse(line, outcome.error, report)
                continue
            changed = sum(len(event.marks) for event in outcome.events if hasattr(event, "marks"))
            report.accepted += changed
            report.unchanged += len(reported) - changed
        await keep_sessions(unit, outcomes)


def _formed(row: Row, report: ImportReport) -> bool:
    line, cells = row
    for column, (form, mistake) in FORMS.items():
        if not cells[column]:
            report.refuse(line, column, Mistake.MISSING)
            return False
        if not form.fullmatch(cells[column]):
            report.refuse(line, column, mistake)
            return False
    return True


def _marked(row: Row, report: ImportReport) -> bool:
    line, cells = row
    if cells["status"] not in STATUSES:
        report.refuse(line, "status", Mistake.NOT_A_STATUS)
    elif not NIK.fullmatch(cells["no_kk"]):
        report.refuse(line, "no_kk", Mistake.NOT_16_DIGITS)
    else:
        return True
    return False


def _refuse(line: int, error: Exception, report: ImportReport) -> None:
    """Refuse a row by what its command was refused for; any other error is not the row's."""
    if type(error) not in REFUSALS:
        raise error
    report.refuse(line, *REFUSALS[type(error)])
