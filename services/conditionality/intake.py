"""Rows of facts become commands: a person's number is read here, and only their token goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from libs.chassis.csv_upload import Columns, ImportReport, Row
from libs.chassis.forms import NIK, NISN, NPSN, OFFICE_ID, day
from libs.events.handle import handle_many
from libs.events.transaction import Transaction
from libs.privacy.tokens import Tokenizer
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


FORMS: Final[Mapping[str, tuple[re.Pattern[str], Mistake]]] = {
    "nik": (NIK, Mistake.NOT_16_DIGITS),
    "npsn": (NPSN, Mistake.NOT_AN_ID),
    "nisn": (NISN, Mistake.NOT_AN_ID),
    "facility_code": (OFFICE_ID, Mistake.NOT_AN_ID),
}
"""The columns that hold an identifier. A person's is exact here: a record under a number that
nobody has counts for nobody, and is taken for good."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes the files of schools and health facilities in, a batch of rows at a time."""

    tokenizer: Tokenizer

    async def school_months(self, unit: Transaction, rows: list[Row], report: ImportReport) -> None:
        """school_attendance.csv: a pupil's months of one batch are one command."""
        months = _by_token(rows, report, self.tokenizer, _school_month)
        await _record(unit, months, lambda records: RecordSchoolMonths(tuple(records)), report)

    async def visits(self, unit: Transaction, rows: list[Row], report: ImportReport) -> None:
        """health_verification.csv: a person's visits of one batch are one command."""
        visits = _by_token(rows, report, self.tokenizer, _visit)
        await _record(unit, visits, lambda records: RecordVisits(tuple(records)), report)


def _by_token(
    rows: list[Row],
    report: ImportReport,
    tokenizer: Tokenizer,
    parse: Callable[[int, Mapping[str, str], ImportReport], R | None],
) -> dict[str, list[R]]:
    records: dict[str, list[R]] = {}
    for line, row in rows:
        if wrong := _wrong(row):
            report.refuse(line, *wrong)
            continue
        record = parse(line, row, report)
        if record is not None:
            records.setdefault(tokenizer.nik(row["nik"]), []).append(record)
    return records


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


async def _record(
    unit: Transaction,
    records: Mapping[str, list[R]],
    command: Callable[[list[R]], Command],
    report: ImportReport,
) -> None:
    commands = [(f"person-{token}", command(found)) for token, found in records.items()]
    for (_, asked), outcome in zip(
        commands, await handle_many(unit, PERSON, commands), strict=True
    ):
        if outcome.error is not None:
            raise outcome.error
        changed = sum(len(event.records) for event in outcome.events)
        report.accepted += changed
        report.unchanged += len(asked.records) - changed
