"""Why cycles of a tahap were not compliant: families by duty and reason, for the whole nation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest_asyncio

from services.projection.main import SERVICE
from tests.doors import Door, front_door, service_settings
from tests.servers import Postgres

TAHAP = "2023-1"
LATE = ("SD", "FAILED", "ATTENDANCE_BELOW_THRESHOLD")
MISSED = ("EARLY_CHILD", "FAILED", "NOT_ATTENDED")
NOT_KNOWN = ("ELDERLY", "UNVERIFIED", "NO_RECORD")
PASSED = ("SD", "PASSED", None)

Duties = Sequence[tuple[str, str, str | None]]


@pytest_asyncio.fixture
async def projection(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of a projection that knows how five families' cycles were judged."""
    cycles: Sequence[tuple[str, str, Duties]] = (
        (TAHAP, "FAILED", [LATE, LATE, MISSED, PASSED]),  # two months of one family
        (TAHAP, "FAILED", [LATE, NOT_KNOWN]),
        (TAHAP, "UNVERIFIED", [NOT_KNOWN]),
        (TAHAP, "COMPLIANT", [PASSED]),
        ("2023-2", "FAILED", [MISSED]),
    )
    async with service_settings(postgres, tmp_path, "projection") as settings:
        connection = await asyncpg.connect(settings.bus_url)
        for number, (tahap, result, duties) in enumerate(cycles):
            family = UUID(int=number)
            said = {
                "duties": [
                    {"duty": duty, "outcome": outcome, "reason": reason}
                    for duty, outcome, reason in duties
                ]
            }
            await connection.execute(
                "INSERT INTO evaluation VALUES ($1, $2, 1, $3, 1, '{}', $4)",
                tahap,
                family,
                result,
                json.dumps(said),
            )
        await connection.close()
        async with front_door(SERVICE, settings, tmp_path) as opened:
            yield opened


async def test_a_family_counts_once_for_a_duty_and_its_reason(projection: Door) -> None:
    who = projection.who("reader-1", "projection:read")

    answer = await projection.client.get(f"/tahap/{TAHAP}/unmet-duties", headers=who)

    assert [tuple(each.values()) for each in answer.json()["items"]] == [
        (*MISSED, 1),
        (*NOT_KNOWN, 2),
        (*LATE, 2),
    ]


async def test_figures_of_the_nation_are_not_for_a_reader_of_one_region(projection: Door) -> None:
    who = projection.who("reader-1", "projection:read", regions=("61.03",))

    answer = await projection.client.get(f"/tahap/{TAHAP}/unmet-duties", headers=who)

    assert answer.status_code == 403
