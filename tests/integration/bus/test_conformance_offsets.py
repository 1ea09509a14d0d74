"""The promise of `libs.events.bus`, held against both adapters: fetching and committing."""

from __future__ import annotations

import asyncio

import pytest

from libs.events.bus import Bus, Record
from libs.events.domain.errors import StaleMember
from tests.integration.bus.kit import (
    PARTITIONS,
    batches,
    commit_all,
    content,
    numbered,
    one_each,
    publish,
    record,
    take,
    values,
)


async def test_what_was_not_committed_is_delivered_again(bus: Bus, topic: str, group: str) -> None:
    await publish(bus, numbered(topic, 0, 10))
    first = await bus.join(group, [topic])
    await take(first, 10)
    await first.close()

    second = await bus.join(group, [topic])

    assert values(await take(second, 10)) == [str(number) for number in range(10)]


async def test_a_group_goes_on_from_what_it_committed(bus: Bus, topic: str, group: str) -> None:
    await publish(bus, numbered(topic, 0, 10))
    first = await bus.join(group, [topic])
    await take(first, 10)
    await first.commit({(topic, 0): 4})
    await first.close()

    second = await bus.join(group, [topic])

    assert values(await take(second, 6)) == ["4", "5", "6", "7", "8", "9"]


async def test_what_a_group_has_committed_can_be_seen_from_outside(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, numbered(topic, 1, 10))
    assert await bus.committed(group) == {}
    member = await bus.join(group, [topic])
    await take(member, 10)

    await member.commit({(topic, 1): 4})

    assert await bus.committed(group) == {(topic, 1): 4}
    assert await bus.committed(f"{group}-other") == {}


async def test_groups_do_not_know_each_other(bus: Bus, topic: str, group: str) -> None:
    await publish(bus, numbered(topic, 0, 10))
    one, other = await bus.join(group, [topic]), await bus.join(f"{group}-other", [topic])
    await commit_all(one, await batches(one, 10))

    assert values(await take(other, 10)) == [str(number) for number in range(10)]


async def test_a_fetch_goes_on_behind_the_last_one_without_a_commit(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, [r for p in (0, 1) for r in numbered(topic, p, 2_500)])
    member = await bus.join(group, [topic])

    taken = await batches(member, 5_000, max_records=300)

    assert max(len(batch) for batch in taken) == 300
    for partition in (0, 1):
        mine = [r for b in taken if b.partition == partition for r in b.records]
        assert [r.offset for r in mine] == list(range(2_500))


async def test_a_fetch_takes_all_there_is_whatever_headers_they_have(
    bus: Bus, topic: str, group: str
) -> None:
    traced, untraced = (("kind", b"test"), ("trace", b"one")), (("kind", b"test"),)
    sent = [Record(topic, 0, b"key", b"", (traced, untraced)[n % 2]) for n in range(20)]
    await publish(bus, sent)

    taken = await batches(await bus.join(group, [topic]), 1)

    assert [content(each) for batch in taken for each in batch.records] == list(map(content, sent))


async def test_a_batch_holds_records_of_one_partition_only(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, [r for number in range(50) for r in one_each(topic, str(number))])

    taken = await batches(await bus.join(group, [topic]), 50 * PARTITIONS)

    for batch in taken:
        assert {(r.topic, r.partition) for r in batch.records} == {(batch.topic, batch.partition)}
        offsets = [r.offset for r in batch.records]
        assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))


async def test_one_member_reads_several_topics(bus: Bus, topic: str, group: str) -> None:
    other = f"other-{topic}"
    await bus.ensure_topics({other: 1})
    await publish(bus, [record(topic, 3, "one"), record(other, 0, "two")])

    taken = await take(await bus.join(group, [topic, other]), 2)

    assert {(r.topic, r.value) for r in taken} == {(topic, b"one"), (other, b"two")}
    await bus.delete_topic(other)


async def test_an_offset_that_does_not_exist_begins_at_the_earliest(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, numbered(topic, 0, 10))
    first = await bus.join(group, [topic])
    await take(first, 10)
    await first.commit({(topic, 0): 1_000})
    await first.close()

    second = await bus.join(group, [topic])

    assert values(await take(second, 10)) == [str(number) for number in range(10)]


async def test_a_rewound_partition_is_read_again_and_the_others_go_on(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, [r for p in (0, 1) for r in numbered(topic, p, 10)])
    member = await bus.join(group, [topic])
    await take(member, 20)

    await member.rewind(topic, 0)

    assert {r.partition for r in await take(member, 10)} == {0}
    await publish(bus, [record(topic, 1, "next")])
    assert values(await take(member, 1)) == ["next"]


async def test_a_waiting_fetch_wakes_when_something_comes(bus: Bus, topic: str, group: str) -> None:
    member = await bus.join(group, [topic])
    await member.fetch(500, wait_s=0)
    loop = asyncio.get_running_loop()
    waiting = asyncio.create_task(take(member, 1))

    begun = loop.time()
    await publish(bus, [record(topic, 0, "news")])

    assert values(await waiting) == ["news"]
    assert loop.time() - begun < 5


async def test_a_fetch_of_nothing_ends_in_its_time(bus: Bus, topic: str, group: str) -> None:
    member = await bus.join(group, [topic])
    loop = asyncio.get_running_loop()

    begun = loop.time()
    nothing = await member.fetch(500, wait_s=0.3)

    assert list(nothing) == []
    assert 0.25 < loop.time() - begun < 3


async def test_a_member_that_left_is_stale(bus: Bus, topic: str, group: str) -> None:
    member = await bus.join(group, [topic])
    await member.close()

    with pytest.raises(StaleMember):
        await member.fetch(500, wait_s=0)
    with pytest.raises(StaleMember):
        await member.commit({(topic, 0): 1})


async def test_a_living_bus_answers(bus: Bus) -> None:
    await bus.ping()
