"""P2k2 on a fresh database: at its door, and by its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from libs.chassis.settings import Settings
from services.p2k2.main import SERVICE
from tests.doors import Door, front_door, service_settings
from tests.integration.p2k2.kit import Bench, bench_at
from tests.servers import Postgres


@pytest_asyncio.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Settings]:
    """The settings of this service."""
    async with service_settings(postgres, tmp_path, "p2k2") as settings:
        yield settings


@pytest_asyncio.fixture
async def p2k2(settings: Settings, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of the running service."""
    async with front_door(SERVICE, settings, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def bench(settings: Settings) -> AsyncIterator[Bench]:
    """The same service by its parts."""
    async with bench_at(settings) as parts:
        yield parts
