"""The bus: ordered partitions of records that several groups of consumers read at their own pace.

Two adapters keep this promise, `embedded` (a log in a PostgreSQL database) and `kafka`; a service
does not know which one it has. The promise is held by one conformance suite for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

Headers = Sequence[tuple[str, bytes]]


class Record(Struct, frozen=True, gc=False):
    """One record of a partition. `offset` is -1 until the bus has given it one."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: Headers = ()
    offset: int = -1


class Batch(Struct, frozen=True):
    """Consecutive records of one partition, in order."""

    topic: str
    partition: int
    records: Sequence[Record]


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
        """What has come for this member's partitions, at most `max_records` in each batch.

        Waits at most `wait_s` seconds for something to come. A partition starts at the group's
        committed offset, or at the earliest record where there is none or where that offset no
        longer exists. Each call goes on behind the last one, committed or not.
        """

    async def commit(self, topic: str, partition: int, offset: int) -> None:
        """Record `offset` as the next one the group wants. Raises `StaleMember` when this member
        no longer owns the partition."""

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
