"""Single commands that arrive together are one append, and each is answered on its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import msgspec
import pytest

from libs.events.domain.errors import ConcurrencyConflict
from libs.events.store.group_commit import GROUP_MAX, GroupCommitter
from libs.events.store.grouped_commands import Answered
from libs.events.store.handle import handle
from libs.events.store.postgres import Store
from libs.events.store.verify import verify
from tests.integration.events.commands import coins, grouped, replies, together, waits_for_a_lock
from tests.purse import CONTEXT, KEPT, REPLAYED, PurseTooLight, PutIn, TakeOut


async def blocks(store: Store) -> list[tuple[int, int]]:
    rows = await store.pool.fetch("SELECT first_position, count FROM blocks ORDER BY 1")
    return [tuple(row) for row in rows]


async def test_commands_that_arrive_together_are_one_block(store: Store) -> None:
    answers = await together(
        GroupCommitter(store), *(grouped(str(n), PutIn(n)) for n in range(1, 9))
    )

    assert replies(answers) == [(1, n) for n in range(1, 9)]
    assert {a.position for a in answers if isinstance(a, Answered)} == {8}
    assert await blocks(store) == [(1, 8)]
    assert [finding async for finding in verify(store.pool)] == []


async def test_what_arrives_meanwhile_goes_next_and_a_group_has_a_limit(store: Store) -> None:
    commands = [grouped(str(n), PutIn(1)) for n in range(GROUP_MAX + 3)]

    answers = await together(GroupCommitter(store), *commands)

    assert set(replies(answers)) == {(1, 1)}
    assert await blocks(store) == [(1, GROUP_MAX), (GROUP_MAX + 1, 3)]


async def test_commands_of_one_stream_build_on_each_other_as_they_arrived(store: Store) -> None:
    answers = await together(
        GroupCommitter(store),
        grouped("ana", PutIn(5)),
        grouped("ana", TakeOut(3)),
        grouped("ana", TakeOut(3)),
        grouped("ana", PutIn(0)),
    )

    assert replies(answers) == [(1, 5), (2, 2), PurseTooLight, (2, 2)]
    assert await coins(store, "ana") == 2


async def test_a_command_that_fails_takes_nobody_along(store: Store) -> None:
    answers = await together(
        GroupCommitter(store),
        grouped("ana", PutIn(5)),
        grouped("refused", TakeOut(1)),
        grouped("un\0fit", PutIn(1)),
        grouped("\ud800", PutIn(1)),
        grouped("bea", PutIn(6)),
    )

    said = replies(answers)
    assert (said[0], said[1], said[4]) == ((1, 5), PurseTooLight, (1, 6))
    assert all(isinstance(answer, Exception) for answer in answers[2:4])
    rows = await store.pool.fetch("SELECT stream_id FROM streams ORDER BY stream_id")
    assert [row[0] for row in rows] == ["purse-ana", "purse-bea"]
    assert [finding async for finding in verify(store.pool)] == []


async def test_a_stream_without_snapshots_is_replayed(store: Store) -> None:
    committer = GroupCommitter(store)
    await committer.append(grouped("ana", PutIn(5), kind=REPLAYED))

    answer = await committer.append(grouped("ana", TakeOut(2), kind=REPLAYED))

    assert answer.reply == (2, 3)


@dataclass(frozen=True)
class SeenVersion:
    version: int

    def ensure(self, current: int | str) -> None:
        if current != self.version:
            raise ConcurrencyConflict(version=current)


async def test_who_saw_another_version_is_refused_alone(store: Store) -> None:
    committer = GroupCommitter(store)
    await together(committer, grouped("ana", PutIn(5)), grouped("bea", PutIn(5)))

    answers = await together(
        committer,
        grouped("ana", PutIn(1), seen=SeenVersion(1)),
        grouped("ana", PutIn(1), seen=SeenVersion(1)),
        grouped("bea", PutIn(1), seen=SeenVersion(7)),
        grouped("cem", PutIn(1)),
    )

    assert replies(answers) == [(2, 6), ConcurrencyConflict, ConcurrencyConflict, (1, 1)]


async def test_each_event_says_what_caused_it_and_the_block_who_did(store: Store) -> None:
    contexts = [replace(CONTEXT, cause=f"request-{n}") for n in (1, 2)]
    other = replace(CONTEXT, actor="another")
    committer = GroupCommitter(store)

    await together(
        committer, *(grouped(str(n), PutIn(1), c) for n, c in enumerate([*contexts, other]))
    )

    rows = await store.pool.fetch(
        """SELECT blocks.metadata AS block, events.metadata::jsonb - 'state' AS event
           FROM events JOIN blocks USING (block) ORDER BY first_position, ord"""
    )
    metadata = [[msgspec.json.decode(part) if part else {} for part in row] for row in rows]
    assert metadata == [
        [{"actor": "tester"}, {"cause": "request-1"}],
        [{"actor": "tester"}, {"cause": "request-2"}],
        [{"actor": "another"}, {}],
    ]


async def test_a_stream_that_another_moves_meanwhile_is_decided_again(store: Store) -> None:
    committer = GroupCommitter(store)
    await together(committer, grouped("ana", PutIn(5)), grouped("bea", PutIn(5)))

    async with store.transaction(CONTEXT) as unit:
        await handle(unit, KEPT, "purse-ana", TakeOut(5))
        under_way = asyncio.create_task(
            together(
                committer,
                grouped("ana", TakeOut(5)),
                grouped("ana", PutIn(1)),
                grouped("bea", PutIn(1)),
            )
        )
        await waits_for_a_lock(store)

    assert replies(await under_way) == [PurseTooLight, (3, 1), (2, 6)]
    assert await coins(store, "ana") == 1
    assert [finding async for finding in verify(store.pool)] == []


@pytest.mark.parametrize("writers", [8])
async def test_positions_stay_gapless_beside_batches(store: Store, writers: int) -> None:
    committers = [GroupCommitter(store) for _ in range(3)]

    async def one(n: int) -> None:
        for turn in range(10):
            await committers[n % 3].append(grouped(f"{(n + turn) % 5}", PutIn(1)))
            async with store.transaction(CONTEXT) as unit:
                await handle(unit, KEPT, f"purse-own-{n}", PutIn(1))

    await asyncio.gather(*map(one, range(writers)))

    found = await blocks(store)
    assert sum(count for _, count in found) == writers * 20
    assert [first for first, _ in found] == [
        1 + sum(count for _, count in found[:at]) for at in range(len(found))
    ]
    assert sum([await coins(store, str(n)) for n in range(5)]) == writers * 10
    assert [finding async for finding in verify(store.pool)] == []
