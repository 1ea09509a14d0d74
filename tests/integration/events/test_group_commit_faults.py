"""Single commands beside others: a stream that moves, a connection that goes, a task that ends."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from libs.events.store.faults import LOST
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.handle import handle
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from tests.integration.events.commands import (
    DEADLINE_S,
    coins,
    grouped,
    meanwhile,
    replies,
    together,
    waits_for_a_lock,
)
from tests.purse import CONTEXT, KEPT, REPLAYED, PutIn, TakeOut


async def test_a_stream_that_was_moved_since_it_was_read_is_decided_again(
    store: Store, database: str
) -> None:
    committer = GroupCommitter(store)
    await committer.append(grouped("ana", PutIn(5)))

    def reply(outcome: Outcome[Any, Any]) -> int:
        if outcome.version == 2:  # decided, and not written yet
            meanwhile(database, TakeOut(5))
        coins_left: int = outcome.state.coins
        return coins_left

    answer = await committer.append(GroupedCommand(KEPT, "purse-ana", PutIn(1), CONTEXT, reply))

    assert answer.reply == 1
    assert await coins(store, "ana") == 1


async def test_a_refusal_that_rests_on_what_was_not_written_is_not_told(
    store: Store, database: str
) -> None:
    committer = GroupCommitter(store)
    await committer.append(grouped("ana", PutIn(5)))

    def reply(outcome: Outcome[Any, Any]) -> int:
        if outcome.version == 2:  # decided, and not written yet
            meanwhile(database, PutIn(5))
        coins_left: int = outcome.state.coins
        return coins_left

    answers = await together(
        committer,
        GroupedCommand(KEPT, "purse-ana", TakeOut(5), CONTEXT, reply),
        grouped("ana", TakeOut(4)),
    )

    assert replies(answers) == [5, (4, 1)]


async def test_a_process_with_one_connection_replays_a_stream(store: Store, database: str) -> None:
    pool = await asyncpg.create_pool(database, min_size=1, max_size=1)
    committer = GroupCommitter(Store(pool, "small"))
    try:
        async with asyncio.timeout(DEADLINE_S):
            await committer.append(grouped("ana", PutIn(5), kind=REPLAYED))
            answer = await committer.append(grouped("ana", TakeOut(2), kind=REPLAYED))
    finally:
        pool.terminate()

    assert answer.reply == (2, 3)


async def test_whoever_waits_for_a_committer_that_is_cancelled_is_told(store: Store) -> None:
    committer = GroupCommitter(store)
    await committer.append(grouped("ana", PutIn(5)))

    async with store.transaction(CONTEXT) as unit:
        await handle(unit, KEPT, "purse-ana", PutIn(1))
        under_way = asyncio.create_task(together(committer, grouped("ana", PutIn(10))))
        await waits_for_a_lock(store)
        behind = asyncio.create_task(together(committer, grouped("bea", PutIn(1))))
        await asyncio.sleep(0)
        [working] = [task for task in asyncio.all_tasks() if task.get_name() == "committer"]
        working.cancel()
        async with asyncio.timeout(DEADLINE_S):
            answers = [*await under_way, *await behind]

    assert all(isinstance(answer, LOST) for answer in answers)
    assert await coins(store, "ana") == 6
    assert (await committer.append(grouped("bea", PutIn(1)))).reply == (1, 1)


async def test_who_loses_the_connection_is_told_and_nothing_is_tried_again(store: Store) -> None:
    committer = GroupCommitter(store)
    await committer.append(grouped("ana", PutIn(5)))

    async with store.transaction(CONTEXT) as unit:
        await handle(unit, KEPT, "purse-ana", PutIn(1))
        under_way = asyncio.create_task(together(committer, grouped("ana", PutIn(10))))
        waiting = await waits_for_a_lock(store)
        await store.pool.execute("SELECT pg_terminate_backend($1)", waiting)
        [answer] = await under_way

    assert isinstance(answer, LOST)
    assert await coins(store, "ana") == 6
