"""Projection's read models are built anew beside a message that nobody can handle."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from libs.chassis.catalogue import reader, role
from libs.chassis.dev_issuer import AUDIENCE, ISSUER
from libs.chassis.durable_files import write_private
from libs.chassis.settings import Settings
from libs.events.bus.connect import connect
from libs.events.consumer.parking import list_parked
from libs.events.consumer.rebuild import Progress, digests
from services.projection.consumers import SUBSCRIPTIONS
from services.projection.tables.sums import settle
from tests.doors import TOPICS, runtime_role, service_settings
from tests.integration.projection.kit import Desk, desk_at
from tests.servers import Postgres, eventually

PROVED: Final = """
INSERT INTO proof_report (kind, reported_at, reported_by, findings)
VALUES ('WITNESS', now(), 'somebody', 0) RETURNING number
"""
FIRST, SECOND = "2023-1", "2023-2"


async def published(desk: Desk, settings: Settings) -> None:
    """A payment as it should be, and another whose message says nothing."""
    whole, empty = desk.paid("PaymentEntitled", FIRST), desk.paid("PaymentEntitled", SECOND)
    bus = await connect(settings.bus_url)
    try:
        topics = {each.topic for each in SUBSCRIPTIONS}
        await bus.ensure_topics({topic: TOPICS.partitions[topic] for topic in topics})
        producer = await bus.producer()
        await producer.send([whole, msgspec.structs.replace(empty, value=b"{}")])
        await producer.close()
    finally:
        await bus.close()


async def taken_in(desk: Desk) -> None:
    """Consume what has come, with one message parked."""
    consuming = asyncio.create_task(desk.consumer.run())

    async def parked() -> bool:
        return bool(await list_parked(desk.store))

    await eventually(parked)
    consuming.cancel()
    with suppress(asyncio.CancelledError):
        await consuming


async def rebuilt(settings: Settings, directory: Path) -> tuple[int, list[Progress], str]:
    """Its exit code, what it said of its progress, and what it logged."""
    owner = await asyncpg.connect(settings.bus_url)
    for granted in (role("grafana"), reader("projection")):
        with suppress(asyncpg.DuplicateObjectError):
            await owner.execute(f"CREATE ROLE {granted}")
    await owner.execute("INSERT INTO reader_region VALUES ('somebody', '61.03')")
    await owner.execute(PROVED)
    await owner.close()
    write_private(directory / "field-key", settings.field_key.written())
    environment: Final = {
        **os.environ,
        "PKH_DATABASE_URL": settings.database_url,
        "PKH_OWNER_DATABASE_URL": settings.bus_url,
        "PKH_READER_URL": settings.reader_url,
        "PKH_BUS_URL": settings.bus_url,
        "PKH_ISSUER": ISSUER,
        "PKH_AUDIENCE": AUDIENCE,
        "PKH_JWKS_FILE": settings.issuers[0].keys,
        "PKH_FIELD_KEY_FILE": str(directory / "field-key"),
    }
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projection.rebuild"),
        stdout=PIPE,
        stderr=PIPE,
        env=environment,
    )
    said, logged = await program.communicate()
    lines = [msgspec.json.decode(line, type=Progress, strict=True) for line in said.splitlines()]
    return program.returncode or 0, lines, logged.decode()


async def of_sums(desk: Desk) -> tuple[str, int]:
    """The bytes of all sums, as a digest, and how many there are."""
    async with desk.store.pool.acquire() as connection:
        count = await connection.fetchval("SELECT count(*) FROM area_sum")
        assert count
        return (await digests(connection))["area_sum"], count


async def regions_of_readers(settings: Settings) -> set[tuple[str, str]]:
    """Which regions a role may read sums of."""
    owner = await asyncpg.connect(settings.bus_url)
    found = await owner.fetch("SELECT role, region FROM reader_region")
    await owner.close()
    return {(row["role"], row["region"]) for row in found}


async def test_a_message_that_is_parked_stays_parked_and_stops_no_rebuild(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        around = await stack.enter_async_context(service_settings(postgres, tmp_path, "projection"))
        # New tables are granted to the roles of a platform; here one does everything.
        settings = replace(around, database_url=around.bus_url, reader_url=around.bus_url)
        desk = await stack.enter_async_context(desk_at(settings))
        await published(desk, settings)
        await taken_in(desk)
        before = await list_parked(desk.store), await desk.row(FIRST)
        await settle(desk.store)
        summed = await of_sums(desk)

        code, progress, logged = await rebuilt(settings, tmp_path)

        assert code == 0, logged
        assert progress[-1] == Progress(2, 2, parked=1)
        assert "messages parked" in logged
        assert (await list_parked(desk.store), await desk.row(FIRST)) == before
        assert len(before[0]) == 1
        assert await of_sums(desk) == summed
        assert not await desk.store.pool.fetchval("SELECT EXISTS (SELECT FROM unsummed)")
        assert await desk.store.pool.fetchval(PROVED) > 1  # the notes' numbers go on
        of_readers = {("somebody", "61.03"), (runtime_role("grafana"), "*")}
        assert await regions_of_readers(settings) == of_readers
