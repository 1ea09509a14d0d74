"""Rows of facts become commands: a person's number is read here, and only their token goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Generic, TypeVar

from libs.chassis.auth import NOBODY, Principal
from libs.chassis.csv_upload import Columns, ImportReport, Row
from libs.chassis.forms import NIK, NISN, NPSN, OFFICE_ID, day
from libs.events.store.handle import handle_many
from libs.events.store.transaction import Transaction
from libs.privacy.pseudonyms import Pseudonymizer
from libs.privacy.recognition import Recognition
from services.conditionality.contract import PERSON
from services.conditionality.domain.person import (
    Command,
    InvalidRecord,
    RecordSchoolMonths,
    RecordVisits,
    SchoolMonth,
    Visit,
    check_school_month,
    check_visit,
)
from services.conditionality.tables.persons import regions_of
from services.conditionality.tables.unmatched import Unmatched, keep_unmatched

R = TypeVar("R", SchoolMonth, Visit)

SCHOOL_COLUMNS: Final = Columns(
    ("nik", "month", "effective_days", "absent", "permitted", "sick"), ("npsn", "nisn")
)
HEALTH_COLUMNS: Final = Columns(
    ("nik", "month", "service", "attended"), ("facility_code", "service_date")
)


class Mistake(Enum):
    """Why a row of facts is refused."""

    MISSING = "The cell is empty."
    NOT_16_DIGITS = "The cell is no number of 16 digits."
    NOT_AN_ID = "The cell is no number or id of this kind."
    NOT_A_DATE = "The cell is no day of the calendar as YYYY-MM-DD, 1900 to 2100."
    NOT_A_NUMBER = "The cell is no whole number of days."
    NOT_Y_OR_N = "The cell is neither Y nor N."
    IMPOSSIBLE = "The record cannot be true as it stands."
    REGION_NOT_YOURS = "The person's family lives outside the regions of the token."


FORMS: Final[Mapping[str, tuple[re.Pattern[str], Mistake]]] = {
    "nik": (NIK, Mistake.NOT_16_DIGITS),
    "npsn": (NPSN, Mistake.NOT_AN_ID),
    "nisn": (NISN, Mistake.NOT_AN_ID),
    "facility_code": (OFFICE_ID, Mistake.NOT_AN_ID),
}
"""The columns that hold an identifier. A person's is exact here: a record under a number that
nobody can have counts for nobody, for good."""


@dataclass(slots=True)
class FactsReport(ImportReport):
    """The outcome of a file of facts: of the rows taken, how many are of persons whom a registered
    family has, and how many of nobody's."""

    matched: int = 0
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class Reported(Generic[R]):
    """A checked row: where it stands, whom it is about, and which school or facility says so."""

    line: int
    token: str
    reporter: str
    record: R


@dataclass(frozen=True, slots=True)
class CsvImport:
    """Takes the files of schools and health facilities in, a batch of rows at a time.

    A row of a person whose family lives outside the sender's regions is refused; `NOBODY`, the
    sender until `for_` names one, has no regions.
    """

    recognition: Recognition
    sender: Principal = NOBODY

    def for_(self, sender: Principal) -> CsvImport:
        """The same, for whoever sends a file."""
        return replace(self, sender=sender)

    async def school_months(self, unit: Transaction, rows: list[Row], report: FactsReport) -> None:
        """school_attendance.csv: a pupil's months of one batch are one command."""
        persons = await self._persons(rows)
        months = list(_reported(rows, report, persons, "npsn", _school_month))
        await self._record(unit, months, lambda found: RecordSchoolMonths(tuple(found)), report)

    async def visits(self, unit: Transaction, rows: list[Row], report: FactsReport) -> None:
        """health_verification.csv: a person's visits of one batch are one command."""
        persons = await self._persons(rows)
        visits = list(_reported(rows, report, persons, "facility_code", _visit))
        await self._record(unit, visits, lambda found: RecordVisits(tuple(found)), report)

    async def _persons(self, rows: list[Row]) -> Pseudonymizer:
        return await self.recognition.of(niks=[row["nik"] for _, row in rows])

    async def _record(
        self,
        unit: Transaction,
        rows: Sequence[Reported[R]],
        command: Callable[[list[R]], Command],
        report: FactsReport,
    ) -> None:
        regions = await regions_of(unit.connection, {row.token for row in rows})
        theirs = [row for row in rows if self._may_report(row, regions, report)]
        records: dict[str, list[R]] = {}
        for row in theirs:
            records.setdefault(row.token, []).append(row.record)
        await _append(unit, {token: command(found) for token, found in records.items()}, report)
        unknown = [row for row in theirs if row.token not in regions]
        await keep_unmatched(unit.connection, [self._unmatched(row, report) for row in unknown])
        report.matched += len(theirs) - len(unknown)
        report.unmatched += len(unknown)

    def _may_report(
        self, row: Reported[R], regions: Mapping[str, tuple[str, ...]], report: FactsReport
    ) -> bool:
        # A person whom no family has is judged by the sender's own regions, if there are any.
        if self.sender.may_see(*regions.get(row.token, self.sender.regions)):
            return True
        report.refuse(row.line, "nik", Mistake.REGION_NOT_YOURS)
        return False

    def _unmatched(self, row: Reported[R], report: FactsReport) -> Unmatched:
        where = row.reporter, self.sender.regions, report.job, row.line
        return Unmatched.of(row.token, row.record, *where)


def _reported(
    rows: list[Row],
    report: ImportReport,
    pseudonymizer: Pseudonymizer,
    reporter: str,
    parse: Callable[[int, Mapping[str, str], ImportReport], R | None],
) -> Iterator[Reported[R]]:
    """The good rows; `reporter` is the column of the school or facility."""
    for line, row in rows:
        if wrong := _wrong(row):
            report.refuse(line, *wrong)
        elif (record := parse(line, row, report)) is not None:
            yield Reported(line, pseudonymizer.nik(row["nik"]), row[reporter], record)


def _wrong(row: Mapping[str, str]) -> tuple[str, Mistake] | None:
    """The first column of a row whose cell has not its form."""
    for column, (form, mistake) in FORMS.items():
        if column in row and not form.fullmatch(row[column]):
            return column, mistake if row[column] else Mistake.MISSING
    if row.get("service_date"):
        try:
            day(row["service_date"])
        except ValueError:
            return "service_date", Mistake.NOT_A_DATE
    return None


def _school_month(line: int, row: Mapping[str, str], report: ImportReport) -> SchoolMonth | None:
    days: list[int] = []
    for column in ("effective_days", "absent", "permitted", "sick"):
        if not (row[column].isascii() and row[column].isdigit() and len(row[column]) <= 3):
            report.refuse(line, column, Mistake.NOT_A_NUMBER)
            return None
        days.append(int(row[column]))
    record = SchoolMonth(row["month"], *days)
    return _possible(line, record, check_school_month, report)


def _visit(line: int, row: Mapping[str, str], report: ImportReport) -> Visit | None:
    if row["attended"] not in ("Y", "N"):
        report.refuse(line, "attended", Mistake.NOT_Y_OR_N)
        return None
    record = Visit(row["month"], row["service"], row["attended"] == "Y")
    return _possible(line, record, check_visit, report)


def _possible(line: int, record: R, check: Callable[[R], None], report: ImportReport) -> R | None:
    try:
        check(record)
    except InvalidRecord as error:
        report.refuse(line, str(error.facts["field"]), Mistake.IMPOSSIBLE)
        return None
    return record


async def _append(unit: Transaction, commands: Mapping[str, Command], report: ImportReport) -> None:
    streams = [(f"person-{token}", command) for token, command in commands.items()]
    for (_, asked), outcome in zip(streams, await handle_many(unit, PERSON, streams), strict=True):
        if outcome.error is not None:
            raise outcome.error
        changed = sum(len(event.records) for event in outcome.events)
        report.accepted += changed
        report.unchanged += len(asked.records) - changed
