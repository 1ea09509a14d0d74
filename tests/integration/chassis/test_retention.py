"""Old answers and uploads go in time, and a statement of a request ends in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import asyncpg
import pytest
import pytest_asyncio

from libs.chassis.limits import Limits
from libs.chassis.retention import LOOK_EVERY_S, Retention
from libs.chassis.service import opened
from libs.chassis.settings import Settings
from libs.events.store.postgres import Store
from tests.doors import service_settings
from tests.servers import Postgres

DAYS: Final = 90
_ANSWER: Final = """
INSERT INTO idempotency (client, key, fingerprint, status, answer, recorded_at)
VALUES ('ana', $1, '', 204, '{}', now() - make_interval(days => $2))
"""
_UPLOAD: Final = """
INSERT INTO job (id, client, key, lock, kind, about, state, attempt, done, counts, started_at,
                 changed_at)
VALUES ($1, 'ana', $1, 0, 'import', '', 'DONE', 1, 0, '{}', now() - make_interval(days => $2),
        now() - make_interval(days => $2))
"""


@pytest_asyncio.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Settings]:
    async with service_settings(postgres, tmp_path, "projection") as found:
        yield found


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """The store as the service has it, with answers and uploads of many days."""
    connected = await Store.connect(settings.database_url, "projection")
    for number, age in enumerate((0, DAYS - 1, DAYS + 1, DAYS + 2, 1_000)):
        await connected.pool.execute(_ANSWER, f"key-{number}", age)
        await connected.pool.execute(_UPLOAD, f"job-{number}", age)
    yield connected
    await connected.close()


async def left(store: Store) -> tuple[list[str], list[str]]:
    answers = await store.pool.fetch("SELECT key FROM idempotency ORDER BY key")
    uploads = await store.pool.fetch("SELECT id FROM job ORDER BY id")
    return [row[0] for row in answers], [row[0] for row in uploads]


async def test_what_is_old_goes_in_batches_and_what_is_young_stays(store: Store) -> None:
    retention = Retention(store, DAYS, batch_max=2)

    more = [await retention.step() for _ in range(2)]

    assert more == [True, False]
    assert await left(store) == (["key-0", "key-1"], ["job-0", "job-1"])


async def test_after_a_look_that_found_little_the_next_one_rests(store: Store) -> None:
    now = 0.0
    retention = Retention(store, DAYS, clock=lambda: now)
    await retention.step()
    await store.pool.execute(_ANSWER, "key-9", 1_000)

    await retention.step()
    rested, _ = await left(store)
    now = LOOK_EVERY_S
    await retention.step()

    assert "key-9" in rested
    assert await left(store) == (["key-0", "key-1"], ["job-0", "job-1"])


async def test_a_statement_of_a_request_ends_and_a_worker_s_goes_on(settings: Settings) -> None:
    async with opened(replace(settings, limits=Limits(statement_s=1))) as running:
        requests: Store = running.resources()["store"]

        with pytest.raises(asyncpg.QueryCanceledError):
            await requests.pool.execute("SELECT pg_sleep(30)")
        worker = await running.store.pool.fetchval("SHOW statement_timeout")

    assert requests.pool is not running.store.pool
    assert worker == "0"
