"""Brings the databases and topics of a platform up to date, each as its owner, before any use.

On one machine and in containers alike. Safe to run again: what is there stays.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

import asyncpg

from libs.chassis.catalogue import ROOT, Catalogue, catalogue, inbound, outside, reader, relay, role
from libs.events.bus import embedded
from libs.events.bus.connect import connect, kafka_settings
from libs.events.bus.kafka_access import Changes, give
from libs.events.bus.kafka_settings import Cluster
from libs.events.bus.rights import Rights
from libs.events.bus.topics import Topics
from libs.events.store import migrate
from libs.privacy import migrate as keys

OF_RELAY: Final = """
GRANT SELECT ON outgoing, blocks, head TO {relay};
GRANT SELECT, INSERT, UPDATE ON relay TO {relay};
REVOKE INSERT, UPDATE ON relay FROM {service};
"""
"""A relay reads what leaves its service and moves how far that is, which nobody else does."""

BLOCKS_A_PARTITION: Final = 100_000
PARTITIONS_AHEAD: Final = 4


def roles_of(service: str) -> dict[str, str]:
    """The roles to which a service's migrations grant."""
    return {
        "RUNTIME_ROLE": role(service),
        "READER_ROLE": reader(service),
        "GRAFANA_ROLE": role("grafana"),
    }


async def migrate_service(service: str, owner_url: str) -> list[str]:
    """Apply what is missing of a service's store and tables; answers the names of the files."""
    own = ROOT / "services" / service / "migrations"
    applied = await migrate.apply(owner_url, [migrate.CORRIDOR, own], roles_of(service))
    connection = await asyncpg.connect(owner_url)
    try:
        # Only the owner may; so each start makes room for the events until the next one.
        make = "SELECT make_event_partitions($1, $2)"
        await connection.execute(make, BLOCKS_A_PARTITION, PARTITIONS_AHEAD)
        if catalogue().services[service].publishes:
            rights = OF_RELAY.format(relay=relay(service), service=role(service))
            await connection.execute(rights)
    finally:
        await connection.close()
    return applied


async def migrate_keys(owner_url: str) -> list[str]:
    """Apply what is missing of the families' keys, and of which role may do what with them."""
    recognising = [role(name) for name in catalogue().needing("token-key")]
    registry, payments, eraser, complaints = map(role, keys.HOLDERS)
    roles = keys.KeyRoles(registry, payments, eraser, complaints, recognising)
    return await keys.apply(owner_url, roles)


async def migrate_bus(owner_url: str) -> None:
    """The embedded bus's tables, and what each role may send and read: no more than its service is
    described with, the relay sends what any publishes, and who is registered to write does so."""
    services = catalogue().services
    published = [topic for entry in services.values() for topic in entry.publishes]
    readers = [Rights(role(name), (), entry.reads, name) for name, entry in services.items()]
    await embedded.migrate(owner_url, [Rights(role("relay"), published), *readers, *_writers()])


async def migrate_access(bus_url: str, cluster: Cluster, password: Callable[[str], str]) -> Changes:
    """Users and access lists of Kafka: each service reads what it is described with, and sends,
    as its relay does, what it publishes. `password` gives that of a role."""
    rights = kafka_rights(catalogue())
    passwords = {one.role: password(one.role) for one in rights}
    return await give(kafka_settings(bus_url, cluster=cluster), rights, passwords)


def kafka_rights(described: Catalogue) -> list[Rights]:
    """The rights of each service on Kafka, where its relay is a process of its own, and of who is
    registered to write or to read."""
    services = described.services.items()
    return [
        *(Rights(role(name), entry.publishes, entry.reads, name) for name, entry in services),
        *_writers(),
        *integrators(Topics.load(ROOT / "contracts"), datetime.now(UTC).date()),
    ]


def _writers() -> list[Rights]:
    registered = Topics.load(ROOT / "contracts").registered()
    return [Rights(inbound(name), own) for name, own in registered.items()]


def integrators(topics: Topics, today: date) -> list[Rights]:
    """The rights of who reads from outside: after the last day of a topic none on it."""
    return [
        Rights(outside(name), (), list(topics.open(own, today)), name)
        for name, own in topics.integrators.items()
    ]


async def make_topics(bus_url: str, cluster: Cluster | None = None) -> list[str]:
    """Create the missing topics with the partition counts of the contracts; answers all names."""
    topics = Topics.load(ROOT / "contracts")
    wanted = topics.open(topics.partitions, datetime.now(UTC).date())
    bus = await connect(bus_url, cluster=cluster)
    try:
        await bus.ensure_topics(wanted)
    finally:
        await bus.close()
    return list(wanted)
