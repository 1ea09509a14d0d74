"""Makes a larger year of a sample year: copies with cards, people and accounts of their own.

Every number keeps its length and the order among its like, so that each copy comes to exactly
what the sample comes to: expected/ is made along.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

Row = dict[str, str]
Change = Callable[[Row, int], Row]

NUMBERS: Final = ("no_kk", "nik", "payee_nik", "new_payee_nik", "holder_nik")
ACCOUNTS: Final = ("account_no",)
COPIED: Final = (
    "families.csv",
    "members.csv",
    "life_events.csv",
    "school_attendance.csv",
    "health_verification.csv",
    "bank_accounts.csv",
    "investigations.csv",
    "expected/eligibility.csv",
    "expected/entitlements.csv",
)


def copy_year(sample: Path, times: int, target: Path) -> None:
    """Write `times` copies of a sample year into `target`, as one year."""
    (target / "expected").mkdir(parents=True)
    (target / "calendar.csv").write_bytes((sample / "calendar.csv").read_bytes())
    for name in COPIED:
        _copy_file(sample / name, times, target / name)
    summary = json.loads((sample / "expected" / "summary.json").read_text(encoding="utf-8"))
    text = json.dumps(_times(summary, times), indent=1)
    (target / "expected" / "summary.json").write_text(text, encoding="utf-8")


def _copy_file(source: Path, times: int, target: Path) -> None:
    with target.open("w", newline="", encoding="utf-8") as text:
        writer: csv.DictWriter[str] | None = None
        for copy in range(times):
            for row in _rows(source):
                writer = writer or _begun(text, row)
                writer.writerow(_copied(row, copy))


def _rows(file: Path) -> Iterator[Row]:
    with file.open(newline="", encoding="utf-8") as text:
        yield from csv.DictReader(text)


def _begun(text: Any, row: Row) -> csv.DictWriter[str]:
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    return writer


def _copied(row: Row, copy: int) -> Row:
    changed = dict(row)
    for column in NUMBERS:
        if changed.get(column):
            changed[column] = _number(changed[column], copy)
    for column in ACCOUNTS:
        if changed.get(column):
            changed[column] = f"{copy}{changed[column]}"
    if changed.get("failing_members"):
        people = changed["failing_members"].split(";")
        changed["failing_members"] = ";".join(_number(nik, copy) for nik in people)
    return changed


def _number(number: str, copy: int) -> str:
    """The number in another province: same length, same order, nobody's of another copy."""
    return f"{(int(number[:2]) + copy) % 100:02}{number[2:]}"


def _times(value: Any, times: int) -> Any:
    if isinstance(value, dict):
        return {key: _times(inner, times) for key, inner in value.items()}
    return value * times
