"""The sample years, which rules each goes by, and copies of them that are set in another year.

python -m tests.sample_years examples/kalbar-2025 out/kalbar-2026 1 --closing-in-january
"""

from __future__ import annotations

import argparse
import csv
import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from tests.architecture.tree import ROOT

EXAMPLES: Final = ROOT / "examples"
YEARS: Final = tuple(sorted(path.parent for path in EXAMPLES.glob("*/expected")))
RULES: Final = {
    **dict.fromkeys(range(2021, 2025), "2021-2024"),
    2025: "2025-2026",
    2026: "2025-2026",
}
DATED: Final = re.compile(r"([0-9]{4})(-[0-9]{2}(?:-[0-9]{2})?(?:T.*)?)")


def rule_set_of(year: Path) -> str:
    """The rule set that a folder's year goes by: that of its first closing."""
    with (year / "calendar.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    return RULES[date.fromisoformat(first["closing_date"]).year]


def moved(year: Path, to: Path, years: int, *, closing_in_january: bool = False) -> Path:
    """A copy of a folder whose every date is so many years later; what must come of it stays.

    `closing_in_january` closes the last tahap a day later, on the first day of the next year.
    """
    shutil.copytree(year / "expected", to / "expected")
    for file in sorted(year.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as text:
            header, *rows = csv.reader(text)
        later = [[_later(cell, years) for cell in row] for row in rows]
        if closing_in_january and file.name == "calendar.csv":
            later[-1] = list(_closed_later(header, later[-1]))
        with (to / file.name).open("w", encoding="utf-8", newline="") as text:
            csv.writer(text).writerows([header, *later])
    return to


def _later(cell: str, years: int) -> str:
    found = DATED.fullmatch(cell)
    if found is None:
        return cell
    later = f"{int(found[1]) + years}{found[2]}"
    # Whoever is born on 29 February has a birthday on 1 March in other years.
    leap_day = later.endswith("-02-29") and not _is_date(later)
    return later.replace("-02-29", "-03-01") if leap_day else later


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _closed_later(header: list[str], row: list[str]) -> Iterator[str]:
    for name, cell in zip(header, row, strict=True):
        if name == "closing_date":
            yield (date.fromisoformat(cell) + timedelta(days=1)).isoformat()
        else:
            yield cell


def main() -> None:
    """Write a copy of a sample year that is set in another year."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("year", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("years", type=int)
    parser.add_argument("--closing-in-january", action="store_true")
    asked = parser.parse_args()
    moved(asked.year, asked.to, asked.years, closing_in_january=asked.closing_in_january)


if __name__ == "__main__":
    main()
