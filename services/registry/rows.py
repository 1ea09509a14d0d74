"""Rows of the registry's files as values that were checked; what is wrong is told, not quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, TypeAlias, TypeVar

from libs.chassis.csv_upload import Columns, ImportReport, Row
from services.registry.domain.family.events import SchoolLevel

REGION: Final = re.compile(r"\d\d\.\d\d\.\d\d\.\d{4}")
# What is kept in clear must be unable to hold a person: in a shifted file anything stands anywhere.
WORD: Final = re.compile(r"[A-Z_]{0,40}")
OFFICE_ID: Final = re.compile(r"([A-Z][A-Z0-9-]{0,31})?")
LEVELS: Final[Mapping[str, SchoolLevel | None]] = {"SD": "SD", "SMP": "SMP", "SMA": "SMA", "": None}
LIFE_EVENTS: Final = ("BIRTH", "DEATH", "SCHOOL_CHANGE", "PREGNANCY", "MOVE", "PAYEE_CHANGE")
NUMBER_CHARS_MAX: Final = 64

Cells: TypeAlias = Mapping[str, str]

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
    )
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


class Mistake(Enum):
    """Why a row is refused."""

    MISSING = "The cell is empty."
    NOT_Y_OR_N = "The cell is neither Y nor N."
    NOT_A_DATE = "The cell is no date as YYYY-MM-DD."
    NOT_A_NUMBER = "The cell is no whole number."
    NOT_A_REGION = "The cell is no village's code as 61.03.01.2026."
    NOT_A_LEVEL = "The cell is none of SD, SMP and SMA."
    NOT_A_WORD = "The cell is no word of capitals, as SPOUSE or BNI."
    NOT_AN_ID = "The cell is no id as PD610301: a letter, then letters, digits and hyphens."
    NOT_A_TYPE = "The cell names no life event."
    TOO_LONG = "The cell is longer than any number of this kind."
    REGION_NOT_YOURS = "The village lies outside the regions of the token."
    UNKNOWN_CARD = "No family of this card is registered in the regions of the token."
    UNKNOWN_PERSON = "Nobody of this number is a member of the family."
    ALREADY_MEMBER = "Somebody of this number is a member of the family."
    REGISTERED_DIFFERENTLY = "It is registered with other data."


class Refused(Exception):
    """A cell is wrong; caught where the row is."""

    def __init__(self, column: str, mistake: Mistake) -> None:
        super().__init__(column)
        self.column, self.mistake = column, mistake


def number(row: Cells, column: str) -> str:
    """A number of a card or a person: any text, because an odd one is a fact as well."""
    text = row[column].strip()
    if not text:
        raise Refused(column, Mistake.MISSING)
    if len(text) > NUMBER_CHARS_MAX:
        raise Refused(column, Mistake.TOO_LONG)
    return text


def word(row: Cells, column: str) -> str:
    """A word of a short list that others keep: a relationship, an occupation, a bank; or empty."""
    return _matching(row, column, WORD, Mistake.NOT_A_WORD)


def office_id(row: Cells, column: str) -> str:
    """The id of a facilitator or a group, or empty."""
    return _matching(row, column, OFFICE_ID, Mistake.NOT_AN_ID)


def _matching(row: Cells, column: str, form: re.Pattern[str], mistake: Mistake) -> str:
    text = row[column].strip()
    if not form.fullmatch(text):
        raise Refused(column, mistake)
    return text


def flag(row: Cells, column: str) -> bool:
    """Y or N."""
    if row[column] not in ("Y", "N"):
        raise Refused(column, Mistake.NOT_Y_OR_N)
    return row[column] == "Y"


def day(row: Cells, column: str) -> date:
    """A date that must be there."""
    found = day_or_none(row, column)
    if found is None:
        raise Refused(column, Mistake.MISSING)
    return found


def day_or_none(row: Cells, column: str) -> date | None:
    """A date, or None where the cell is empty."""
    text = row[column].strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(column, Mistake.NOT_A_DATE) from None


def whole_or_none(row: Cells, column: str) -> int | None:
    """A whole number, or None where the cell is empty."""
    text = row[column].strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise Refused(column, Mistake.NOT_A_NUMBER)
    return int(text)


def region(row: Cells, column: str) -> str:
    """A village's Kemendagri code."""
    return _matching(row, column, REGION, Mistake.NOT_A_REGION)


def level(row: Cells) -> SchoolLevel | None:
    """The level of a pupil's school, or None for nobody's."""
    text = row["school_level"].strip()
    if text not in LEVELS:
        raise Refused("school_level", Mistake.NOT_A_LEVEL)
    return LEVELS[text]


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
    def of(cls, line: int, row: Cells) -> FamilyCells:
        """Check a row; raises `Refused`."""
        return cls(
            line,
            number(row, "no_kk"),
            flag(row, "dtks"),
            whole_or_none(row, "decile"),
            region(row, "region_code"),
            row["payee_nik"].strip(),
            word(row, "bank_code"),
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
    cells: Cells

    @classmethod
    def of(cls, line: int, row: Cells) -> MemberCells:
        """Check a row; raises `Refused`. A person may have no number."""
        return cls(
            line,
            number(row, "no_kk"),
            row["nik"].strip(),
            word(row, "sex"),
            day(row, "birth_date"),
            word(row, "relationship"),
            word(row, "occupation") or None,
            level(row),
            flag(row, "severe_disability"),
            day_or_none(row, "pregnancy_due_date"),
            whole_or_none(row, "pregnancy_order"),
            row,
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
    def of(cls, line: int, row: Cells) -> LifeEventCells:
        """Check what every type needs; the others are checked with the fact."""
        if row["type"] not in LIFE_EVENTS:
            raise Refused("type", Mistake.NOT_A_TYPE)
        return cls(
            line,
            number(row, "no_kk"),
            row["type"],
            day(row, "effective_on"),
            day(row, "reported_on"),
            row,
        )


V = TypeVar("V", FamilyCells, MemberCells, LifeEventCells)


def checked(kind: type[V], rows: Iterable[Row], report: ImportReport) -> list[V]:
    """The rows that are as they must be; the others stand in the report."""
    good: list[V] = []
    for line, cells in rows:
        try:
            good.append(kind.of(line, cells))
        except Refused as refused:
            report.refuse(line, refused.column, refused.mistake)
    return good
