"""Whose an exception is: of a line's family, or of an area that the line lies in."""

from datetime import date
from typing import Any

import pytest

from services.conditionality.tables.exceptions import _is_of
from services.conditionality.tables.roster import Line

DAYS = {"first_day": date(2023, 1, 1), "last_day": date(2023, 3, 31)}


def line(region: str) -> Line:
    return Line("2023-1", "family-1", 1, ("2023-01", "2023-02", "2023-03"), "2021-2024", (), region)


@pytest.mark.parametrize(
    ("family", "area", "region", "holds"),
    [
        ("family-2", "", "", False),
        ("family-2", "", "61.03.01.2026", False),
        ("family-1", "", "", True),
        (None, "61.03", "61.03.01.2026", True),
        (None, "61.0", "61.03.01.2026", False),
    ],
)
def test_a_line_of_an_unknown_region_has_no_other_familys_exception(
    family: str | None, area: str, region: str, holds: bool
) -> None:
    row: Any = {"family": family, "region": area, **DAYS}

    assert _is_of(row, line(region)) is holds
