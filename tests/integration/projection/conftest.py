"""Projection on a fresh database, by its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.doors import service_settings
from tests.integration.projection.kit import Desk, desk_at
from tests.servers import Postgres


@pytest_asyncio.fixture
async def desk(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Desk]:
    """Projection's tables, and what others send to it."""
    async with (
        service_settings(postgres, tmp_path, "projection") as settings,
        desk_at(settings) as parts,
    ):
        yield parts
