"""Payments on a fresh database, by its parts, with real simulators for its partners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from libs.chassis.settings import Settings
from tests.doors import service_settings
from tests.integration.payments.office import Office, office_at
from tests.integration.payments.world import World
from tests.servers import Postgres


@pytest_asyncio.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Settings]:
    """The settings of this payments service."""
    async with service_settings(postgres, tmp_path, "payments") as settings:
        yield settings


@pytest_asyncio.fixture
async def office(settings: Settings, tmp_path: Path) -> AsyncIterator[Office]:
    """Payments by its parts; the banks know no account until a test opens some."""
    world = World(tmp_path / "journals", {})
    async with office_at(settings, tmp_path, world) as parts:
        yield parts
