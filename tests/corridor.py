"""A whole corridor for tests: a writer's store, its relay, a bus, a consumer, a reader's store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from libs.events.bus import Bus
from libs.events.bus.connect import connect
from libs.events.bus.incoming import Incoming
from libs.events.bus.topics import Topics
from libs.events.consumer.inbox import FETCH_RECORDS_MAX, TRANSACTION_RECORDS_MAX, Consumer
from libs.events.consumer.parking import ALL_PARKED, START, Selection
from libs.events.consumer.replay import replay
from libs.events.consumer.subscription import Subscription
from libs.events.domain.errors import StaleMember
from libs.events.relay.outbox import Relay
from libs.events.store.handle import handle_many
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.store.watermarks import positions
from tests.purse import CONTEXT, KEPT, TOPIC, CoinsPutIn, Command, PutIn
from tests.servers import Postgres, eventually
from tests.stores import fresh_bus, fresh_store

TOPICS = Topics("org.example", {TOPIC: 3}, {TOPIC: "writer"})


@dataclass
class Corridor:
    """A writer's store, a bus, a reader's store, and what the reader's handler was given."""

    writer: Store
    reader: Store
    bus: Bus
    writer_url: str
    reader_url: str
    bus_url: str
    seen: list[int] = field(default_factory=list)
    poison: set[int] = field(default_factory=set)
    faults: list[Exception] = field(default_factory=list)

    async def take(self, transaction: Transaction, messages: Sequence[Incoming]) -> None:
        for message in messages:
            if self.faults:
                raise self.faults.pop()
            if message.body.coins in self.poison:
                raise ValueError("bad coin")
            await transaction.connection.execute(
                "INSERT INTO taken (coins) VALUES ($1)", message.body.coins
            )

    def consumer(
        self,
        fetch_records_max: int = FETCH_RECORDS_MAX,
        transaction_records_max: int = TRANSACTION_RECORDS_MAX,
    ) -> Consumer:
        subscription = Subscription("reader", TOPIC, {"CoinsPutIn": CoinsPutIn}, self.take)
        return Consumer(
            *(self.reader, self.bus, "reader", [subscription], TOPICS),
            fetch_records_max=fetch_records_max,
            transaction_records_max=transaction_records_max,
        )

    async def put(self, *coins: int) -> None:
        commands: list[tuple[str, Command]] = [(f"purse-{c}", PutIn(c)) for c in coins]
        async with self.writer.transaction(CONTEXT) as transaction:
            await handle_many(transaction, KEPT, commands)

    async def replay(self, selection: Selection = ALL_PARKED) -> tuple[int, int]:
        """A transaction a step; answers how many messages went through and how many did not."""
        subscriptions = self.consumer().subscriptions
        reached, handled, refused = START, 0, 0
        while True:
            async with self.reader.transaction(CONTEXT) as transaction:
                step = await replay(transaction, subscriptions, selection, reached)
            if step is None:
                return handled, refused
            reached, handled, refused = step.reached, handled + step.handled, refused + step.refused

    async def taken(self) -> list[int]:
        return [r[0] for r in await self.reader.pool.fetch("SELECT coins FROM taken ORDER BY n")]

    async def relayed(self) -> bool:
        """The bus holds all that was written."""
        return (await positions(self.writer)).relayed >= (await self.writer.head())[0]

    async def caught_up(self) -> bool:
        head, _ = await self.writer.head()
        sent = await positions(self.writer)
        here = await positions(self.reader)
        # Until the consumer has begun, there is no topic of which anything would be missing.
        return sent.relayed >= head and TOPIC in here.consumed and here.has_consumed(sent)


@contextlib.asynccontextmanager
async def corridor_at(postgres: Postgres, bus_url: str | None = None) -> AsyncIterator[Corridor]:
    """A corridor on databases of its own; over a bus of its own where none is named."""
    async with contextlib.AsyncExitStack() as stack:
        writers = await stack.enter_async_context(fresh_store(postgres))
        readers = await stack.enter_async_context(fresh_store(postgres))
        if bus_url is None:
            bus_url = await stack.enter_async_context(fresh_bus(postgres))
        writer = await Store.connect(writers, "writer")
        reader = await Store.connect(readers, "reader")
        bus = await connect(bus_url)
        await reader.pool.execute("CREATE TABLE taken (n bigserial, coins int)")
        await bus.ensure_topics(TOPICS.partitions)
        yield Corridor(writer, reader, bus, writers, readers, bus_url)
        await bus.close()
        await writer.close()
        await reader.close()


@contextlib.asynccontextmanager
async def running(*parts: Relay | Consumer) -> AsyncIterator[None]:
    """These at work, until the end of the block."""
    tasks = [asyncio.create_task(part.run()) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def commit_for_group(bus: Bus, offsets: Mapping[tuple[str, int], int]) -> None:
    """Have the readers' group go on at these offsets, once whoever left it has given its
    partitions back: on a busy machine they are not a new member's at once."""
    member = await bus.join("reader", [TOPIC])

    async def committed() -> bool:
        await member.fetch(1_000, 1.0)
        try:
            await member.commit(offsets)
        except StaleMember:
            return False
        return True

    await eventually(committed)
    await member.close()
