"""Books and request files that simulator tests start from."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from simulators.books import Account, Books, Status, comparable

NAME, NIK = "AGUSTINA SURYANI", "6103014903800001"
ACCOUNT_NO = "300000000001"
CLOSED_NO, DORMANT_NO = "300000000002", "300000000003"
ON = date(2023, 4, 20)
COLUMNS = [
    *("bank_code", "account_no", "holder_name", "holder_nik"),
    *("opened_on", "status", "status_since"),
]


def account(status: Status = Status.ACTIVE, since: date = date.min) -> Account:
    return Account(comparable(NAME), NIK, status, since)


BOOKS: Books = {
    ("BNI", ACCOUNT_NO): account(),
    ("BNI", CLOSED_NO): account(Status.CLOSED, ON),
    ("BNI", DORMANT_NO): account(Status.DORMANT, ON),
    ("BRI", ACCOUNT_NO): account(),
}


def payment_id(number: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"payment-{number}"))


class Row(NamedTuple):
    """One D record."""

    reference: str = payment_id(1)
    bank: str = "BNI"
    account_no: str = ACCOUNT_NO
    name: str = NAME
    nik: str = NIK
    amount: int | str = 1_350_000


def request_file(
    rows: Sequence[Row] = (Row(),),
    *,
    kind: str = "CREDIT",
    file_id: str = "2023-1-BNI",
    on: str = ON.isoformat(),
    trailer: tuple[int, int] | None = None,
    line_end: str = "\n",
) -> bytes:
    text = io.StringIO(newline="")
    write = csv.writer(text, lineterminator=line_end).writerow
    write(["H", "1", kind, file_id, on])
    for row in rows:
        write(["D", *row])
    write(["T", *(trailer or (len(rows), total(rows)))])
    return text.getvalue().encode()


def sha256_of(body: bytes) -> str:
    """A file's hash as answers name it."""
    return hashlib.sha256(body).hexdigest()


def total(rows: Sequence[Row]) -> int:
    return sum(int(row.amount) for row in rows)


def headers_of(body: bytes, count: int = 1, amount: int = 1_350_000) -> dict[str, str]:
    return {
        "content-type": "text/csv",
        "content-digest": digest_of(body),
        "x-record-count": str(count),
        "x-control-sum": str(amount),
    }


def digest_of(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def write_books(path: Path) -> Path:
    """The books above as the file that the processes load."""
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(COLUMNS)
        for (bank, account_no), one in BOOKS.items():
            since = "" if one.status_since == date.min else one.status_since.isoformat()
            write([bank, account_no, NAME, one.holder_nik, "2021-06-01", one.status, since])
    return path
