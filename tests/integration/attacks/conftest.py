"""Whom the attackers meet: services on fresh databases, as their callers reach them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest_asyncio

from services.payments.contract import FamilyListed
from services.payments.policy import load
from services.payments.tables.list_lines import ListedLine
from services.payments.workers.ready_lists import entitlement_of
from services.registry.main import SERVICE as REGISTRY
from tests.doors import Door, Sent, front_door, service_settings
from tests.integration.payments.office import Office, office_at
from tests.integration.payments.world import World
from tests.integration.registry.kit import Register, register_at
from tests.servers import Postgres


def owed(line: Sent) -> int:
    """The rupiah that payments would entitle the family of a roster line to."""
    roster = msgspec.convert(line.body, FamilyListed)
    listed = ListedLine(roster.family, roster.outcome, "", roster, cut_percent=0, evaluated=None)
    return entitlement_of(listed, load().benefits["2021-2024"]).amount


@dataclass(frozen=True, slots=True)
class RegistryAtItsDoor:
    """A registry as its callers meet it, and the same one by its parts."""

    door: Door
    register: Register


@pytest_asyncio.fixture
async def registry(postgres: Postgres, tmp_path: Path) -> AsyncIterator[RegistryAtItsDoor]:
    """A registry without families."""
    async with (
        service_settings(postgres, tmp_path, "registry") as settings,
        register_at(settings) as register,
        front_door(REGISTRY, settings, tmp_path) as door,
    ):
        yield RegistryAtItsDoor(door, register)


@pytest_asyncio.fixture
async def office(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Office]:
    """Payments by its parts; the banks know no account until a test opens some."""
    world = World(tmp_path / "journals", {})
    async with (
        service_settings(postgres, tmp_path, "payments") as settings,
        office_at(settings, tmp_path, world) as parts,
    ):
        yield parts
