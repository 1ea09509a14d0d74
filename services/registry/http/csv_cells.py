"""Cells of the registry's files as values that were checked; what is wrong is told, not quoted."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from enum import Enum
from typing import Final, TypeAlias

from libs.chassis import forms
from libs.chassis.forms import NIK, NISN, NPSN, OFFICE_ID, VILLAGE
from services.registry.domain.evidence import EVIDENCE
from services.registry.domain.family.events import SchoolLevel

# A person's number as the integrated data has it, which is sometimes a digit short or ends in three
# letters: such a one is a fact that puts the family on hold. An exponent is a spreadsheet's doing.
NIK_AS_KEPT: Final = re.compile(r"([0-9]{1,32}|[0-9]{13}[A-Z]{3})?")
PAYEE_AS_KEPT: Final = re.compile(r"[0-9]{15,16}|[0-9]{13}[A-Z]{3}")
# As payments takes them; nine digits in a row could be a person.
ACCOUNT_NO: Final = re.compile(r"([0-9]{1,34})?")

# What is kept in clear must be unable to hold a person: in a shifted file anything stands anywhere.
SEXES: Final = ("M", "F")
# As the family card words them: kepala keluarga to lainnya.
RELATIONSHIPS: Final = (
    *("HEAD", "SPOUSE", "CHILD", "CHILD_IN_LAW", "GRANDCHILD", "PARENT", "PARENT_IN_LAW"),
    *("RELATIVE", "SERVANT", "OTHER"),
)
# A misspelt one would count as none, and its family be paid against the rules.
OCCUPATIONS: Final = (
    *("", "ASN", "TNI", "POLRI", "PENSIUNAN", "PERANGKAT_DESA"),
    *("GURU_BERSERTIFIKAT", "TENAGA_KESEHATAN", "DIREKSI"),
)
BANKS: Final = ("", "BNI", "BRI", "BTN", "MANDIRI")
LEVELS: Final[Mapping[str, SchoolLevel | None]] = {"SD": "SD", "SMP": "SMP", "SMA": "SMA", "": None}
LIFE_EVENTS: Final = ("BIRTH", "DEATH", "SCHOOL_CHANGE", "PREGNANCY", "MOVE", "PAYEE_CHANGE")

TEXT_CHARS_MAX: Final = 255
DECILES: Final = range(1, 11)
PREGNANCIES: Final = range(1, 31)
Cells: TypeAlias = Mapping[str, str]


class Mistake(Enum):
    """Reasons why a row is refused, each as a sentence."""

    MISSING = "The cell is empty."
    NOT_Y_OR_N = "The cell is neither Y nor N."
    NOT_A_DATE = "The cell is no day of the calendar as YYYY-MM-DD, 1900 to 2100."
    DATE_IMPLAUSIBLE = "The date cannot be true, as others of the row or of the person stand."
    NOT_A_NUMBER = "The cell is no whole number of this kind."
    NOT_16_DIGITS = "The cell is no number of 16 digits."
    NOT_A_NIK = "The cell is no NIK, not even one with a digit missing or three letters at its end."
    NOT_AN_ACCOUNT = "The cell is no account's number: digits alone."
    NOT_A_SCHOOL_NUMBER = "The cell is no NPSN of 8 or NISN of 10 digits."
    NOT_A_REGION = "The cell is no village's code as 61.03.01.2026."
    NOT_A_LEVEL = "The cell is none of SD, SMP and SMA."
    NOT_A_WORD = "The cell is none of the words that this column knows."
    NOT_AN_ID = "The cell is no id as PD610301: a letter, then letters, digits and hyphens."
    NOT_A_TYPE = "The cell names no life event."
    TOO_LONG = "The cell is longer than any text of this kind."
    REGION_NOT_YOURS = "The village lies outside the regions of the token."
    UNKNOWN_CARD = "No family of this card is registered in the regions of the token."
    ERASED = "The family was erased, or its key cannot be used; nothing more is kept of it."
    TOO_MANY_MEMBERS = "More people than live in a family stand on this card; is it a placeholder?"
    FAMILY_FULL = "More members and events than any family has stand on this card."
    UNKNOWN_PERSON = "Nobody of this number is a member of the family."
    BIRTH_NOT_RECENT = (
        "The person was born too long ago for a birth; admit them by members.csv, with evidence."
    )
    EVIDENCE_MISSING = "A closing has judged the family: a document's number admits another member."
    NOT_AN_EVIDENCE = "The cell is no document's number as BA-12/2023."
    ALREADY_MEMBER = "Somebody of this number is a member of the family."
    REGISTERED_DIFFERENTLY = "It is registered with other data."


class Refused(Exception):
    """A cell is wrong; caught where the row is."""

    def __init__(self, column: str, mistake: Mistake) -> None:
        super().__init__(column)
        self.column, self.mistake = column, mistake


def number(row: Cells, column: str) -> str:
    """The number of a card or of a payee: 16 digits."""
    return _matching(row, column, NIK, Mistake.NOT_16_DIGITS)


def kept_nik(row: Cells, column: str) -> str:
    """A member's NIK as their card has it: an odd one is a fact as well, and it may be empty."""
    return _matching(row, column, NIK_AS_KEPT, Mistake.NOT_A_NIK)


def kept_payee(row: Cells, column: str) -> str:
    """The NIK of a payee as the integrated data has it."""
    return _matching(row, column, PAYEE_AS_KEPT, Mistake.NOT_A_NIK)


def account_no(row: Cells) -> str:
    """The number of an account, or empty."""
    return _matching(row, "account_no", ACCOUNT_NO, Mistake.NOT_AN_ACCOUNT)


def school_number(row: Cells, column: str) -> str:
    """The number of a school (npsn) or of a pupil (nisn), or empty."""
    return _matching(row, column, {"npsn": NPSN, "nisn": NISN}[column], Mistake.NOT_A_SCHOOL_NUMBER)


def word(row: Cells, column: str, words: Collection[str]) -> str:
    """One of the words that are known in a column."""
    if row[column] not in words:
        raise Refused(column, Mistake.NOT_A_WORD)
    return row[column]


def text(row: Cells, column: str) -> str:
    """A name or an address, without spaces around it."""
    if len(row[column]) > TEXT_CHARS_MAX:
        raise Refused(column, Mistake.TOO_LONG)
    return row[column].strip()


def office_id(row: Cells, column: str) -> str:
    """The id of a facilitator or a group, or empty."""
    return _matching(row, column, OFFICE_ID, Mistake.NOT_AN_ID)


def evidence(row: Cells) -> str:
    """The number of a document, or empty."""
    cell = row["evidence"]
    return _matching(row, "evidence", EVIDENCE, Mistake.NOT_AN_EVIDENCE) if cell else ""


def _matching(row: Cells, column: str, form: re.Pattern[str], mistake: Mistake) -> str:
    cell = row[column]
    if not form.fullmatch(cell):
        raise Refused(column, mistake if cell else Mistake.MISSING)
    return cell


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
    if not row[column]:
        return None
    try:
        return forms.day(row[column])
    except ValueError:
        raise Refused(column, Mistake.NOT_A_DATE) from None


def day_until(row: Cells, column: str, last: date) -> date:
    """A date that must be there and no later than `last`."""
    found = day(row, column)
    if found > last:
        raise Refused(column, Mistake.DATE_IMPLAUSIBLE)
    return found


def whole_or_none(row: Cells, column: str, valid: range) -> int | None:
    """A whole number of a range, or None where the cell is empty."""
    cell = row[column]
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and len(cell) <= 4 and int(cell) in valid):
        raise Refused(column, Mistake.NOT_A_NUMBER)
    return int(cell)


def region(row: Cells, column: str) -> str:
    """A village's Kemendagri code."""
    return _matching(row, column, VILLAGE, Mistake.NOT_A_REGION)


def level(row: Cells) -> SchoolLevel | None:
    """The level of a pupil's school, or None for nobody's."""
    if row["school_level"] not in LEVELS:
        raise Refused("school_level", Mistake.NOT_A_LEVEL)
    return LEVELS[row["school_level"]]
