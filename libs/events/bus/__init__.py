"""The bus: ordered partitions of records that several groups of consumers read at their own pace.

Two adapters keep this promise, `embedded` (a log in a PostgreSQL database) and `kafka`; a service
does not know which one it has. The promise is held by one conformance suite for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any, Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T")
Headers = Sequence[tuple[str, bytes]]
Columns = tuple[list[str], list[list[bytes]]]


class Record(Struct, frozen=True, gc=False):
    """One record of a partition. `offset` is -1 until the bus has given it one."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: Headers = ()
    offset: int = -1


class Batch(Struct, frozen=True):
    """Consecutive records of one partition whose headers have the same names, in order, by columns.

    Every column has as many values as there are records. Most of what surrounds messages is the
    same in all of them, and who reads by columns need not take each record apart.
    """

    topic: str
    partition: int
    offsets: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes]
    header_names: Sequence[str] = ()
    header_values: Sequence[Sequence[bytes]] = ()  # a column for each name

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, stop: int) -> Batch:
        """The records with start <= index < stop."""
        if start <= 0 and stop >= len(self):
            return self
        cut = slice(start, stop)
        header_values = [column[cut] for column in self.header_values]
        columns = self.offsets[cut], self.keys[cut], self.values[cut]
        return Batch(self.topic, self.partition, *columns, self.header_names, header_values)

    def only(self, indexes: Sequence[int]) -> Batch:
        """Some of the records, in their order."""

        def of(column: Sequence[T]) -> list[T]:
            return [column[index] for index in indexes]

        columns = of(self.offsets), of(self.keys), of(self.values)
        header_values = list(map(of, self.header_values))
        return Batch(self.topic, self.partition, *columns, self.header_names, header_values)

    def record(self, index: int) -> Record:
        """One record by itself."""
        named = zip(self.header_names, self.header_values, strict=True)
        headers = tuple((name, column[index]) for name, column in named)
        row = self.keys[index], self.values[index], headers, self.offsets[index]
        return Record(self.topic, self.partition, *row)

    @property
    def records(self) -> list[Record]:
        """The records, each by itself."""
        return [self.record(index) for index in range(len(self))]


class Row(Protocol):
    """A record as each client gives it; an absent value, of a header too, is read as empty."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def offset(self) -> int: ...


def batched(topic: str, partition: int, rows: Iterable[Row]) -> Iterator[Batch]:
    """Rows of one partition as batches, in their order: one for each run of equal header names."""
    some = list(rows)
    if not some:
        return
    if columns := _columns(some):  # nearly always: those of one window are alike
        yield _batch(topic, partition, some, columns)
    else:
        for _, alike in groupby(some, _names):
            run = list(alike)
            yield _batch(topic, partition, run, _columns(run) or ([], []))


def _columns(rows: Sequence[Row]) -> Columns | None:
    """The header names that all rows have, and the contents of each; None where names differ."""
    headers = [row.headers for row in rows]
    widths = list(map(len, headers))
    if widths.count(widths[0]) < len(rows):
        return None
    # Name, content, name, content ... of all rows: a loop over every pair that is not Python's.
    flat: list[Any] = list(chain.from_iterable(chain.from_iterable(headers)))
    names, contents = _names(rows[0]), flat[1::2]
    if flat[::2] != names * len(rows):
        return None
    if not all(contents):
        contents = [content or b"" for content in contents]
    return names, [contents[at :: len(names)] for at in range(len(names))]


def _batch(topic: str, partition: int, rows: Sequence[Row], columns: Columns) -> Batch:
    return Batch(
        topic,
        partition,
        [row.offset for row in rows],
        [row.key for row in rows],
        [row.value or b"" for row in rows],
        *columns,
    )


def _names(row: Row) -> list[str]:
    return [name for name, _ in row.headers]


class Producer(Protocol):
    """Publishes records whose partition the sender has chosen."""

    async def send(self, records: Sequence[Record]) -> None:
        """Publish in the given order and return when the bus holds all of them durably.

        After any error it is unknown which of them arrived: close this producer, look at the
        topic's last records, and go on from there with a new one. Raises `BusRefused` for an
        unknown topic or a record over the size limit (nothing of this call is then published).
        """

    async def close(self) -> None:
        """Give the connection back."""


class Member(Protocol):
    """One member of a consumer group; the group's partitions are divided among its members."""

    async def fetch(self, max_records: int, wait_s: float) -> Sequence[Batch]:
        """The records that have come for this member's partitions, at most `max_records` of each.

        Waits at most `wait_s` seconds for something to come. A partition starts at the group's
        committed offset, or at the earliest record where there is none or where that offset no
        longer exists. Each call goes on behind the last one, committed or not.
        """

    async def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Record the next offset that the group wants of each (topic, partition), of all or none.
        Raises `StaleMember` when this member no longer owns one of them."""

    async def rewind(self, topic: str, partition: int) -> None:
        """Go on from the earliest record of the partition."""

    async def close(self) -> None:
        """Leave the group at once, so that others need not wait for a time-out."""


class Bus(Protocol):
    """A connection to a bus; `system` is what traces call it."""

    system: str

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Create the missing ones of {topic: partition count}. Raises `BusRefused` where a topic
        exists with another count."""

    async def delete_topic(self, topic: str) -> None:
        """Remove a topic with all its records; quiet when there is none."""

    async def producer(self) -> Producer:
        """A producer: acks from all replicas, idempotent, no transactions."""

    async def join(self, group: str, topics: Sequence[str]) -> Member:
        """Become a member of a group that reads these topics. Raises `BusRefused` when one of
        them does not exist."""

    async def ends(self, topic: str) -> Mapping[int, int]:
        """The next offset of each partition; empty when there is no such topic."""

    async def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        """The next offset that a group wants of each (topic, partition) it has ever committed."""

    async def last_records(self, topic: str) -> Mapping[int, Record]:
        """The last record of each partition that has one."""

    async def ping(self) -> None:
        """Raise unless the bus answers."""

    async def close(self) -> None:
        """Close everything this connection has opened."""
