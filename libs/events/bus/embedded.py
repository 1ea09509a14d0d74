"""The embedded bus: a log in a PostgreSQL database of its own, for a platform on one machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import asyncpg

from libs.events.bus import Member, Producer, Record
from libs.events.bus.embedded_member import CONNECT_TIMEOUT_S, POLL_S, Bell, EmbeddedMember, Pool
from libs.events.bus.limits import refuse_oversize
from libs.events.bus.rights import Rights
from libs.events.bus.segments import pack, unpack
from libs.events.domain.errors import BusRefused

SCHEMA: Final = Path(__file__).with_name("embedded.sql")
MIGRATION_LOCK: Final = 0x62757300

CONNECTIONS_MAX: Final = 4
STATEMENT_TIMEOUT_S: Final = 30.0
CLOSE_TIMEOUT_S: Final = 5.0
PING_TIMEOUT_S: Final = 5.0


async def migrate(dsn: str, rights: Sequence[Rights] = ()) -> None:
    """Bring a database to the shape that the bus needs; harmless where it has it already.

    Needs a role that may create a schema. It may do everything then; any other role needs USAGE of
    the schema and may do what `rights` say, and nothing that an earlier call said.
    """
    senders = [(one.role, topic) for one in rights for topic in one.sends]
    readers = [(one.role, topic, one.group) for one in rights for topic in one.reads]
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    try:
        async with connection.transaction():
            # CREATE OR REPLACE is not safe against itself: services that start together queue up.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            await connection.execute(SCHEMA.read_text())
            await connection.execute("DELETE FROM bus.senders; DELETE FROM bus.readers")
            await connection.executemany("INSERT INTO bus.senders VALUES ($1, $2)", senders)
            await connection.executemany("INSERT INTO bus.readers VALUES ($1, $2, $3)", readers)
    finally:
        await connection.close()


class EmbeddedBus:
    """A `Bus` on a PostgreSQL database that `migrate` has prepared.

    Errors of the database and of the network come through as they are, and nothing is lost by
    them: connections are opened anew, so the same call can be made again.
    """

    system: str = "postgresql"

    def __init__(
        self, pool: Pool, bell: Bell, session_s: float, poll_s: tuple[float, float] = POLL_S
    ) -> None:
        self._pool = pool
        self._bell = bell
        self._lease = timedelta(seconds=session_s)
        self._poll_s = poll_s
        self._members: set[EmbeddedMember] = set()

    @classmethod
    async def connect(
        cls, dsn: str, session_s: float, poll_s: tuple[float, float] = POLL_S
    ) -> EmbeddedBus:
        """A bus on `dsn`; connections are opened when they are first needed."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=CONNECTIONS_MAX,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_S,
            reset=_no_reset,
        )
        return cls(pool, Bell(dsn), session_s, poll_s)

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Create the missing topics, all or none; `BusRefused` where a count differs."""
        async with self._pool.acquire() as connection, connection.transaction():
            for topic, wanted in sorted(topics.items()):
                count = await connection.fetchval("SELECT bus.ensure_topic($1, $2)", topic, wanted)
                if count != wanted:
                    raise BusRefused(topic=topic, partitions=count, wanted=wanted)

    async def delete_topic(self, topic: str) -> None:
        """Remove a topic, its records and all groups' offsets in it."""
        await self._pool.execute("SELECT bus.delete_topic($1)", topic)

    async def producer(self) -> Producer:
        """A producer; it needs no connection of its own."""
        return EmbeddedProducer(self._pool)

    async def join(self, group: str, topics: Sequence[str]) -> Member:
        """Become a member at once; the partitions are shared out anew."""
        member = EmbeddedMember(
            *(self._pool, self._bell, group, topics, self._lease),
            self._members.discard,
            self._poll_s,
        )
        await member.open()
        self._members.add(member)
        return member

    async def ends(self, topic: str) -> Mapping[int, int]:
        """The next offset of each partition; empty when there is no such topic."""
        rows = await self._pool.fetch(
            "SELECT t.partition, t.next_offset FROM bus.tails t JOIN bus.topics n ON n.id = t.topic"
            " WHERE n.name = $1 ORDER BY t.partition",
            topic,
        )
        return {row["partition"]: row["next_offset"] for row in rows}

    async def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        """The offsets that a group has committed, of topics that are still there."""
        rows = await self._pool.fetch(
            "SELECT n.name, c.partition, c.next_offset FROM bus.committed c"
            " JOIN bus.topics n ON n.id = c.topic WHERE c.group_name = $1",
            group,
        )
        return {(row["name"], row["partition"]): row["next_offset"] for row in rows}

    async def last_records(self, topic: str) -> Mapping[int, Record]:
        """The last record of each partition that has one."""
        rows = await self._pool.fetch("SELECT * FROM bus.last_segments($1)", topic)
        return {
            partition: unpack(topic, partition, end, count, payload).records[-1]
            for partition, end, count, payload in rows
        }

    async def ping(self) -> None:
        """Raise unless the database answers and has the bus's tables."""
        async with asyncio.timeout(PING_TIMEOUT_S):
            await self._pool.fetchval("SELECT count(*) FROM bus.topics")

    async def close(self) -> None:
        """Leave all groups and close all connections."""
        for member in list(self._members):
            await member.close()
        await self._bell.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._pool.close()
        except TimeoutError:
            # Somebody still holds a connection, or the server no longer answers.
            self._pool.terminate()


class EmbeddedProducer:
    """Publishes segments; a send is one transaction, so its records arrive all or not at all.

    It knows a topic by the id it had at the first send. A topic that was deleted and made again
    is refused until its sender has looked at what it now holds and taken a new producer.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._topics: dict[str, tuple[int, int]] = {}

    async def send(self, records: Sequence[Record]) -> None:
        """Publish in order; `BusRefused` as the protocol says, and nothing is then published."""
        if not records:
            return
        refuse_oversize(records)
        await self._learn({record.topic for record in records})
        topics, partitions, counts, payloads = [], [], [], []
        for (topic, partition), group in self._grouped(records):
            for count, payload in pack(group):
                topics.append(topic)
                partitions.append(partition)
                counts.append(count)
                payloads.append(payload)
        try:
            await self._pool.execute(
                "SELECT bus.send($1, $2, $3, $4)", topics, partitions, counts, payloads
            )
        except asyncpg.UndefinedObjectError as error:
            names = sorted({record.topic for record in records})
            raise BusRefused(topics=names, reason="deleted since the first send") from error

    async def close(self) -> None:
        """Nothing to give back: connections belong to the bus."""

    async def _learn(self, names: set[str]) -> None:
        unknown = names - self._topics.keys()
        if not unknown:
            return
        rows = await self._pool.fetch(
            "SELECT name, id, partitions FROM bus.topics WHERE name = ANY ($1)", sorted(unknown)
        )
        self._topics |= {row["name"]: (row["id"], row["partitions"]) for row in rows}
        if missing := sorted(names - self._topics.keys()):
            raise BusRefused(topics=missing, reason="no such topic")

    def _grouped(self, records: Sequence[Record]) -> list[tuple[tuple[int, int], list[Record]]]:
        """The records by (topic id, partition), in the order in which their tails are locked."""
        grouped: dict[tuple[int, int], list[Record]] = {}
        for record in records:
            topic, partitions = self._topics[record.topic]
            if not 0 <= record.partition < partitions:
                raise BusRefused(
                    topic=record.topic, partition=record.partition, partitions=partitions
                )
            grouped.setdefault((topic, record.partition), []).append(record)
        return sorted(grouped.items(), key=itemgetter(0))


async def _no_reset(connection: Any) -> None:
    """Reset nothing on a connection between two uses, as no call leaves a trace on it.

    The usual reset would be a round trip, as long as a fetch that finds nothing.
    """
