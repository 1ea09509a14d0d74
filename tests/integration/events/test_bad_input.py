"""Input that this program does not know stops it with a clear error, and nothing is lost by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from msgspec.structs import replace as altered

from libs.events.bus import Batch, Record
from libs.events.bus.incoming import Incoming
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.parking import list_parked
from libs.events.consumer.subscription import Handler, Subscription
from libs.events.domain.decider import Decider
from libs.events.relay.outbox import Relay
from libs.events.store.handle import handle, handle_many
from libs.events.store.model import StreamType
from libs.events.store.transaction import EVENT_BYTES_MAX, Transaction
from tests.corridor import TOPICS, Corridor, corridor_at, running
from tests.purse import CONTEXT, REPLAYED, TOPIC, CoinsPutIn, CoinsTakenOut, Command, PutIn
from tests.servers import Postgres, eventually

STOPS_S_MAX = 30


@pytest_asyncio.fixture
async def corridor(postgres: Postgres) -> AsyncIterator[Corridor]:
    async with corridor_at(postgres) as found:
        yield found


def consumer(corridor: Corridor, handler: Handler, *wanted: str) -> Consumer:
    bodies = dict.fromkeys(wanted or ("CoinsPutIn",), CoinsPutIn)
    subscription = Subscription("reader", TOPIC, bodies, handler)
    return Consumer(corridor.reader, corridor.bus, "reader", [subscription], TOPICS)


async def sent(corridor: Corridor, *coins: int) -> None:
    """Each on the bus, none taken in."""
    async with running(Relay(corridor.writer, corridor.bus, TOPICS)):
        await corridor.put(*coins)
        await eventually(corridor.relayed)


async def stopped(it: Consumer) -> str:
    """The reason given by a consumer that has stopped by itself."""
    await asyncio.wait_for(it.run(), STOPS_S_MAX)
    assert it.tally.stopped is not None
    return it.tally.stopped


async def taken_in(corridor: Corridor, it: Consumer) -> None:
    async with running(it):
        await eventually(corridor.caught_up)


# -- In a service's own store ---------------------------------------------------------------------


async def keep(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """A handler that decides on what its own store holds."""
    commands: list[tuple[str, Command]] = [
        (f"kept-{message.key}", PutIn(message.body.coins)) for message in messages
    ]
    await handle_many(transaction, REPLAYED, commands)


@pytest.mark.parametrize(
    ("newer", "named"),
    [
        ("type = 'CoinsMelted'", "type=CoinsMelted, version=1"),
        ("schema_version = 7", "type=CoinsPutIn, version=7"),
    ],
    ids=["type", "version"],
)
async def test_an_event_of_ours_that_is_unknown_stops_the_consumer_and_loses_nothing(
    corridor: Corridor, newer: str, named: str
) -> None:
    async with corridor.reader.transaction(CONTEXT) as unit:
        await handle(unit, REPLAYED, "kept-2", PutIn(2))
    # As if a newer program had been here.
    await corridor.reader.pool.execute(f"UPDATE events SET {newer}")
    await sent(corridor, 1, 2, 3)
    older = consumer(corridor, keep)

    assert named in await stopped(older)
    assert await list_parked(corridor.reader) == []

    await corridor.reader.pool.execute("UPDATE events SET type = 'CoinsPutIn', schema_version = 1")
    await taken_in(corridor, consumer(corridor, keep))
    held = await corridor.reader.read(REPLAYED, ["kept-1", "kept-2", "kept-3"])
    assert {name: loaded.state.coins for name, loaded in held.items()} == {
        "kept-1": 1,
        "kept-2": 4,
        "kept-3": 3,
    }


# -- On the bus -----------------------------------------------------------------------------------


async def records_of(corridor: Corridor) -> list[Record]:
    member = await corridor.bus.join("witness", [TOPIC])
    batches: Sequence[Batch] = await member.fetch(1_000, 1.0)
    await member.close()
    return [altered(record, offset=-1) for batch in batches for record in batch.records]


def as_major_2(record: Record) -> Record:
    newer = b"org.example.test.purse.CoinsPutIn.v2"
    headers = [(name, newer if name == "ce_type" else value) for name, value in record.headers]
    return altered(record, headers=headers)


async def sent_anew(corridor: Corridor, records: Sequence[Record]) -> None:
    await corridor.bus.delete_topic(TOPIC)
    await corridor.bus.ensure_topics(TOPICS.partitions)
    producer = await corridor.bus.producer()
    await producer.send(records)
    await producer.close()


async def test_a_newer_major_version_of_a_wanted_type_stops_the_consumer_and_loses_nothing(
    corridor: Corridor,
) -> None:
    await sent(corridor, *range(1, 10))
    records = await records_of(corridor)
    await sent_anew(corridor, [*records[:4], as_major_2(records[4]), *records[5:]])

    said = await stopped(consumer(corridor, corridor.take))
    assert "not known here. (type=CoinsPutIn, major=2, " in said
    assert [(each.stops, each.error) for each in await list_parked(corridor.reader)] == [
        (True, said)
    ]

    await sent_anew(corridor, records)
    await taken_in(corridor, consumer(corridor, corridor.take))
    assert sorted(await corridor.taken()) == list(range(1, 10))


async def test_types_that_nobody_wants_are_counted_and_passed_whatever_their_version(
    corridor: Corridor,
) -> None:
    await sent(corridor, 1, 2, 3)
    records = await records_of(corridor)
    await sent_anew(corridor, [*records[:2], as_major_2(records[2])])
    other = consumer(corridor, corridor.take, "PurseLost")

    await taken_in(corridor, other)

    assert (other.tally.passed, other.tally.handled, other.tally.stopped) == (3, 0, None)
    assert await corridor.taken() == []


# -- At append ------------------------------------------------------------------------------------


def write_note(size: int, _: int) -> list[CoinsTakenOut]:
    return [CoinsTakenOut(1, "x" * size)]


NOTED: StreamType[int, int, CoinsTakenOut] = StreamType(
    "noted",
    Decider(0, write_note, lambda notes, _: notes + 1),
    {"CoinsTakenOut": CoinsTakenOut},
    lambda event, notes: None,
)


async def test_an_event_that_no_bus_would_carry_is_refused_and_the_message_behind_it_parked(
    corridor: Corridor,
) -> None:
    async def note(transaction: Transaction, messages: Sequence[Incoming]) -> None:
        await corridor.take(transaction, messages)
        for message in messages:
            size = EVENT_BYTES_MAX if message.body.coins == 2 else 1
            await handle(transaction, NOTED, f"noted-{message.key}", size)

    await sent(corridor, 1, 2, 3)
    await taken_in(corridor, consumer(corridor, note))

    assert sorted(await corridor.taken()) == [1, 3]
    [parked] = await list_parked(corridor.reader)
    limit = f"(type=CoinsTakenOut, bytes_max={EVENT_BYTES_MAX})"
    assert parked.error == f"An event is larger than the bus will carry. {limit}"
    assert (await corridor.reader.head())[0] == 2
