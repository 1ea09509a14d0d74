"""Brings the databases and topics of a deployment up to date; runs before the services start.

Reads PKH_<SERVICE>_OWNER_URL for each service and PKH_KEYS_OWNER_URL, each with its
_PASSWORD_FILE, and PKH_BUS_URL. Safe to run again: what is there stays.
"""

from __future__ import annotations

import asyncio
import os

from libs.chassis.catalogue import catalogue
from libs.chassis.migrations import make_topics, migrate_keys, migrate_service
from libs.chassis.settings import POSTGRES, Environment, url


async def databases(env: Environment) -> list[str]:
    """Apply what is missing in every database; answers the names of what was applied."""
    applied = []
    for service in catalogue().names:
        owner = url(env, f"PKH_{service.upper()}_OWNER_URL", POSTGRES)
        applied += await migrate_service(service, owner)
    return applied + await migrate_keys(url(env, "PKH_KEYS_OWNER_URL", POSTGRES))


async def main() -> None:
    """Do both and say what was done."""
    for name in await databases(os.environ):
        print(f"applied {name}")
    topics = await make_topics(url(os.environ, "PKH_BUS_URL", ("kafka",)))
    print(f"topics: {', '.join(topics)}")


if __name__ == "__main__":
    asyncio.run(main())
