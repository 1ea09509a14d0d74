"""Many writers at once: no reader misses an event, and a naive one is shown to miss some."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass, field

import asyncpg
import pytest

from libs.events.handle import handle_many
from libs.events.store import Store
from tests.purse import CONTEXT, KEPT, PutIn

EVENTS = 1_000_000 if os.environ.get("PKH_NIGHTLY") else 20_000
WRITERS = 8
ROLLBACKS = 0.01


@dataclass
class Hunt:
    """What was committed, and what a reader who follows the positions has seen."""

    seed: int
    committed: int = 0
    seen: list[int] = field(default_factory=list)
    done: bool = False


async def write(store: Store, hunt: Hunt, writer: int) -> None:
    chance = random.Random(hunt.seed * 100 + writer)
    while hunt.committed < EVENTS:
        size = chance.choice((1, 2, 7, 40, 200, 500))
        streams = [f"purse-{chance.randrange(400):04}" for _ in range(size)]
        try:
            async with store.transaction(CONTEXT) as transaction:
                outcomes = await handle_many(
                    transaction, KEPT, [(stream, PutIn(1)) for stream in streams]
                )
                await transaction.connection.execute(
                    "SELECT pg_sleep($1)", chance.choice((0, 0, 0, 0.002, 0.01))
                )
                if chance.random() < ROLLBACKS:
                    raise InterruptedError
        except (InterruptedError, asyncpg.DeadlockDetectedError):
            continue
        hunt.committed += sum(len(outcome.events) for outcome in outcomes)


async def read(store: Store, hunt: Hunt) -> None:
    position = 0
    while True:
        finished = hunt.done
        rows = await store.pool.fetch(
            """SELECT first_position + ord AS position FROM blocks JOIN events USING (block)
               WHERE first_position > $1 ORDER BY first_position, ord""",
            position,
        )
        hunt.seen += [row["position"] for row in rows]
        position = hunt.seen[-1] if hunt.seen else 0
        if finished:
            return


@pytest.mark.parametrize("seed", [1])
async def test_a_reader_of_positions_misses_nothing(store: Store, seed: int) -> None:
    hunt = Hunt(seed)
    reader = asyncio.create_task(read(store, hunt))
    await asyncio.gather(*(write(store, hunt, n) for n in range(WRITERS - 1)))
    hunt.done = True
    await reader

    assert hunt.seen == list(range(1, hunt.committed + 1)), f"seed {seed}, N {hunt.committed}"
    versions = await store.pool.fetchval(
        """SELECT count(*) FROM (SELECT version, row_number() OVER (
               PARTITION BY stream_id ORDER BY first_position, ord) AS place
           FROM events JOIN blocks USING (block)) AS lined WHERE version <> place"""
    )
    assert versions == 0


async def test_the_same_hunt_finds_a_reader_of_serial_numbers_wanting(store: Store) -> None:
    """The test of the test: numbers taken before commit are seen out of order."""
    await store.pool.execute("CREATE TABLE naive (number bigserial)")
    seen: list[int] = []

    async def write_naive(n: int) -> None:
        for _ in range(40):
            async with store.pool.acquire() as connection, connection.transaction():
                await connection.execute("INSERT INTO naive DEFAULT VALUES")
                await connection.execute("SELECT pg_sleep($1)", 0.001 * n)

    async def read_naive(writers: asyncio.Future[list[None]]) -> None:
        while not writers.done():
            rows = await store.pool.fetch(
                "SELECT number FROM naive WHERE number > $1 ORDER BY 1", seen[-1] if seen else 0
            )
            seen.extend(row[0] for row in rows)

    writers = asyncio.gather(*(write_naive(n) for n in range(WRITERS - 2)))
    await read_naive(writers)
    await writers
    written = await store.pool.fetchval("SELECT count(*) FROM naive")
    assert len(seen) < written
