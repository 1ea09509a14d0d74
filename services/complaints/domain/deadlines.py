"""The ladder of levels: until when each has a case, and who receives it when that day is over.

FORMATS.md of the sample years is the source: the day on which a level receives a case does not
count; a case that is not resolved by the end of its due day is received by the next level on the
next working day, and the nation, above which there is nobody, keeps it.

A term that runs into a year whose decree of holidays is still to come has no last day until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from services.complaints.domain.working_days import HolidaysUnknown, WorkingDays

Level: TypeAlias = Literal["DISTRICT", "REGENCY", "PROVINCE", "NATION"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
Withheld: TypeAlias = Literal["DECREE_MISSING"]
"""Why a term has no last day: it runs into a year whose holidays nobody has decreed yet."""
T = TypeVar("T")
_CODE_LENGTHS: Final[Mapping[Level, int]] = {"DISTRICT": 8, "REGENCY": 5, "PROVINCE": 2}


class Break(NamedTuple):
    """Days on which a term stood still: since the end of one day, up to the end of another."""

    since: date
    until: date


class Turn(NamedTuple):
    """A level that has a case, the day on which it received it, and the last day of its term.

    `due_on` is None while a decree is missing over which the term runs; `breaks` are the days on
    which it stood still.
    """

    level: Level
    received_on: date
    due_on: date | None
    breaks: tuple[Break, ...] = ()


def area_of(level: Level, region: str) -> str:
    """The code of the area whose office has a case at a level; "" for the nation."""
    return region[: _CODE_LENGTHS.get(level, 0)]


def withheld(due_on: date | None) -> Withheld | None:
    """Why there is no due day; None where there is one."""
    return "DECREE_MISSING" if due_on is None else None


def is_overdue(due_on: date, until: date) -> bool:
    """True if a case came to, or stood at, a day behind the last one of its term."""
    return until > due_on


def holding(dated: Mapping[date, T], on: date) -> T:
    """The value that holds on a day, of values by the day from which each does; else the first."""
    begun = [day for day in dated if day <= on]
    return dated[max(begun) if begun else min(dated)]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The terms of the levels in working days, by the day from which they hold."""

    terms: Mapping[date, Mapping[Level, int]]
    working: WorkingDays

    def received(self, level: Level, on: date) -> Turn:
        """The turn of a level that receives a case on a day. Raises `HolidaysUnknown`."""
        return Turn(level, on, self._due_on(level, on))

    def accepted(self, level: Level, on: date) -> Turn:
        """The turn of a level that receives a case on a day, with no last day while a decree is
        still to come. Raises `HolidaysUnknown` for a year of which none will."""
        turn = Turn(level, on, None)
        return turn._replace(due_on=self.due_day(turn))

    def due_day(self, turn: Turn) -> date | None:
        """The last day of a turn as it is counted from its begin; None while a decree is missing
        over which it runs."""

        def counted() -> date:
            due_on = self._due_on(turn.level, turn.received_on)
            for since, until in turn.breaks:
                due_on = self.resumed(due_on, since, until)
            return due_on

        return self._unless_decree_is_missing(counted)

    def _due_on(self, level: Level, on: date) -> date:
        return self.working.after(on, holding(self.terms, on)[level])

    def _unless_decree_is_missing(self, count: Callable[[], date]) -> date | None:
        try:
            return count()
        except HolidaysUnknown as unknown:
            if self.working.may_be_decreed(unknown.year):
                return None
            raise

    def next_turns(self, turn: Turn, until: date) -> Iterator[Turn]:
        """The turns that follow by the end of a day, as nobody resolved the case.

        None where a turn's term is not over, or only free days have passed since: on those the
        case is still at its level. Raises `HolidaysUnknown` behind the last that can be counted.
        """
        while turn.level != LEVELS[-1] and (due_on := turn.due_on) is not None:
            if not is_overdue(due_on, until):
                return
            on = self.working.after(due_on)
            if on > until:
                return
            turn = self.received(LEVELS[LEVELS.index(turn.level) + 1], on)
            yield turn

    def turns(self, start: Level, received_on: date, until: date) -> list[Turn]:
        """All turns of a case up to the day on which it was resolved, or which is looked at."""
        first = self.received(start, received_on)
        return [first, *self.next_turns(first, until)]

    def stood_still(self, turn: Turn, since: date, until: date) -> Turn:
        """The turn after a break; with no last day while a decree is missing over which it runs."""
        after = turn._replace(breaks=(*turn.breaks, Break(since, until)))
        if (due_on := turn.due_on) is None:
            return after._replace(due_on=self.due_day(after))
        resumed = partial(self.resumed, due_on, since, until)
        return after._replace(due_on=self._unless_decree_is_missing(resumed))

    def resumed(self, due_on: date, paused_on: date, on: date) -> date:
        """The due day of a case that was paused: the working days that were left are left again.

        A term that was over when the case was paused stays over.
        """
        if is_overdue(due_on, paused_on):
            return due_on
        left = self.working.between(paused_on, due_on)
        if left or self.working.has(on):
            return self.working.after(on, left)
        return self.working.after(on)
