"""A service's store on a fresh database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from libs.events.store.postgres import Store
from tests.servers import Postgres
from tests.stores import fresh_store


@pytest_asyncio.fixture
async def database(postgres: Postgres) -> AsyncIterator[str]:
    """The address of a fresh database with a store's tables."""
    async with fresh_store(postgres) as url:
        yield url


@pytest_asyncio.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A store named `test`, as the superuser, who also stands for the runtime role."""
    opened = await Store.connect(database, "test")
    yield opened
    await opened.close()
