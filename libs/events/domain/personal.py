"""Days of a person's life: dates to the domain, sealed text to whoever reads what is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final, TypeAlias

from libs.events.domain.errors import CorridorError

Opens: TypeAlias = Callable[[str], date]
"""The day of a sealed text, `NEVER` where the key that opened it is destroyed."""

NEVER: Final = date.max
"""The day of a birth that nobody can know any more: behind every other one."""

_SEALED: Final = "s"  # a day in clear begins with a digit


class DaysClosed(CorridorError):
    """A person's days are needed, and nothing opens them here or any more."""


class PersonalDay(date):
    """A day together with the text that it is stored by, which says nothing of it.

    Of an event from before days were sealed, and of a fact that says nothing of a birth, the text
    is the day itself.
    """

    __slots__ = ("stored",)
    stored: str

    @classmethod
    def of(cls, day: date, stored: str) -> PersonalDay:
        """A day that is stored by a text."""
        made = cls(day.year, day.month, day.day)
        made.stored = stored
        return made

    @classmethod
    def in_clear(cls, day: date) -> PersonalDay:
        """A day that is stored as it is."""
        return cls.of(day, day.isoformat())

    @property
    def clear(self) -> date:
        """The day alone, for who may be told of it."""
        return date(self.year, self.month, self.day)

    @property
    def lost(self) -> bool:
        """True where nothing opens what is stored any more."""
        return self == NEVER and self.stored.startswith(_SEALED)

    @classmethod
    def read(cls, stored: str, opens: Opens) -> PersonalDay:
        """The day of a stored text; raises ValueError for one that is no day."""
        clear = opens(stored) if stored.startswith(_SEALED) else date.fromisoformat(stored)
        return cls.of(clear, stored)


def closed(stored: str) -> date:
    """The `Opens` of who has no keys. Raises `DaysClosed`."""
    raise DaysClosed()


def unopened(stored: str) -> date:
    """The `Opens` of who only carries days on, as a fold does, and decides nothing by them."""
    return NEVER
