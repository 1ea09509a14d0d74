"""Working days: Monday to Friday without the national holidays that a joint decree names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from libs.events.domain.errors import DomainError

SATURDAY: Final = 5
DAY: Final = timedelta(days=1)


class HolidaysUnknown(DomainError):
    """No decree of national holidays is known for this year."""

    def __init__(self, year: int) -> None:
        super().__init__(year=year)
        self.year = year


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The national holidays of each year for which a decree is known.

    A day of joint leave is a working day here. Whatever needs a day of another year raises
    `HolidaysUnknown`, which names it: a term is never counted over days that nobody has decreed.
    """

    holidays: Mapping[int, frozenset[date]]

    @property
    def decreed_to(self) -> date:
        """The last day of the last year whose decree is known."""
        return date(max(self.holidays), 12, 31)

    def may_be_decreed(self, year: int) -> bool:
        """True for a year behind the last known decree: its own will still come."""
        return year > max(self.holidays)

    def has(self, day: date) -> bool:
        """True on a working day."""
        if (decreed := self.holidays.get(day.year)) is None:
            raise HolidaysUnknown(year=day.year)
        return day.weekday() < SATURDAY and day not in decreed

    def after(self, day: date, count: int = 1) -> date:
        """The working day that is so many after a day, which does not count itself."""
        while count:
            day += DAY
            count -= self.has(day)
        return day

    def last(self, day: date) -> date:
        """The last working day up to a day, and with it."""
        while not self.has(day):
            day -= DAY
        return day

    def next_day(self, day: date) -> date:
        """The working day after a day; the calendar's next day where no decree tells which."""
        try:
            return self.after(day)
        except HolidaysUnknown:
            return day + DAY

    def last_decreed(self, day: date) -> date:
        """The last working day up to a day, of those whose decree is known."""
        return self.last(min(day, self.decreed_to))

    def between(self, after: date, to: date) -> int:
        """The number of working days after one day, up to another and with it."""
        return sum(self.has(after + n * DAY) for n in range(1, (to - after).days + 1))
