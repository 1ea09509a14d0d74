"""Rows of complaints become commands; one that was resolved is followed up the ladder to there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from typing import Final, TypeAlias
from uuid import UUID, uuid5

from libs.chassis.auth import NOBODY, Principal
from libs.chassis.csv_upload import Columns, ImportReport, Row
from libs.chassis.forms import NIK, OFFICE_ID, VILLAGE, day
from libs.events.domain.errors import DomainError
from libs.events.store.handle import handle_many
from libs.events.store.transaction import Transaction
from services.complaints.contract import CASE
from services.complaints.domain.case import (
    AdvanceTo,
    CaseReceivedDifferently,
    CaseResolvedDifferently,
    Command,
    ReceiveCase,
    ResolveCase,
    ResolvedBeforeReceived,
)
from services.complaints.domain.handling import Statement
from services.complaints.domain.working_days import HolidaysUnknown
from services.complaints.http.words import (
    CaseKeys,
    WordsTooLong,
    WordsUnfit,
    ensure_words,
    seal,
)
from services.complaints.policy import Policies
from services.complaints.tables.cases import keep_cases

COMPLAINT_COLUMNS: Final = Columns(
    ("complaint_no", "received_at", "channel", "category", "anonymous", "region_code"),
    ("no_kk", "text", "resolved_at", "resolution"),
)
CLOCK: Final = re.compile(r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
RESOLUTIONS: Final = ("UPHELD", "REJECTED", "REFERRED")
CASES: Final = UUID("2f1f7b0e-6a39-5d63-9f0c-8c6f2b9d7a41")
"""The space of the ids of cases that come in by a file, under their numbers there."""
OfRow: TypeAlias = tuple[ReceiveCase, *tuple[Command, ...]]
"""The commands of a row: its case is received, and resolved where it was."""
DAYS_AHEAD: Final = timedelta(days=1)
"""Local time is ahead of UTC, so a day begins there before it does here."""


class Mistake(Enum):
    """Why a row of complaints is refused."""

    MISSING = "The cell is empty."
    NOT_AN_ID = "The cell is no number or id of this kind."
    NOT_16_DIGITS = "The cell is no number of 16 digits."
    NOT_A_TIME = "The cell is no local time as YYYY-MM-DDThh:mm:ss, 1900 to 2100."
    NOT_A_VILLAGE = "The cell is no code of a village such as 61.03.01.2026."
    NOT_YES_OR_NO = "The cell is neither Y nor N."
    IN_FUTURE = "The time is still to come."
    CHANNEL_UNKNOWN = "Complaints come in by no such channel on that day."
    CATEGORY_UNKNOWN = "There is no such category of complaints on that day."
    RESOLUTION_UNKNOWN = "The cell is none of UPHELD, REJECTED and REFERRED."
    NOT_RESOLVED = "A complaint that is open has no resolution."
    NAMES_A_FAMILY = "A complaint without a name names no family card."
    REGION_NOT_YOURS = "The region is none of the token's."
    RESOLVED_BEFORE_RECEIVED = "A complaint is not resolved before the day on which it comes in."
    HOLIDAYS_UNKNOWN = "No decree of national holidays is known for a year of its term."
    RECEIVED_DIFFERENTLY = "Another complaint has this number."
    RESOLVED_DIFFERENTLY = "The complaint was resolved otherwise, or on another day."
    TEXT_TOO_LONG = "The text has more characters than are taken."
    TEXT_UNFIT = "The text holds markup or control characters."


REFUSALS: Final[Mapping[type[Exception], tuple[str, Mistake]]] = {
    HolidaysUnknown: ("received_at", Mistake.HOLIDAYS_UNKNOWN),
    CaseReceivedDifferently: ("complaint_no", Mistake.RECEIVED_DIFFERENTLY),
    CaseResolvedDifferently: ("resolved_at", Mistake.RESOLVED_DIFFERENTLY),
    ResolvedBeforeReceived: ("resolved_at", Mistake.RESOLVED_BEFORE_RECEIVED),
    WordsTooLong: ("text", Mistake.TEXT_TOO_LONG),
    WordsUnfit: ("text", Mistake.TEXT_UNFIT),
}
"""The meaning of a refusal for the row behind the command."""


class RowRefused(Exception):
    """A row is wrong at a column."""

    def __init__(self, column: str, mistake: Mistake) -> None:
        super().__init__(column, mistake.name)
        self.column, self.mistake = column, mistake


@dataclass(frozen=True, slots=True)
class CsvImport:
    """Takes files of complaints in, a batch of rows at a time.

    A row of a region outside the sender's is refused; `NOBODY` has none. Words are sealed by the
    key of their case. A family card is looked at for its form and forgotten: only registry can
    tell whose it is, and its topic names nobody (decision 0068), so a filed case has no family.
    """

    policies: Policies
    keys: CaseKeys
    sender: Principal = NOBODY

    def for_(self, sender: Principal) -> CsvImport:
        """The same, for whoever sends a file."""
        return replace(self, sender=sender)

    async def complaints(self, unit: Transaction, rows: list[Row], report: ImportReport) -> None:
        """complaints.csv: a complaint a row; the same row again changes nothing."""
        today = unit.context.at.date() + DAYS_AHEAD
        taken: list[tuple[int, OfRow, str]] = []
        for line, cells in rows:
            try:
                of_row = commands_of(self.policies, self.sender, cells, today)
            except RowRefused as refused:
                report.refuse(line, refused.column, refused.mistake)
            except DomainError as error:
                _refuse(line, error, report)
            else:
                taken.append((line, of_row, cells["text"]))
        lines = [line for line, of_row, _ in taken for _ in of_row]
        outcomes = await handle_many(unit, CASE, await self._worded(taken))
        moved = dict.fromkeys(lines, False)
        errors: dict[int, Exception] = {}
        for line, outcome in zip(lines, outcomes, strict=True):
            moved[line] |= bool(outcome.events)
            if outcome.error is not None:
                errors.setdefault(line, outcome.error)
        for line, has_moved in moved.items():
            if line in errors:
                _refuse(line, errors[line], report)
            else:
                report.accepted += has_moved
                report.unchanged += not has_moved
        await keep_cases(unit, outcomes)

    async def _worded(self, taken: Sequence[tuple[int, OfRow, str]]) -> list[tuple[str, Command]]:
        """The commands of rows by their streams, each complaint with its words, sealed."""
        spoken = {of_row[0].case for _, of_row, text in taken if text}
        keys = await self.keys.made_each(spoken) if spoken else {}
        commands: list[tuple[str, Command]] = []
        for _, (receive, *rest), text in taken:
            # Words that were erased do not come back by the file that they once came in.
            if text and keys[receive.case].secrets:
                words = Statement(words=seal(keys[receive.case], "words", text))
                receive = replace(receive, statement=words)
            stream = CASE.stream(receive.case)
            commands += [(stream, command) for command in (receive, *rest)]
        return commands


def commands_of(
    policies: Policies, sender: Principal, cells: Mapping[str, str], today: date
) -> OfRow:
    """The commands of a row that somebody sends, without its words.

    Raises `RowRefused`, `HolidaysUnknown`, `WordsTooLong` and `WordsUnfit`.
    """
    number, region = cells["complaint_no"], cells["region_code"]
    _ensure(bool(number), "complaint_no", Mistake.MISSING)
    _ensure(bool(OFFICE_ID.fullmatch(number)), "complaint_no", Mistake.NOT_AN_ID)
    received_on = _local_day(cells, "received_at", today)
    channels = policies.channels_on(received_on)
    categories = policies.categories_on(received_on)
    _ensure(cells["channel"] in channels, "channel", Mistake.CHANNEL_UNKNOWN)
    _ensure(cells["category"] in categories, "category", Mistake.CATEGORY_UNKNOWN)
    _ensure(cells["anonymous"] in ("Y", "N"), "anonymous", Mistake.NOT_YES_OR_NO)
    _ensure(bool(VILLAGE.fullmatch(region)), "region_code", Mistake.NOT_A_VILLAGE)
    _ensure(sender.may_see(region), "region_code", Mistake.REGION_NOT_YOURS)
    _ensure_card(cells)
    ensure_words(policies.handling_on(received_on), cells["text"])
    start = categories[cells["category"]].start
    receive = ReceiveCase(
        case=str(uuid5(CASES, number)),
        category=cells["category"],
        channel=cells["channel"],
        region=region,
        level=start,
        received_on=received_on,
        due_on=policies.ladder.received(start, received_on).due_on,
        anonymous=cells["anonymous"] == "Y",
        family=None,
        reference=number,
    )
    if not cells["resolved_at"]:
        _ensure(not cells["resolution"], "resolution", Mistake.NOT_RESOLVED)
        return (receive,)
    resolved_on = _local_day(cells, "resolved_at", today)
    _ensure(resolved_on >= received_on, "resolved_at", Mistake.RESOLVED_BEFORE_RECEIVED)
    is_resolution = cells["resolution"] in RESOLUTIONS
    _ensure(is_resolution, "resolution", Mistake.RESOLUTION_UNKNOWN)
    policies.ladder.turns(start, received_on, resolved_on)  # or no decree is known
    advance = AdvanceTo(resolved_on, policies.ladder)
    return receive, advance, ResolveCase(resolved_on, cells["resolution"])


def _ensure_card(cells: Mapping[str, str]) -> None:
    if card := cells["no_kk"]:
        _ensure(bool(NIK.fullmatch(card)), "no_kk", Mistake.NOT_16_DIGITS)
        _ensure(cells["anonymous"] == "N", "no_kk", Mistake.NAMES_A_FAMILY)


def _local_day(cells: Mapping[str, str], column: str, today: date) -> date:
    """The day of a local time; the hour does not matter."""
    text = cells[column]
    _ensure(bool(text), column, Mistake.MISSING)
    _ensure(bool(CLOCK.fullmatch(text[10:])), column, Mistake.NOT_A_TIME)
    try:
        found = day(text[:10])
    except ValueError:
        raise RowRefused(column, Mistake.NOT_A_TIME) from None
    _ensure(found <= today, column, Mistake.IN_FUTURE)
    return found


def _ensure(good: bool, column: str, mistake: Mistake) -> None:
    if not good:
        raise RowRefused(column, mistake)


def _refuse(line: int, error: Exception, report: ImportReport) -> None:
    """Refuse a row by what its command was refused for; any other error is not the row's."""
    if type(error) not in REFUSALS:
        raise error
    report.refuse(line, *REFUSALS[type(error)])
