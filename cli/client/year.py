"""A year as the partners' files tell it: its tahaps, and the order of its families."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from cli.errors import Failed
from libs.chassis import forms

CALENDAR: Final = "calendar.csv"
COMPLAINTS: Final = "complaints.csv"
CALENDAR_COLUMNS: Final = (
    "tahap",
    "covers_from",
    "covers_to",
    "closing_date",
    "account_check_date",
    "credit_date",
)
MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
RANGE: Final = re.compile(r"([0-9]{1,2})(?:-([0-9]{1,2}))?")


@dataclass(frozen=True, slots=True)
class Tahap:
    """One payment period: `id` is "2023-1" for the first tahap of 2023, months are "YYYY-MM"."""

    number: int
    id: str
    months: tuple[str, ...]
    closing_date: date
    account_check_date: date
    credit_date: date


def read_calendar(directory: Path) -> list[Tahap]:
    """The tahaps of calendar.csv in order. Raises `Failed` that names line and column."""
    path = directory / CALENDAR
    tahaps = [_tahap(path, line, row) for line, row in rows(path, CALENDAR_COLUMNS)]
    if not tahaps:
        raise Failed(f"{path} holds no tahap.")
    return sorted(tahaps, key=lambda tahap: tahap.months)


def chosen(tahaps: list[Tahap], wanted: str | None) -> list[Tahap]:
    """The tahaps of a range such as "1-2" or "3"; all of them for None.

    A year is run from its beginning: what is held in one tahap moves in a later one.
    """
    if wanted is None:
        return tahaps
    found = RANGE.fullmatch(wanted)
    if found is None:
        raise Failed(f"--tahap is a number or a range such as 1-2, not {wanted!r}.")
    first, last = int(found[1]), int(found[2] or found[1])
    some = [tahap for tahap in tahaps if first <= tahap.number <= last]
    if not some:
        numbers = ", ".join(str(tahap.number) for tahap in tahaps)
        raise Failed(f"--tahap {wanted} names none of the calendar's tahaps: {numbers}.")
    return some


def cards_in_order(directory: Path) -> Iterator[str]:
    """The card number of each family, in the order of families.csv."""
    yield from column(directory / "families.csv", "no_kk")


def complaints_in_order(directory: Path) -> Iterator[str]:
    """The number of each complaint, in the order of complaints.csv; none where a year has none."""
    if (directory / COMPLAINTS).is_file():
        yield from column(directory / COMPLAINTS, "complaint_no")


def column(path: Path, name: str) -> Iterator[str]:
    """One column of a CSV file, row by row."""
    return (row[name] for _, row in rows(path, [name]))


def rows(path: Path, wanted: Sequence[str] = ()) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by column) of each row of a CSV file; the header is line 1.

    Raises `Failed`, which names the line and nothing that stands in it, for a file that is missing,
    is no CSV in UTF-8, or lacks one of the `wanted` columns or a row some of its cells.
    """
    if not path.is_file():
        raise Failed(f"{path} is missing.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            if missing := [name for name in wanted if name not in (reader.fieldnames or ())]:
                raise Failed(f"{path}: the header lacks {', '.join(missing)}.")
            for row in reader:
                # What is too much stands under None; what is too little is None.
                if None in row or None in row.values():
                    raise Failed(f"{path}, line {reader.line_num}: not as many cells as columns.")
                # A row is a line: what goes on in the next one is two people's (see csv_upload.py).
                if any("\n" in cell or "\r" in cell for cell in row.values()):
                    raise Failed(f"{path}, line {reader.line_num}: a line end within quotes.")
                yield reader.line_num, row
        except UnicodeDecodeError:
            raise Failed(f"{path} is not UTF-8 behind line {reader.line_num}.") from None
        except csv.Error:
            raise Failed(f"{path} is no CSV behind line {reader.line_num}.") from None


def _tahap(path: Path, line: int, row: dict[str, str]) -> Tahap:
    def parsed(name: str) -> date:
        try:
            return forms.day(row[name])
        except ValueError:
            raise Failed(f"{path}, line {line}: {name} is no date such as 2023-03-31.") from None

    months = _months(path, line, row["covers_from"], row["covers_to"])
    if not (row["tahap"].isascii() and row["tahap"].isdigit()):
        raise Failed(f"{path}, line {line}: tahap is no number.")
    number = int(row["tahap"])
    return Tahap(
        number,
        f"{months[0][:4]}-{number}",
        months,
        parsed("closing_date"),
        parsed("account_check_date"),
        parsed("credit_date"),
    )


def _months(path: Path, line: int, first: str, last: str) -> tuple[str, ...]:
    begin, end = MONTH.fullmatch(first), MONTH.fullmatch(last)
    if begin is None or end is None or last < first:
        raise Failed(f"{path}, line {line}: covers_from..covers_to are no months in order.")
    counted = range(
        int(begin[1]) * 12 + int(begin[2]) - 1,
        int(end[1]) * 12 + int(end[2]),
    )
    return tuple(f"{month // 12:04}-{month % 12 + 1:02}" for month in counted)
