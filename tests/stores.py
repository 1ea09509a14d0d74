"""Stores and buses for tests: migrated once a session, and copied for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from libs.events.bus import embedded as embedded_bus
from libs.events.store import migrate
from tests.servers import Postgres, fresh_database, template

# As after a restore: a copy is another history.
OWN_EPOCH: Final = "UPDATE head SET epoch = gen_random_uuid()::text"


@asynccontextmanager
async def fresh_copy(
    postgres: Postgres, of: str, prepare: Callable[[str], Awaitable[None]]
) -> AsyncIterator[str]:
    """The address of a fresh database with a store in it, as `prepare` makes one."""
    with fresh_database(postgres, await template(postgres, of, prepare)) as url:
        connection = await asyncpg.connect(url)
        await connection.execute(OWN_EPOCH)
        await connection.close()
        yield url


@asynccontextmanager
async def fresh_store(postgres: Postgres) -> AsyncIterator[str]:
    """The address of a fresh database with the corridor's tables; its superuser runs it."""
    async with fresh_copy(postgres, "store", _migrated) as url:
        yield url


async def _migrated(url: str) -> None:
    await migrate.apply(url, [migrate.CORRIDOR], {"RUNTIME_ROLE": "postgres"})


@asynccontextmanager
async def fresh_bus(postgres: Postgres) -> AsyncIterator[str]:
    """The address of a fresh database with an embedded bus in it."""
    with fresh_database(postgres, await template(postgres, "bus", embedded_bus.migrate)) as url:
        yield url
