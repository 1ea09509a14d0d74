"""A service's store on a fresh database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from libs.events import migrate
from libs.events.store import Store


@pytest_asyncio.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A store named `test`, as the superuser, who also stands for the runtime role."""
    await migrate.apply(database, [migrate.CORRIDOR], {"RUNTIME_ROLE": "postgres"})
    opened = await Store.connect(database, "test")
    yield opened
    await opened.close()
