"""Read models are built anew beside the live ones, and take their place while messages come in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from libs.events.bus import Bus
from libs.events.bus.connect import connect
from libs.events.bus.incoming import Incoming
from libs.events.bus.topics import Topics
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.rebuild import (
    NotOnlyReading,
    Progress,
    ReadModels,
    RebuildStopped,
    digests,
    rebuild,
)
from libs.events.consumer.subscription import Subscription
from libs.events.domain.errors import UnknownEvent
from libs.events.relay.outbox import Relay
from libs.events.store import migrate
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.handle import handle_many
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.store.verify import verify
from libs.events.store.watermarks import positions
from tests.purse import CONTEXT, KEPT, TOPIC, CoinsPutIn, Command, PutIn
from tests.servers import Postgres, eventually
from tests.stores import fresh_bus, fresh_store

TOPICS = Topics("org.example", {TOPIC: 3}, {TOPIC: "writer"})
TABLE = """-- migrate:up
CREATE TABLE purse (coins int PRIMARY KEY, said text NOT NULL);
CREATE VIEW rich AS SELECT * FROM purse WHERE coins > 100;
CREATE TABLE looked (reader text NOT NULL);
GRANT SELECT, INSERT, UPDATE ON purse TO ${RUNTIME_ROLE};
-- migrate:down
DROP TABLE looked, purse;
"""


@dataclass
class House:
    """A writer, its relay, and a reader whose rows say what `word` was when they were made."""

    writer: Store
    reader: Store
    bus: Bus
    models: ReadModels
    word: str = "first"
    fault: Exception | None = None

    async def take(self, transaction: Transaction, messages: Sequence[Incoming]) -> None:
        if self.fault is not None:
            raise self.fault
        await transaction.connection.executemany(
            "INSERT INTO purse (coins, said) VALUES ($1, $2)"
            " ON CONFLICT (coins) DO UPDATE SET said = excluded.said",
            [(message.body.coins, self.word) for message in messages],
        )

    async def put(self, *coins: int) -> None:
        commands: list[tuple[str, Command]] = [(f"purse-{c}", PutIn(c)) for c in coins]
        async with self.writer.transaction(CONTEXT) as transaction:
            await handle_many(transaction, KEPT, commands)

    def consumer(self) -> Consumer:
        return Consumer(self.reader, self.bus, "reader", self.models.subscriptions, TOPICS)

    async def caught_up(self) -> bool:
        sent = await positions(self.writer)
        head, _ = await self.writer.head()
        return sent.relayed >= head and (await positions(self.reader)).has_consumed(sent)

    async def said(self) -> dict[int, str]:
        rows = await self.reader.pool.fetch("SELECT coins, said FROM purse ORDER BY coins")
        return {row["coins"]: row["said"] for row in rows}

    async def digests(self) -> dict[str, str]:
        async with self.reader.pool.acquire() as connection:
            return await digests(connection)


@pytest_asyncio.fixture
async def house(postgres: Postgres, tmp_path: Path) -> AsyncIterator[House]:
    migrations = tmp_path / "reader" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_purse.sql").write_text(TABLE)
    async with contextlib.AsyncExitStack() as stack:
        writers = await stack.enter_async_context(fresh_store(postgres))
        readers = await stack.enter_async_context(fresh_store(postgres))
        buses = await stack.enter_async_context(fresh_bus(postgres))
        roles = {"RUNTIME_ROLE": "postgres"}
        await migrate.apply(readers, [migrate.CORRIDOR, migrations], roles)
        bus = await connect(buses)
        await bus.ensure_topics(TOPICS.partitions)
        writer = await Store.connect(writers, "writer")
        reader = await Store.connect(readers, "reader")
        directories = [migrate.CORRIDOR, migrations]
        models = ReadModels("reader", readers, readers, directories, roles, [], TOPICS)
        found = House(writer, reader, bus, models)
        reads = [Subscription("reader", TOPIC, {"CoinsPutIn": CoinsPutIn}, found.take)]
        found.models = ReadModels("reader", readers, readers, directories, roles, reads, TOPICS)
        yield found
        await bus.close()
        await writer.close()
        await reader.close()


@contextlib.asynccontextmanager
async def at_work(house: House) -> AsyncIterator[None]:
    parts = (Relay(house.writer, house.bus, TOPICS), house.consumer())
    tasks = [asyncio.create_task(part.run()) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def nobody(_progress: Progress) -> None:
    """Nobody looks."""


async def test_a_rebuild_of_the_same_code_is_the_same_to_the_byte(house: House) -> None:
    async with at_work(house):
        await house.put(*range(1, 200))
        await eventually(house.caught_up)
        before, epoch = await house.digests(), (await positions(house.reader)).epoch

        progress = await rebuild(house.models, house.bus, nobody)

        assert progress == Progress(199, 199)
        assert set(before) >= {"purse", "consumed", "parked"}
        assert await house.digests() == before
        assert (await positions(house.reader)).epoch == epoch


async def test_other_code_makes_other_rows_and_new_messages_follow_in_the_new_tables(
    house: House,
) -> None:
    async with at_work(house):
        await house.put(1, 101)
        await eventually(house.caught_up)
        house.word = "second"
        assert set((await house.said()).values()) == {"first"}

        await rebuild(house.models, house.bus, nobody)
        assert await house.said() == {1: "second", 101: "second"}

        await house.put(2, 102)
        await eventually(house.caught_up)
        assert set(await house.said()) == {1, 2, 101, 102}
        assert await house.reader.pool.fetchval("SELECT count(*) FROM rich") == 2


async def test_nothing_is_lost_or_doubled_while_messages_come_in_all_along(house: House) -> None:
    async with at_work(house):
        await house.put(*range(1, 100))
        await eventually(house.caught_up)
        writing = asyncio.create_task(keep_writing(house))
        try:
            for _ in range(3):
                await rebuild(house.models, house.bus, nobody)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        await eventually(house.caught_up)

        head, _ = await house.writer.head()
        assert await house.said() == dict.fromkeys(range(1, head + 1), "first")


async def keep_writing(house: House) -> None:
    for coins in range(100, 100_000):
        await house.put(coins)


async def test_a_rebuild_that_is_ended_halfway_leaves_the_live_tables_and_the_next_one_begins_anew(
    house: House,
) -> None:
    async with at_work(house):
        await house.put(*range(1, 50))
        await eventually(house.caught_up)
        before = await house.digests()
        seen = asyncio.Event()
        rebuilding = asyncio.create_task(rebuild(house.models, house.bus, lambda _: seen.set()))
        await seen.wait()
        rebuilding.cancel()
        await asyncio.gather(rebuilding, return_exceptions=True)

        assert await house.digests() == before
        await rebuild(house.models, house.bus, nobody)
        assert await house.digests() == before


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (UnknownEvent(type="CoinsMelted"), "CoinsMelted"),
        (ValueError("bad coin"), "3 messages cannot be handled"),
    ],
    ids=["stopped", "parked"],
)
async def test_code_that_can_not_take_the_past_is_told_and_the_live_tables_stay(
    house: House, fault: Exception, said: str
) -> None:
    async with at_work(house):
        await house.put(1, 2, 3)
        await eventually(house.caught_up)
        before = await house.digests()
    house.fault = fault

    with pytest.raises(RebuildStopped, match=said):
        await rebuild(house.models, house.bus, nobody)
    assert await house.digests() == before


async def test_a_service_with_events_of_its_own_is_refused(house: House) -> None:
    async with house.reader.transaction(CONTEXT) as transaction:
        await handle_many(transaction, KEPT, [("purse-1", PutIn(1))])

    with pytest.raises(NotOnlyReading):
        await rebuild(house.models, house.bus, nobody)
    assert await schemas(house) == {"public"}


async def schemas(house: House) -> set[str]:
    rows = await house.reader.pool.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> $1",
        "information_schema",
    )
    return {row["nspname"] for row in rows}


async def test_the_replaced_tables_are_gone_and_the_owner_may_do_it_again(house: House) -> None:
    for _ in range(2):
        await rebuild(house.models, house.bus, nobody)
        assert await schemas(house) == {"public"}


async def test_notes_that_no_topic_could_fill_again_move_over(house: House) -> None:
    await house.reader.pool.execute("INSERT INTO looked (reader) VALUES ('officer-1')")

    await rebuild(replace(house.models, notes=("looked",)), house.bus, nobody)

    assert await house.reader.pool.fetchval("SELECT reader FROM looked") == "officer-1"


async def test_its_own_log_moves_over_as_it_is_and_goes_on(house: House) -> None:
    models, committer = replace(house.models, kinds=("purse",)), GroupCommitter(house.reader)
    done = 0

    async def keep_appending() -> None:
        nonlocal done
        while True:
            command = GroupedCommand(KEPT, "purse-1", PutIn(1), CONTEXT, lambda _: None)
            await committer.append(command)
            done += 1

    def went_on(enough: int) -> bool:
        return done >= enough or appending.done()

    appending = asyncio.create_task(keep_appending())
    for _ in range(3):
        await rebuild(models, house.bus, nobody)
        enough = done + 2
        await eventually(partial(went_on, enough))
    appending.cancel()
    await asyncio.gather(appending, return_exceptions=True)

    position, _ = await house.reader.head()
    assert appending.cancelled()
    assert position in (done, done + 1)
    assert await house.reader.pool.fetchval("SELECT count(*) FROM outgoing") == position
    assert [what async for what in verify(house.reader.pool)] == []


async def test_answers_that_the_live_service_gave_move_over(house: House) -> None:
    await house.reader.pool.execute(
        "INSERT INTO idempotency (client, key, fingerprint) VALUES ('clerk', 'k', 'f')"
    )
    await rebuild(house.models, house.bus, nobody)

    assert await house.reader.pool.fetchval("SELECT client FROM idempotency") == "clerk"
    with pytest.raises(asyncpg.UniqueViolationError):
        await house.reader.pool.execute(
            "INSERT INTO idempotency (client, key, fingerprint) VALUES ('clerk', 'k', 'g')"
        )
