"""A clerk of Aceh wants to end the participation of a family in Kalimantan, or to keep it in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from services.conditionality.main import SERVICE
from tests.doors import Door, front_door, sent, service_settings
from tests.integration.conditionality.kit import BAD, Bench, bench_at, families, months_of
from tests.servers import Postgres

FAMILY, NOBODY = islice(families(), 2)
TAHAPS: Final = ("2023-1", "2023-2", "2023-3")
KALIMANTAN, ACEH = ("61",), ("11",)
PATH: Final = f"/investigations/{{family}}/{TAHAPS[-1]}"


@pytest_asyncio.fixture
async def village(postgres: Postgres, tmp_path: Path) -> AsyncIterator[tuple[Bench, Door]]:
    """A family of Kalimantan that has failed three times in a row, at the service's door."""
    async with (
        service_settings(postgres, tmp_path, "conditionality") as settings,
        bench_at(settings) as parts,
        front_door(SERVICE, settings, tmp_path) as door,
    ):
        for tahap in TAHAPS:
            await parts.school(FAMILY, BAD, months=months_of(tahap))
            line = parts.line(FAMILY, tahap, region="61.03.01.2026")
            await parts.take(parts.announced(tahap), line)
        yield parts, door


async def said(
    door: Door, what: str, body: dict[str, Any], regions: tuple[str, ...], family: str = FAMILY
) -> httpx.Response:
    """The answer to a finding or a decision of somebody of these regions."""
    scope = "investigate" if what == "finding" else "approve"
    who = door.who(f"{what}-{regions[0]}", f"conditionality:{scope}", regions=regions)
    path = PATH.format(family=family)
    everybody = door.who("reader", "conditionality:read")
    seen = (await door.client.get(PATH.format(family=FAMILY), headers=everybody)).headers["etag"]
    return await door.post(f"{path}/{what}", who | {"If-Match": seen}, json=body)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


async def test_he_brings_no_finding_and_decides_on_none(village: tuple[Bench, Door]) -> None:
    parts, door = village
    finding, decision = {"outcome": "CONFIRMED"}, {"decision": "APPROVED"}
    nobody = problem(await said(door, "finding", finding, ACEH, NOBODY))

    brought = await said(door, "finding", finding, ACEH)
    assert (await said(door, "finding", finding, KALIMANTAN)).status_code == 204
    decided = await said(door, "decision", decision, ACEH)

    assert problem(brought) == problem(decided) == nobody == (404, "/problems/family-unknown")
    assert await sent(parts.store, "Terminated") == []


@pytest.mark.parametrize("path", ["/commitments/{family}", PATH])
async def test_he_reads_nothing_of_it(village: tuple[Bench, Door], path: str) -> None:
    _, door = village
    who = door.who("reader-11", "conditionality:read", regions=ACEH)

    answers = [
        problem(await door.client.get(path.format(family=family), headers=who))
        for family in (FAMILY, NOBODY)
    ]

    assert answers == [(404, "/problems/family-unknown")] * 2


async def test_two_people_of_its_region_end_it(village: tuple[Bench, Door]) -> None:
    parts, door = village
    await said(door, "finding", {"outcome": "CONFIRMED"}, KALIMANTAN)

    answer = await said(door, "decision", {"decision": "APPROVED"}, KALIMANTAN)

    assert answer.status_code == 204
    assert [message.key for message in await sent(parts.store, "Terminated")] == [FAMILY]
