"""Days of births leave the read model of an earlier release; the rest comes again without them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import asyncpg

from libs.events.store import migrate
from services.projection.contract import FAMILY_TOPIC
from tests.doors import MOMENT, ROOT, service_settings
from tests.integration.projection.kit import CONTRACTS, FAMILY, desk_at
from tests.servers import Postgres

MIGRATIONS: Final = ROOT / "services" / "projection" / "migrations"
WIDE: Final = "pkh.registry.family.v1"
FACTS: Final = (
    *("FamilyRegistered", "MembersRegistered", "MemberBorn", "PregnancyReported"),
    *("ReopeningProposed", "MemberDied", "FamilyMoved"),
)
DAYS: Final = "1990-05-01", "2012-08-17", "2023-05-18", "2023-05-20", "2023-09-30", "2023-05-05"


async def test_days_of_births_and_pregnancies_leave_the_timelines_of_an_earlier_release(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with (
        service_settings(postgres, tmp_path, "projection") as settings,
        desk_at(settings) as desk,
    ):
        owner = await asyncpg.connect(settings.bus_url)
        await _as_before(owner)
        assert [day for day in DAYS if day in await _timeline(owner)] == list(DAYS)

        await migrate.apply(settings.bus_url, [MIGRATIONS], {})
        await desk.take(*(desk.said(FAMILY_TOPIC, kind) for kind in FACTS))

        assert [day for day in DAYS if day in await _timeline(owner)] == []
        types = "SELECT type FROM timeline ORDER BY position"
        assert [row[0] for row in await owner.fetch(types)] == list(FACTS)
        topics = await owner.fetch("SELECT DISTINCT topic FROM consumed")
        assert [row[0] for row in topics if row[0] == WIDE] == []
        await owner.close()


async def _timeline(owner: asyncpg.Connection[asyncpg.Record]) -> str:
    return "\n".join(row[0] for row in await owner.fetch("SELECT body::text FROM timeline"))


async def _as_before(owner: asyncpg.Connection[asyncpg.Record]) -> None:
    """The tables as the release before left them: it had read the wide topic."""
    await owner.execute("DELETE FROM migrations WHERE name = 'projection/011_narrow_facts.sql'")
    await owner.execute("INSERT INTO consumed VALUES ('projection', $1, 0, 'first', 9)", WIDE)
    for position, kind in enumerate(FACTS, start=1):
        body = (CONTRACTS / WIDE / f"{kind}.v1.example.json").read_text()
        row = FAMILY, "/services/registry", position, MOMENT, kind, body
        await owner.execute("INSERT INTO timeline VALUES ($1, $2, $3, $4, $5, $6)", *row)
