"""Rows of the registry's files as values that were checked; what is wrong is told, not quoted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeVar

from libs.chassis.csv_upload import Columns, ImportReport, Row
from services.registry.domain.family.events import SchoolLevel
from services.registry.domain.family.plausible import may_bear
from services.registry.http.csv_cells import (
    BANKS,
    DECILES,
    LIFE_EVENTS,
    OCCUPATIONS,
    PREGNANCIES,
    RELATIONSHIPS,
    SEXES,
    Cells,
    Mistake,
    Refused,
    account_no,
    day,
    day_or_none,
    day_until,
    evidence,
    flag,
    kept_nik,
    kept_payee,
    level,
    number,
    office_id,
    region,
    school_number,
    text,
    whole_or_none,
    word,
)

# A rehearsal loads the files of a year before its days; what lies further ahead is a slip.
REPORTED_AHEAD: Final = timedelta(days=731)
# The day begins in Jayapura nine hours before the clock's.
BORN_AHEAD: Final = timedelta(days=1)

FAMILY_COLUMNS: Final = Columns(
    (
        "no_kk",
        "dtks_id",
        "dtks",
        "decile",
        "region_code",
        "address",
        "rt",
        "rw",
        "payee_nik",
        "bank_code",
        "account_no",
        "account_name",
        "facilitator_id",
        "group_id",
    )
)
MEMBER_COLUMNS: Final = Columns(
    (
        "no_kk",
        "nik",
        "name",
        "sex",
        "birth_date",
        "relationship",
        "occupation",
        "school_level",
        "npsn",
        "nisn",
        "severe_disability",
        "pregnancy_due_date",
        "pregnancy_order",
    ),
    ("evidence",),
)
LIFE_EVENT_COLUMNS: Final = Columns(
    (
        "effective_on",
        "reported_on",
        "type",
        "no_kk",
        "nik",
        "name",
        "sex",
        "birth_date",
        "school_level",
        "npsn",
        "nisn",
        "due_date",
        "pregnancy_order",
        "region_code",
        "new_payee_nik",
        "bank_code",
        "account_no",
        "account_name",
    )
)


@dataclass(frozen=True, slots=True)
class FamilyCells:
    """A families.csv row; the texts are in clear and leave the edge sealed."""

    line: int
    card: str
    dtks: bool
    decile: int | None
    region: str
    payee: str
    bank: str
    facilitator: str
    group: str
    cells: Cells

    @classmethod
    def of(cls, line: int, row: Cells, today: date) -> FamilyCells:
        """Check a row; raises `Refused`."""
        for column in ("dtks_id", "address", "rt", "rw", "account_name"):
            text(row, column)
        account_no(row)
        return cls(
            line,
            number(row, "no_kk"),
            flag(row, "dtks"),
            whole_or_none(row, "decile", DECILES),
            region(row, "region_code"),
            kept_payee(row, "payee_nik"),
            word(row, "bank_code", BANKS),
            office_id(row, "facilitator_id"),
            office_id(row, "group_id"),
            row,
        )


@dataclass(frozen=True, slots=True)
class MemberCells:
    """A members.csv row."""

    line: int
    card: str
    nik: str
    sex: str
    birth_date: date
    relationship: str
    occupation: str | None
    school_level: SchoolLevel | None
    severe_disability: bool
    due_date: date | None
    order: int | None
    evidence: str
    cells: Cells

    @classmethod
    def of(cls, line: int, row: Cells, today: date) -> MemberCells:
        """Check a row; raises `Refused`. A person may have no number.

        `evidence` is no cell of the person: the row says the same of them by another document.
        """
        text(row, "name")
        school_number(row, "npsn")
        school_number(row, "nisn")
        born = day_until(row, "birth_date", today + BORN_AHEAD)
        due = day_or_none(row, "pregnancy_due_date")
        if due and not (due <= today + REPORTED_AHEAD and may_bear(born, due)):
            raise Refused("pregnancy_due_date", Mistake.DATE_IMPLAUSIBLE)
        return cls(
            line,
            number(row, "no_kk"),
            kept_nik(row, "nik"),
            word(row, "sex", SEXES),
            born,
            word(row, "relationship", RELATIONSHIPS),
            word(row, "occupation", OCCUPATIONS) or None,
            level(row),
            flag(row, "severe_disability"),
            due,
            whole_or_none(row, "pregnancy_order", PREGNANCIES),
            evidence(row),
            {column: cell for column, cell in row.items() if column != "evidence"},
        )


@dataclass(frozen=True, slots=True)
class LifeEventCells:
    """A life_events.csv row."""

    line: int
    card: str
    type: str
    effective_on: date
    reported_on: date
    cells: Cells

    @classmethod
    def of(cls, line: int, row: Cells, today: date) -> LifeEventCells:
        """Check what every type needs; the others are checked with the fact."""
        if row["type"] not in LIFE_EVENTS:
            raise Refused("type", Mistake.NOT_A_TYPE)
        return cls(
            line,
            number(row, "no_kk"),
            row["type"],
            day(row, "effective_on"),
            day_until(row, "reported_on", today + REPORTED_AHEAD),
            row,
        )


V = TypeVar("V", FamilyCells, MemberCells, LifeEventCells)


def checked(kind: type[V], rows: Iterable[Row], report: ImportReport, today: date) -> list[V]:
    """The rows that are as they must be; the others stand in the report."""
    good: list[V] = []
    for line, cells in rows:
        try:
            good.append(kind.of(line, cells, today))
        except Refused as refused:
            report.refuse(line, refused.column, refused.mistake)
    return good
