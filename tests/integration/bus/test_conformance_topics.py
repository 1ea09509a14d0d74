"""The promise of `libs.events.bus`, held against both adapters: topics."""

from __future__ import annotations

import asyncio

import pytest

from libs.events.bus import Bus
from libs.events.domain.errors import BusRefused
from tests.integration.bus.kit import (
    PARTITIONS,
    batches,
    commit_all,
    content,
    numbered,
    publish,
    record,
    rewound,
    take,
    take_until,
)


async def test_a_topic_that_does_not_exist_is_refused(bus: Bus, topic: str, group: str) -> None:
    producer = await bus.producer()

    with pytest.raises(BusRefused):
        await producer.send([record(topic, 0, "known"), record("nowhere.v1", 0, "unknown")])
    with pytest.raises(BusRefused):
        await bus.join(group, [topic, "nowhere.v1"])

    assert set((await bus.ends(topic)).values()) == {0}
    assert await bus.ends("nowhere.v1") == {}
    assert await bus.last_records("nowhere.v1") == {}


@pytest.mark.parametrize("partition", [PARTITIONS, -1])
async def test_a_partition_that_does_not_exist_is_refused(
    bus: Bus, topic: str, partition: int
) -> None:
    producer = await bus.producer()

    with pytest.raises(BusRefused):
        await producer.send([record(topic, 0, "good"), record(topic, partition, "bad")])

    assert set((await bus.ends(topic)).values()) == {0}


async def test_a_topic_with_another_partition_count_is_refused_and_none_is_made(
    bus: Bus, topic: str
) -> None:
    with pytest.raises(BusRefused):
        await bus.ensure_topics({f"a-new-one-beside-{topic}": 1, topic: PARTITIONS + 1})

    assert await bus.ends(f"a-new-one-beside-{topic}") == {}
    assert len(await bus.ends(topic)) == PARTITIONS


async def test_ensuring_topics_again_and_by_two_at_once_is_harmless(bus: Bus, topic: str) -> None:
    await publish(bus, [record(topic, 0, "kept")])

    await asyncio.gather(*(bus.ensure_topics({topic: PARTITIONS}) for _ in range(2)))

    assert (await bus.ends(topic))[0] == 1


async def test_deleting_a_topic_that_is_not_there_is_quiet(bus: Bus) -> None:
    await bus.delete_topic("nowhere.v1")


async def test_ends_and_last_records_say_where_each_partition_stands(bus: Bus, topic: str) -> None:
    await publish(bus, [*numbered(topic, 1, 700), *numbered(topic, 3, 1)])

    ends, last = await bus.ends(topic), await bus.last_records(topic)

    assert ends == {0: 0, 1: 700, 2: 0, 3: 1}
    assert {p: (r.topic, r.partition, r.offset) for p, r in last.items()} == {
        1: (topic, 1, 699),
        3: (topic, 3, 0),
    }
    assert {p: content(r) for p, r in last.items()} == {
        1: content(record(topic, 1, "699")),
        3: content(record(topic, 3, "0")),
    }


async def test_a_topic_refilled_under_a_running_member_can_be_read_from_its_beginning(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, numbered(topic, 2, 20))
    member = await bus.join(group, [topic])
    await commit_all(member, await batches(member, 20))

    await bus.delete_topic(topic)
    await bus.ensure_topics({topic: PARTITIONS})
    await publish(bus, [record(topic, 2, f"again-{number}") for number in range(5)])

    await take_until(member, {f"again-{number}" for number in range(5)})


async def test_a_topic_refilled_further_than_a_member_stood_is_read_after_a_rewind(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, numbered(topic, 2, 5))
    member = await bus.join(group, [topic])
    await take(member, 5)

    await bus.delete_topic(topic)
    await bus.ensure_topics({topic: PARTITIONS})
    await publish(bus, [record(topic, 2, f"again-{number}") for number in range(20)])

    # Whether it noticed by itself or stands in the middle now: a rewind gives all.
    await take_until(member, {"again-19"})
    await rewound(member, topic, 2)
    taken = await take_until(member, {"again-19"})
    assert taken == [f"again-{number}" for number in range(20)]
