"""A process that remembers how it left a stream answers as one that reads it."""

from __future__ import annotations

import asyncpg

from libs.events.store.group_commit import GroupCommitter
from libs.events.store.postgres import Store
from libs.events.store.verify import verify
from tests.integration.events.commands import coins, grouped, meanwhile, replies, together
from tests.purse import PurseTooLight, PutIn, TakeOut


async def test_a_command_builds_on_what_another_process_did_meanwhile(
    store: Store, database: str
) -> None:
    committer = GroupCommitter(store)
    await committer.append(grouped("ana", PutIn(5)))
    meanwhile(database, PutIn(4))

    answer = await committer.append(grouped("ana", PutIn(1)))

    assert answer.reply == (3, 10)
    assert [finding async for finding in verify(store.pool)] == []


async def test_nobody_is_refused_for_what_another_process_has_changed(
    store: Store, database: str
) -> None:
    committer = GroupCommitter(store)
    await committer.append(grouped("ana", PutIn(5)))
    meanwhile(database, PutIn(4))

    answers = await together(committer, grouped("ana", TakeOut(8)), grouped("ana", TakeOut(8)))

    assert replies(answers) == [(3, 1), PurseTooLight]


async def test_an_answer_that_writes_nothing_tells_what_stands(store: Store, database: str) -> None:
    committer = GroupCommitter(store)
    await committer.append(grouped("ana", PutIn(5)))
    meanwhile(database, PutIn(4))

    answer = await committer.append(grouped("ana", PutIn(0)))

    assert (answer.reply, answer.position) == ((2, 9), None)


async def test_of_a_store_that_was_restored_nothing_is_remembered(store: Store) -> None:
    committer = GroupCommitter(store)
    await committer.append(grouped("ana", PutIn(5)))
    await store.pool.execute("""UPDATE streams SET state = '{"coins":70,"moves":1}'""")
    await store.pool.execute("UPDATE head SET epoch = 'another'")

    answer = await committer.append(grouped("ana", PutIn(1)))

    assert answer.reply == (2, 71)
    assert await coins(store, "ana") == 71


async def test_a_stream_that_stands_as_it_was_left_is_not_read_again(database: str) -> None:
    statements: list[str] = []

    async def listen(connection: asyncpg.Connection[asyncpg.Record]) -> None:
        connection.add_query_logger(lambda record: statements.append(record.query))

    async with asyncpg.create_pool(database, max_size=1, min_size=1, init=listen) as pool:
        committer = GroupCommitter(Store(pool, "test"))
        await committer.append(grouped("ana", PutIn(5)))
        statements.clear()
        answer = await committer.append(grouped("ana", TakeOut(2)))

    assert answer.reply == (2, 3)
    assert [each for each in statements if "FROM streams" in each] == []
