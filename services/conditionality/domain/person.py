"""Reports of schools and health facilities about one person, month by month."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError

EFFECTIVE_DAYS_MAX: Final = 31
SERVICES: Final = frozenset(
    {"WEIGHING", "MATERNAL_CHECK", "HOME_VISIT", "ELDERLY_CHECK"}
    | {"IMMUNISATION", "VITAMIN_A", "NEWBORN_VISIT", "DELIVERY", "NIFAS_VISIT", "TRIMESTER_CHECK"}
)
MEETING: Final = "P2K2"
"""The payee's attendance at the group's session, which p2k2 tells and no health facility."""

_MONTH = re.compile(r"(200[7-9]|20[1-9][0-9]|2100)-(0[1-9]|1[0-2])")  # PKH began in 2007


class SchoolMonth(NamedTuple):
    """A pupil's month, from the school: days of teaching and days away, by reason.

    `month` is YYYY-MM; `absent` (alpa) without a reason, `permitted` (izin) with leave, `sick`
    (sakit) with a letter. Stored as an array in this order.
    """

    month: str
    effective_days: int
    absent: int
    permitted: int
    sick: int


class Visit(NamedTuple):
    """The word on a person's visit to one service in a month (YYYY-MM).

    `attended` is None where what was said before is taken back, and nothing is known any more.
    """

    month: str
    service: str
    attended: bool | None


# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordSchoolMonths:
    """Months of one pupil, in the order in which they were reported."""

    records: tuple[SchoolMonth, ...]


@dataclass(frozen=True, slots=True)
class RecordVisits:
    """Visits of one person, in the order in which they were reported."""

    records: tuple[Visit, ...]


Command: TypeAlias = RecordSchoolMonths | RecordVisits


# -- Events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SchoolMonthsRecorded:
    """The months that are new or differ from what was known; one record a month."""

    records: tuple[SchoolMonth, ...]


@dataclass(frozen=True, slots=True)
class VisitsRecorded:
    """The visits that are new or differ from what was known; one record a month and service."""

    records: tuple[Visit, ...]


Event: TypeAlias = SchoolMonthsRecorded | VisitsRecorded


def months_touched(event: Event) -> frozenset[str]:
    """The months (YYYY-MM) whose evaluation may come out differently after this event."""
    return frozenset(record.month for record in event.records)


# -- State ----------------------------------------------------------------------------------------


class Attendance(NamedTuple):
    """A month at school without its name: the state keys it by month."""

    effective_days: int
    absent: int
    permitted: int
    sick: int


@dataclass(frozen=True, slots=True)
class Person:
    """The latest record of each key: school by month, visits by service and month."""

    school: dict[str, Attendance] = field(default_factory=dict)
    visits: dict[str, dict[str, bool]] = field(default_factory=dict)


def evolve(state: Person, event: Event) -> Person:
    """The person after one event."""
    match event:
        case SchoolMonthsRecorded(records):
            school = {record.month: Attendance(*record[1:]) for record in records}
            return Person(state.school | school, state.visits)
        case VisitsRecorded(records):
            visits = {service: dict(months) for service, months in state.visits.items()}
            for month, service, attended in records:
                if attended is None:
                    visits.get(service, {}).pop(month, None)
                else:
                    visits.setdefault(service, {})[month] = attended
            return Person(state.school, visits)


# -- Rules ----------------------------------------------------------------------------------------


class InvalidRecord(DomainError):
    """A record cannot be true as it stands."""


def check_school_month(record: SchoolMonth) -> None:
    """Refuse an impossible month; names the field, never the person."""
    _check_month(record.month)
    for name in ("effective_days", "absent", "permitted", "sick"):
        days = getattr(record, name)
        if not 0 <= days <= EFFECTIVE_DAYS_MAX:
            raise InvalidRecord(field=name, month=record.month, days=days)
    if record.absent + record.permitted + record.sick > record.effective_days:
        raise InvalidRecord(
            field="absent+permitted+sick",
            month=record.month,
            days=record.absent + record.permitted + record.sick,
            effective_days=record.effective_days,
        )


def check_visit(record: Visit) -> None:
    """Refuse an impossible visit to a health facility; names the field, never the person."""
    if record.service == MEETING:
        raise InvalidRecord(field="service", month=record.month)
    _check_visit(record)


def _check_visit(record: Visit) -> None:
    _check_month(record.month)
    if record.service not in {*SERVICES, MEETING}:
        raise InvalidRecord(field="service", month=record.month)


def _check_month(month: str) -> None:
    # A malformed value is not repeated: in a shifted file it may be somebody's number.
    if not _MONTH.fullmatch(month):
        raise InvalidRecord(field="month")


def record_school_months(command: RecordSchoolMonths, state: Person) -> list[Event]:
    """A later record of a month replaces the earlier; an identical one changes nothing."""
    _check_all(command.records)
    latest = {record.month: record for record in command.records}
    changed = tuple(
        record for month, record in latest.items() if state.school.get(month) != record[1:]
    )
    return [SchoolMonthsRecorded(changed)] if changed else []


def record_visits(command: RecordVisits, state: Person) -> list[Event]:
    """A later record of a month and service replaces the earlier; an identical one is quiet."""
    _check_all(command.records)
    latest = {(record.service, record.month): record for record in command.records}
    changed = tuple(
        record
        for (service, month), record in latest.items()
        if state.visits.get(service, {}).get(month) is not record.attended
    )
    return [VisitsRecorded(changed)] if changed else []


def _check_all(records: Iterable[SchoolMonth | Visit]) -> None:
    for record in records:
        if isinstance(record, SchoolMonth):
            check_school_month(record)
        else:
            _check_visit(record)


def decide(command: Command, state: Person) -> list[Event]:
    """The events that a command causes on a person."""
    match command:
        case RecordSchoolMonths():
            return record_school_months(command, state)
        case RecordVisits():
            return record_visits(command, state)


person: Decider[Command, Person, Event] = Decider(Person(), decide, evolve)
