"""What carries messages on, over both buses: the relay, and a consumer beside a bare loop."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from msgspec import Raw

from benchmarks.append import STREAMS, Families, Handle
from benchmarks.domain import SERVICE, TOPIC, TOPICS, Recorded
from benchmarks.report import Figure
from benchmarks.server import database, open_store
from cli import kafka_server
from cli.postgres_server import PostgresServer
from libs.events.bus import Bus, Producer, Record, embedded
from libs.events.bus.connect import connect
from libs.events.bus.kafka_member import PARTITION_BYTES_MAX
from libs.events.consumer import Consumer
from libs.events.relay import EVERYTHING, Relay
from libs.events.store import Store
from libs.events.subscription import Incoming, Subscription
from libs.events.transaction import Transaction

MESSAGES: Final = 240 * STREAMS
ROUNDS: Final = 5
LOOK_S: Final = 0.005
DEADLINE_S: Final = 120
EMBEDDED_CONSUMER_MIN: Final = 300_000
KAFKA_CONSUMER_RATIO_MIN: Final = 0.6
KAFKA_RELAY_MIN: Final = 60_000
AS_IT_CAME: Final = (
    Raw  # a body whose JSON is checked and left as it is, as the bare loop leaves it
)


@dataclass
class Marks:
    """When how much was begun: a rate without what starts and ends the work."""

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


async def figures(server: PostgresServer) -> tuple[list[Figure], list[str]]:
    """Relay a full store to an empty topic, then consume that; on both buses where Kafka is."""
    writer = await open_store(server, SERVICE)
    await _fill(writer)
    try:
        measured = await _on_embedded(server, writer)
        try:
            kafka_server.resolve()
        except kafka_server.KafkaUnavailable as missing:
            return measured, [f"Kafka was not measured: {missing}"]
        return measured + await _on_kafka(server, writer), []
    finally:
        await writer.close()


async def _on_embedded(server: PostgresServer, writer: Store) -> list[Figure]:
    url = database(server, "bus")
    await embedded.migrate(url)
    bus = await connect(url)
    try:
        relayed = median([await _relay(writer, bus) for _ in range(ROUNDS)])
        consumed, decoded = [], []
        for turn in range(ROUNDS):
            consumed.append(await _consume(server, bus, f"reader_{turn}", AS_IT_CAME))
            decoded.append(await _consume(server, bus, f"decoder_{turn}", Recorded))
    finally:
        await bus.close()
    return [
        Figure("relay to the embedded bus", "messages/s", relayed),
        Figure(
            "consumer on the embedded bus, no-op handler",
            "messages/s",
            median(consumed),
            least=EMBEDDED_CONSUMER_MIN,
        ),
        Figure("  and each body decoded", "messages/s", median(decoded)),
    ]


async def _on_kafka(server: PostgresServer, writer: Store) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="pkh-bench-") as directory:
        broker = kafka_server.Broker(Path(directory))
        try:
            broker.start()
            await broker.ready()
            bus = await connect(f"kafka://{broker.bootstrap}")
            relayed = median([await _relay(writer, bus) for _ in range(ROUNDS)])
            bare, ours, decoded = [], [], []
            for turn in range(ROUNDS):
                bare.append(await _bare_loop(broker.bootstrap, turn))
                ours.append(await _consume(server, bus, f"kafka_reader_{turn}", AS_IT_CAME))
                decoded.append(await _consume(server, bus, f"kafka_decoder_{turn}", Recorded))
            await bus.close()
        finally:
            broker.stop()
    return [
        Figure("relay to Kafka, all headers", "messages/s", relayed, least=KAFKA_RELAY_MIN),
        Figure("consumer on Kafka, no-op handler", "messages/s", median(ours)),
        Figure(
            "  a bare getmany loop on the same topic",
            "messages/s",
            median(bare),
            median(ours) / median(bare),
            KAFKA_CONSUMER_RATIO_MIN,
        ),
        Figure("  and each body decoded", "messages/s", median(decoded)),
    ]


async def _fill(store: Store) -> None:
    handle = Handle(store, Families(seed=7), new=True)
    for turn in range(MESSAGES // STREAMS):
        await handle.prepare(turn)
        await handle.run()


# -- Relay ----------------------------------------------------------------------------------------


class MarkedBus:
    """A bus whose producers mark what they are given; everything else is the bus's own."""

    def __init__(self, bus: Bus, marks: Marks) -> None:
        self._bus, self._marks = bus, marks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def producer(self) -> Producer:
        """The bus's producer, marked."""
        return MarkedProducer(await self._bus.producer(), self._marks)


class MarkedProducer:
    """A producer that marks each window."""

    def __init__(self, producer: Producer, marks: Marks) -> None:
        self._producer, self._marks = producer, marks

    async def send(self, records: Sequence[Record]) -> None:
        """Mark and send."""
        self._marks.mark(len(records))
        await self._producer.send(records)

    async def close(self) -> None:
        """Close it."""
        await self._producer.close()


async def _relay(store: Store, bus: Bus) -> float:
    """The whole store to an empty topic; messages a second."""
    await bus.delete_topic(TOPIC)
    await store.pool.execute("DELETE FROM relay")
    marks = Marks()

    async def sent() -> bool:
        query = "SELECT position FROM relay WHERE topic = $1 AND partition = $2"
        return bool(await store.pool.fetchval(query, *EVERYTHING) == MESSAGES)

    marked: Any = MarkedBus(bus, marks)
    await _until(sent, Relay(store, marked, TOPICS).run())
    return marks.rate


# -- Consumer -------------------------------------------------------------------------------------


async def _consume(server: PostgresServer, bus: Bus, name: str, body: type[Any]) -> float:
    """The whole topic into a fresh store; the handler leaves only the position behind."""
    store = await open_store(server, name)
    marks = Marks()

    async def nothing(transaction: Transaction, messages: Sequence[Incoming]) -> None:
        marks.mark(len(messages))

    subscription = Subscription("reader", TOPIC, {"Recorded": body}, nothing)
    consumer = Consumer(store, bus, name, [subscription], TOPICS.partitions)

    async def taken() -> bool:
        return consumer.tally.handled == MESSAGES

    try:
        await _until(taken, consumer.run())
    finally:
        await store.close()
    return marks.rate


async def _bare_loop(bootstrap: str, turn: int) -> float:
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


async def _until(done: Callable[[], Awaitable[bool]], running: Coroutine[None, None, None]) -> None:
    task = asyncio.create_task(running)
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not await done():  # noqa: ASYNC110 - it comes true in the database
                await asyncio.sleep(LOOK_S)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
