"""The witness: an append-only file of what was taken and answered, on disk before it is told."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from sys import intern
from typing import BinaryIO

from simulators.refusals import Code, Refusal
from simulators.request_file import Kind, Whole

_BUFFER_BYTES = 1 << 16
_WHOLE = re.compile(r"[0-9]+").fullmatch


@dataclass(frozen=True, slots=True)
class Line:
    """The outcome of one reference; `repeated`: asked again, answered as before."""

    reference: str
    amount: int  # rupiah
    status: str
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A file that was taken, and where its lines stand in the journal."""

    kind: Kind
    file_id: str
    on: date
    whole: Whole
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Order:
    """A payment order for which funds were released."""

    order_id: str
    count: int
    rupiah: int
    hash: str
    sp2d: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A payment order that is never released any more.

    `sp2d` is the release whose funds were given back, empty where there was none; `receipt` the
    number of the cancellation.
    """

    order_id: str
    count: int
    rupiah: int
    hash: str
    sp2d: str
    receipt: str


class JournalBroken(Exception):
    """The journal does not read as it was written, or another process writes it."""


class Journal:
    """One journal file; records and their fields are those of README.md.

    It is opened by one process at a time. What a crash left half written at its end was never
    acknowledged, and opening cuts it off; any other fault is `JournalBroken`. It holds no names,
    no NIKs, no account numbers: none of its methods takes any.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.blocks: list[Block] = []
        self.orders: list[Order] = []
        self.cancelled: list[Cancelled] = []
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._pending = bytearray()
        self._usable = True
        try:
            self._lock()
            self._size = self._read()
            self._cut(self._size)
            _sync_directory(path.parent)  # so that a new file's name is on disk too
        except BaseException:
            os.close(self._descriptor)
            raise

    def close(self) -> None:
        """Let go of the file; everything in it is on disk already."""
        os.close(self._descriptor)

    def take(
        self, kind: Kind, file_id: str, on: date, whole: Whole, lines: Iterable[Line]
    ) -> Block:
        """Append a file and its lines as one block; it is on disk when this returns."""
        number = len(self.blocks) + 1
        with self._whole_or_nothing():
            self._write("F", number, kind, file_id, on, _now(), f"sha-256=:{whole.digest}:")
            start = self._size
            for line in lines:
                mark = "R" if line.repeated else "L"
                self._write(mark, line.reference, line.amount, line.status)
            end = self._size
            self._write("E", number, whole.count, whole.sum)
        block = Block(kind, file_id, on, whole, start, end)
        self.blocks.append(block)
        return block

    def release(self, order: Order) -> None:
        """Append an order; it is on disk when this returns."""
        with self._whole_or_nothing():
            figures = (order.count, order.rupiah, order.hash, order.sp2d)
            self._write("O", order.order_id, *figures, _now())
        self.orders.append(order)

    def cancel(self, order: Cancelled) -> None:
        """Append the cancellation of an order; it is on disk when this returns."""
        with self._whole_or_nothing():
            figures = (order.count, order.rupiah, order.hash, order.sp2d, order.receipt)
            self._write("C", order.order_id, *figures, _now())
        self.cancelled.append(order)

    def lines(self, block: Block) -> Iterator[Line]:
        """The lines of a block, in the file's order."""
        with self.path.open("rb") as file:
            file.seek(block.start)
            left = block.end - block.start
            while left > 0:
                left -= len(raw := file.readline())
                mark, reference, amount, status = _fields(raw)
                yield Line(reference, int(amount), intern(status), mark == "R")

    # -- Writing

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        if not self._usable:
            raise Refusal(Code.JOURNAL_FAILED)
        start = self._size
        try:
            yield
            self._flush()
            os.fsync(self._descriptor)
        except OSError:
            self._undo(start)
            raise Refusal(Code.JOURNAL_FAILED) from None

    def _write(self, *fields: object) -> None:
        record = (",".join(map(str, fields)) + "\n").encode()
        self._pending += record
        self._size += len(record)
        if len(self._pending) > _BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        while self._pending:  # a nearly full disk takes less than it is given
            del self._pending[: os.write(self._descriptor, self._pending)]

    def _undo(self, size: int) -> None:
        self._pending.clear()
        self._size = size
        try:
            self._cut(size)
        except OSError:
            # What is on disk is unknown now: only a new start, which reads it, can go on.
            self._usable = False

    def _cut(self, size: int) -> None:
        if os.fstat(self._descriptor).st_size != size:
            os.ftruncate(self._descriptor, size)
            os.fsync(self._descriptor)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalBroken(f"{self.path.name} is written by another process") from None

    # -- Reading

    def _read(self) -> int:
        """Remember what was taken; answers where the last whole block ends."""
        position = whole_until = 0
        half: _Half | None = None
        with self.path.open("rb") as file:
            for raw in file:
                position += len(raw)
                match _fields(raw):
                    case ["L" | "R", _, amount, _] if (
                        half and amount.isascii() and amount.isdigit()
                    ):
                        half.add(int(amount))
                    case ["F", number, kind, file_id, on, _, digest] if not half and number == str(
                        len(self.blocks) + 1
                    ):
                        half = _Half(Kind(kind), file_id, date.fromisoformat(on), digest, position)
                    case ["E", _, count, total] if half and half.comes_to(count, total):
                        self.blocks.append(half.closed(position - len(raw)))
                        half, whole_until = None, position
                    case ["O", order_id, count, rupiah, order_hash, sp2d, _] if not half:
                        self.orders.append(
                            Order(order_id, int(count), int(rupiah), order_hash, sp2d)
                        )
                        whole_until = position
                    case ["C", order_id, count, rupiah, order_hash, sp2d, receipt, _] if not half:
                        self.cancelled.append(
                            Cancelled(order_id, int(count), int(rupiah), order_hash, sp2d, receipt)
                        )
                        whole_until = position
                    case _:
                        self._must_be_the_last(raw, file)
        return whole_until

    def _must_be_the_last(self, raw: bytes, rest: BinaryIO) -> None:
        """Only the last block can be half there: what follows it would have been acknowledged."""
        whole = (line for line in (raw, *rest) if line.endswith(b"\n"))
        if any(line.startswith((b"F,", b"O,", b"C,")) for line in whole):
            raise JournalBroken(f"{self.path.name} holds a damaged block")


@dataclass(slots=True)
class _Half:
    """A block while it is read."""

    kind: Kind
    file_id: str
    on: date
    digest: str
    start: int
    count: int = 0
    sum: int = 0

    def add(self, amount: int) -> None:
        self.count += 1
        self.sum += amount

    def comes_to(self, count: str, total: str) -> bool:
        return (str(self.count), str(self.sum)) == (count, total)

    def closed(self, end: int) -> Block:
        digest = self.digest.removeprefix("sha-256=:").removesuffix(":")
        whole = Whole(self.count, self.sum, digest)
        return Block(self.kind, self.file_id, self.on, whole, self.start, end)


def _fields(raw: bytes) -> list[str]:
    """The fields of a record; none when its end was never written."""
    return raw[:-1].decode("ascii", "replace").split(",") if raw.endswith(b"\n") else []


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
