"""Forms of what comes from outside: one way to write a day, a month, a number, an identifier.

A digit is one of 0-9 everywhere: other scripts have digits too, which look alike on paper and are
another key in a database. What is not written in its form is refused, never put right: two
spellings of one person are two persons to whoever compares them.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
MONTH: Final = re.compile(r"(200[7-9]|20[1-9][0-9]|2100)-(0[1-9]|1[0-2])")  # PKH began in 2007
WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TAHAP: Final = re.compile(r"(200[7-9]|20[1-9][0-9]|2100)-[1-9]")  # year, number in it
NIK: Final = re.compile(r"[0-9]{16}")  # the number of a family card has this form too
NPSN: Final = re.compile(r"([0-9A-Z][0-9]{7})?")  # a school's number, or nothing
NISN: Final = re.compile(r"([0-9]{10})?")  # a pupil's
OFFICE_ID: Final = re.compile(r"([A-Z][A-Z0-9-]{0,31})?")  # a facilitator, a group, a facility
VILLAGE: Final = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}")

FIRST_DAY: Final = date(1900, 1, 1)
"""No day in the life of anybody who is paid lies before; arithmetic has room on both sides."""
LAST_DAY: Final = date(2100, 12, 31)
"""Behind every day that a file or a request can speak of."""

INTEGER_MAX: Final = 2**31 - 1
BIGINT_MAX: Final = 2**63 - 1
"""The largest numbers that PostgreSQL's columns hold."""

_NUMBER: Final = re.compile(r"[0-9](?:[ ./_-]?[0-9]){15}")
_HIDDEN: Final = ("Cc", "Cf", "Co", "Cs")  # control, invisible, private, half of a character
_BLANK: Final = re.compile(  # fillers, joiners and selectors that are letters or marks by category
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2028\u2029\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_NAME_CHARACTERS_MAX: Final = 255


def day(text: str) -> date:
    """The day that is written YYYY-MM-DD; ValueError, which quotes nothing, for any other text."""
    if DAY.fullmatch(text):
        try:
            found = date.fromisoformat(text)
        except ValueError:
            raise ValueError("no day of the calendar") from None
        if FIRST_DAY <= found <= LAST_DAY:
            return found
        raise ValueError("no day from 1900 to 2100")
    raise ValueError("no day as YYYY-MM-DD")


def is_day(text: str) -> bool:
    """True if a text is a day as `day` reads it."""
    try:
        day(text)
    except ValueError:
        return False
    return True


def is_plain(text: str) -> bool:
    """True if a text is what it looks like: composed, of usual width, its digits 0-9, all visible.

    The form is NFKC, which is checked and not applied.
    """
    if text.isascii():
        return text.isprintable()
    return unicodedata.is_normalized("NFKC", text) and not any(map(_is_odd, text))


def _is_odd(character: str) -> bool:
    kind = unicodedata.category(character)
    hidden = kind in _HIDDEN or bool(_BLANK.match(character))
    return hidden or (kind == "Nd" and not character.isascii())


def is_name(text: str) -> bool:
    """True if a text can name one person in events: plain, without room around it, not too long."""
    return 0 < len(text) <= _NAME_CHARACTERS_MAX and text == text.strip() and is_plain(text)


def holds_number(text: str) -> bool:
    """True if a text holds 16 digits or more in a row, as numbers of persons, cards and accounts
    have them, grouped or not. The digits of a UUID are none."""
    return _NUMBER.search(ID.sub("|", text)) is not None


def is_text(text: str) -> bool:
    """True if PostgreSQL can hold a text: no NUL, no half of a character."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
