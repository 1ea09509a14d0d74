"""A registry on fresh databases: at its door, or by its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from libs.chassis.settings import Settings
from services.registry.main import SERVICE
from tests.doors import Door, front_door, service_settings
from tests.integration.registry.kit import Register, register_at
from tests.integration.registry.lists import given_families
from tests.servers import Postgres


@pytest_asyncio.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Settings]:
    """The settings of this registry."""
    async with service_settings(postgres, tmp_path, "registry") as settings:
        yield settings


@pytest_asyncio.fixture
async def registry(settings: Settings, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of a running registry."""
    async with front_door(SERVICE, settings, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def register(settings: Settings) -> AsyncIterator[Register]:
    """The same registry by its parts."""
    async with register_at(settings) as parts:
        yield parts


@pytest_asyncio.fixture
async def given(register: Register) -> Register:
    """A register that holds the families of `lists`."""
    await given_families(register)
    return register
