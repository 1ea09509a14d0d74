"""Bounds within which a reported date can be true; refused is what no register could mean.

These are no rules of the programme but bounds on slips of the pen, wide enough for every true case:
a date outside them is another year's, another column's or another person's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from services.registry.domain.closing import completed_years
from services.registry.domain.family.commands import (
    Birth,
    Death,
    Pregnancy,
    ReportLifeEvent,
    SchoolChange,
)
from services.registry.domain.family.errors import BirthNotRecent, DateImplausible
from services.registry.domain.family.state import Family

PROGRAMME_FROM: Final = date(2007, 1, 1)
"""The first payments of PKH; nobody reported anything to it before."""
DUE_FROM_REPORT: Final = timedelta(days=366)
"""A pregnancy is reported within a year of its due date, before or after it."""
DUE_FROM: Final = PROGRAMME_FROM - DUE_FROM_REPORT
MOTHER_YEARS: Final = range(8, 66)
"""Completed years of a mother on her due date."""
EFFECTIVE_AHEAD: Final = timedelta(days=92)
"""A move, a school, a payee may be told a cycle before; a birth or a death only behind it."""


def check_report(command: ReportLifeEvent, state: Family) -> None:
    """Raises `DateImplausible` with the field whose date cannot be true, and `BirthNotRecent`."""
    for field in _wrong_in_report(command, state):
        raise DateImplausible(family=state.family, field=field)
    if isinstance(command.fact, Birth):
        days = (command.judged_on - command.fact.birth_date).days
        if days > command.rules.birth_reported_days_max:
            raise BirthNotRecent(family=state.family, days=days)


def may_bear(birth_date: date, due: date) -> bool:
    """True if somebody born on a day can have a pregnancy with this due date in the programme."""
    return due >= DUE_FROM and completed_years(birth_date, due) in MOTHER_YEARS


def _wrong_in_report(command: ReportLifeEvent, state: Family) -> Iterator[str]:
    fact, since, reported = command.fact, command.effective_on, command.reported_on
    if reported < PROGRAMME_FROM:
        yield "reported_on"
    if isinstance(fact, Birth) and fact.birth_date > reported:
        yield "birth_date"
    allowance = timedelta(0) if isinstance(fact, Birth | Death) else EFFECTIVE_AHEAD
    if since - reported > allowance or (isinstance(fact, Birth) and since < fact.birth_date):
        yield "effective_on"
    if isinstance(fact, Death | SchoolChange | Pregnancy):
        yield from _wrong_for_member(command, fact, state)


def _wrong_for_member(
    command: ReportLifeEvent, fact: Death | SchoolChange | Pregnancy, state: Family
) -> Iterator[str]:
    member = state.holder_of(fact.token)
    if member is not None and command.effective_on < member.birth_date:
        yield "effective_on"
    if isinstance(fact, Pregnancy) and fact.due_date is not None:
        if abs(command.reported_on - fact.due_date) > DUE_FROM_REPORT:
            yield "due_date"
        if member is not None and not may_bear(member.birth_date, fact.due_date):
            yield "due_date"
