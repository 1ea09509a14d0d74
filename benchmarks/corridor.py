"""What carries messages on: the relay to the embedded bus, and a consumer from it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from time import perf_counter

from benchmarks.append import STREAMS, Families, Handle
from benchmarks.domain import SERVICE, TOPIC, TOPICS, Recorded
from benchmarks.report import Figure
from benchmarks.server import database, open_store
from cli.postgres_server import PostgresServer
from libs.events.bus import Bus, embedded
from libs.events.bus.connect import connect
from libs.events.consumer import Consumer
from libs.events.relay import EVERYTHING, Relay
from libs.events.store import Store
from libs.events.subscription import Incoming, Subscription
from libs.events.transaction import Transaction

MESSAGES = 60 * STREAMS
LOOK_S = 0.005
DEADLINE_S = 120


async def figures(server: PostgresServer) -> list[Figure]:
    """Relay a full store to an empty bus, then consume that with a handler that does nothing."""
    bus_url = database(server, "bus")
    await embedded.migrate(bus_url)
    bus = await connect(bus_url)
    writer, reader = await open_store(server, SERVICE), await open_store(server, "reader")
    try:
        relayed, consumed = await _relay(writer, bus), await _consume(reader, bus)
    finally:
        for store in (writer, reader):
            await store.close()
        await bus.close()
    return [
        Figure("relay to the embedded bus", "messages", MESSAGES / relayed),
        Figure("consumer, handler without work", "messages", MESSAGES / consumed),
    ]


async def _relay(store: Store, bus: Bus) -> float:
    handle = Handle(store, Families(seed=7), new=True)
    for turn in range(MESSAGES // STREAMS):
        await handle.prepare(turn)
        await handle.run()

    async def sent() -> bool:
        query = "SELECT position FROM relay WHERE topic = $1 AND partition = $2"
        return bool(await store.pool.fetchval(query, *EVERYTHING) == MESSAGES)

    return await _seconds_until(sent, Relay(store, bus, TOPICS).run())


async def _consume(store: Store, bus: Bus) -> float:
    subscription = Subscription("reader", TOPIC, {"Recorded": Recorded}, _nothing)
    consumer = Consumer(store, bus, "reader", [subscription], TOPICS.partitions)

    async def taken() -> bool:
        return consumer.tally.handled == MESSAGES

    return await _seconds_until(taken, consumer.run())


async def _nothing(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Take the messages, decoded as they are, and leave only the position behind."""


async def _seconds_until(
    done: Callable[[], Awaitable[bool]], running: Coroutine[None, None, None]
) -> float:
    begin = perf_counter()
    task = asyncio.create_task(running)
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not await done():  # noqa: ASYNC110 - it comes true in the database
                await asyncio.sleep(LOOK_S)
        return perf_counter() - begin
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
