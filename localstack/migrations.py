"""Brings every database of the platform up to date, each as its owner, before anything uses it."""

from __future__ import annotations

from typing import Final

import asyncpg

from libs.events.bus.connect import connect
from libs.events.bus.embedded import migrate as make_bus_tables
from libs.events.bus.topics import Topics
from libs.events.store import migrate
from localstack.environment import CONTRACTS, ROOT, SEALING, Environment, owner, role

BLOCKS_A_PARTITION: Final = 100_000
PARTITIONS_AHEAD: Final = 4


async def make_tables(environment: Environment, service: str) -> None:
    """The store of a service and the tables of its own."""
    address = environment.address(service, owner(service))
    own = ROOT / "services" / service / "migrations"
    roles = {"RUNTIME_ROLE": role(service), "GRAFANA_ROLE": role("grafana")}
    await migrate.apply(address, [migrate.CORRIDOR, own], roles)
    connection = await asyncpg.connect(address)
    try:
        # Only the owner may; so each start makes room for the events until the next one.
        make = "SELECT make_event_partitions($1, $2)"
        await connection.execute(make, BLOCKS_A_PARTITION, PARTITIONS_AHEAD)
    finally:
        await connection.close()


async def make_keys_tables(environment: Environment) -> None:
    """The families' keys, and which role may do what with them."""
    grantees = {f"{name.upper()}_ROLE": role(name) for name in (*SEALING, "eraser")}
    directory = ROOT / "libs" / "privacy" / "migrations"
    await migrate.apply(environment.address("keys", owner("keys")), [directory], grantees)


async def make_bus(environment: Environment) -> None:
    """The embedded bus's tables, and on either bus all topics, so that nobody waits for one."""
    url = environment.bus_url(owner("bus"))
    if environment.broker is None:
        url = environment.address("bus", owner("bus"))
        await make_bus_tables(url)
    bus = await connect(url)
    try:
        await bus.ensure_topics(Topics.load(CONTRACTS).partitions)
    finally:
        await bus.close()
