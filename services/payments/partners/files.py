"""Files to the treasury and the banks, rendered when they are sent, and the answers to them.

A file's bytes are made from its lines in order of payment, each time the same, so a file that is
sent again is the same file. They hold clear values and are never stored.
"""

from __future__ import annotations

import asyncio
import base64
import csv
import hashlib
import io
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

import asyncpg
import msgspec

from libs.events.domain.errors import CorridorError
from libs.events.domain.list_proof import value_hash_hex
from libs.events.store.log import recorded
from libs.events.store.postgres import Store
from libs.events.workers.prefetch import prefetch
from libs.privacy.errors import KeyDestroyed, PrivacyError
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import Sealer
from services.payments.contract import PAYMENT
from services.payments.domain.payment.messages import PaymentEntitled
from services.payments.domain.run.messages import DeferredLine
from services.payments.domain.shared.ids import REGULAR
from services.payments.domain.shared.totals import Totals
from services.payments.tables.list_lines import (
    LINES_A_CHUNK,
    LIST_LINES,
    NOBODY,
    SUPPLEMENTARY_LINES,
    NotAsApproved,
)

LAYOUT: Final = "1"
CACHED_BYTES_MAX: Final = 4_000_000  # of a file that is about to be sent, so that it is made once
CACHED_S: Final = 10.0  # holds may be awaited for hours, and another leader may send it
BANKS: Final = ("BNI", "BRI", "BTN", "MANDIRI")

# What a record can carry, in characters. A value that does not fit is sent empty, never cut: the
# beginning of a number may be somebody else's.
CHARACTERS_MAX: Final = {"account_no": 34, "account_name": 100, "payee_nik": 32}

# A chunk's payments first, then each one's line by its key. A plain join is planned by what the
# server believes of a tahap that it has not counted yet, and may read the whole year each time.
_LINES = """
WITH chunk AS MATERIALIZED (
    SELECT payment, family, bank, amount FROM run_line
    WHERE tahap = $1 AND kind = $2 AND payable AND deferred IS NULL AND payment > $3
      AND ($4::text IS NULL OR (bank = $4 AND account_check = 'OK'))
    ORDER BY payment LIMIT $5
)
SELECT payment::text, family::text, bank, amount, line
FROM chunk CROSS JOIN LATERAL (
    SELECT line FROM {lines} AS found WHERE tahap = $1 AND found.family = chunk.family OFFSET 0
) AS listed
ORDER BY payment
"""


class LinesClosed(CorridorError):
    """The sealed values of some families cannot be opened, so no file can have their lines."""

    def __init__(self, lines: Sequence[DeferredLine]) -> None:
        super().__init__(lines=len(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class FileOf:
    """Which file: of a run, to the treasury (`bank` None) or to a bank, for a day."""

    tahap: str
    kind: str
    file: str
    bank: str | None
    day: date

    @property
    def purpose(self) -> Literal["ACCOUNT_CHECK", "CREDIT"]:
        """The work that the receiver is to do with it."""
        return "ACCOUNT_CHECK" if self.bank is None else "CREDIT"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The record of a file: range, totals, hash."""

    first: str
    last: str
    totals: Totals
    sha256: str

    @property
    def digest(self) -> str:
        """The hash as the header Content-Digest has it."""
        return _digest(bytes.fromhex(self.sha256))

    def headers(self) -> dict[str, str]:
        """The claim beside the bytes, for the receiver to hold them against."""
        return {
            "Content-Type": "text/csv",
            "Content-Digest": self.digest,
            "X-Record-Count": str(self.totals.count),
            "X-Control-Sum": str(self.totals.rupiah),
        }


def content_digest(body: bytes) -> str:
    """A body's hash as the header Content-Digest has it (RFC 9530)."""
    return _digest(hashlib.sha256(body).digest())


def _digest(sha256: bytes) -> str:
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"


class _Bank(msgspec.Struct):
    """The bank that a roster line names."""

    bank: str | None


class _Payee(msgspec.Struct):
    """The sealed part of a roster line; the rest is passed over."""

    account_no: str | None
    account_name: str | None
    payee_nik: str | None


@dataclass(slots=True)
class SmallFile:
    """A file's bytes as long as they are few."""

    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    @property
    def whole(self) -> bool:
        """True if nothing was too much."""
        return self.size <= CACHED_BYTES_MAX

    def add(self, chunk: bytes) -> None:
        """Keep what comes next; a file that has become too long is given up."""
        self.size += len(chunk)
        if self.whole:
            self.chunks.append(chunk)
        else:
            self.chunks.clear()


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders files; the only place in payments where sealed fields are opened."""

    store: Store
    keys: KeyRing
    _measured: dict[str, list[bytes]] = field(default_factory=dict)
    """Small files between being measured and being sent; never on disk."""
    cached_s: float = CACHED_S

    async def measure(self, which: FileOf) -> Rendered | None:
        """Range, totals and hash of a file; None where no payment would stand in it.

        Raises `LinesClosed` with the lines of a chunk that cannot be opened, and `NotAsApproved`
        where one is not the line that its payment was entitled by.
        """
        sha256 = hashlib.sha256()
        first = last = ""
        totals, small = Totals(), SmallFile()
        async for chunk in self._chunks(which):
            if isinstance(chunk, bytes):
                sha256.update(chunk)
                small.add(chunk)
                continue
            first, last = first or chunk[0][0], chunk[-1][0]
            totals += Totals(len(chunk), sum(amount for _, amount in chunk))
        if small.whole:
            self._measured[which.file] = small.chunks
            asyncio.get_running_loop().call_later(self.cached_s, self.forget, which)
        return Rendered(first, last, totals, sha256.hexdigest()) if totals.count else None

    async def content(self, which: FileOf) -> AsyncIterator[bytes]:
        """The bytes, a chunk in memory at a time but for a small file that was just measured."""
        if (chunks := self._measured.pop(which.file, None)) is not None:
            for chunk in chunks:
                yield chunk
            return
        async for made in self._chunks(which):
            if isinstance(made, bytes):
                yield made

    def forget(self, which: FileOf) -> None:
        """The partner has a file, or it was not asked for soon; nothing of it stays in memory."""
        self._measured.pop(which.file, None)

    async def _chunks(self, which: FileOf) -> AsyncIterator[bytes | list[tuple[str, int]]]:
        """Bytes, and before those of each chunk of lines their (payment, amount)."""
        yield _csv([["H", LAYOUT, which.purpose, which.file, which.day.isoformat()]])
        count = rupiah = 0
        async with prefetch(self._lines(which)) as chunks:
            async for rows, sealer in chunks:
                yield [(row["payment"], row["amount"]) for row in rows]
                yield _csv(self._records(rows, sealer))
                count, rupiah = count + len(rows), rupiah + sum(row["amount"] for row in rows)
        yield _csv([["T", str(count), str(rupiah)]])

    async def _lines(
        self, which: FileOf
    ) -> AsyncGenerator[tuple[list[asyncpg.Record], Sealer], None]:
        """A file's lines in order, a chunk at a time, and what opens their sealed fields."""
        after = NOBODY
        lines = LIST_LINES if which.kind == REGULAR else SUPPLEMENTARY_LINES
        statement = _LINES.format(lines=lines)
        while rows := await self.store.pool.fetch(
            statement, which.tahap, which.kind, after, which.bank, LINES_A_CHUNK
        ):
            await self._require_entitled(which, rows)
            yield rows, Sealer(await self.keys.fetch_each([row["family"] for row in rows]))
            after = rows[-1]["payment"]

    async def _require_entitled(self, which: FileOf, rows: Sequence[asyncpg.Record]) -> None:
        """Raise `NotAsApproved` unless each line is the one that its payment was entitled by, and
        pays what that came to: by the event, which nobody may rewrite."""
        streams = [PAYMENT.stream(row["payment"]) for row in rows]
        async with self.store.looking() as unit:
            entitled = await recorded(unit, streams, [PaymentEntitled.__name__])
        latest = {stored.stream_id: stored.event(PAYMENT) for stored in entitled}
        for stream, row in zip(streams, rows, strict=True):
            event, line = latest.get(stream), row["line"].encode()
            if not (
                isinstance(event, PaymentEntitled)
                and event.source in (value_hash_hex(line), "")
                and row["amount"] == event.amount - event.cut
                and row["bank"] == msgspec.json.decode(line, type=_Bank).bank
            ):
                raise NotAsApproved(file=which.file, payment=row["payment"])

    @staticmethod
    def _records(rows: Sequence[asyncpg.Record], sealer: Sealer) -> list[list[str]]:
        records: list[list[str]] = []
        closed: list[DeferredLine] = []
        for payment, family, bank, amount, line in rows:
            try:
                clear = _payee(family, line, sealer)
            except PrivacyError as error:
                why = "KEY_DESTROYED" if isinstance(error, KeyDestroyed) else "SEAL_CLOSED"
                closed.append(DeferredLine(payment, family, bank, amount, why))
            else:
                records.append(["D", payment, bank, *clear, str(amount)])
        if closed:
            raise LinesClosed(closed)
        return records


def _payee(family: str, line: str, sealer: Sealer) -> list[str]:
    """Account number, its name and the payee's NIK, in clear. Raises `PrivacyError`."""
    payee = msgspec.json.decode(line, type=_Payee)
    sealed = {
        "account_no": payee.account_no,
        "account_name": payee.account_name,
        "payee_nik": payee.payee_nik,
    }
    return [
        _fitting(name, sealer.unseal(family, name, value)) if value else ""
        for name, value in sealed.items()
    ]


def _fitting(name: str, clear: str) -> str:
    """A value as a record can carry it: itself, or nothing, which no account answers to."""
    fits = len(clear) <= CHARACTERS_MAX[name] and clear.splitlines() == [clear]
    return clear if fits else ""


def _csv(records: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(records)
    return text.getvalue().encode()
