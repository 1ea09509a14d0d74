"""Recomputes the roots of blocks from what COPY writes of their events.

With the unit separator between its columns, a line of COPY is nearly the text that `event_hash` of
chain.py joins, so it is hashed as it comes from the wire. Two things are undone first, where they
are: COPY writes an absent value as \\N, and a backslash, a control character or a separator inside
of a value behind a backslash. A line therefore ends where a row ends, whatever is in it.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from libs.events.store.chain import ABSENT, SEPARATOR

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

# A moment is whole microseconds; numeric, as an infinite one is to be found and not to be refused.
_EVENTS = """
SELECT block, stream_id, version, type, schema_version, data, metadata, topic, key, message,
       trunc(extract(epoch FROM occurred_at) * 1000000)
FROM events WHERE block BETWEEN $1 AND $2 ORDER BY block, ord
"""
_SEPARATOR: Final = SEPARATOR.encode()
_NULL: Final = _SEPARATOR + rb"\N"
_ABSENT: Final = _SEPARATOR + ABSENT.encode()
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_MEANT: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


async def roots(connection: Connection, first: int, last: int) -> dict[int, tuple[int, bytes]]:
    """{block: (events in it, root over them)} of the blocks from `first` to `last` with events.

    The server reads on while we hash, as far as the socket's buffer lets it: memory stays flat
    however many events these blocks have.
    """
    found = Roots()
    await connection.copy_from_query(
        _EVENTS, first, last, output=found.take, format="text", delimiter=SEPARATOR
    )
    return found.close()


class Roots:
    """Takes events as COPY writes them, block by block, and keeps nothing of them but a root."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[int, bytes]] = {}
        self._partial_line = b""
        self._block = b""
        self._count, self._root = 0, hashlib.sha256()

    async def take(self, chunk: bytes) -> None:
        """Go on with a part of what is copied, which may end inside of a line."""
        whole, newline, self._partial_line = (self._partial_line + chunk).rpartition(b"\n")
        if newline:
            for line in _lines(whole):
                block, _, text = line.partition(_SEPARATOR)
                if block != self._block:
                    self._end_block()
                    self._block = block
                self._count += 1
                self._root.update(hashlib.sha256(text).digest())

    def _end_block(self) -> None:
        if self._count:
            self._found[int(self._block)] = self._count, self._root.digest()
            self._count, self._root = 0, hashlib.sha256()

    def close(self) -> dict[int, tuple[int, bytes]]:
        """The roots that were found, the last block included."""
        self._end_block()
        return self._found


def _lines(whole: bytes) -> list[bytes]:
    """The rows, each as the text that was hashed behind the number of its block."""
    if b"\\" not in whole:
        return whole.split(b"\n")
    lines = whole.replace(_NULL, _ABSENT).split(b"\n")
    return [_ESCAPED.sub(_plain, line) if b"\\" in line else line for line in lines]


def _plain(escaped: re.Match[bytes]) -> bytes:
    return _MEANT.get(escaped[1], escaped[1])
