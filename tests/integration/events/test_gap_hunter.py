"""Many writers at once: no reader misses an event, and a naive one is shown to miss some."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

import asyncpg
import msgspec
import pytest

from libs.events.store.handle import handle_many
from libs.events.store.log import window_after
from libs.events.store.postgres import POOL_CONNECTIONS_MAX, Store
from libs.events.store.verify import verify
from tests.integration.events.hunt import HOLDS, Batch, Fate, Hunt, Seen, Terms
from tests.purse import CONTEXT, KEPT, CoinsPutIn, Command, PutIn
from tests.tiers import NIGHTLY

EVENTS = 1_000_000 if NIGHTLY else 20_000
NAIVE_EVENTS = 50_000 if NIGHTLY else 5_000

_EVENTS = """
SELECT block, ord, stream_id, version, data FROM events
WHERE block = ANY($1) AND ord >= $2 AND ord < $3
"""


class CorridorLog:
    """The corridor's own log: appended to by commands, read by the windows that the relay reads."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = stores
        self._coins = msgspec.json.Decoder(CoinsPutIn)

    async def append(self, writer: int, batch: Batch) -> Sequence[int]:
        """An event's mark is the coins of its command."""
        commands: list[tuple[str, Command]] = [(s, PutIn(mark)) for s, mark in batch.events()]
        store = self._stores[writer % len(self._stores)]
        async with store.transaction(CONTEXT) as unit:
            outcomes = await handle_many(unit, KEPT, commands)
            for outcome in outcomes:
                if outcome.error:
                    raise outcome.error
            await batch.hold(unit.connection)
        return [event.coins for outcome in outcomes for event in outcome.events]

    async def after(self, position: int, at_most: int) -> Sequence[Seen]:
        pool = self._stores[0].pool
        window = await window_after(pool, position, at_most)
        rows = await window.events(pool, _EVENTS) if window else ()
        return [
            Seen(at, self._coins.decode(r["data"]).coins, r["stream_id"], r["version"])
            for at, r in rows
        ]


class NaiveLog:
    """Numbers from a sequence, read behind the last one: what the corridor does not do."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = stores

    async def append(self, writer: int, batch: Batch) -> Sequence[int]:
        store = self._stores[writer % len(self._stores)]
        streams, marks = zip(*batch.events(), strict=True)
        async with store.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO naive (stream, mark) SELECT * FROM unnest($1::text[], $2::bigint[])",
                streams,
                marks,
            )
            await batch.hold(connection)
        return marks

    async def after(self, position: int, at_most: int) -> Sequence[Seen]:
        rows = await self._stores[0].pool.fetch(
            "SELECT number, mark, stream FROM naive WHERE number > $1 ORDER BY number LIMIT $2",
            position,
            at_most,
        )
        return [Seen(row["number"], row["mark"], row["stream"], None) for row in rows]


@contextlib.asynccontextmanager
async def stores(database: str, writers: int) -> AsyncIterator[list[Store]]:
    """As many processes of a service as it takes for each writer to have its own connection."""
    async with asyncpg.create_pool(database, min_size=1, max_size=1) as pool:
        await pool.execute(HOLDS)
    count = 1 + -(-writers // POOL_CONNECTIONS_MAX)  # the first one is the readers'
    async with contextlib.AsyncExitStack() as stack:
        opened = [await Store.connect(database, "test") for _ in range(count)]
        for store in opened:
            stack.push_async_callback(store.close)
        yield opened


@pytest.mark.parametrize(("seed", "writers"), [(1, 8), (2, 64)])
async def test_readers_of_positions_miss_nothing(
    store: Store, database: str, seed: int, writers: int
) -> None:
    terms = Terms(seed, writers, EVENTS)
    print(terms)
    async with stores(database, writers) as opened:
        hunt = Hunt(CorridorLog(opened), terms)
        await hunt.run()
    print(hunt)

    assert not hunt.findings(), f"{hunt}"
    assert sum(hunt.committed) >= EVENTS, f"{hunt}"
    assert hunt.taken_back == sum(batch.fate is not Fate.KEPT for batch in hunt.batches) > 0
    assert (await store.head())[0] == sum(hunt.committed)
    assert [finding async for finding in verify(store.pool)] == []


async def test_the_same_hunt_names_what_a_reader_of_serial_numbers_misses(
    store: Store, database: str
) -> None:
    """The test of the test: numbers that are taken before COMMIT become visible out of order."""
    terms = Terms(seed=3, writers=8, events=NAIVE_EVENTS)
    await store.pool.execute("CREATE TABLE naive (number bigserial, mark bigint, stream text)")
    async with stores(database, terms.writers) as opened:
        hunt = Hunt(NaiveLog(opened), terms)
        await hunt.run()
    print(hunt)

    missed = hunt.missed()
    assert missed, f"{hunt}"
    assert hunt.findings()[0] == f"missed: {hunt.name(missed[0])}"
    assert len(missed) == await store.pool.fetchval(
        "SELECT count(*) FROM naive WHERE mark = ANY($1)", missed
    )
