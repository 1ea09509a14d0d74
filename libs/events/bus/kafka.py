"""Kafka as the bus: the production adapter, through aiokafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from libs.events.bus import Member, Producer, Record, batched
from libs.events.bus.kafka_client import start, stop, stop_consumer
from libs.events.bus.kafka_fetched import fetch_whole_batches
from libs.events.bus.kafka_member import KafkaMember
from libs.events.bus.kafka_producer import KafkaProducer
from libs.events.bus.kafka_settings import KafkaSettings
from libs.events.domain.errors import BusRefused

ADMIN_TIMEOUT_S: Final = 30.0
PING_TIMEOUT_S: Final = 5.0
POLL_S: Final = 0.05
LAST_WAIT_MS: Final = 200
LOOK_BACK_FACTOR: Final = 8
"""The factor by which a search for a last record goes further back where it found none."""

T = TypeVar("T")
Partitions: TypeAlias = list[dict[str, Any]]


class KafkaBus:
    """A `Bus` on a Kafka cluster.

    Each question to the cluster as a whole is asked through a connection of its own: it is asked
    seldom, and a client that is kept would remember brokers that have moved.
    """

    system: str = "kafka"

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._open: set[KafkaMember | KafkaProducer] = set()

    # -- Topics

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Create the missing topics and wait until they can be used; `BusRefused` where a count
        differs, and then none is created."""
        async with self._admin() as admin:
            there = await _described(admin)
            _refuse_other_counts(topics, there)
            await self._create(admin, {name: topics[name] for name in topics.keys() - there.keys()})
            async for there in _polled(lambda: _described(admin)):
                if all(name in there and _have_leaders(there[name]) for name in topics):
                    break
            # Another process may have created one of them meanwhile, with its own idea of it.
            _refuse_other_counts(topics, there)

    async def _create(self, admin: AIOKafkaAdminClient, topics: Mapping[str, int]) -> None:
        if not topics:
            return
        configs, replication = self._settings.topic_configs(), self._settings.cluster.replication
        answer = await admin.create_topics(
            [
                NewTopic(topic, count, replication, topic_configs=configs)
                for topic, count in topics.items()
            ]
        )
        for topic, code, *reason in answer.topic_errors:
            if for_code(code) not in (NoError, TopicAlreadyExistsError):
                raise for_code(code)(f"{topic}: {reason}")

    async def delete_topic(self, topic: str) -> None:
        """Remove a topic and wait until the cluster no longer names it."""
        async with self._admin() as admin:
            answer = await admin.delete_topics([topic])
            for _, code in answer.topic_error_codes:
                if for_code(code) not in (NoError, UnknownTopicOrPartitionError):
                    raise for_code(code)(topic)
            async for there in _polled(lambda: _described(admin)):
                if topic not in there:
                    return

    # -- Connections

    async def producer(self) -> Producer:
        """A producer; closing it is the only way on after an error."""
        producer = KafkaProducer(self._settings, self._topic_counts, self._open.discard)
        self._open.add(producer)
        await producer.open()
        return producer

    async def join(self, group: str, topics: Sequence[str]) -> Member:
        """Become a member, waiting for a coordinator if the cluster has none yet."""
        if missing := sorted(set(topics) - (await self._topic_counts()).keys()):
            raise BusRefused(group=group, topics=missing, reason="no such topic")
        member = KafkaMember(self._settings, group, topics, self._open.discard)
        await member.open()
        self._open.add(member)
        return member

    async def close(self) -> None:
        """Leave all groups and close all connections."""
        for opened in list(self._open):
            await opened.close()

    # -- Looking

    async def ends(self, topic: str) -> Mapping[int, int]:
        """The next offset of each partition; empty when there is no such topic."""
        async with self._reader() as reader:
            return {
                partition.partition: end
                for partition, end in (await self._ends(reader, topic)).items()
            }

    async def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        """The offsets that a group has committed; waits for a coordinator if there is none yet."""
        async with self._admin() as admin:
            async for offsets in _polled(lambda: _offsets(admin, group)):
                if offsets is not None:
                    return offsets
        return {}

    async def last_records(self, topic: str) -> Mapping[int, Record]:
        """The last record of each partition that has one."""
        async with self._reader() as reader:
            ends = await self._ends(reader, topic)
            starts = await reader.beginning_offsets(list(ends))
            begins = {
                partition: end - 1 for partition, end in ends.items() if end > starts[partition]
            }
            found: dict[int, Record] = {}
            while begins:  # further back where nothing but marks of transactions is at the end
                last = await _last(reader, begins, ends)
                found |= {partition.partition: record for partition, record in last.items()}
                begins = {
                    partition: max(
                        starts[partition],
                        ends[partition] - LOOK_BACK_FACTOR * (ends[partition] - begin),
                    )
                    for partition, begin in begins.items()
                    if partition not in last and begin > starts[partition]
                }
            return found

    async def ping(self) -> None:
        """Raise unless a broker answers us; why it does not is told as the broker said it."""
        [*others, last] = collect_hosts(self._settings.bootstrap)
        async with asyncio.timeout(PING_TIMEOUT_S):
            for broker in others:
                with suppress(KafkaError, OSError):
                    await self._ask(*broker)
                    return
            await self._ask(*last)

    async def _ask(self, host: str, port: int, _family: int) -> None:
        connection = await create_conn(host, port, **self._settings.connection())
        try:
            await connection.send(MetadataRequest([]))
        finally:
            connection.close()

    async def _ends(self, reader: AIOKafkaConsumer, topic: str) -> dict[TopicPartition, int]:
        # By the reader's own client: each connection is a handshake and a login.
        cluster = await reader._client.fetch_all_metadata()  # noqa: SLF001 - no other way to it
        ends: dict[TopicPartition, int] = await reader.end_offsets(
            [TopicPartition(topic, number) for number in cluster.partitions_for_topic(topic) or ()]
        )
        return ends

    async def _topic_counts(self) -> Mapping[str, int]:
        async with self._admin() as admin:
            return {name: len(found) for name, found in (await _described(admin)).items()}

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self._settings.client())
        try:
            async with asyncio.timeout(ADMIN_TIMEOUT_S):
                await start(admin)
                yield admin
        finally:
            await stop(admin.close())

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        # The library learns of a topic by failing first, and then pauses for this long.
        options = {"auto_offset_reset": "earliest", "retry_backoff_ms": 10}
        reader = AIOKafkaConsumer(**self._settings.client(), **options)
        try:
            async with asyncio.timeout(ADMIN_TIMEOUT_S):
                await start(reader)
                fetch_whole_batches(reader)
                yield reader
        finally:
            await stop(stop_consumer(reader))


async def _last(
    reader: AIOKafkaConsumer,
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> dict[TopicPartition, Record]:
    """The last record of each partition between two of its offsets, of those that have one."""
    reader.assign(list(begins))
    for partition, begin in begins.items():
        reader.seek(partition, begin)
    found: dict[TopicPartition, Record] = {}
    left = set(begins)
    while left:
        fetched = await reader.getmany(*left, timeout_ms=LAST_WAIT_MS)
        for partition, batches in fetched.items():
            [*_, last] = batched(partition.topic, partition.partition, batches[-1])
            found[partition] = last.record(len(last) - 1)
        left = {
            partition for partition in left if await reader.position(partition) < ends[partition]
        }
    return found


async def _described(admin: AIOKafkaAdminClient) -> dict[str, Partitions]:
    """All topics of the cluster with their partitions."""
    return {
        topic["topic"]: topic["partitions"]
        for topic in await admin.describe_topics()
        if for_code(topic["error_code"]) is NoError
    }


async def _offsets(admin: AIOKafkaAdminClient, group: str) -> Mapping[tuple[str, int], int] | None:
    """A group's offsets; None while the cluster makes the coordinator that this asks for."""
    try:
        found = await admin.list_consumer_group_offsets(group)
    except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
        return None
    return {
        (at.topic, at.partition): committed.offset
        for at, committed in found.items()
        if committed.offset >= 0
    }


def _have_leaders(partitions: Partitions) -> bool:
    """True if every partition has a leader, so that records can be sent."""
    return all(for_code(partition["error_code"]) is NoError for partition in partitions)


def _refuse_other_counts(wanted: Mapping[str, int], there: Mapping[str, Partitions]) -> None:
    for topic, count in wanted.items():
        if topic in there and len(there[topic]) != count:
            raise BusRefused(topic=topic, partitions=len(there[topic]), wanted=count)


async def _polled(ask: Callable[[], Awaitable[T]]) -> AsyncIterator[T]:
    """The answers to a question, asked again every POLL_S until its asker leaves the loop."""
    while True:
        yield await ask()
        await asyncio.sleep(POLL_S)
