"""A case as it stood on a day, and the cases of the sample years."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from libs.chassis.auth import Principal
from services.complaints import policy
from services.complaints.domain.case import AdvanceTo, Case, case
from services.complaints.domain.standing import Standing, standing_on
from services.complaints.http.csv_commands import COMPLAINT_COLUMNS, commands_of
from tests.sample_years import YEARS

POLICIES = policy.load()
CLERK = Principal("clerk-1", frozenset(), ("*",))
TODAY = date(2026, 1, 31)


def filed(**changed: str) -> Case:
    """A complaint of Thursday 30 March 2023, as a file brings it."""
    cells = dict.fromkeys((*COMPLAINT_COLUMNS.required, *COMPLAINT_COLUMNS.optional), "")
    cells |= {
        "complaint_no": "C000001",
        "received_at": "2023-03-30T23:59:59",
        "channel": "WEB",
        "category": "NO_CARD",
        "anonymous": "Y",
        "region_code": "61.08.06.2018",
    }
    return taken(cells | changed)


def taken(cells: dict[str, str]) -> Case:
    """The case that a row comes to."""
    state = Case()
    for command in commands_of(POLICIES, CLERK, cells, TODAY):
        for event in case.decide(command, state):
            state = case.evolve(state, event)
    return state


def standing(state: Case, day: str) -> tuple[str, str, str, bool]:
    """Level, last day, status and if it is late, at the end of a day of 2023."""
    found = standing_on(state, date.fromisoformat(f"2023-{day}"))
    assert found is not None
    assert found.due_on is not None
    return found.level, found.due_on.isoformat()[5:], found.status, found.overdue


# The term of the district is over on 6 April; 7 April is a holiday, 8 and 9 are a weekend.
@pytest.mark.parametrize(
    ("resolved", "level", "overdue"),
    [
        ("2023-03-30", "DISTRICT", False),
        ("2023-04-06", "DISTRICT", False),
        ("2023-04-07", "DISTRICT", True),
        ("2023-04-09", "DISTRICT", True),
        ("2023-04-10", "REGENCY", False),
    ],
)
def test_a_case_is_resolved_by_the_level_that_has_it_on_that_day(
    resolved: str, level: str, overdue: bool
) -> None:
    state = filed(resolved_at=f"{resolved}T00:00:01", resolution="UPHELD")

    found = standing(state, "12-31")

    assert (found[0], *found[2:]) == (level, "RESOLVED", overdue)


def test_what_was_decided_later_is_not_known_on_a_day() -> None:
    state = filed(resolved_at="2023-05-02T12:00:00", resolution="REJECTED")

    assert standing_on(state, date(2023, 3, 29)) is None
    assert standing(state, "03-30") == ("DISTRICT", "04-06", "OPEN", False)
    assert standing(state, "04-09") == ("DISTRICT", "04-06", "OPEN", True)
    assert standing(state, "04-10") == ("REGENCY", "04-24", "OPEN", False)
    assert standing(state, "05-01") == ("PROVINCE", "05-16", "OPEN", False)
    assert standing(state, "05-02") == ("PROVINCE", "05-16", "RESOLVED", False)


def rows(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a file."""
    with file.open(encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


@pytest.mark.parametrize("year", YEARS, ids=lambda year: year.name)
def test_the_cases_of_a_sample_year_come_out(year: Path) -> None:
    closing = date.fromisoformat([*rows(year / "calendar.csv")][-1]["closing_date"])
    stood: list[dict[str, str]] = []

    for row in rows(year / "complaints.csv"):
        state = taken(row)
        # However late the last sweep is, what it comes to is not known at the closing.
        for event in case.decide(AdvanceTo(closing + timedelta(days=20), POLICIES.ladder), state):
            state = case.evolve(state, event)
        if found := standing_on(state, closing):
            stood.append({"complaint_no": row["complaint_no"], **cells_of(found)})

    assert stood == [*rows(year / "expected" / "cases.csv")]


def cells_of(found: Standing) -> dict[str, str]:
    """A standing as the columns of cases.csv say it."""
    return {
        "start_level": found.start_level,
        "level": found.level,
        "due_on": str(found.due_on),
        "escalations": str(found.escalations),
        "status": found.status,
        "overdue": "Y" if found.overdue else "N",
        "resolution": found.resolution,
    }
