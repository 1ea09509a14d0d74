"""Reads a request file as it arrives, chunk by chunk, and proves that it is whole."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NoReturn

from simulators.refusals import Code, Refusal

LAYOUT = "1"
RECORD_BYTES_MAX = 1_024
RECORDS_MAX = 3_000_000
FILE_BYTES_MAX = 768 * 1024 * 1024
AMOUNT_IDR_MAX = 999_999_999_999
ACCOUNT_NO_CHARS_MAX, NAME_CHARS_MAX, NIK_CHARS_MAX = 34, 100, 32

_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,36}").fullmatch
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}").fullmatch
_SHA_256 = re.compile(r"(?:^|[, ])sha-256=:([A-Za-z0-9+/]{43}=):").search


class Kind(StrEnum):
    """The question to the accounts in a file."""

    ACCOUNT_CHECK = "ACCOUNT_CHECK"
    CREDIT = "CREDIT"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One D record. It is personal data: it lives for a moment and is never kept or logged."""

    reference: str
    bank: str
    account_no: str
    name: str
    nik: str
    amount: int  # rupiah


@dataclass(frozen=True, slots=True)
class Whole:
    """The sums of a file; equal for equal files."""

    count: int
    sum: int  # rupiah
    digest: str  # of the bytes: SHA-256, base64

    @property
    def sha256(self) -> str:
        """The digest in hex, as answers name it."""
        return base64.b64decode(self.digest).hex()


def claimed(headers: Mapping[str, str]) -> Whole:
    """The sender's claim of the file's totals, from the three headers of README.md."""
    try:
        digest = _SHA_256(headers["content-digest"])
        count, total = headers["x-record-count"], headers["x-control-sum"]
    except KeyError:
        raise Refusal(Code.HEADER_MISSING) from None
    if digest is None or not _WHOLE(count) or not _WHOLE(total):
        raise Refusal(Code.HEADER_MALFORMED)
    return Whole(int(count), int(total), digest[1])


class RequestReader:
    """Takes the bytes of one file in order; `feed` gives the instructions that are complete.

    Until `proven` has answered nothing is known of the file as a whole, so what `feed` gave must
    not have had an effect. Raises `Refusal` at the first fault.
    """

    def __init__(
        self,
        kind: Kind,
        file_id: str,
        banks: Collection[str],
        *,
        records_max: int = RECORDS_MAX,
        bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        self._records_max, self._bytes_max = records_max, bytes_max
        self.on = date.min  # the header's date, once there was a header
        self.line = 0  # the line that was read last, from 1
        self.kind, self.file_id, self._banks = kind, file_id, banks
        self._amount_min = 1 if kind is Kind.CREDIT else 0
        self._hash = hashlib.sha256()
        self._bytes = self._count = self._sum = 0
        self._trailer: tuple[int, int] | None = None
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[Instruction]:
        """Take the next bytes; gives the instructions that they complete."""
        self._hash.update(chunk)
        self._bytes += len(chunk)
        if self._bytes > self._bytes_max:
            raise Refusal(Code.FILE_TOO_LARGE)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from self._record(line)
        if len(self._rest) > RECORD_BYTES_MAX:
            self.line += 1
            self._malformed()

    def proven(self, claim: Whole) -> Whole:
        """The totals of the file, when records, trailer and the sender's claim agree."""
        if self._rest:  # the trailer may lack its line end
            list(self._record(self._rest))
        if self._trailer is None:
            raise Refusal(Code.TRAILER_MISSING)
        if self._count == 0:
            raise Refusal(Code.EMPTY_FILE)
        found = Whole(self._count, self._sum, base64.b64encode(self._hash.digest()).decode())
        if {self._trailer[0], claim.count} != {found.count}:
            raise Refusal(Code.COUNT_DIFFERS)
        if {self._trailer[1], claim.sum} != {found.sum}:
            raise Refusal(Code.SUM_DIFFERS)
        if claim.digest != found.digest:
            raise Refusal(Code.DIGEST_DIFFERS)
        return found

    def _record(self, line: bytes) -> Iterator[Instruction]:
        self.line += 1
        match self._fields(line):
            case ["D", *fields] if self.line > 1 and self._trailer is None:
                yield self._instruction(fields)
            case ["H", *fields] if self.line == 1:
                self._header(fields)
            case ["T", count, total] if self.line > 1 and self._trailer is None:
                self._trailer = self._number(count), self._number(total)
            case _:
                self._malformed()

    def _fields(self, line: bytes) -> list[str]:
        if len(line) > RECORD_BYTES_MAX:
            self._malformed()
        try:
            (fields,) = csv.reader([line.removesuffix(b"\r").decode()], strict=True)
        except (ValueError, csv.Error):
            self._malformed()
        return fields

    def _header(self, fields: list[str]) -> None:
        match fields:
            case [layout, kind, file_id, on] if layout == LAYOUT:
                if kind != self.kind:
                    raise Refusal(Code.WRONG_KIND, self.line)
                if file_id != self.file_id:
                    raise Refusal(Code.FILE_ID_DIFFERS, self.line)
                self.on = self._date(on)
            case _:
                self._malformed()

    def _instruction(self, fields: list[str]) -> Instruction:
        if len(fields) != 6:
            self._malformed()
        reference, bank, account_no, name, nik, amount_text = fields
        amount = self._number(amount_text)
        if (
            not _REFERENCE(reference)
            or len(account_no) > ACCOUNT_NO_CHARS_MAX
            or len(name) > NAME_CHARS_MAX
            or len(nik) > NIK_CHARS_MAX
            or not self._amount_min <= amount <= AMOUNT_IDR_MAX
        ):
            self._malformed()
        if bank not in self._banks:
            raise Refusal(Code.WRONG_BANK, self.line)
        self._count += 1
        self._sum += amount
        if self._count > self._records_max:
            raise Refusal(Code.TOO_MANY_RECORDS, self.line)
        return Instruction(reference, bank, account_no, name, nik, amount)

    def _number(self, text: str) -> int:
        return int(text) if _WHOLE(text) else self._malformed()

    def _date(self, text: str) -> date:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            self._malformed()
        return day if day.isoformat() == text else self._malformed()  # ISO has shorter forms too

    def _malformed(self) -> NoReturn:
        # From None: the cause would quote the record.
        raise Refusal(Code.MALFORMED_RECORD, self.line) from None
