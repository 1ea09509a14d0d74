"""Days as they pass in Indonesia, between its first clock (UTC+9) and its last (UTC+7).

A village's own zone is not asked for: what is true of a day anywhere in the country is let be.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final, NamedTuple

FIRST: Final = timezone(timedelta(hours=9))
LAST: Final = timezone(timedelta(hours=7))


class Span(NamedTuple):
    """A time from a moment until before another."""

    begins: datetime
    ends: datetime

    def holds(self, at: datetime) -> bool:
        """True from its beginning until before its end."""
        return self.begins <= at < self.ends


def day_of(on: date) -> Span:
    """A day as long as it lasts anywhere in Indonesia."""
    begins = datetime.combine(on, datetime.min.time(), FIRST)
    ends = datetime.combine(on + timedelta(days=1), datetime.min.time(), LAST)
    return Span(begins, ends)


def today(now: datetime) -> date:
    """The day that has begun somewhere in the country."""
    return now.astimezone(FIRST).date()
