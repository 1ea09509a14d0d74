"""Complaints on a fresh database: at its door, and its store without anybody who works on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from libs.chassis.settings import Settings
from libs.events.store.postgres import Store
from services.complaints.main import SERVICE
from tests.doors import Door, front_door, service_settings
from tests.integration.complaints.kit import NOW
from tests.servers import Postgres


@pytest_asyncio.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Settings]:
    """The settings of this service."""
    async with service_settings(postgres, tmp_path, "complaints") as settings:
        yield settings


@pytest_asyncio.fixture
async def complaints(settings: Settings, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of the running service, on a day whose year has its decree of holidays."""
    async with front_door(SERVICE, settings, tmp_path, NOW) as opened:
        yield opened


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """The service's store, which nobody leads."""
    store = await Store.connect(settings.database_url, "complaints")
    yield store
    await store.close()
