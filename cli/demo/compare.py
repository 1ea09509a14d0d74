"""Holds what a year came to against its expected results: cells, not bytes; shows nobody's data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

from cli.demo.outputs import (
    CASES,
    CUT,
    ELIGIBILITY,
    ENTITLEMENTS,
    GROUPS,
    INDICATORS,
    LEARNING,
    PERSONAL,
    SUMMARY,
    Row,
    read_csv,
)
from cli.errors import Failed

COMPARED: Final = (ELIGIBILITY, ENTITLEMENTS, SUMMARY, GROUPS, LEARNING, INDICATORS, CASES)
COUNTED: Final = (
    "p2k2_families",
    "p2k2_reached",
    "health_families",
    "health_reached",
    "education_families",
    "education_reached",
    "transfers_ordered",
    "transfers_failed",
)
"""The rows of indicators.json that services count today."""
SHOWN_MAX: Final = 10
HIDDEN: Final = "(personal data)"

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell that differs. `line` is that of the expected file, or of ours where it has none;
    0 in a file that is not made of lines."""

    file: str
    line: int
    column: str
    expected: str
    actual: str

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}, {self.column}: expected {self.expected}, got {self.actual}"


@dataclass(slots=True)
class Comparison:
    """The number of cells that differ, and the first of them."""

    count: int = 0
    shown: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        """Count a difference."""
        self.count += 1
        if len(self.shown) < SHOWN_MAX:
            self.shown.append(difference)


def compare(expected: Path, actual: Path, tahaps: Collection[int]) -> Comparison:
    """Every difference between two directories of results, within the numbers of some tahaps."""
    numbers = {str(number) for number in tahaps}
    found = Comparison()
    differences = chain(
        _rows_differ(ELIGIBILITY, ("no_kk",), expected, actual, None),
        _rows_differ(ENTITLEMENTS, ("no_kk", "tahap"), expected, actual, numbers),
        _sums_differ(expected / SUMMARY, actual / SUMMARY, numbers),
        *_sessions_differ(expected, actual, numbers),
        *_cases_differ(expected, actual, numbers),
    )
    for difference in differences:
        found.add(difference)
    return found


def uncompared(expected: Path) -> list[str]:
    """The expected files that the platform has no service for yet, in order of name."""
    return sorted(path.name for path in expected.iterdir() if path.name not in COMPARED)


def _sessions_differ(
    expected: Path, actual: Path, numbers: Collection[str]
) -> Iterator[Iterator[Difference]]:
    """The differences in what sessions came to, in a year that expects anything of them."""
    if not (expected / GROUPS).is_file():
        return
    yield _rows_differ(GROUPS, ("tahap", "group_id"), expected, actual, numbers)
    if {row["tahap"] for _, row in read_csv(expected / GROUPS)} <= set(numbers):
        yield _rows_differ(LEARNING, ("no_kk",), expected, actual, None)  # sums of the whole year
    wanted, found = _sums(expected / INDICATORS), _sums(actual / INDICATORS)
    yield iter(
        Difference(INDICATORS, 0, f"tahap {number} {name}", str(value), str(counted))
        for number in sorted(numbers)
        for name in COUNTED
        if (value := wanted.get(number, {}).get(name, 0))
        != (counted := found.get(number, {}).get(name, 0))
    )


def _cases_differ(
    expected: Path, actual: Path, numbers: Collection[str]
) -> Iterator[Iterator[Difference]]:
    """The differences in cases, which stand as they do once the last tahap is closed."""
    if (expected / CASES).is_file() and _sums(expected / SUMMARY)["tahap"].keys() <= set(numbers):
        yield _rows_differ(CASES, ("complaint_no",), expected, actual, None)


# -- Rows -----------------------------------------------------------------------------------------


def _rows_differ(
    file: str, key: Key, expected: Path, actual: Path, tahaps: Collection[str] | None
) -> Iterator[Difference]:
    wanted = _by_key(expected / file, key, tahaps)
    found = _by_key(actual / file, key, tahaps)
    for name, (line, row) in wanted.items():
        if name not in found:
            yield Difference(file, line, "row", "a row", "none")
        else:
            yield from _cells_differ(file, line, row, found[name][1])
    for name, (line, _) in found.items():
        if name not in wanted:
            yield Difference(file, line, "row", "none", "a row")
    both = [name for name in wanted if name in found]
    if both != [name for name in found if name in wanted]:
        yield Difference(file, 1, "order of rows", "that of the year's file", "another")


def _by_key(
    path: Path, key: Key, tahaps: Collection[str] | None
) -> dict[tuple[Key, int], tuple[int, Row]]:
    """{(key, how often it stood above): (line, row)}, so that a row written twice is seen."""
    seen: Counter[Key] = Counter()
    rows: dict[tuple[Key, int], tuple[int, Row]] = {}
    for line, row in read_csv(path):
        if tahaps is None or row.get("tahap") in tahaps:
            name = tuple(row.get(column) or "" for column in key)
            rows[name, seen[name]] = (line, row)
            seen[name] += 1
    return rows


def _cells_differ(file: str, line: int, wanted: Row, found: Row) -> Iterator[Difference]:
    for column in dict.fromkeys((*wanted, *found)):
        expected, actual = wanted.get(column), found.get(column)
        if expected == actual or (column == CUT and {expected, actual} == {None, "0"}):
            continue  # in a year in which nothing is cut the column may be left out
        if column in PERSONAL:
            yield Difference(file, line, column, HIDDEN, HIDDEN)
        else:
            yield Difference(file, line, str(column), _cell(expected), _cell(actual))


def _cell(value: object) -> str:
    if value is None:
        return "no such column"
    return str(value) or "an empty cell"


# -- Sums -----------------------------------------------------------------------------------------


def _sums_differ(expected: Path, actual: Path, tahaps: Collection[str]) -> Iterator[Difference]:
    wanted, found = (_flat(_sums(path), tahaps) for path in (expected, actual))
    for name in sorted(wanted.keys() | found.keys()):
        # A count of zero may be left out.
        if wanted.get(name, 0) != found.get(name, 0):
            yield Difference(SUMMARY, 0, name, str(wanted.get(name, 0)), str(found.get(name, 0)))


def _sums(path: Path) -> Mapping[str, Any]:
    try:
        sums: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError:
        raise Failed(f"{path} is no JSON in UTF-8.") from None
    return sums


def _flat(summary: Mapping[str, Any], tahaps: Collection[str]) -> dict[str, int]:
    """{"tahap 1 paid": 170}: every number of a summary by its path, within some tahaps."""
    numbers = {f"eligibility {name}": count for name, count in summary["eligibility"].items()}
    for part in ("tahap", "kabupaten"):
        for path, sums in summary[part].items():
            if path.partition("/")[0] in tahaps:
                numbers |= {f"{part} {path} {name}": value for name, value in sums.items()}
    return numbers
