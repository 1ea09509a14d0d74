"""Rows of facts become commands: a person's number is read here, and only their token goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple, TypeVar

from libs.chassis.auth import NOBODY, Principal
from libs.chassis.csv_upload import Columns, ImportReport, Row
from libs.chassis.forms import MONTH, NIK, NISN, NPSN, OFFICE_ID, day
from libs.events.store.transaction import Transaction
from libs.privacy.pseudonyms import Pseudonymizer
from libs.privacy.recognition import Recognition
from services.conditionality.domain.person import (
    InvalidRecord,
    SchoolMonth,
    Visit,
    check_school_month,
    check_visit,
)
from services.conditionality.workers.recording import Reported, record_facts

R = TypeVar("R", SchoolMonth, Visit)

SCHOOL_COLUMNS: Final = Columns(
    ("nik", "month", "effective_days", "absent", "permitted", "sick"), ("npsn", "nisn")
)
FORM_MONTHS: Final = (1, 2, 3)
"""The months of a school's form, by the number at the end of their columns' names."""
DAY_COLUMNS: Final = ("effective_days", "absent", "permitted", "sick")
FORM_COLUMNS: Final = Columns(
    ("nik", "first_month", *(f"{name}_{n}" for n in FORM_MONTHS for name in DAY_COLUMNS)),
    ("npsn", "nisn"),
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
    NOT_A_MONTH = "The cell is no month as YYYY-MM, 2007 to 2100."
    NOT_A_NUMBER = "The cell is no whole number of days."
    NOT_Y_OR_N = "The cell is neither Y nor N."
    IMPOSSIBLE = "The record cannot be true as it stands."
    REGION_NOT_YOURS = "The person's family lives outside the regions of the token."


FORMS: Final[Mapping[str, tuple[re.Pattern[str], Mistake]]] = {
    "nik": (NIK, Mistake.NOT_16_DIGITS),
    "first_month": (MONTH, Mistake.NOT_A_MONTH),
    "npsn": (NPSN, Mistake.NOT_AN_ID),
    "nisn": (NISN, Mistake.NOT_AN_ID),
    "facility_code": (OFFICE_ID, Mistake.NOT_AN_ID),
}
"""The columns that hold an identifier, or the first month of a form. A person's is exact here: a
record under a number that nobody can have counts for nobody, for good."""


@dataclass(slots=True)
class FactsReport(ImportReport):
    """The outcome of a file of facts: of the rows taken, how many are of persons whom a registered
    family has, and how many of nobody's."""

    matched: int = 0
    unmatched: int = 0


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
        await self._record(unit, months, report)

    async def school_form(self, unit: Transaction, rows: list[Row], report: FactsReport) -> None:
        """school_form.csv: a pupil's three months in a row, all taken or none."""
        persons = await self._persons(rows)
        months = list(_reported(rows, report, persons, "npsn", _form_months))
        await self._record(unit, months, report)

    async def visits(self, unit: Transaction, rows: list[Row], report: FactsReport) -> None:
        """health_verification.csv: a person's visits of one batch are one command."""
        persons = await self._persons(rows)
        visits = list(_reported(rows, report, persons, "facility_code", _visit))
        await self._record(unit, visits, report)

    async def _persons(self, rows: list[Row]) -> Pseudonymizer:
        return await self.recognition.of(niks=[row["nik"] for _, row in rows])

    async def _record(
        self, unit: Transaction, facts: Sequence[Reported[R]], report: FactsReport
    ) -> None:
        recorded = await record_facts(unit, facts, self.sender)
        for line in sorted({fact.line for fact in recorded.foreign}):
            report.refuse(line, "nik", Mistake.REGION_NOT_YOURS)
        report.accepted += recorded.changed
        report.unchanged += recorded.unchanged
        report.matched += recorded.matched
        report.unmatched += recorded.unmatched


def _reported(
    rows: list[Row],
    report: FactsReport,
    pseudonymizer: Pseudonymizer,
    reporter: str,
    parse: Callable[[int, Mapping[str, str], ImportReport], Sequence[R]],
) -> Iterator[Reported[R]]:
    """The records of good rows; `reporter` is the column of the school or facility."""
    for line, row in rows:
        if wrong := _wrong(row):
            report.refuse(line, *wrong)
        else:
            token = pseudonymizer.nik(row["nik"])
            for record in parse(line, row, report):
                yield Reported(token, row[reporter], record, report.job, line)


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


def _school_month(line: int, row: Mapping[str, str], report: ImportReport) -> list[SchoolMonth]:
    days = _days(line, row, "", report)
    if days is None:
        return []
    record = SchoolMonth(row["month"], *days)
    return _possible(line, record, check_school_month, report)


def _form_months(line: int, row: Mapping[str, str], report: ImportReport) -> list[SchoolMonth]:
    """The months of which a row says anything; none, and a refusal, where one of them is wrong.

    A month whose four cells are all empty is one of which the school says nothing.
    """
    first, found = _Month.read(row["first_month"]), list[SchoolMonth]()
    for number in FORM_MONTHS:
        suffix = f"_{number}"
        if not any(row[name + suffix] for name in DAY_COLUMNS):
            continue
        days = _days(line, row, suffix, report)
        if days is None:
            return []
        record = SchoolMonth(first.after(number - 1), *days)
        if not _possible(line, record, check_school_month, report, _form_column(suffix)):
            return []
        found.append(record)
    if not found:
        report.refuse(line, f"{DAY_COLUMNS[0]}_{FORM_MONTHS[0]}", Mistake.MISSING)
    return found


def _form_column(suffix: str) -> Callable[[str], str]:
    """Names the form's column of a record's field; the months follow from the first."""

    def named(field: str) -> str:
        return "first_month" if field == "month" else field.replace("+", f"{suffix}+") + suffix

    return named


class _Month(NamedTuple):
    """A month of the calendar, which can be counted on from."""

    year: int
    number: int

    @classmethod
    def read(cls, text: str) -> _Month:
        """The month that is written YYYY-MM."""
        return cls(int(text[:4]), int(text[5:]))

    def after(self, months: int) -> str:
        """The month that is `months` later, as YYYY-MM."""
        years, index = divmod(self.number - 1 + months, 12)
        return f"{self.year + years:04}-{index + 1:02}"


def _days(
    line: int, row: Mapping[str, str], suffix: str, report: ImportReport
) -> tuple[int, ...] | None:
    """The days of a month's four columns; None, and a refusal, where one is no number."""
    for column in DAY_COLUMNS:
        cell = row[column + suffix]
        if not (cell.isascii() and cell.isdigit() and len(cell) <= 3):
            report.refuse(line, column + suffix, Mistake.NOT_A_NUMBER)
            return None
    return tuple(int(row[column + suffix]) for column in DAY_COLUMNS)


def _visit(line: int, row: Mapping[str, str], report: ImportReport) -> list[Visit]:
    if row["attended"] not in ("Y", "N"):
        report.refuse(line, "attended", Mistake.NOT_Y_OR_N)
        return []
    record = Visit(row["month"], row["service"], row["attended"] == "Y")
    return _possible(line, record, check_visit, report)


def _possible(
    line: int,
    record: R,
    check: Callable[[R], None],
    report: ImportReport,
    column: Callable[[str], str] = str,
) -> list[R]:
    """The record by itself; nothing, and a refusal at the column of its field, if it cannot be."""
    try:
        check(record)
    except InvalidRecord as error:
        report.refuse(line, column(str(error.facts["field"])), Mistake.IMPOSSIBLE)
        return []
    return [record]
