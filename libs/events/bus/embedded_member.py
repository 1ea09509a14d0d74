"""A member of a consumer group on the embedded bus: its lease, its share, where it stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

import asyncpg

from libs.events.bus import Batch
from libs.events.bus.segments import SEGMENT_RECORDS_MAX, unpack
from libs.events.domain.errors import BusRefused, StaleMember

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
TopicPartition: TypeAlias = tuple[int, int]  # topic id, partition

CONNECT_TIMEOUT_S: Final = 10.0
FETCH_BYTES_MAX: Final = 1_048_576
"""About the most bytes that one fetch takes of one partition, as on Kafka."""

POLL_S: Final = 0.1, 1.0
"""The shortest and the longest pause between two looks that find nothing, in seconds."""
POLL_GROWTH: Final = 1.5
HEARTBEATS_PER_LEASE: Final = 4

# A hint, so nobody waits for the disk (docs/decisions/0019).
_COMMIT_OFFSETS: Final = """SELECT bus.commit_offsets($1, $2, $3, $4, $5, $6)
FROM set_config('synchronous_commit', 'off', true)"""

# What a database or its network does when it is away; the last one where the server has just ended
# a connection and the call comes before the loop has noticed.
UNAVAILABLE: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

log = logging.getLogger(__name__)


def share_of(count: int, members: Sequence[int], member: int) -> range:
    """The partitions out of `count` that fall to `member` of `members`: neighbouring ones.

    Topics with the same count are shared alike, so a key's records meet in one member. The first
    members have one more where it does not come out even.
    """
    rank = sorted(members).index(member)
    per_member, rest = divmod(count, len(members))
    start = rank * per_member + min(rank, rest)
    return range(start, start + per_member + (rank < rest))


class Bell:
    """Hears that something was sent or regrouped; only a hint, since members also poll.

    One connection of a process listens for all of its members.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        self._ears: set[asyncio.Event] = set()

    def subscribe(self, ear: asyncio.Event) -> None:
        """Set this event at every ring."""
        self._ears.add(ear)

    def unsubscribe(self, ear: asyncio.Event) -> None:
        """Set this event no more."""
        self._ears.discard(ear)

    async def listen(self) -> None:
        """Make sure that the connection is there."""
        async with self._opening:
            if self._connection is not None and not self._connection.is_closed():
                return
            self._connection = await asyncpg.connect(self._dsn, timeout=CONNECT_TIMEOUT_S)
            await self._connection.add_listener("bus", self._ring)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.terminate()

    def _ring(self, *_: object) -> None:
        for ear in self._ears:
            ear.set()


@dataclass(slots=True)
class Share:
    """The partitions that a member reads in one generation of its group."""

    generation: int
    names: Mapping[int, str] = field(default_factory=dict)
    positions: dict[TopicPartition, int] = field(default_factory=dict)

    def find(self, topic: str, partition: int) -> TopicPartition | None:
        """Topic id and partition, if they belong to this share."""
        for topic_id, number in self.positions:
            if number == partition and self.names[topic_id] == topic:
                return topic_id, number
        return None

    def advance(self, partition: TopicPartition, segment: Batch, max_records: int) -> Batch:
        """The batch of a segment that begins at a partition's position, which moves behind it."""
        skip = max(0, self.positions[partition] - segment.offsets[0])  # it may begin before that
        batch = segment.part(skip, skip + max_records)
        self.positions[partition] = batch.offsets[-1] + 1
        return batch


class EmbeddedMember:
    """A `Member` on the embedded bus.

    It holds a lease in the database, which a task renews for as long as this process runs. Its
    share changes only inside `fetch`. After an error or an expired lease, `fetch` joins again and
    goes on from what the group has committed.
    """

    def __init__(
        self,
        pool: Pool,
        bell: Bell,
        group: str,
        topics: Sequence[str],
        lease: timedelta,
        on_close: Callable[[EmbeddedMember], None],
        poll_s: tuple[float, float] = POLL_S,
    ) -> None:
        self._pool = pool
        self._bell = bell
        self._group = group
        self._topics = sorted(set(topics))
        self._lease = lease
        self._on_close = on_close
        self._ear = asyncio.Event()
        self._fetch_lock = asyncio.Lock()
        self._id: int | None = None
        self._share = Share(generation=0)
        self._share_holds = False  # as far as the last look told; else it is taken anew
        self._poll_s_min, self._poll_s_max = poll_s
        self._poll_s = self._poll_s_min
        self._heart: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Become a member and take a share. Raises `BusRefused` when a topic does not exist."""
        await self._take_share()
        self._bell.subscribe(self._ear)
        self._heart = asyncio.create_task(self._beat())

    async def fetch(self, max_records: int, wait_s: float) -> Sequence[Batch]:
        """The records that have come; see the protocol. A member that was closed is stale."""
        if self._heart is None:
            raise StaleMember(group=self._group, closed=True)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while True:
            self._ear.clear()
            async with self._fetch_lock:
                batches = await self._look(max_records)
            left_s = deadline - loop.time()
            if batches or left_s <= 0:
                self._poll_s = self._poll_s_min
                return batches
            await self._pause(min(self._poll_s, left_s))
            self._poll_s = min(self._poll_s * POLL_GROWTH, self._poll_s_max)

    async def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Store the group's next offsets; `StaleMember` once the group has another generation."""
        topics, partitions = zip(*(self._own(*partition) for partition in offsets), strict=True)
        membership = self._group, self._share.generation, self._id, topics, partitions
        accepted = await self._pool.fetchval(_COMMIT_OFFSETS, *membership, list(offsets.values()))
        if not accepted:
            raise StaleMember(group=self._group)

    async def rewind(self, topic: str, partition: int) -> None:
        """Go on from offset 0: nothing of a log is ever cut off."""
        async with self._fetch_lock:  # else a fetch under way would move it on from where it reads
            self._share.positions[self._own(topic, partition)] = 0

    async def close(self) -> None:
        """Leave the group; where the database is away, the lease runs out by itself."""
        if self._heart is None:
            return
        self._heart.cancel()
        self._heart = None
        self._bell.unsubscribe(self._ear)
        self._on_close(self)
        try:
            await self._pool.execute("SELECT bus.leave_group($1, $2)", self._group, self._id)
        except UNAVAILABLE as error:
            log.warning("left group %s without saying so: %s", self._group, type(error).__name__)

    # -- The share

    def _own(self, topic: str, partition: int) -> TopicPartition:
        found = self._share.find(topic, partition)
        if found is None:
            raise self._stale(topic, partition)
        return found

    def _stale(self, topic: str, partition: int) -> StaleMember:
        return StaleMember(group=self._group, topic=topic, partition=partition)

    async def _take_share(self) -> None:
        """Take this member's share in the group's present generation, joining if need be."""
        if self._id is None:
            self._id = await self._join()
        rows = await self._pool.fetch("SELECT * FROM bus.shares($1)", self._group)
        if not any(self._id in row["members"] for row in rows):
            self._id = await self._join()
            rows = await self._pool.fetch("SELECT * FROM bus.shares($1)", self._group)
        share = Share(rows[0]["generation"])
        mine = [row for row in rows if row["topic"] is not None and self._id in row["members"]]
        share.names = {row["topic"]: row["name"] for row in mine}
        share.positions = await self._positions(
            (row["topic"], partition)
            for row in mine
            for partition in share_of(row["partitions"], row["members"], self._id)
        )
        self._share = share

    async def _join(self) -> int:
        try:
            member: int = await self._pool.fetchval(
                "SELECT bus.join_group($1, $2, $3)", self._group, self._topics, self._lease
            )
        except asyncpg.UndefinedObjectError as error:
            raise BusRefused(group=self._group, topics=self._topics) from error
        return member

    async def _positions(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        wanted = list(places)
        topics, partitions = map(list, zip(*wanted, strict=True)) if wanted else ([], [])
        query = "SELECT * FROM bus.positions($1, $2, $3)"
        rows = await self._pool.fetch(query, self._group, topics, partitions)
        return {(topic, partition): position for topic, partition, position in rows}

    # -- Records

    async def _look(self, max_records: int) -> list[Batch]:
        share_holds, self._share_holds = self._share_holds, False
        await self._bell.listen()
        if not share_holds:
            await self._take_share()
        batches = await self._read(max_records)
        if batches is None:
            await self._take_share()
            batches = await self._read(max_records)
        self._share_holds = batches is not None
        return batches or []

    async def _read(self, max_records: int) -> list[Batch] | None:
        """The records behind the positions, or None when the group has another generation."""
        share, asked = self._share, dict(self._share.positions)
        rows = await self._pool.fetch(
            "SELECT * FROM bus.fetch($1, $2, $3, $4, $5, $6, $7, $8)",
            *(self._group, share.generation),
            [topic for topic, _ in asked],
            [partition for _, partition in asked],
            list(asked.values()),
            *(max_records, SEGMENT_RECORDS_MAX, FETCH_BYTES_MAX),
        )
        if not rows or rows[0]["generation"] != share.generation:
            return None
        batches: list[Batch] = []
        for _, topic, partition, end, count, payload in rows:
            if payload is None:  # the group's generation alone
                continue
            position = asked[topic, partition]
            # A segment that does not fit any more is left for the next time, when it is whole.
            if share.positions[topic, partition] == position or end <= position + max_records:
                segment = unpack(share.names[topic], partition, end, count, payload)
                batches.append(share.advance((topic, partition), segment, max_records))
        return batches

    # -- Waiting and living

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ear.wait()
        except TimeoutError:
            return

    async def _beat(self) -> None:
        """Renew the lease; what goes wrong here goes wrong in `fetch` too, where it is told."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / HEARTBEATS_PER_LEASE)
            try:
                await self._pool.execute(
                    "SELECT bus.heartbeat($1, $2, $3)", self._group, self._id, self._lease
                )
            except UNAVAILABLE as error:
                log.warning("no heartbeat in group %s: %s", self._group, type(error).__name__)
