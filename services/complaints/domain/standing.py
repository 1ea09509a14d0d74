"""A case as it stood at the end of a day: what was decided later is not known yet on that day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.complaints.domain.case import Case
from services.complaints.domain.deadlines import Level, is_overdue


@dataclass(frozen=True, slots=True)
class Standing:
    """The level that has a case, or resolved it, the end of its term, and if that is over.

    `due_on` is None while a decree is missing. `escalations` counts the levels that had it before;
    `resolution` is empty while it is open.
    """

    start_level: Level
    level: Level
    due_on: date | None
    escalations: int
    status: Literal["OPEN", "RESOLVED"]
    overdue: bool
    resolution: str


def standing_on(case: Case, day: date) -> Standing | None:
    """A case at the end of a day; None before it was received, and where it has no terms."""
    turns = [turn for turn in case.turns if turn.received_on <= day]
    if not turns:
        return None
    last, resolved = turns[-1], case.resolved
    if resolved is not None and resolved.on > day:
        resolved = None
    return Standing(
        start_level=turns[0].level,
        level=last.level,
        due_on=last.due_on,
        escalations=len({turn.level for turn in turns}) - 1,
        status="OPEN" if resolved is None else "RESOLVED",
        overdue=last.due_on is not None
        and is_overdue(last.due_on, day if resolved is None else resolved.on),
        resolution="" if resolved is None else resolved.resolution,
    )
