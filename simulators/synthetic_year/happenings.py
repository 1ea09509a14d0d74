"""The year of invented families: school, health, changes, sessions, complaints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias

from simulators.synthetic_year.people import FEMALE, MALE, Draw, Family, Person
from simulators.synthetic_year.places import FIRST_VILLAGE

Row: TypeAlias = Sequence[object]
Change: TypeAlias = Mapping[str, object]
"""Cells of life_events.csv by column; what is not named is empty."""

MONTHS: Final = range(1, 13)
QUARTERS: Final = (1, 4, 7, 10)
SCHOOL_DAYS: Final = {7: 12, 12: 15}
"""Days on which school is held in a month of holidays; in others FULL_MONTH."""
FULL_MONTH: Final = 22
ELDERLY_FROM: Final = ((2025, 60), (0, 70))
"""The least age of an elder, by the first year of a rule set (FORMATS.md)."""
PREGNANT_BEFORE: Final = timedelta(days=280)
PREGNANT_AFTER: Final = timedelta(days=42)
LESSONS: Final = (
    *(("PENGASUHAN", number) for number in range(1, 5)),
    *(("KEUANGAN", number) for number in range(1, 4)),
    *(("KESEHATAN", number) for number in range(1, 4)),
    *(("PERLINDUNGAN_ANAK", number) for number in range(1, 3)),
)
"""A lesson a month, in the order of the core modules."""
MARKS: Final = {"H": 82, "I": 6, "A": 12}
"""A family at a session, in a hundred: present, excused, absent."""
CHANNELS: Final = ("BANK", "CALL_CENTER", "DROPBOX", "FACE_TO_FACE", "OPERATOR", "SMS", "WEB")
CATEGORIES: Final = (
    "AMOUNT_WRONG", "DATA_ERROR", "EXCLUSION", "FACILITATOR_CONDUCT", "LEVY", "NO_CARD", "OTHER",
    "SERVICE_FACILITY", "SUSPENSION_APPEAL", "TRANSFER_FAILED", "WRONG_INCLUSION",
)  # fmt: skip
RESOLUTIONS: Final = ("UPHELD", "REJECTED", "REFERRED")


def school_months(draw: Draw, pupil: Person) -> Iterator[Row]:
    """Rows of school_attendance.csv; a month in two hundred has none."""
    for month in MONTHS:
        held = SCHOOL_DAYS.get(month, FULL_MONTH)
        absent = draw.chance.randrange(4, 7) if draw.happens(40) else draw.chance.randrange(2)
        row = pupil.npsn, pupil.nisn, pupil.nik, f"{draw.year}-{month:02}", held, absent
        if not draw.happens(5):
            yield *row, int(draw.happens(60)), int(draw.happens(80))


def health_services(draw: Draw, member: Person) -> Iterator[Row]:
    """Rows of health_verification.csv for what the member is owed."""
    for service, months in _owed(draw, member):
        for month in months:
            if not draw.happens(10):
                yield _visit(draw, member, service, month)


def _owed(draw: Draw, member: Person) -> Iterator[tuple[str, Sequence[int]]]:
    begins = date(draw.year, 1, 1)
    elderly = next(years for since, years in ELDERLY_FROM if draw.year >= since)
    if not member.level and member.years_on(begins) < 7:
        yield "WEIGHING", [month for month in MONTHS if _by(draw, month) >= member.born]
    if member.due is not None and member.pregnancy_order in (1, 2):
        window = member.due - PREGNANT_BEFORE, member.due + PREGNANT_AFTER
        yield "MATERNAL_CHECK", [m for m in QUARTERS if window[0] <= _by(draw, m) <= window[1]]
    if member.disabled:
        yield "HOME_VISIT", QUARTERS
    if member.years_on(begins) >= elderly:
        yield "ELDERLY_CHECK", QUARTERS


def _by(draw: Draw, month: int) -> date:
    return date(draw.year, month, 28)


def _visit(draw: Draw, member: Person, service: str, month: int) -> Row:
    attended = not draw.happens(50)
    day = f"{draw.year}-{month:02}-{draw.chance.randrange(1, 29):02}" if attended else ""
    facility = f"PKM{draw.group.district}"
    return facility, member.nik, f"{draw.year}-{month:02}", service, "NY"[attended], day


def changes(draw: Draw, family: Family) -> Iterator[tuple[Change, Person | None]]:
    """Changes of the family, with the child of a birth."""
    for mother in family.members:
        if mother.due is not None and mother.due.month < 12 and draw.happens(900):
            baby = draw.person("CHILD", draw.chance.choice((MALE, FEMALE)), mother.due)
            about = {"nik": baby.nik, "name": baby.name, "sex": baby.sex, "birth_date": baby.born}
            yield _change(draw, family, "BIRTH", mother.due, about), baby
    for elder in family.members:
        if elder.relationship == "PARENT" and draw.happens(20):
            yield _change(draw, family, "DEATH", draw.day_of(draw.year), {"nik": elder.nik}), None
    if draw.happens(5):
        village = f"{draw.group.regency}.{draw.group.district_number:02}.{FIRST_VILLAGE}"
        moved = draw.day_of(draw.year)
        yield _change(draw, family, "MOVE", moved, {"region_code": village}), None


def _change(draw: Draw, family: Family, kind: str, day: date, about: Change) -> Change:
    reported = day + timedelta(days=draw.chance.randrange(1, 20))
    which = {"effective_on": day, "reported_on": reported, "type": kind, "no_kk": family.card}
    return {**which, **about}


def sessions(draw: Draw) -> Iterator[Row]:
    """Rows of p2k2_sessions.csv: one a month but in December."""
    for month, (module, number) in zip(MONTHS, LESSONS, strict=False):
        held = date(draw.year, month, draw.chance.randrange(1, 29))
        name = f"S{draw.group.index * len(LESSONS) + month:09}"
        yield name, draw.group.name, draw.group.facilitator, held, module, number


def attendance(draw: Draw, session: Row, families: Sequence[Family]) -> Iterator[Row]:
    """Rows of p2k2_attendance.csv for a session."""
    marks = draw.chance.choices([*MARKS], [*MARKS.values()], k=len(families))
    for family, mark in zip(families, marks, strict=True):
        yield session[0], family.card, mark


def complaint(draw: Draw, family: Family) -> Iterator[Row]:
    """A row of complaints.csv, or none: 40 in a thousand families complain."""
    if draw.happens(40):
        yield complained(draw, family)


def complained(draw: Draw, family: Family) -> Row:
    """A row of complaints.csv of a family that complains."""
    received = datetime.combine(draw.day_of(draw.year), datetime.min.time())
    received += timedelta(minutes=draw.chance.randrange(24 * 60))
    anonymous = draw.happens(100)
    resolved = received + timedelta(hours=draw.chance.randrange(2, 60 * 24))
    is_resolved = draw.happens(850)
    return (
        f"C{family.number:09}",
        received.isoformat(),
        draw.chance.choice(CHANNELS),
        draw.chance.choice(CATEGORIES),
        "NY"[anonymous],
        "" if anonymous else family.card,
        draw.group.village,
        "",
        resolved.isoformat() if is_resolved else "",
        draw.chance.choice(RESOLUTIONS) if is_resolved else "",
    )
