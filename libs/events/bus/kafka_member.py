"""A member of a consumer group on Kafka."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError

from libs.events.bus import Batch, batched
from libs.events.bus.kafka_client import start, stop_consumer
from libs.events.bus.kafka_fetched import fetch_whole_batches
from libs.events.bus.kafka_settings import KafkaSettings
from libs.events.domain.errors import StaleMember

JOIN_TIMEOUT_S: Final = 60.0
"""The wait for a place in the group; a fresh cluster has no coordinator at first."""

COMMIT_TIMEOUT_S: Final = 15.0
"""The time that a commit may take. The library itself repeats it without an end."""

HEARTBEATS_PER_SESSION: Final = 10
PARTITION_BYTES_MAX: Final = 1_048_576

LONG_POLL_S: Final = 0.1
"""The time that a broker may sit on a fetch that finds nothing. Partitions that were read empty
after it was sent wait for its answer, and so does a rewind."""

FETCH_GRACE_S: Final = 0.1
"""The wait of `fetch` beyond its time, for records that are already here."""

log = structlog.get_logger("kafka")

Fetched: TypeAlias = dict[TopicPartition, list[list[Any]]]


class KafkaMember:
    """A `Member` on Kafka. Partitions change hands in the background, as the cluster decides.

    The library's `getmany` does not keep to its time-out while a rebalance is under way, and
    cannot be cancelled without losing count. So one task asks, `_read` keeps what it got, and
    `fetch` waits for that task only as long as it was told to.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        topics: Sequence[str],
        on_close: Callable[[KafkaMember], None],
    ) -> None:
        self._settings = settings
        self._group = group
        self._topics = list(topics)
        self._on_close = on_close
        self._consumer: AIOKafkaConsumer | None = None
        self._asking: asyncio.Task[None] | None = None
        self._read: dict[TopicPartition, list[Batch]] = {}
        self._closed = False

    async def open(self) -> AIOKafkaConsumer:
        """Become a member and wait for a share of the partitions, which may be an empty one."""
        session_ms = round(self._settings.session_s * 1000)
        consumer = AIOKafkaConsumer(
            **self._settings.client(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // HEARTBEATS_PER_SESSION,
            max_partition_fetch_bytes=PARTITION_BYTES_MAX,
            fetch_max_wait_ms=round(LONG_POLL_S * 1000),
        )
        consumer.subscribe(self._topics, listener=Revoked(self._forget))
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                await start(consumer)
        except BaseException:
            await self._stop(consumer)
            raise
        fetch_whole_batches(consumer)
        self._consumer = consumer
        return consumer

    async def fetch(self, max_records: int, wait_s: float) -> Sequence[Batch]:
        """The records that came; see the protocol. After an error, the next call joins anew."""
        if self._closed:
            raise StaleMember(group=self._group, closed=True)
        consumer = self._consumer or await self.open()
        if self._asking is None and not self._read:
            self._asking = asyncio.create_task(self._ask(consumer, wait_s))
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=wait_s + FETCH_GRACE_S)
            await self._settle()
        return [
            batch for partition in list(self._read) for batch in self._take(partition, max_records)
        ]

    async def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Store the group's next offsets; `StaleMember` once the cluster has given one away."""
        wanted = {TopicPartition(*partition): offset for partition, offset in offsets.items()}
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._consumer_of(*wanted).commit(wanted)
        except (CommitFailedError, IllegalStateError) as error:
            raise StaleMember(group=self._group) from error

    async def rewind(self, topic: str, partition: int) -> None:
        """Go on from the earliest record there is."""
        rewound = TopicPartition(topic, partition)
        consumer = self._consumer_of(rewound)
        self._read.pop(rewound, None)
        try:
            done = await consumer.seek_to_beginning(rewound)
        except IllegalStateError as error:
            raise self._stale(rewound) from error
        if not done:
            raise TimeoutError(f"no earliest offset of {topic}/{partition} was given")

    async def close(self) -> None:
        """Leave the group."""
        self._closed = True
        self._on_close(self)
        await self._leave()

    # -- Asking

    async def _ask(self, consumer: AIOKafkaConsumer, wait_s: float) -> None:
        """Wait for records of any partition; all that has come of each is taken."""
        fetched: Fetched = await consumer.getmany(timeout_ms=round(wait_s * 1000))
        for partition, batches in fetched.items():
            # At once, as many small objects make way for the next partition's.
            fetched_batches = batched(
                partition.topic, partition.partition, chain.from_iterable(batches)
            )
            self._read.setdefault(partition, []).extend(fetched_batches)

    def _forget(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._read.pop(partition, None)

    def _take(self, partition: TopicPartition, max_records: int) -> list[Batch]:
        taken: list[Batch] = []
        left: list[Batch] = []
        for batch in self._read.pop(partition):
            if part := batch.part(0, max_records):
                taken.append(part)
            if rest := batch.part(len(part), len(batch)):
                left.append(rest)
            max_records -= len(part)
        if left:
            self._read[partition] = left
        return taken

    async def _settle(self) -> None:
        """Let go of a task that has ended; if it failed, leave the group and raise."""
        if self._asking is None or not self._asking.done():
            return
        asked, self._asking = self._asking, None
        if error := asked.exception():
            await self._leave()
            raise error

    # -- Belonging

    def _consumer_of(self, *partitions: TopicPartition) -> AIOKafkaConsumer:
        there = self._consumer.assignment() if self._consumer is not None else frozenset()
        for partition in partitions:
            if partition not in there:
                raise self._stale(partition)
        return self._consumer

    def _stale(self, partition: TopicPartition) -> StaleMember:
        return StaleMember(group=self._group, topic=partition.topic, partition=partition.partition)

    async def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        asking, self._asking = self._asking, None
        self._read.clear()
        if asking is not None:
            asking.cancel()
            await asyncio.wait({asking})
        if consumer is not None:
            await self._stop(consumer)

    async def _stop(self, consumer: AIOKafkaConsumer) -> None:
        """Stop the library, which may have swallowed that its fetching was to end: it cancels its
        own requests when partitions are lost, and takes a cancellation of itself for theirs. Then
        it waits for ever, and so would every message; told again, it hears."""
        stopping = asyncio.create_task(stop_consumer(consumer))
        patience_s = self._settings.request_s + self._settings.stop_beyond_request_s
        while not stopping.done():
            await asyncio.wait({stopping}, timeout=patience_s)
            if not stopping.done():
                log.warning("told to stop again", group=self._group)
                stopping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await stopping


class Revoked(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells that partitions are taken away, before they are given to anybody."""

    def __init__(self, forget: Callable[[Iterable[TopicPartition]], None]) -> None:
        self._forget = forget

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Records that were read ahead of them are read again by their next owner."""
        self._forget(revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing to do: positions are the group's committed offsets."""
