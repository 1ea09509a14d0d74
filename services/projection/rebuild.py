"""Builds projection's read models anew: `python -m services.projection.rebuild`.

Beside what the service itself is told, PKH_OWNER_DATABASE_URL names the role that owns its tables.
Each look prints a line, {"done": 1200, "total": 5400, "parked": 0} in messages; logs go to standard
error, where a message that is parked here too is told.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from libs.chassis import logs
from libs.chassis.migrations import roles_of
from libs.chassis.reads import READS
from libs.chassis.settings import POSTGRES, url
from libs.events.bus.connect import connect
from libs.events.bus.topics import Topics
from libs.events.consumer.rebuild import Progress, ReadModels, rebuild
from libs.events.store.migrate import CORRIDOR
from services.projection.consumers import SUBSCRIPTIONS
from services.projection.contract import SERVICE as NAME
from services.projection.main import SERVICE
from services.projection.tables.sums import settle

MIGRATIONS: Final = Path(__file__).parent / "migrations"
NOTES: Final = ("family_read", "reader_region", "console_session", "console_view", "proof_report")


async def run(owner_url: str) -> Progress:
    """Rebuild, telling how far it is on standard output."""
    settings = SERVICE.settings()
    models = ReadModels(
        source=NAME,
        owner_url=owner_url,
        url=settings.database_url,
        directories=[CORRIDOR, MIGRATIONS],
        roles=roles_of(NAME) | {"RUNTIME_ROLE": str(urlsplit(settings.database_url).username)},
        subscriptions=SUBSCRIPTIONS,
        topics=Topics.load(settings.contracts_dir),
        notes=NOTES,
        kinds=[READS.name],
        settle=settle,
    )
    bus = await connect(settings.bus_url, cluster=settings.cluster)
    try:
        return await rebuild(models, bus, tell)
    finally:
        await bus.close()


def tell(progress: Progress) -> None:
    """A line about it."""
    sys.stdout.buffer.write(msgspec.json.encode(progress) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Rebuild once."""
    logs.configure(f"{SERVICE}-rebuild", "warning", sys.stderr)
    tell(asyncio.run(run(url(os.environ, "PKH_OWNER_DATABASE_URL", POSTGRES))))


if __name__ == "__main__":
    main()
