"""Who comes too late changes nothing: a writer behind its stream, a member that was replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from libs.events.bus import Bus
from libs.events.bus.connect import connect
from libs.events.bus.incoming import Incoming
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.subscription import Handler, Subscription
from libs.events.store.handle import Draft, Move, handle, handle_many
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from tests.doors import TOPICS, Sender, batches, waits_for_a_lock
from tests.purse import CONTEXT, KEPT, PutIn
from tests.servers import eventually

TOPIC = "pkh.payments.tahap.v1"


@pytest_asyncio.fixture
async def bus(database: str) -> AsyncIterator[Bus]:
    """A bus that a consumer must have, though these tests hand it its batches."""
    opened = await connect(database)
    yield opened
    await opened.close()


async def consumer(store: Store, bus: Bus, handler: Handler) -> Consumer:
    """A member of the one group that reads the topic."""
    subscription = Subscription("reader", TOPIC, {"ListFrozen": dict}, handler)
    member = Consumer(store, bus, "reader", [subscription], TOPICS)
    await member._open_checkpoints()
    return member


async def take(unit: Transaction, messages: Sequence[Incoming]) -> None:
    """An effect that would show if it happened twice."""
    for message in messages:
        await unit.connection.execute("INSERT INTO taken VALUES ($1)", message.body["tahap"])


async def test_two_members_that_process_one_batch_at_once_have_its_effect_once(
    store: Store, bus: Bus
) -> None:
    """A member that was paused while its partition went to another goes on where it was."""
    await store.pool.execute("CREATE TABLE taken (tahap text)")
    tahaps = [f"2023-{number}" for number in range(1, 5)]
    sender = Sender(TOPIC)
    [batch] = batches(*(sender.record("ListFrozen", each, {"tahap": each}) for each in tahaps))
    within, owner = asyncio.Event(), await consumer(store, bus, take)
    takes_over: list[asyncio.Task[None]] = []

    async def take_late(unit: Transaction, messages: Sequence[Incoming]) -> None:
        within.set()
        await eventually(lambda: _held_or_through(store, takes_over))
        await take(unit, messages)

    zombie = await consumer(store, bus, take_late)
    late = asyncio.create_task(zombie.process(batch))
    await asyncio.wait_for(within.wait(), 5)
    takes_over.append(asyncio.create_task(owner.process(batch)))
    await asyncio.gather(late, *takes_over)

    taken = await store.pool.fetch("SELECT tahap FROM taken")
    assert sorted(row["tahap"] for row in taken) == tahaps
    assert (zombie.tally.handled, owner.tally.skipped) == (len(tahaps), len(tahaps))


async def _held_or_through(store: Store, others: Sequence[asyncio.Task[None]]) -> bool:
    """The other member is stopped by a lock, or was let through by a mistake."""
    return any(other.done() for other in others) or await waits_for_a_lock(store)


DRAFT = Draft("CoinsPutIn", 1, b'{"coins":9}', None, None, None, None)


async def test_an_append_takes_its_streams_in_the_order_of_their_ids(store: Store) -> None:
    """Else two appends could each wait for what the other has taken."""
    names = [f"purse-{letter}" for letter in "abcdefg"]
    async with store.transaction(CONTEXT) as transaction:
        await handle_many(transaction, KEPT, [(name, PutIn(1)) for name in names])

    async def append() -> set[str]:
        async with store.transaction(CONTEXT) as transaction:
            return await transaction.append(
                [Move(name, 1, [DRAFT], None, None) for name in reversed(names)]
            )

    async with store.transaction(CONTEXT) as other:
        await handle(other, KEPT, "purse-d", PutIn(1))
        late = asyncio.create_task(append())
        await eventually(lambda: waits_for_a_lock(store, late))
        free = await store.pool.fetch(
            "SELECT stream_id FROM streams ORDER BY stream_id FOR UPDATE SKIP LOCKED"
        )

    assert [row[0] for row in free] == ["purse-e", "purse-f", "purse-g"]
    assert await late == {*names} - {"purse-d"}


async def test_a_stream_that_is_not_there_is_not_advanced(store: Store) -> None:
    moves = [Move("purse-a", 3, [DRAFT], None, None), Move("purse-b", 0, [DRAFT], None, None)]

    async with store.transaction(CONTEXT) as transaction:
        won = await transaction.append(moves)

    assert won == {"purse-b"}
    assert await store.pool.fetchval("SELECT array_agg(stream_id) FROM streams") == ["purse-b"]


async def test_an_id_that_would_read_as_two_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="control character"):
        async with store.transaction(CONTEXT) as transaction:
            await transaction.append([Move("purse-a\x1fpurse-b", 0, [DRAFT], None, None)])


async def test_a_writer_that_read_an_older_version_writes_nothing(store: Store) -> None:
    async with store.transaction(CONTEXT) as transaction:
        for coins in (1, 2):
            await handle(transaction, KEPT, "purse-a", PutIn(coins))

    async with store.transaction(CONTEXT) as transaction:
        won = await transaction.append([Move("purse-a", 1, [DRAFT], None, None)])

    assert won == set()
    assert await store.pool.fetchval("SELECT count(*) FROM events") == 2
    assert (await store.read(KEPT, ["purse-a"]))["purse-a"].version == 2
