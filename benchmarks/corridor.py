"""Delivery over both buses: the relay, and a consumer beside a bare loop."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeAlias

from msgspec import Raw

from benchmarks.append import STREAMS, Families, Handle
from benchmarks.bare_bus import (
    DEADLINE_S,
    MESSAGES,
    Marks,
    bare_getmany,
    bare_reading,
    bare_sending,
)
from benchmarks.domain import SERVICE, TOPIC, TOPICS, Recorded
from benchmarks.measure import Effort, Line, Way, in_turn
from benchmarks.report import Figure
from benchmarks.server import database, open_store
from libs.events.bus import Bus, Producer, Record, embedded
from libs.events.bus.connect import connect
from libs.events.bus.incoming import Incoming
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.subscription import Subscription
from libs.events.relay.outbox import Relay
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.store.watermarks import WHOLE_LOG
from localstack import kafka_server
from localstack.postgres.server import PostgresServer

ROUNDS: Final = 5
LOOK_S: Final = 0.005
EMBEDDED_CONSUMER_RATIO_MIN: Final = 0.16
KAFKA_CONSUMER_RATIO_MIN: Final = 0.7
KAFKA_RELAY_RATIO_MIN: Final = 0.6
UNIT: Final = "messages/s"
RELAY: Final = (Line("relay to the embedded bus", UNIT, "relay"),)
EMBEDDED_CONSUMER: Final = (
    Line("consumer on the embedded bus, no-op handler", UNIT, "consumer"),
    Line(
        "  a bare loop over the same segments, unpacked",
        *(UNIT, "bare", "consumer", EMBEDDED_CONSUMER_RATIO_MIN),
    ),
    Line("  and each body decoded", UNIT, "decoder"),
)
KAFKA_RELAY: Final = (
    Line("relay to Kafka, all headers", UNIT, "relay"),
    Line(
        "  a bare loop that sends the same records",
        *(UNIT, "bare", "relay", KAFKA_RELAY_RATIO_MIN),
    ),
)
KAFKA_CONSUMER: Final = (
    Line("consumer on Kafka, no-op handler", UNIT, "consumer"),
    Line(
        "  a bare getmany loop on the same topic",
        *(UNIT, "bare", "consumer", KAFKA_CONSUMER_RATIO_MIN),
    ),
    Line("  and each body decoded", UNIT, "decoder"),
)
AS_IT_CAME: Final = (
    Raw  # a body whose JSON is checked and left as it is, as the bare loop leaves it
)
Seen: TypeAlias = Callable[[Sequence[Record]], None]


async def figures(server: PostgresServer, effort: Effort) -> tuple[list[Figure], list[str]]:
    """Relay a full store to an empty topic, then consume that; on both buses where Kafka is."""
    writer = await open_store(server, SERVICE)
    await _fill(writer)
    try:
        found = await _on_embedded(server, writer, effort)
        try:
            kafka_server.resolve()
        except kafka_server.KafkaUnavailable as missing:
            return found, [f"Kafka was not measured: {missing}"]
        return found + await _on_kafka(server, writer, effort), []
    finally:
        await writer.close()


async def _on_embedded(server: PostgresServer, writer: Store, effort: Effort) -> list[Figure]:
    url = database(server, "bus")
    await embedded.migrate(url)
    bus = await connect(url)
    try:
        relayed = await in_turn({"relay": lambda: _relay(writer, bus)}, RELAY, ROUNDS, effort)
        ways = {
            "bare": lambda: bare_reading(url),
            "consumer": _consuming(server, bus, "reader", AS_IT_CAME),
            "decoder": _consuming(server, bus, "decoder", Recorded),
        }
        return relayed + await in_turn(ways, EMBEDDED_CONSUMER, ROUNDS, effort)
    finally:
        await bus.close()


async def _on_kafka(server: PostgresServer, writer: Store, effort: Effort) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="pkh-bench-") as directory:
        broker = kafka_server.Broker(Path(directory))
        try:
            broker.start()
            await broker.ready()
            bus = await connect(f"kafka://{broker.bootstrap}")
            windows = await _windows(writer, bus)
            sending = {
                "relay": lambda: _relay(writer, bus),
                "bare": lambda: bare_sending(broker.bootstrap, bus, windows),
            }
            found = await in_turn(sending, KAFKA_RELAY, ROUNDS, effort)
            groups = count()
            reading = {
                "bare": lambda: bare_getmany(broker.bootstrap, next(groups)),
                "consumer": _consuming(server, bus, "kafka_reader", AS_IT_CAME),
                "decoder": _consuming(server, bus, "kafka_decoder", Recorded),
            }
            found += await in_turn(reading, KAFKA_CONSUMER, ROUNDS, effort)
            await bus.close()
        finally:
            broker.stop()
    return found


async def _fill(store: Store) -> None:
    handle = Handle(store, Families(seed=7), new=True)
    for turn in range(MESSAGES // STREAMS):
        await handle.prepare(turn)
        await handle.run()


# -- Relay ----------------------------------------------------------------------------------------


class WatchedBus:
    """A bus whose producers show what they are given; everything else is the bus's own."""

    def __init__(self, bus: Bus, seen: Seen) -> None:
        self._bus, self._seen = bus, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def producer(self) -> Producer:
        """The bus's producer, watched."""
        return WatchedProducer(await self._bus.producer(), self._seen)


class WatchedProducer:
    """A producer that shows each window before it is sent."""

    def __init__(self, producer: Producer, seen: Seen) -> None:
        self._producer, self._seen = producer, seen

    async def send(self, records: Sequence[Record]) -> None:
        """Show and send."""
        self._seen(records)
        await self._producer.send(records)

    async def close(self) -> None:
        """Close it."""
        await self._producer.close()


async def _relay(store: Store, bus: Bus) -> float:
    """The whole store to an empty topic; messages a second."""
    marks = Marks()
    await _relayed(store, bus, lambda records: marks.mark(len(records)))
    return marks.rate


async def _windows(store: Store, bus: Bus) -> list[Sequence[Record]]:
    """The records that the relay sends, for others to send them too."""
    windows: list[Sequence[Record]] = []
    await _relayed(store, bus, windows.append)
    return windows


async def _relayed(store: Store, bus: Bus, seen: Seen) -> None:
    await bus.delete_topic(TOPIC)
    await store.pool.execute("DELETE FROM relay")

    async def sent() -> bool:
        query = "SELECT position FROM relay WHERE topic = $1 AND partition = $2"
        return bool(await store.pool.fetchval(query, *WHOLE_LOG) == MESSAGES)

    watched: Any = WatchedBus(bus, seen)
    await _until(sent, Relay(store, watched, TOPICS).run())


# -- Consumer -------------------------------------------------------------------------------------


def _consuming(server: PostgresServer, bus: Bus, name: str, body: type[Any]) -> Way:
    groups = count()
    return lambda: _consume(server, bus, f"{name}_{next(groups)}", body)


async def _consume(server: PostgresServer, bus: Bus, name: str, body: type[Any]) -> float:
    """The whole topic into a fresh store; the handler leaves only the position behind."""
    store = await open_store(server, name)
    marks = Marks()

    async def nothing(transaction: Transaction, messages: Sequence[Incoming]) -> None:
        marks.mark(len(messages))

    subscription = Subscription("reader", TOPIC, {"Recorded": body}, nothing)
    consumer = Consumer(store, bus, name, [subscription], TOPICS)

    async def taken() -> bool:
        return consumer.tally.handled == MESSAGES

    try:
        await _until(taken, consumer.run())
    finally:
        await store.close()
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
