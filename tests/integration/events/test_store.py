"""The store keeps every append whole, in order and once, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from libs.events.domain.errors import ConcurrencyConflict, EventTooLarge, UnknownEvent
from libs.events.store import migrate
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.handle import Draft, Move, handle, handle_many
from libs.events.store.model import StreamType
from libs.events.store.postgres import Store
from libs.events.store.transaction import EVENT_BYTES_MAX
from libs.events.store.verify import verify
from tests.purse import (
    CONTEXT,
    KEPT,
    REPLAYED,
    Command,
    Purse,
    PurseTooLight,
    PutIn,
    TakeOut,
)


async def put(store: Store, *commands: tuple[str, Command]) -> None:
    asked: list[tuple[str, Command]] = list(commands)
    async with store.transaction(CONTEXT) as transaction:
        outcomes = await handle_many(transaction, KEPT, asked)
    assert all(outcome.error is None for outcome in outcomes)


async def purse(store: Store, stream_id: str) -> Purse:
    return (await store.read(KEPT, [stream_id]))[stream_id].state


async def test_commands_of_one_batch_and_stream_build_on_each_other(store: Store) -> None:
    await put(store, ("purse-a", PutIn(5)), ("purse-b", PutIn(1)), ("purse-a", TakeOut(2)))

    assert await purse(store, "purse-a") == Purse(3, 2)
    assert await purse(store, "purse-b") == Purse(1, 1)
    assert (await store.head())[0] == 3


async def test_a_refused_command_disturbs_no_other_of_its_batch(store: Store) -> None:
    asked: list[tuple[str, Command]] = [("purse-a", TakeOut(1)), ("purse-b", PutIn(1))]
    async with store.transaction(CONTEXT) as transaction:
        outcomes = await handle_many(transaction, KEPT, asked)

    assert isinstance(outcomes[0].error, PurseTooLight)
    assert outcomes[1].error is None
    assert await store.pool.fetchval("SELECT count(*) FROM events") == 1


async def test_a_command_that_changes_nothing_leaves_no_block(store: Store) -> None:
    await put(store, ("purse-a", PutIn(0)))

    assert await store.pool.fetchval("SELECT count(*) FROM blocks") == 0


async def test_a_failing_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError):
        async with store.transaction(CONTEXT) as transaction:
            await handle_many(transaction, KEPT, [("purse-a", PutIn(1))])
            raise RuntimeError

    assert await store.pool.fetchval("SELECT count(*) FROM streams") == 0
    assert (await store.head())[0] == 0


async def test_state_is_the_same_from_snapshot_and_from_replay(store: Store) -> None:
    await put(store, *[("purse-a", PutIn(n)) for n in range(1, 9)])

    replayed = await store.read(REPLAYED, ["purse-a"])
    assert replayed["purse-a"].state == await purse(store, "purse-a")


async def test_a_snapshot_of_another_shape_is_replayed(store: Store) -> None:
    await put(store, ("purse-a", PutIn(3)))
    await store.pool.execute("""UPDATE streams SET state = '{"coins": 99}', state_version = 0""")

    assert await purse(store, "purse-a") == Purse(3, 1)


async def test_deciding_at_a_cut_sees_nothing_that_came_after_it(store: Store) -> None:
    await put(store, ("purse-a", PutIn(3)))
    cut, _ = await store.head()
    await put(store, ("purse-a", PutIn(4)), ("purse-b", PutIn(4)))

    async with store.transaction(CONTEXT) as transaction:
        outcomes = await handle_many(
            transaction,
            KEPT,
            [("purse-a", TakeOut(5)), ("purse-b", TakeOut(1)), ("purse-a", TakeOut(2))],
            cut=cut,
        )

    assert [type(outcome.error) for outcome in outcomes] == [
        PurseTooLight,
        PurseTooLight,
        type(None),
    ]
    assert await purse(store, "purse-a") == Purse(5, 3)


async def test_writers_of_one_stream_never_overwrite_each_other(store: Store) -> None:
    async def write(n: int) -> None:
        async with store.transaction(CONTEXT) as transaction:
            await handle(transaction, KEPT, "purse-a", PutIn(n))

    await asyncio.gather(*(write(1) for _ in range(16)), return_exceptions=True)

    versions = await store.pool.fetch("SELECT version FROM events ORDER BY block, ord")
    assert sorted(row[0] for row in versions) == list(range(1, len(versions) + 1))
    assert await purse(store, "purse-a") == Purse(len(versions), len(versions))


async def test_a_young_store_looks_its_streams_up_as_one_that_has_grown(database: str) -> None:
    """A plan made for a table of one page would be kept, and look through all of it for ever."""
    async with asyncpg.create_pool(database, min_size=1, max_size=1) as pool:
        store, committer = Store(pool, "young"), GroupCommitter(Store(pool, "young"))
        await committer.append(
            GroupedCommand(KEPT, "purse-a", PutIn(1), CONTEXT, lambda outcome: None)
        )
        await pool.execute("ANALYZE streams")
        before = await scans(pool)

        draft = Draft("CoinsPutIn", 1, b'{"coins":1}', None, None, None, None)
        await committer.append(
            GroupedCommand(KEPT, "purse-a", PutIn(1), CONTEXT, lambda outcome: None)
        )
        async with store.transaction(CONTEXT) as transaction:
            won = await transaction.append([Move("purse-a", 2, [draft], None, None)])

        assert won == {"purse-a"}
        assert await scans(pool) == before


async def scans(pool: asyncpg.Pool[asyncpg.Record]) -> int:
    """The number of looks through all streams."""
    await pool.execute("SELECT pg_stat_force_next_flush()")
    return int(
        await pool.fetchval("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'streams'")
    )


async def test_a_loser_of_the_race_is_not_written_and_the_others_are(store: Store) -> None:
    draft = Draft("CoinsPutIn", 1, b'{"coins":1}', None, None, None, None)
    moves = [Move(s, 0, [draft], None, None) for s in ("purse-a", "purse-b")]
    await put(store, ("purse-a", PutIn(7)))

    async with store.transaction(CONTEXT) as transaction:
        won = await transaction.append(moves)

    assert won == {"purse-b"}
    assert await store.pool.fetchval("SELECT count(*) FROM events") == 2


async def test_another_version_than_expected_is_a_conflict_that_names_the_current(
    store: Store,
) -> None:
    await put(store, ("purse-a", PutIn(7)))

    async with store.transaction(CONTEXT) as transaction:
        with pytest.raises(ConcurrencyConflict) as conflict:
            await handle(transaction, KEPT, "purse-a", PutIn(1), expected=4)
    assert conflict.value.facts["version"] == 1


async def test_a_savepoint_takes_back_its_events_and_keeps_the_rest(store: Store) -> None:
    async with store.transaction(CONTEXT) as transaction:
        await handle(transaction, KEPT, "purse-a", PutIn(1))
        with pytest.raises(RuntimeError):
            async with transaction.savepoint():
                await handle(transaction, KEPT, "purse-a", PutIn(10))
                raise RuntimeError
        await handle(transaction, KEPT, "purse-a", PutIn(2))

    assert await purse(store, "purse-a") == Purse(3, 2)
    assert [row[0] for row in await store.pool.fetch("SELECT ord FROM events")] == [0, 1]


async def test_the_first_claim_of_a_token_wins_and_the_second_learns_whose_it_is(
    store: Store,
) -> None:
    async with store.transaction(CONTEXT) as transaction:
        first = await transaction.claim("card", {"t1": "purse-a"})
        second = await transaction.claim("card", {"t1": "purse-b", "t2": "purse-b"})

    assert first == {"t1": "purse-a"}
    assert second == {"t1": "purse-a", "t2": "purse-b"}


async def test_an_oversize_event_is_refused_at_append(store: Store) -> None:
    draft = Draft("CoinsPutIn", 1, b'"' + b"x" * EVENT_BYTES_MAX + b'"', None, None, None, None)
    with pytest.raises(EventTooLarge):
        async with store.transaction(CONTEXT) as transaction:
            await transaction.append([Move("purse-a", 0, [draft], None, None)])
    assert (await store.head())[0] == 0


async def test_an_unknown_event_in_the_own_store_is_never_skipped(store: Store) -> None:
    await put(store, ("purse-a", PutIn(3)))
    kind = StreamType(
        "purse", KEPT.decider, {"CoinsTakenOut": KEPT.events["CoinsTakenOut"]}, KEPT.publish
    )
    with pytest.raises(UnknownEvent):
        await store.read(kind, ["purse-a"])


async def test_an_older_event_is_lifted_by_its_upcasters(store: Store) -> None:
    await put(store, ("purse-a", PutIn(3)))
    tripled = replace(
        REPLAYED,
        versions={"CoinsPutIn": 2},
        upcasters={("CoinsPutIn", 1): lambda data: {"coins": data["coins"] * 3}},
    )

    assert (await store.read(tripled, ["purse-a"]))["purse-a"].state == Purse(9, 1)


async def test_the_runtime_role_may_add_to_the_log_and_not_change_it(
    database: str, store: Store
) -> None:
    await store.pool.execute("CREATE ROLE runner")
    try:
        await store.pool.execute("DROP TABLE migrations")
        await store.pool.execute(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
            " GRANT USAGE ON SCHEMA public TO runner"
        )
        await migrate.apply(database, [migrate.CORRIDOR], {"RUNTIME_ROLE": "runner"})
        for statement in (
            "DELETE FROM events",
            "UPDATE events SET version = 1",
            "TRUNCATE events",
            "UPDATE blocks SET count = 1",
            "DELETE FROM streams",
            "UPDATE head SET epoch = ''",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with store.pool.acquire() as connection, connection.transaction():
                    await connection.execute("SET LOCAL ROLE runner")
                    await connection.execute(statement)
    finally:
        await store.pool.execute("DROP OWNED BY runner; DROP ROLE runner")


async def test_migrations_are_applied_once_and_guard_their_text(
    database: str, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert await migrate.apply(database, [migrate.CORRIDOR], {"RUNTIME_ROLE": "postgres"}) == []
    directory = tmp_path_factory.mktemp("service") / "migrations"
    directory.mkdir()
    (directory / "001_a.sql").write_text("-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\n")
    assert len(await migrate.apply(database, [directory], {})) == 1
    (directory / "001_a.sql").write_text("-- migrate:up\nCREATE TABLE b ();\n-- migrate:down\n")
    with pytest.raises(migrate.MigrationChanged):
        await migrate.apply(database, [directory], {})


async def test_a_second_connection_does_not_ask_for_the_types_that_the_first_one_knows(
    store: Store,
) -> None:
    asked: list[str] = []
    every: tuple[Any, ...] = (
        "SELECT $1::uuid[], $2::int[], $3::bigint[], $4::json[]",
        [],
        [],
        [],
        [],
    )
    async with store.pool.acquire() as first, store.pool.acquire() as second:
        await first.fetch(*every)

        second.add_query_logger(lambda query: asked.append(query.query))
        await second.fetch(*every)

    assert asked == [every[0]]


async def test_a_store_that_went_beyond_its_partitions_is_given_more_at_the_next_start(
    store: Store, database: str
) -> None:
    count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"
    made = await store.pool.fetchval(count)
    await store.pool.execute("SELECT setval('block_numbers', 650000)")
    async with store.transaction(CONTEXT) as transaction:
        await handle_many(transaction, KEPT, [("purse-1", PutIn(1))])

    for _ in range(2):
        await store.pool.execute("SELECT make_event_partitions(100000, 4)")

    assert await store.pool.fetchval(count) == made + 4
    assert await store.pool.fetchval("SELECT count(*) FROM events_beyond") == 1
    assert [what async for what in verify(store.pool)] == []
