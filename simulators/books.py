"""The banks' own books: whose account it is and whether it is open, whatever the programme says."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from sys import intern
from typing import TextIO, TypeAlias

BANKS = ("MANDIRI", "BRI", "BNI", "BTN")


class Status(StrEnum):
    """The state of an account from a day on."""

    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"
    DORMANT = "DORMANT"


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its bank knows it; before `status_since` it was active."""

    holder_name: str  # as `comparable` makes it
    holder_nik: str
    status: Status
    status_since: date

    def status_on(self, day: date) -> Status:
        """Its status on a day; `status_since` counts from that day on."""
        return self.status if day >= self.status_since else Status.ACTIVE


AccountKey: TypeAlias = tuple[str, str]  # bank code, account number
Books: TypeAlias = Mapping[AccountKey, Account]


class BooksBroken(ValueError):
    """The books cannot be read; names the line and nothing that stands in it."""


def comparable(name: str) -> str:
    """A name as banks compare it: capitals, each run of anything but A-Z one space, trimmed."""
    return re.sub(r"[^A-Z]+", " ", name.upper()).strip()


def load(path: Path) -> Books:
    """The books of `bank_accounts.csv`, by bank code and account number."""
    books: dict[AccountKey, Account] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for line, row in _rows(file, path.name):
            try:
                key = (intern(row["bank_code"]), row["account_no"])
                account = _account(row)
            except (KeyError, TypeError, ValueError):
                raise BooksBroken(f"line {line} of {path.name}") from None
            if key in books:
                raise BooksBroken(f"line {line} of {path.name}: a second such account")
            books[key] = account
    return books


def _rows(file: TextIO, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    rows = csv.DictReader(file, strict=True)
    try:
        for row in rows:
            yield rows.line_num, row
    except (UnicodeDecodeError, csv.Error):
        raise BooksBroken(f"behind line {rows.line_num} of {name}: no CSV in UTF-8") from None


def _account(row: dict[str, str]) -> Account:
    since = row["status_since"]
    return Account(
        holder_name=comparable(row["holder_name"]),
        holder_nik=row["holder_nik"],
        status=Status(row["status"]),
        status_since=date.fromisoformat(since) if since else date.min,
    )
