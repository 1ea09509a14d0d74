"""All topics of contracts/topics.yaml on one bus: an owner's store each, and one who reads all."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from libs.chassis.catalogue import ROOT
from libs.events.bus import Bus, Record
from libs.events.bus.envelope import Envelope, headers_of, source_of, type_prefix
from libs.events.bus.incoming import Incoming
from libs.events.bus.topics import Topics
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.subscription import Subscription
from libs.events.domain.decider import Decider
from libs.events.relay.outbox import Relay
from libs.events.store.handle import handle_many
from libs.events.store.model import Context, Message, StreamType
from libs.events.store.postgres import Store
from libs.events.store.taken import Again, come_again, marks, untrue
from libs.events.store.transaction import Transaction
from libs.events.store.watermarks import positions
from tests.corridor import running
from tests.servers import Postgres, eventually
from tests.stores import fresh_store

TOPICS: Final = Topics.load(ROOT / "contracts")
OPEN: Final = TOPICS.open(TOPICS.owners, datetime.now(UTC).date())
"""Those of services that have not ended: on the others nothing is sent."""

OWNERS: Final = sorted({*TOPICS.owners.values()})
CONTEXT: Final = Context(datetime(2023, 3, 31, tzinfo=UTC), "tester")
KEY: Final = "2023-1"
READER: Final = "reader"
PATIENCE_S: Final = 30.0
"""Six buses at one broker take longer than one where a machine has much to do."""

BusOf: TypeAlias = Callable[[str], Awaitable[Bus]]
"""The bus as an owner or the reader is connected to it."""


@dataclass(frozen=True, slots=True)
class Say:
    topic: str
    coins: int


@dataclass(frozen=True, slots=True)
class Said:
    topic: str
    coins: int


def _publish(event: Said, _: None) -> Message:
    return Message(event.topic, KEY)


_SAYING: Final[Decider[Say, None, Said]] = Decider(
    None, lambda command, _: [Said(command.topic, command.coins)], lambda state, _: state
)
SAYINGS: Final[StreamType[Say, None, Said]] = StreamType(
    "saying", _SAYING, {"Said": Said}, _publish
)


@dataclass
class EveryTopic:
    """Owners that say something on each of their topics, and what the reader took in."""

    owners: Mapping[str, Store]
    buses: Mapping[str, Bus]
    reader: Store
    taken: list[tuple[str, int]] = field(default_factory=list)

    async def _take(self, _: Transaction, messages: Sequence[Incoming]) -> None:
        self.taken += [(message.batch.topic, message.body.coins) for message in messages]

    def consumer(self) -> Consumer:
        subscriptions = [Subscription(topic, topic, {"Said": Said}, self._take) for topic in OPEN]
        return Consumer(self.reader, self.buses[READER], READER, subscriptions, TOPICS)

    async def carry(self, coins: int) -> None:
        """One true message on each topic, from its owner's log to the reader."""
        relays = [Relay(store, self.buses[name], TOPICS) for name, store in self.owners.items()]
        async with running(*relays, self.consumer()):
            for name, store in self.owners.items():
                stored = [topic for topic in TOPICS.of(name) if topic not in TOPICS.narrowings]
                says = [(f"saying-{topic}-{coins}", Say(topic, coins)) for topic in stored]
                async with store.transaction(CONTEXT) as transaction:
                    await handle_many(transaction, SAYINGS, says)
            await eventually(self.caught_up, PATIENCE_S)

    async def caught_up(self) -> bool:
        here = await positions(self.reader)
        for store in self.owners.values():
            sent = await positions(store)
            if sent.relayed < (await store.head())[0] or not here.has_consumed(sent):
                return False
        return len(here.consumed) == len(OPEN)

    async def send(self, topic: str, record: Record) -> None:
        """As who has the password of the topic's owner."""
        producer = await self.buses[TOPICS.owners[topic]].producer()
        await producer.send([record])
        await producer.close()

    async def last(self, topic: str) -> Record:
        """The last record of the topic's partition of KEY."""
        partition = TOPICS.partition(topic, KEY)
        return (await self.buses[TOPICS.owners[topic]].last_records(topic))[partition]

    async def forge(self, topic: str, ahead: int, coins: int, source: str | None = None) -> None:
        """A message in everything like one of the owner's, `ahead` of the last that it sent."""
        store = self.owners[TOPICS.owners[topic]]
        _, epoch = await store.head()
        partition = TOPICS.partition(topic, KEY)
        sent = (await positions(store)).topics[topic][partition]
        envelope = Envelope(
            f"{epoch}-{sent + ahead}",
            source_of(source or TOPICS.owners[topic]),
            "Said",
            *(1, f"saying-{topic}-{coins}", CONTEXT.at, sent + ahead, sent, epoch, None),
        )
        headers = headers_of(envelope, type_prefix(TOPICS.namespace, topic))
        value = b'{"topic":"%s","coins":%d}' % (topic.encode(), coins)
        await self.send(topic, Record(topic, partition, KEY.encode(), value, tuple(headers)))

    async def consume(self, until: Callable[[], Awaitable[bool]]) -> None:
        """The reader alone at work, until something is so."""
        async with running(self.consumer()):
            await eventually(until, PATIENCE_S, what=f"taken {self.taken}")

    async def untold(self) -> set[str]:
        """The topics of which `verify` says that the reader took in what their owners lack."""
        marked = await marks(self.reader.pool, READER)
        found = set()
        for name, store in self.owners.items():
            own = [mark for mark in marked if TOPICS.owners[mark.topic] == name]
            found |= {mark.topic async for mark in untrue(store.pool, TOPICS, own)}
        return found

    async def taken_up_to(self) -> dict[str, int]:
        """{topic: the last position that the reader has taken in and committed}."""
        return {mark.topic: mark.position for mark in await marks(self.reader.pool, READER)}

    async def again(self) -> list[Again]:
        return await come_again(self.reader.pool, READER)


@contextlib.asynccontextmanager
async def every_topic(postgres: Postgres, bus_of: BusOf) -> AsyncIterator[EveryTopic]:
    """On databases of its own, over a bus whose topics are new; each topic has one message."""
    async with contextlib.AsyncExitStack() as stack:
        stores, buses = {}, {}
        for name in (*OWNERS, READER):
            url = await stack.enter_async_context(fresh_store(postgres))
            stores[name], buses[name] = await Store.connect(url, name), await bus_of(name)
            stack.push_async_callback(stores[name].close)
            stack.push_async_callback(buses[name].close)
        found = EveryTopic({name: stores[name] for name in OWNERS}, buses, stores[READER])
        await found.carry(1)
        assert sorted(found.taken) == sorted((topic, 1) for topic in OPEN)
        yield found


# -- What an attacker does on each of them, and what is told of it ---------------------------------


async def without_effect(there: EveryTopic) -> None:
    """A record once more, and one that says it is another service's: nothing comes of them, the
    first is told and the second parked, for each topic."""
    before = list(there.taken)
    for topic in OPEN:
        await there.send(topic, await there.last(topic))
        await there.forge(topic, 1, 975_000, source="projection")

    async def all_met() -> bool:
        rows = await there.reader.pool.fetch("SELECT DISTINCT topic FROM parked")
        met = {again.topic for again in await there.again()}, {row["topic"] for row in rows}
        return met == ({*OPEN}, {*OPEN})

    await there.consume(all_met)
    await there.carry(2)

    assert there.taken[: len(before)] == before
    assert sorted(there.taken) == sorted((t, c) for t in OPEN for c in (1, 2))
    assert await there.untold() == set()
    assert {again.count for again in await there.again()} == {1}


async def forged_is_named(there: EveryTopic) -> None:
    """A message with everything right is named, and still when the true one has come."""
    await forged(there, ahead=1)
    assert await there.untold() == {*OPEN}

    await there.carry(3)
    assert await there.untold() == {*OPEN}


async def a_place_that_no_log_has_is_named(there: EveryTopic) -> None:
    """A message far ahead of its owner's log makes all that follow be skipped, and is named."""
    await forged(there, ahead=1_000_000)
    assert await there.untold() == {*OPEN}


async def forged(there: EveryTopic, ahead: int) -> None:
    """A forged message on each topic, taken in and committed."""
    before = await there.taken_up_to()
    for topic in OPEN:
        await there.forge(topic, ahead, 975_000)

    async def all_taken() -> bool:
        now = await there.taken_up_to()  # what a handler saw may not be committed yet
        return all(now[topic] > before[topic] for topic in OPEN)

    await there.consume(all_taken)
    assert {*there.taken} >= {(topic, 975_000) for topic in OPEN}
