"""The bare loops: the work of a relay and a consumer, by the driver alone, with no promise kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.append import STREAMS
from benchmarks.domain import TOPIC, TOPICS
from libs.events.bus import Bus, Record
from libs.events.bus.kafka_member import PARTITION_BYTES_MAX
from libs.events.bus.segments import unpack

MESSAGES: Final = 240 * STREAMS
DEADLINE_S: Final = 120
BARE_TOPIC: Final = f"bare.{TOPIC}"
SEGMENTS: Final = 4  # about a MiB, as a member of a group takes it
_SEGMENTS: Final = """
SELECT end_offset, count, payload FROM bus.segments
WHERE topic = $1 AND partition = $2 AND end_offset > $3 ORDER BY end_offset LIMIT $4
"""


@dataclass
class Marks:
    """Times and amounts of what was begun: a rate without what starts and ends the work."""

    at: list[tuple[float, int]] = field(default_factory=list)
    count: int = 0

    def mark(self, count: int) -> None:
        """So many messages begin here."""
        self.at.append((perf_counter(), count))
        self.count += count

    @property
    def rate(self) -> float:
        """Messages a second, from the first mark to the last."""
        whole = sum(count for _, count in self.at[:-1])
        return whole / (self.at[-1][0] - self.at[0][0])


async def bare_sending(bootstrap: str, bus: Bus, windows: Sequence[Sequence[Record]]) -> float:
    """The relay's records sent window by window by the client alone, as its users send."""
    await bus.delete_topic(BARE_TOPIC)
    await bus.ensure_topics({BARE_TOPIC: TOPICS.partitions[TOPIC]})
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    marks = Marks()
    await producer.start()
    try:
        for window in windows:
            marks.mark(len(window))
            sent = [
                await producer.send(BARE_TOPIC, r.value, r.key, r.partition, headers=[*r.headers])
                for r in window
            ]
            await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return marks.rate


async def bare_getmany(bootstrap: str, turn: int) -> float:
    """The whole topic by the client alone, fetching as much as our member does."""
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap,
        group_id=f"bare-{turn}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=PARTITION_BYTES_MAX,
    )
    marks = Marks()
    await consumer.start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            while marks.count < MESSAGES:
                taken = await consumer.getmany(timeout_ms=1_000)
                if taken:
                    marks.mark(sum(map(len, taken.values())))
    finally:
        await consumer.stop()
    return marks.rate


async def bare_reading(url: str) -> float:
    """The whole topic off the embedded bus by the driver alone, as much at once as our member."""
    marks = Marks()
    connection = await asyncpg.connect(url)
    try:
        topic = await connection.fetchval("SELECT id FROM bus.topics WHERE name = $1", TOPIC)
        behind = dict.fromkeys(range(TOPICS.partitions[TOPIC]), 0)
        while marks.count < MESSAGES:
            for partition, offset in behind.items():
                rows = await connection.fetch(_SEGMENTS, topic, partition, offset, SEGMENTS)
                for row in rows:
                    unpack(TOPIC, partition, row["end_offset"], row["count"], row["payload"])
                    behind[partition] = row["end_offset"]
                marks.mark(sum(row["count"] for row in rows))
    finally:
        await connection.close()
    return marks.rate
