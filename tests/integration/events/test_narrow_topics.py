"""A topic that narrows another: filled from its first day on with all that was said before, and
sent alone once the wide one has ended."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Final

import pytest_asyncio

from libs.events.bus import Record
from libs.events.bus.envelope import parse
from libs.events.bus.narrowing import NarrowedField, Narrowing
from libs.events.bus.topics import Topics
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.subscription import Subscription
from libs.events.relay.outbox import Relay
from libs.events.store.taken import marks, untrue
from libs.events.store.watermarks import positions
from tests.corridor import TOPICS, Corridor, corridor_at, running
from tests.purse import TOPIC
from tests.servers import Postgres, eventually

NARROW: Final = "test.purse.v2"
TELLING: Final = {"CoinsPutIn": (NarrowedField("coins", "filled", "whether"),)}
BOTH: Final = Topics(
    "org.example",
    {TOPIC: 3, NARROW: 3},
    {TOPIC: "writer", NARROW: "writer"},
    narrowings={NARROW: Narrowing(TOPIC, TELLING)},
)
WIDE_HAS_ENDED: Final = replace(BOTH, ends={TOPIC: date(2020, 1, 1)})


@pytest_asyncio.fixture
async def corridor(postgres: Postgres) -> AsyncIterator[Corridor]:
    async with corridor_at(postgres) as found:
        yield found


async def relay(corridor: Corridor, topics: Topics, *coins: int) -> None:
    """A relay that knows these topics carries what is written meanwhile."""
    async with running(Relay(corridor.writer, corridor.bus, topics)):
        await corridor.put(*coins)
        await eventually(corridor.relayed)


async def records(corridor: Corridor, topic: str) -> list[Record]:
    member = await corridor.bus.join("witness", [topic])
    batches = await member.fetch(1_000, 1.0)
    await member.close()
    return [record for batch in batches for record in batch.records]


def bodies(found: list[Record]) -> list[object]:
    return [json.loads(record.value) for record in found]


async def test_what_was_said_before_goes_out_on_the_narrow_topic_too(corridor: Corridor) -> None:
    await relay(corridor, TOPICS, *range(1, 21))

    await relay(corridor, BOTH, *range(21, 31))

    wide, narrow = await records(corridor, TOPIC), await records(corridor, NARROW)
    assert bodies(narrow) == [{"filled": True}] * 30
    assert [place(record) for record in narrow] == [place(record) for record in wide]
    assert {parse(record).major for record in narrow} == {2}


def place(record: Record) -> tuple[object, ...]:
    envelope = parse(record)
    return record.partition, record.key, envelope.position, envelope.previous


async def test_a_topic_that_ended_is_neither_sent_nor_filled_again(corridor: Corridor) -> None:
    await relay(corridor, BOTH, 1, 2, 3)
    before = await positions(corridor.writer)
    await corridor.bus.delete_topic(TOPIC)

    await relay(corridor, WIDE_HAS_ENDED, *range(4, 30))

    assert len(await records(corridor, NARROW)) == 29
    await corridor.bus.ensure_topics(TOPICS.partitions)
    assert await corridor.bus.ends(TOPIC) == dict.fromkeys(range(3), 0)
    assert (await positions(corridor.writer)).topics[TOPIC] == before.topics[TOPIC]


async def test_a_narrow_topic_that_was_lost_is_filled_again(corridor: Corridor) -> None:
    await relay(corridor, WIDE_HAS_ENDED, *range(1, 21))
    await corridor.bus.delete_topic(NARROW)

    await relay(corridor, WIDE_HAS_ENDED, 21)

    assert bodies(await records(corridor, NARROW)) == [{"filled": True}] * 21


async def test_what_a_reader_took_from_it_comes_out_of_the_owner_s_log(corridor: Corridor) -> None:
    seen = Subscription("reader", NARROW, {}, corridor.take)
    consumer = Consumer(corridor.reader, corridor.bus, "reader", [seen], BOTH)
    await corridor.bus.ensure_topics(BOTH.partitions)

    async def taken() -> bool:
        sent, here = await positions(corridor.writer), await positions(corridor.reader)
        return NARROW in here.consumed and here.has_consumed(sent)

    async with running(consumer):
        await relay(corridor, BOTH, *range(1, 21))
        await eventually(taken)

    marked = await marks(corridor.reader.pool, "reader")
    assert {mark.topic for mark in marked} == {NARROW}
    assert [mark async for mark in untrue(corridor.writer.pool, BOTH, marked)] == []
    wrong = replace(BOTH, narrowings={NARROW: Narrowing(TOPIC, {})})
    assert len([mark async for mark in untrue(corridor.writer.pool, wrong, marked)]) == len(marked)
