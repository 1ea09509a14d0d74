"""Holds what services have taken in from a topic against the log of its owner, by hash.

Whoever may write on a topic can write all of what its owner would. A position says how many
messages were taken in; the hash says which: each one's place, name, stream, time, key and content.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from libs.events.bus.topics import Topics
from libs.events.store.chain import GENESIS, microseconds
from libs.events.store.log import window_after

if TYPE_CHECKING:
    from libs.events.store.postgres import Pool

EVENTS_A_STEP: Final = 2_000
MOMENTS_MAX: Final = 1_024

_MARKS: Final = """
SELECT topic, partition, taken_since, position, taken FROM consumed
WHERE taken IS NOT NULL ORDER BY topic, partition
"""
_AGAIN: Final = """
SELECT topic, partition, again, again_at FROM consumed WHERE again > 0 ORDER BY topic, partition
"""
_SENT: Final = """
SELECT block, ord, topic, type, stream_id, occurred_at, key,
       CASE WHEN message::text = 'true' THEN data ELSE message END AS value
FROM events WHERE block = ANY($1) AND ord >= $2 AND ord < $3 AND topic = ANY($4)
"""

_moment = lru_cache(MOMENTS_MAX)(microseconds)


class Mark(Struct, frozen=True):
    """The messages of a partition with since < position <= `position` that a reader took in."""

    reader: str
    topic: str
    partition: int
    since: int
    position: int
    taken: bytes


class Again(Struct, frozen=True):
    """The messages of a partition that a reader found on the topic once more; `at` is the offset of
    the last. They had no effect: their positions had been taken in."""

    reader: str
    topic: str
    partition: int
    count: int
    at: int


def then(
    taken: bytes, position: int, kind: str, stream: bytes, at: datetime, key: bytes, value: bytes
) -> bytes:
    """The hash over messages and one more; over none it is GENESIS."""
    envelope = f"{position}\x1f{kind}\x1f{_moment(at)}\x1f{len(stream)}\x1f{len(key)}\x1f".encode()
    return hashlib.sha256(b"".join((taken, envelope, stream, key, value))).digest()


async def marks(pool: Pool, reader: str) -> list[Mark]:
    """The marks of a service, one for each partition from which it has taken in anything."""
    return [Mark(reader, *row) for row in await pool.fetch(_MARKS)]


async def come_again(pool: Pool, reader: str) -> list[Again]:
    """The partitions on which a service found messages once more."""
    return [Again(reader, *row) for row in await pool.fetch(_AGAIN)]


async def untrue(pool: Pool, topics: Topics, marked: Sequence[Mark]) -> AsyncIterator[Mark]:
    """The marks that do not come out of an owner's log again; all are of topics that are its own.

    Reads the log a step at a time, so memory stays flat. Marks must have been read before.
    """
    waiting = _Waiting(marked)
    position = 0
    topics_marked = sorted({mark.topic for mark in marked})
    names = sorted({name for topic in topics_marked for name in (topic, topics.stored_as(topic))})
    while names and (window := await window_after(pool, position, EVENTS_A_STEP)) is not None:
        for at, row in await window.events(pool, _SENT, names):
            _, _, stored, kind, stream, moment, key, value = row
            for topic in topics_marked:
                if stored not in (topic, topics.stored_as(topic)):
                    continue
                partition = topic, topics.partition(topic, key)
                for mark in waiting.before(partition, at):
                    yield mark
                body = topics.value(topic, kind, value.encode())
                waiting.take(partition, at, kind, stream.encode(), moment, key.encode(), body)
        position = window.last_position
    for mark in waiting.rest():
        yield mark


class _Waiting:
    """The marks of each partition by where they begin, with the hash up to here."""

    def __init__(self, marked: Iterable[Mark]) -> None:
        self._marks: dict[tuple[str, int], dict[int, list[Mark]]] = {}
        for mark in sorted(marked, key=lambda mark: -mark.position):
            beginnings = self._marks.setdefault((mark.topic, mark.partition), {})
            beginnings.setdefault(mark.since, []).append(mark)
        self._hashes = {
            (partition, since): GENESIS
            for partition, beginnings in self._marks.items()
            for since in beginnings
        }

    def take(
        self,
        partition: tuple[str, int],
        position: int,
        kind: str,
        stream: bytes,
        at: datetime,
        key: bytes,
        value: bytes,
    ) -> None:
        """Go on with the owner's next message of a partition."""
        for since, waiting in self._marks.get(partition, {}).items():
            if waiting and position > since:
                taken = self._hashes[partition, since]
                self._hashes[partition, since] = then(taken, position, kind, stream, at, key, value)

    def before(self, partition: tuple[str, int], position: int) -> Iterable[Mark]:
        """The marks before a position whose hash is another; none of them waits any more."""
        for since, waiting in self._marks.get(partition, {}).items():
            while waiting and waiting[-1].position < position:
                mark = waiting.pop()
                if mark.taken != self._hashes[partition, since]:
                    yield mark

    def rest(self) -> Iterable[Mark]:
        """As `before`, at the end of the log."""
        for partition, beginnings in self._marks.items():
            yield from self.before(partition, max(_ends(beginnings), default=0) + 1)


def _ends(beginnings: dict[int, list[Mark]]) -> Iterable[int]:
    return (mark.position for waiting in beginnings.values() for mark in waiting)
