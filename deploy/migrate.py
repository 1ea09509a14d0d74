"""Brings the databases and topics of a deployment up to date; runs before the services start.

Reads PKH_<SERVICE>_OWNER_URL for each service and PKH_KEYS_OWNER_URL, each with its
_PASSWORD_FILE, and PKH_BUS_URL. Safe to run again: what is there stays.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

import asyncpg

from libs.chassis.catalogue import catalogue
from libs.chassis.settings import POSTGRES, Environment, url
from libs.events.bus.connect import connect
from libs.events.bus.topics import Topics
from libs.events.store import migrate
from libs.privacy import migrate as keys

ROOT: Final = Path(__file__).resolve().parent.parent
BLOCKS_A_PARTITION: Final = 100_000
PARTITIONS_AHEAD: Final = 4


async def databases(env: Environment) -> list[str]:
    """Apply what is missing in every database; answers the names of what was applied."""
    applied = []
    for service in catalogue().names:
        owner = url(env, f"PKH_{service.upper()}_OWNER_URL", POSTGRES)
        own = ROOT / "services" / service / "migrations"
        roles = {"RUNTIME_ROLE": f"pkh_{service}", "GRAFANA_ROLE": "pkh_grafana"}
        applied += await migrate.apply(owner, [migrate.CORRIDOR, own], roles)
        await _make_partitions(owner)
    roles_of_keys = keys.KeyRoles("pkh_registry", "pkh_payments", "pkh_eraser")
    applied += await keys.apply(url(env, "PKH_KEYS_OWNER_URL", POSTGRES), roles_of_keys)
    return applied


async def _make_partitions(owner: str) -> None:
    # Only the owner may; so each start makes room for the events until the next one.
    connection = await asyncpg.connect(owner)
    try:
        make = "SELECT make_event_partitions($1, $2)"
        await connection.execute(make, BLOCKS_A_PARTITION, PARTITIONS_AHEAD)
    finally:
        await connection.close()


async def topics(env: Environment) -> list[str]:
    """Create the missing topics with the partition counts of the contracts; answers all names."""
    wanted = Topics.load(ROOT / "contracts").partitions
    bus = await connect(url(env, "PKH_BUS_URL", ("kafka",)))
    try:
        await bus.ensure_topics(wanted)
    finally:
        await bus.close()
    return list(wanted)


async def main() -> None:
    """Do both and say what was done."""
    for name in await databases(os.environ):
        print(f"applied {name}")
    print(f"topics: {', '.join(await topics(os.environ))}")


if __name__ == "__main__":
    asyncio.run(main())
