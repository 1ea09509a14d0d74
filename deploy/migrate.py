"""Brings the databases and topics of a deployment up to date; runs before the services start.

Reads PKH_<SERVICE>_OWNER_URL for each service and PKH_KEYS_OWNER_URL, each with its
_PASSWORD_FILE, and PKH_BUS_URL. Safe to run again: what is there stays.

Where brokers ask who it is (PKH_KAFKA_SECURITY_PROTOCOL), it is a super user there, and writes
their users, by PKH_<SERVICE>_KAFKA_PASSWORD_FILE, and access lists anew.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from libs.chassis.catalogue import catalogue
from libs.chassis.migrations import (
    kafka_rights,
    make_topics,
    migrate_access,
    migrate_keys,
    migrate_service,
)
from libs.chassis.settings import POSTGRES, Environment, SettingRefused, cluster, secret, url
from libs.events.bus.kafka_access import entries
from libs.events.bus.kafka_settings import Cluster


async def databases(env: Environment) -> list[str]:
    """Apply what is missing in every database; answers the names of what was applied."""
    applied = []
    for service in catalogue().names:
        owner = url(env, f"PKH_{service.upper()}_OWNER_URL", POSTGRES)
        applied += await migrate_service(service, owner)
    return applied + await migrate_keys(url(env, "PKH_KEYS_OWNER_URL", POSTGRES))


async def access(env: Environment, bus_url: str, here: Cluster) -> list[str]:
    """Have Kafka know the services by their passwords; answers what was given and taken away."""

    def password(role: str) -> str:
        variable = f"{role.upper()}_KAFKA_PASSWORD_FILE"
        if found := secret(env, variable):
            return found
        raise SettingRefused(f"{variable} must be set, and its file not be empty.")

    changes = await migrate_access(bus_url, here, password)
    return [
        *(f"allowed {entry}" for entry in changes.given),
        *(f"no longer allowed {entry}" for entry in changes.taken),
        *(f"removed {user}" for user in changes.removed),
    ]


async def main(arguments: Sequence[str]) -> None:
    """Do all of it and say what was done; `--rights` lists those of Kafka and changes nothing."""
    if "--rights" in arguments:
        print(*entries(kafka_rights(catalogue())), sep="\n")
        return
    for name in await databases(os.environ):
        print(f"applied {name}")
    bus_url = url(os.environ, "PKH_BUS_URL", ("kafka",))
    here = cluster(os.environ, bus_url)
    topics = await make_topics(bus_url, here)
    for line in await access(os.environ, bus_url, here) if here.security else ():
        print(line)
    print(f"topics: {', '.join(topics)}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
