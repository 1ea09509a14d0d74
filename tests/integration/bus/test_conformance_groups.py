"""The promise of `libs.events.bus`, held against both adapters: groups and members."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import pytest

from libs.events.bus import Bus, Member
from libs.events.bus.connect import connect
from libs.events.domain.errors import StaleMember
from tests.integration.bus.kit import (
    DEADLINE_S,
    PARTITIONS,
    Address,
    batches,
    commit_all,
    member_elsewhere,
    one_each,
    publish,
    take,
    take_until,
    values,
)


async def shared_out(bus: Bus, topic: str, members: Sequence[Member], name: str) -> list[set[int]]:
    """The partitions of each member, once they share the topic without gap or overlap.

    Sends a record to every partition and sees who gets it, until every member had some and no
    partition had two. Fails when that does not come about.
    """
    async with asyncio.timeout(DEADLINE_S):
        for turn in range(1_000):
            wanted = {f"{name}{turn}-{partition}" for partition in range(PARTITIONS)}
            await publish(bus, one_each(topic, f"{name}{turn}"))
            seen: list[set[str]] = [set() for _ in members]
            while not wanted <= set().union(*seen):
                for member, has in zip(members, seen, strict=True):
                    for batch in await member.fetch(500, wait_s=0.1):
                        has |= wanted & set(values(batch.records))
            if all(seen) and sum(map(len, seen)) == PARTITIONS:
                return [{int(value.rsplit("-")[-1]) for value in has} for has in seen]
    raise AssertionError("unreachable: either it came about or the time was up")


async def test_members_of_a_group_share_its_partitions(bus: Bus, topic: str, group: str) -> None:
    members = [await bus.join(group, [topic]) for _ in range(2)]

    shares = await shared_out(bus, topic, members, "a")

    assert sorted(map(len, shares)) == [2, 2]
    assert all(max(share) - min(share) == 1 for share in shares), "neighbours stay together"


async def test_a_member_too_many_waits_without_partitions(bus: Bus, topic: str, group: str) -> None:
    single = f"single-{topic}"
    await bus.ensure_topics({single: 1})
    members = [await bus.join(group, [single]) for _ in range(2)]
    await publish(bus, [one_each(single, "only")[0]])

    async with asyncio.timeout(DEADLINE_S):
        while True:
            given = [await member.fetch(500, wait_s=0.1) for member in members]
            if any(given):
                break

    assert sorted(len(batch) for batch in given) == [0, 1]
    await bus.delete_topic(single)


async def test_nothing_is_lost_when_members_join_and_leave(
    bus: Bus, topic: str, group: str
) -> None:
    wanted = {f"{turn}-{partition}" for turn in range(40) for partition in range(PARTITIONS)}
    taken: set[str] = set()

    async def consume(member: Member) -> None:
        for batch in await member.fetch(3, wait_s=0.05):
            taken.update(values(batch.records))
            # Taken away meanwhile: its next owner begins at the last commit.
            with contextlib.suppress(StaleMember):
                await commit_all(member, [batch])

    members = [await bus.join(group, [topic])]
    for turn in range(40):
        await publish(bus, one_each(topic, str(turn)))
        if turn % 8 == 3:
            members.append(await bus.join(group, [topic]))
        if turn % 8 == 7:
            await members.pop(0).close()
        for member in members:
            await consume(member)
    async with asyncio.timeout(DEADLINE_S):
        while taken < wanted:
            for member in members:
                await consume(member)

    assert taken == wanted


async def test_a_member_that_leaves_is_replaced_before_its_session_ends(
    address: Address, topic: str, group: str
) -> None:
    session_s = 25.0
    bus = await connect(address.url, session_s=session_s)
    leaving, staying = [await bus.join(group, [topic]) for _ in range(2)]
    await shared_out(bus, topic, [leaving, staying], "a")
    loop = asyncio.get_running_loop()

    begun = loop.time()
    await leaving.close()
    await shared_out(bus, topic, [staying], "b")

    assert loop.time() - begun < session_s / 2
    await bus.close()


async def test_a_member_that_dies_is_replaced_when_its_session_ends(
    bus: Bus, address: Address, topic: str, group: str
) -> None:
    await publish(bus, one_each(topic, "a"))
    async with member_elsewhere(address, group, topic) as dying:
        assert await dying.says() == "given"

        await dying.kill()
        heir = await bus.join(group, [topic])

        await take_until(heir, set(values(one_each(topic, "a"))))


async def test_a_frozen_member_can_not_commit_what_was_given_to_another(
    bus: Bus, address: Address, topic: str, group: str
) -> None:
    await publish(bus, [one_each(topic, "a")[0]])
    async with member_elsewhere(address, group, topic) as zombie:
        assert await zombie.says() == "given"

        zombie.freeze()
        heir = await bus.join(group, [topic])
        await take_until(heir, {"a-0"})
        zombie.go_on()
        zombie.thaw()

        assert await zombie.says() == "stale"


async def test_a_commit_for_a_partition_that_went_to_another_member_is_refused(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, one_each(topic, "a"))
    first = await bus.join(group, [topic])
    taken = await batches(first, PARTITIONS)
    second = await bus.join(group, [topic])
    _, gone = await shared_out(bus, topic, [first, second], "b")

    for batch in taken:
        if batch.partition in gone:
            with pytest.raises(StaleMember):
                await first.commit({(batch.topic, batch.partition): 1})
            with pytest.raises(StaleMember):
                await first.rewind(batch.topic, batch.partition)


async def test_a_member_that_has_not_heard_of_a_new_owner_yet_can_not_commit_either(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, one_each(topic, "a"))
    first = await bus.join(group, [topic])
    await batches(first, PARTITIONS)

    second = await bus.join(group, [topic])
    for batch in await batches(second, 1):
        with pytest.raises(StaleMember):
            await first.commit({(batch.topic, batch.partition): 1})


async def test_a_new_owner_goes_on_from_the_last_owners_commit(
    bus: Bus, topic: str, group: str
) -> None:
    await publish(bus, one_each(topic, "done"))
    first = await bus.join(group, [topic])
    await commit_all(first, await batches(first, PARTITIONS))
    await first.close()
    second = await bus.join(group, [topic])
    third = await bus.join(group, [topic])

    await publish(bus, one_each(topic, "open"))

    taken: list[str] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(set(taken)) < PARTITIONS:
            for member in (second, third):
                for batch in await member.fetch(500, wait_s=0.1):
                    taken += values(batch.records)
    assert set(taken) == {f"open-{partition}" for partition in range(PARTITIONS)}


async def test_members_of_different_groups_do_not_share(bus: Bus, topic: str, group: str) -> None:
    members = [await bus.join(f"{group}-{name}", [topic]) for name in "ab"]
    await publish(bus, one_each(topic, "a"))

    for member in members:
        assert len(await take(member, PARTITIONS)) == PARTITIONS


async def test_a_fetch_keeps_to_its_time_while_the_group_waits_for_a_frozen_member(
    bus: Bus, address: Address, topic: str, group: str
) -> None:
    member = await bus.join(group, [topic])
    await publish(bus, one_each(topic, "a"))
    loop = asyncio.get_running_loop()
    longest_s = 0.0
    async with member_elsewhere(address, group, topic) as frozen:
        partner = asyncio.create_task(frozen.says())
        while not partner.done():
            await publish(bus, one_each(topic, "b"))
            await member.fetch(500, wait_s=0.1)

        frozen.freeze()
        joining = asyncio.create_task(bus.join(group, [topic]))
        while not joining.done():
            begun = loop.time()
            await member.fetch(500, wait_s=0.1)
            longest_s = max(longest_s, loop.time() - begun)

    await joining
    assert longest_s < address.session_s / 2
