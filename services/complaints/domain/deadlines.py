"""The ladder of levels: until when each has a case, and who receives it when that day is over.

FORMATS.md of the sample years is the source: the day on which a level receives a case does not
count; a case that is not resolved by the end of its due day is received by the next level on the
next working day, and the nation, above which there is nobody, keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from services.complaints.domain.working_days import WorkingDays

Level: TypeAlias = Literal["DISTRICT", "REGENCY", "PROVINCE", "NATION"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
T = TypeVar("T")
_CODE_LENGTHS: Final[Mapping[Level, int]] = {"DISTRICT": 8, "REGENCY": 5, "PROVINCE": 2}


class Turn(NamedTuple):
    """A level that has a case, the day on which it received it, and the last day of its term."""

    level: Level
    received_on: date
    due_on: date


def area_of(level: Level, region: str) -> str:
    """The code of the area whose office has a case at a level; "" for the nation."""
    return region[: _CODE_LENGTHS.get(level, 0)]


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
        return Turn(level, on, self.working.after(on, holding(self.terms, on)[level]))

    def next_turns(self, turn: Turn, until: date) -> Iterator[Turn]:
        """The turns that follow by the end of a day, as nobody resolved the case.

        None where a turn's term is not over, or only free days have passed since: on those the
        case is still at its level.
        """
        while turn.level != LEVELS[-1] and is_overdue(turn.due_on, until):
            on = self.working.after(turn.due_on)
            if on > until:
                return
            turn = self.received(LEVELS[LEVELS.index(turn.level) + 1], on)
            yield turn

    def turns(self, start: Level, received_on: date, until: date) -> list[Turn]:
        """All turns of a case up to the day on which it was resolved, or which is looked at."""
        first = self.received(start, received_on)
        return [first, *self.next_turns(first, until)]

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
