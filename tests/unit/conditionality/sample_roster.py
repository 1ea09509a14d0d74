"""A sample year's rosters, worked out from its files by the plain words of examples/FORMATS.md."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from services.conditionality.domain.duties import ListedMember
from tests.sample_years import rule_set_of

Row = dict[str, str]
ORDER = ("PREGNANT", "EARLY_CHILD", "SEVERE_DISABILITY", "ELDERLY", "SMA", "SMP", "SD")


def rows(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@dataclass(frozen=True)
class Tahap:
    """One line of the calendar."""

    number: str
    name: str
    months: tuple[str, ...]
    closing: date


@dataclass
class Person:
    """A member with every fact on it, in the order in which facts apply."""

    ordinal: int
    nik: str
    born: date
    disabled: bool
    row: Row
    facts: list[Row] = field(default_factory=list)


def elderly_from(year: Path) -> int:
    """From how many completed years a person counts as elderly."""
    return 60 if rule_set_of(year) == "2025-2026" else 70


def calendar(year: Path) -> list[Tahap]:
    return [
        Tahap(
            number=row["tahap"],
            name=f"{row['covers_from'][:4]}-{row['tahap']}",
            months=tuple(_months(row["covers_from"], row["covers_to"])),
            closing=date.fromisoformat(row["closing_date"]),
        )
        for row in rows(year / "calendar.csv")
    ]


def families(year: Path) -> dict[str, list[Person]]:
    """The people of each family card, babies of the year included."""
    people: defaultdict[str, list[Person]] = defaultdict(list)
    for row in rows(year / "members.csv"):
        _join(people[row["no_kk"]], row, row["severe_disability"] == "Y")
    events = enumerate(rows(year / "life_events.csv"))
    # Python's sort is stable, but the file's order is said here because the rules say it.
    ordered = sorted(events, key=lambda e: (e[1]["effective_on"], e[1]["reported_on"], e[0]))
    for _, row in ordered:
        if row["type"] == "BIRTH":
            _join(people[row["no_kk"]], row, disabled=False)
        for person in people[row["no_kk"]]:
            if person.nik == row["nik"]:
                person.facts.append(row)
    return people


def _join(family: list[Person], row: Row, disabled: bool) -> None:
    born = date.fromisoformat(row["birth_date"])
    family.append(Person(len(family) + 1, row["nik"], born, disabled, row))


def listed(family: Iterable[Person], tahap: Tahap, elderly: int) -> Iterator[ListedMember]:
    """The members who hold any category at a month's end or at the closing."""
    for person in family:
        at_month_ends = tuple(
            _categories(person, _last_day(month), tahap.closing, elderly) for month in tahap.months
        )
        at_closing = _categories(person, tahap.closing, tahap.closing, elderly)
        if any(at_month_ends) or at_closing:
            # Nobody but the test knows whose token it is; a number on paper will do.
            yield ListedMember(person.ordinal, person.nik, at_month_ends, at_closing)


def _categories(person: Person, on: date, known_by: date, elderly: int) -> tuple[str, ...]:
    known = [
        fact
        for fact in person.facts
        if date.fromisoformat(fact["effective_on"]) <= on
        and date.fromisoformat(fact["reported_on"]) <= known_by
    ]
    types = [fact["type"] for fact in known]
    born_this_year = person.row.get("type") == "BIRTH"
    if "DEATH" in types or (born_this_year and "BIRTH" not in types):
        return ()
    schools = [fact["school_level"] for fact in known if fact["type"] == "SCHOOL_CHANGE"]
    level = schools[-1] if schools else (person.row.get("school_level") or "")
    pregnancies = [(person.row.get("pregnancy_due_date"), person.row.get("pregnancy_order"))]
    pregnancies += [
        (fact["due_date"], fact["pregnancy_order"]) for fact in known if fact["type"] == "PREGNANCY"
    ]
    age = _completed_years(person.born, on)
    held = {
        "PREGNANT": any(_is_pregnant(due, order, on) for due, order in pregnancies),
        "EARLY_CHILD": age < 7 and not level,
        "SEVERE_DISABILITY": person.disabled,
        "ELDERLY": age >= elderly,
        **{school: level == school and 6 <= age <= 21 for school in ("SMA", "SMP", "SD")},
    }
    return tuple(category for category in ORDER if held[category])


def _is_pregnant(due: str | None, order: str | None, on: date) -> bool:
    if not due or order not in ("1", "2"):
        return False
    day = date.fromisoformat(due)
    return day - timedelta(days=280) <= on <= day + timedelta(days=42)


def _completed_years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _last_day(month: str) -> date:
    year, number = int(month[:4]), int(month[5:])
    following = date(year + 1, 1, 1) if number == 12 else date(year, number + 1, 1)
    return following - timedelta(days=1)


def _months(first: str, last: str) -> Iterator[str]:
    year, month = int(first[:4]), int(first[5:])
    while (text := f"{year}-{month:02d}") <= last:
        yield text
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
