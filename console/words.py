"""Words of the console in Indonesian and English, and numbers, money and days as each writes them.

words/NAME.yaml holds the words of one page, each in both languages; common.yaml those of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args
from zoneinfo import ZoneInfo

from libs.chassis import forms
from libs.policy.files import Shape, Text, read
from services.projection.explanation.words import day, month, rupiah

Language = Literal["id", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
DEFAULT: Final[Language] = "id"
FOLDER: Final = Path(__file__).parent / "words"
COMMON: Final = "common"
HAPPENINGS: Final = "happenings"
JAKARTA: Final = ZoneInfo("Asia/Jakarta")
_MILLION: Final = 1_000_000
_SHORT: Final[Mapping[Language, tuple[tuple[int, str], ...]]] = {
    "id": ((10**12, "triliun"), (10**9, "miliar"), (10**6, "juta")),
    "en": ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")),
}


class Wording(Shape):
    """One word or sentence in both languages; {name} stands for a value."""

    id: Text
    en: Text


@cache
def words_of(name: str) -> Mapping[str, Wording]:
    """The words of a file, by key."""
    return read(FOLDER / f"{name}.yaml", dict[str, Wording])


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a page in one language: its own first, then those of all pages."""

    language: Language
    page: str

    def __call__(self, key: str, **values: Any) -> str:
        """A word by its key; KeyError where it has none, which a test finds."""
        own = words_of(self.page)
        wording = own[key] if key in own else words_of(COMMON)[key]
        text: str = getattr(wording, self.language)
        return text.format(**values) if values else text

    def code(self, group: str, code: str) -> str:
        """The word of a code such as PAID; the code itself where nobody has named it yet."""
        key = f"{group}_{code}".lower()
        named = {**words_of(COMMON), **words_of(self.page)}
        return str(getattr(named[key], self.language)) if key in named else code

    def codes(self, group: str, codes: str) -> str:
        """The words of codes with ; between them."""
        return ", ".join(self.code(group, code) for code in codes.split(";"))

    def happening(self, kind: str, body: Mapping[str, Any]) -> str:
        """A message in plain words; its type alone where nobody has worded it yet."""
        wording = words_of(HAPPENINGS).get(kind)
        if wording is None:
            return kind
        amount, result = body.get("amount"), body.get("result")
        values = {
            "amount": self.rupiah(amount) if isinstance(amount, int) else "",
            "tahap": body.get("tahap") or "",
            "code": body.get("code") or "",
            "reason": body.get("reason") or "",
            "region": body.get("region") or "",
            "result": self.code("commitment", result) if isinstance(result, str) else "",
            "status": self.code("attendance", body.get("status") or ""),
            "day": self.day(forms.day(body["on"])) if body.get("on") else "",
        }
        text: str = getattr(wording, self.language)
        return text.format(**values)

    def number(self, count: int) -> str:
        """A whole number, its thousands set apart."""
        text = f"{count:,}"
        return text.replace(",", ".") if self.language == "id" else text

    def rupiah(self, amount: int) -> str:
        """Whole rupiah, to the last one."""
        return str(getattr(rupiah(amount), self.language))

    def about(self, amount: int) -> str:
        """Rupiah in short, such as Rp 1.35 billion; the exact sum stands beside it."""
        for unit, name in _SHORT[self.language]:
            if abs(amount) >= unit:
                text = f"{amount * 100 // unit / 100:.2f}"
                text = text.replace(".", ",") if self.language == "id" else text
                return f"Rp{'' if self.language == 'id' else ' '}{text} {name}"
        return self.rupiah(amount)

    def percent(self, part: int, whole: int) -> str:
        """A share in percent with one decimal, rounded down: 99.96 % is not all of it."""
        tenths = part * 1_000 // whole if whole else 0
        text = f"{tenths // 10}.{tenths % 10}"
        return (text.replace(".", ",") if self.language == "id" else text) + " %"

    def share_of_100000(self, parts: int) -> str:
        """A target, which is told in parts of 100,000: 35 %, or 0.002 %."""
        text = f"{parts // 1_000}.{parts % 1_000:03}".rstrip("0").rstrip(".")
        return (text.replace(".", ",") if self.language == "id" else text) + " %"

    def day(self, on: date) -> str:
        """A day, such as 31 Maret 2023."""
        return str(getattr(day(on), self.language))

    def month(self, name: str) -> str:
        """A month "2023-02", such as Februari 2023."""
        return str(getattr(month(name), self.language))

    def moment(self, at: datetime) -> str:
        """A moment in the time of Jakarta."""
        local = at.astimezone(JAKARTA)
        return f"{self.day(local.date())} {local:%H.%M} WIB"
