"""The promise of `libs.events.bus`, held against both adapters: records and their limits."""

from __future__ import annotations

import asyncio

import pytest

from libs.events.bus import Bus, Record
from libs.events.bus.limits import RECORD_BYTES_MAX
from libs.events.bus.partition import partition_of
from libs.events.domain.errors import BusRefused
from tests.integration.bus.kit import (
    PARTITIONS,
    by_partition,
    content,
    one_each,
    publish,
    record,
    take,
    values,
)


async def test_a_partition_keeps_the_order_of_its_sends(bus: Bus, topic: str, group: str) -> None:
    producer = await bus.producer()
    for turn in range(20):
        await producer.send([r for number in range(3) for r in one_each(topic, f"{turn}.{number}")])
    await producer.close()

    taken = await take(await bus.join(group, [topic]), 20 * 3 * PARTITIONS)

    expected = [f"{turn}.{number}" for turn in range(20) for number in range(3)]
    for partition in range(PARTITIONS):
        mine = [r for r in taken if r.partition == partition]
        assert values(mine) == [f"{value}-{partition}" for value in expected]
        assert [r.offset for r in mine] == list(range(60))


async def test_ten_thousand_records_arrive_intact(bus: Bus, topic: str, group: str) -> None:
    sent = [
        Record(
            *(topic, partition_of(f"family-{number}", PARTITIONS), f"family-{number}".encode()),
            value=f'{{"number": {number}}}'.encode() * (number % 7),
            headers=tuple((f"ce_{name}", b"x" * name) for name in range(number % 12)),
        )
        for number in range(10_000)
    ]
    producer = await bus.producer()
    for start in range(0, len(sent), 500):
        await producer.send(sent[start : start + 500])
    await producer.close()

    taken = await take(await bus.join(group, [topic]), len(sent))

    assert len(taken) == len(sent)
    assert by_partition(taken) == by_partition(sent)


async def test_two_senders_at_once_lose_and_overwrite_nothing(
    bus: Bus, topic: str, group: str
) -> None:
    async def send(name: str) -> None:
        producer = await bus.producer()
        for turn in range(30):
            await producer.send(one_each(topic, f"{name}{turn}"))
        await producer.close()

    await asyncio.gather(send("a"), send("b"))

    taken = await take(await bus.join(group, [topic]), 2 * 30 * PARTITIONS)
    for partition in range(PARTITIONS):
        mine = [r for r in taken if r.partition == partition]
        assert [r.offset for r in mine] == list(range(60))
        for name in "ab":
            theirs = [value for value in values(mine) if value.startswith(name)]
            assert theirs == [f"{name}{turn}-{partition}" for turn in range(30)]


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"headers": (("via", b"1"), ("via", b"2"), ("a", b""))}, id="headers twice"),
        pytest.param({"headers": (("ħé", b"\x00\xff"),)}, id="a header beyond ASCII"),
        pytest.param({"headers": ()}, id="no header"),
        pytest.param({"key": None}, id="no key"),
        pytest.param({"key": b""}, id="an empty key"),
        pytest.param({"value": b""}, id="an empty value"),
        pytest.param({"key": None, "value": b""}, id="neither key nor value"),
    ],
)
async def test_unusual_records_survive(
    bus: Bus, topic: str, group: str, odd: dict[str, bytes]
) -> None:
    sent = Record(**{"topic": topic, "partition": 1, "key": b"k", "value": b"v", **odd})  # type: ignore[arg-type]

    await publish(bus, [sent])

    taken = (await take(await bus.join(group, [topic]), 1))[0]
    assert content(taken) == content(sent)


async def test_sending_nothing_changes_nothing(bus: Bus, topic: str) -> None:
    await publish(bus, [])

    assert set((await bus.ends(topic)).values()) == {0}


async def test_the_largest_record_passes(bus: Bus, topic: str, group: str) -> None:
    largest = b"x" * (RECORD_BYTES_MAX - len(b"key"))

    await publish(bus, [Record(topic, 0, b"key", largest), record(topic, 0, "small")])

    taken = await take(await bus.join(group, [topic]), 2)
    assert [r.value for r in taken] == [largest, b"small"]


@pytest.mark.parametrize(
    "oversize",
    [
        pytest.param({"value": b"x" * (RECORD_BYTES_MAX + 1)}, id="value"),
        pytest.param({"key": b"x" * RECORD_BYTES_MAX, "value": b"1"}, id="key"),
        pytest.param({"headers": [("h", b"x" * RECORD_BYTES_MAX)], "value": b""}, id="headers"),
    ],
)
async def test_one_oversize_record_keeps_all_of_its_call_from_being_published(
    bus: Bus, topic: str, oversize: dict[str, bytes]
) -> None:
    large = Record(**{"topic": topic, "partition": 1, "key": None, "value": b"", **oversize})  # type: ignore[arg-type]
    producer = await bus.producer()

    with pytest.raises(BusRefused):
        await producer.send([*one_each(topic, "before"), large, *one_each(topic, "after")])

    assert set((await bus.ends(topic)).values()) == {0}
    await producer.send(one_each(topic, "later"))
    assert set((await bus.ends(topic)).values()) == {1}
