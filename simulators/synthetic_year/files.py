"""The files of an invented year, written group by group: memory does not grow with the year."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from simulators.synthetic_year import happenings
from simulators.synthetic_year.people import Draw, Family, Person, family
from simulators.synthetic_year.places import FAMILIES_IN_GROUP, group_at

COLUMNS: Final = {
    "calendar.csv": "tahap,covers_from,covers_to,closing_date,account_check_date,credit_date",
    "families.csv": "no_kk,dtks_id,dtks,decile,region_code,address,rt,rw,payee_nik,bank_code,"
    "account_no,account_name,facilitator_id,group_id",
    "members.csv": "no_kk,nik,name,sex,birth_date,relationship,occupation,school_level,npsn,nisn,"
    "severe_disability,pregnancy_due_date,pregnancy_order",
    "bank_accounts.csv": "bank_code,account_no,holder_name,holder_nik,opened_on,status,"
    "status_since",
    "life_events.csv": "effective_on,reported_on,type,no_kk,nik,name,sex,birth_date,school_level,"
    "npsn,nisn,due_date,pregnancy_order,region_code,new_payee_nik,bank_code,account_no,"
    "account_name",
    "school_attendance.csv": "npsn,nisn,nik,month,effective_days,absent,permitted,sick",
    "health_verification.csv": "facility_code,nik,month,service,attended,service_date",
    "investigations.csv": "no_kk,outcome",
    "p2k2_sessions.csv": "session_id,group_id,facilitator_id,held_on,module,session",
    "p2k2_attendance.csv": "session_id,no_kk,status",
    "complaints.csv": "complaint_no,received_at,channel,category,anonymous,no_kk,region_code,text,"
    "resolved_at,resolution",
}
"""The files and their header lines, as FORMATS.md has them."""
CHANGE_COLUMNS: Final = COLUMNS["life_events.csv"].split(",")
CLOSINGS: Final = ((3, 31), (6, 30), (9, 30), (12, 31))
CHECKED_AFTER: Final = timedelta(days=5)
CREDITED_AFTER: Final = timedelta(days=20)

Write = Callable[[str, happenings.Row], Any]


@dataclass(frozen=True, slots=True)
class Year:
    """A year that is wanted: so many families, by a seed, in regencies ("61.03")."""

    families: int
    year: int
    seed: int
    regencies: Sequence[str]


def write_year(directory: Path, wanted: Year, progress: Callable[[int], object]) -> None:
    """Write the year's files into an empty directory; `progress` gets each number of families done.

    The same `wanted` gives the same bytes, and a larger year begins with the families of a smaller.
    """
    with ExitStack() as files:
        writers = {}
        for name, columns in COLUMNS.items():
            file = files.enter_context((directory / name).open("w", encoding="utf-8", newline=""))
            writers[name] = csv.writer(file)
            writers[name].writerow(columns.split(","))

        def write(file: str, row: happenings.Row) -> None:
            writers[file].writerow(row)

        for row in calendar(wanted.year):
            write("calendar.csv", row)
        for first in range(0, wanted.families, FAMILIES_IN_GROUP):
            size = min(FAMILIES_IN_GROUP, wanted.families - first)
            _write_group(write, wanted, first, size)
            progress(size)


def complaints(wanted: Year) -> Iterator[happenings.Row]:
    """Rows of complaints.csv alone, one of every family: for whoever needs nothing but many."""
    for index in range(wanted.families):
        group = group_at(index // FAMILIES_IN_GROUP, wanted.regencies)
        in_group = index % FAMILIES_IN_GROUP
        chance = Random(f"{wanted.seed}:{wanted.year}:complaint:{index}")
        draw = Draw(group, chance, wanted.year, in_group)
        yield happenings.complained(draw, family(draw, index + 1, in_group))


def calendar(year: int) -> Iterator[happenings.Row]:
    """The year's four tahaps, each of a quarter."""
    for number, (month, day) in enumerate(CLOSINGS, 1):
        closing = date(year, month, day)
        months = f"{year}-{month - 2:02}", f"{year}-{month:02}"
        yield number, *months, closing, closing + CHECKED_AFTER, closing + CREDITED_AFTER


def _write_group(write: Write, wanted: Year, first: int, size: int) -> None:
    """All that a group leaves in the files; its chance depends on the seed and its index alone."""
    index = first // FAMILIES_IN_GROUP
    group = group_at(index, wanted.regencies)
    families = []
    for in_group in range(size):
        # Each family has its own chance, so that a group that is cut short begins the same.
        number = first + in_group + 1
        chance = Random(f"{wanted.seed}:{wanted.year}:{number}")
        draw = Draw(group, chance, wanted.year, in_group)
        families.append(family(draw, number, in_group))
        _write_family(write, draw, families[-1])
    draw = Draw(group, Random(f"{wanted.seed}:{wanted.year}:group:{index}"), wanted.year)
    for session in happenings.sessions(draw):
        write("p2k2_sessions.csv", session)
        for row in happenings.attendance(draw, session, families):
            write("p2k2_attendance.csv", row)


def _write_family(write: Write, draw: Draw, family: Family) -> None:
    write("families.csv", _family_row(draw, family))
    born: list[Person] = []
    for change, baby in happenings.changes(draw, family):
        write("life_events.csv", [change.get(column, "") for column in CHANGE_COLUMNS])
        born += [baby] if baby is not None else []
    for member in family.members:
        write("members.csv", _member_row(family, member))
        if member.level:
            for row in happenings.school_months(draw, member):
                write("school_attendance.csv", row)
    for member in (*family.members, *born):
        for row in happenings.health_services(draw, member):
            write("health_verification.csv", row)
    account = family.account
    if account.at_bank:
        opened = date(draw.year - 2, 6, 1)
        books = account.bank, account.number, account.holder, account.holder_nik, opened
        write("bank_accounts.csv", (*books, account.status, account.since))
    if draw.happens(500):
        outcome = draw.chance.choice(("CONFIRMED", "NOT_CONFIRMED"))
        write("investigations.csv", (family.card, outcome))
    for row in happenings.complaint(draw, family):
        write("complaints.csv", row)


def _family_row(draw: Draw, family: Family) -> happenings.Row:
    account = family.account
    return (
        family.card,
        f"DTKS-{family.number:09}",
        "NY"[family.in_data],
        family.decile,
        draw.group.village,
        family.address,
        f"{draw.chance.randrange(1, 20):03}",
        f"{draw.chance.randrange(1, 9):03}",
        family.payee.nik,
        account.bank,
        account.number,
        family.payee.name,
        draw.group.facilitator,
        draw.group.name,
    )


def _member_row(family: Family, member: Person) -> happenings.Row:
    return (
        family.card,
        member.nik,
        member.name,
        member.sex,
        member.born,
        member.relationship,
        member.occupation,
        member.level,
        member.npsn,
        member.nisn,
        "NY"[member.disabled],
        member.due or "",
        member.pregnancy_order or "",
    )
