"""A record that is no message is parked where it stands; what comes before and after is taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from libs.events.bus import Record
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.parking import NothingParked, Parked, drop, list_parked
from libs.events.monitoring.gauges import parked_samples
from libs.events.relay.outbox import Relay
from libs.events.store.watermarks import positions
from tests.corridor import TOPICS, Corridor, commit_for_group, corridor_at, running
from tests.purse import CONTEXT, TOPIC
from tests.servers import Postgres, eventually

NIK: Final = "6103014107900001"
REASON: Final = "SENT_BY_MISTAKE"


@pytest_asyncio.fixture
async def corridor(postgres: Postgres) -> AsyncIterator[Corridor]:
    async with corridor_at(postgres) as found:
        yield found


def odd_records() -> list[Record]:
    """Records that others may write on a topic of ours, on its first partition."""
    ours = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"1"),
        ("ce_source", b"/services/writer"),
        ("ce_type", b"org.example.test.purse.CoinsPutIn.v1"),
        ("ce_subject", b"purse-1"),
        ("ce_time", b"2023-03-31T00:00:00Z"),
        ("ce_position", b"seven"),
        ("ce_previous", b"0"),
        ("ce_epoch", b"first"),
    ]
    return [
        Record(TOPIC, 0, None, b"\x00\xff"),
        Record(TOPIC, 0, b"1", b"{", [("ce_type", b"CoinsPutIn")]),
        Record(TOPIC, 0, NIK.encode(), b"{}", ours),
    ]


async def sent(corridor: Corridor, *records: Record) -> None:
    """Write on the bus past every relay."""
    producer = await corridor.bus.producer()
    await producer.send(records)
    await producer.close()


async def relayed(corridor: Corridor, *coins: int) -> None:
    async with running(Relay(corridor.writer, corridor.bus, TOPICS)):
        await corridor.put(*coins)
        await eventually(corridor.relayed)


async def parked(corridor: Corridor) -> list[Parked]:
    return await list_parked(corridor.reader)


async def test_records_that_are_no_messages_are_parked_by_offset_and_all_others_are_taken(
    corridor: Corridor,
) -> None:
    await relayed(corridor, *range(1, 30))
    await sent(corridor, *odd_records())
    await relayed(corridor, *range(30, 60))
    consumer = corridor.consumer()
    async with running(consumer):
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == list(range(1, 60))
    assert consumer.tally.stopped is None
    found = await parked(corridor)
    assert len(found) == consumer.tally.parked == 3
    assert {(each.topic, each.partition, each.key) for each in found} == {(TOPIC, 0, "")}
    offsets = [each.offset for each in found]
    assert None not in offsets
    assert all(f"offset={each.offset}" in each.error or "header=" in each.error for each in found)
    assert NIK not in str(found)
    assert (await positions(corridor.reader)).parked == 3
    readings = await parked_samples(corridor.reader, [("reader", TOPIC)])
    assert {each.metric.name: each.value for each in readings}["corridor_parked_messages"] == 3


async def test_a_topic_that_holds_nothing_else_holds_up_nobody(corridor: Corridor) -> None:
    await sent(corridor, *odd_records())
    async with running(corridor.consumer()):
        await eventually(lambda: _parked_so_many(corridor, 3))
        await relayed(corridor, 1, 2, 3)
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == [1, 2, 3]


async def _parked_so_many(corridor: Corridor, count: int) -> bool:
    return len(await parked(corridor)) == count


async def test_a_record_that_comes_again_is_parked_once_and_dropped_for_good(
    corridor: Corridor,
) -> None:
    await sent(corridor, *odd_records())
    for _ in range(2):
        consumer: Consumer = corridor.consumer()
        async with running(consumer):
            await eventually(lambda: _parked_so_many(corridor, 3))
        await commit_for_group(corridor.bus, {(TOPIC, 0): 0})
    for each in await parked(corridor):
        async with corridor.reader.transaction(CONTEXT) as unit:
            await drop(unit, TOPIC, each.partition, each.position, REASON)
    async with running(corridor.consumer()):
        await relayed(corridor, 1)
        await eventually(corridor.caught_up)

    assert await parked(corridor) == []
    rows = await corridor.reader.pool.fetch("SELECT dropped_by, dropped_reason FROM parked")
    assert {tuple(row) for row in rows} == {(CONTEXT.actor, REASON)}


async def test_a_parked_message_is_dropped_and_what_waits_behind_it_is_replayed(
    corridor: Corridor,
) -> None:
    corridor.poison = {7}
    async with running(corridor.consumer()):
        await relayed(corridor, 7)
        await relayed(corridor, 7)
        await eventually(corridor.caught_up)
    first, second = await parked(corridor)
    corridor.poison = set()

    async with corridor.reader.transaction(CONTEXT) as unit:
        await drop(unit, TOPIC, first.partition, first.position, REASON)
    async with corridor.reader.transaction(CONTEXT) as unit:
        await drop(unit, TOPIC, first.partition, first.position, REASON)  # twice does nothing more
    assert await parked(corridor) == [second]
    assert await corridor.replay() == (1, 0)

    assert await corridor.taken() == [7]
    async with corridor.reader.transaction(CONTEXT) as unit:
        with pytest.raises(NothingParked):
            await drop(unit, TOPIC, second.partition, second.position, REASON)
