"""Projection's lists page by page: what a reader of some regions follows is all that is theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from services.projection.main import SERVICE
from tests.doors import MOMENT, Door, front_door, service_settings
from tests.servers import Postgres

FAMILIES = [str(UUID(int=number << 100)) for number in range(1, 8)]
FAMILY = FAMILIES[0]
HERE, ELSEWHERE = "61.03.01.2001", "61.04.01.2001"
TAHAP = "2023-1"


@pytest_asyncio.fixture
async def projection(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of a projection that has consumed a little."""
    async with service_settings(postgres, tmp_path, "projection") as settings:
        await fill(settings.bus_url)
        async with front_door(SERVICE, settings, tmp_path) as opened:
            yield opened


async def fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    places = [(each, ELSEWHERE if n == 3 else HERE) for n, each in enumerate(FAMILIES)]
    await connection.executemany(
        "INSERT INTO designation VALUES ($1, $3, 'ELIGIBLE', '', $2)",
        [(*place, TAHAP) for place in places],
    )
    await connection.executemany(
        "INSERT INTO graduation VALUES ($1, $3, 'NATURAL', $2)",
        [(*place, TAHAP) for place in places],
    )
    # Two services may say something at the same moment, and one of them twice.
    said = [(n % 2, n // 2 + 1, MOMENT + timedelta(days=n // 4)) for n in range(9)]
    await connection.executemany(
        "INSERT INTO timeline VALUES ($1, $2, $3, $4, 'Told', '{}')",
        [(FAMILY, ("payments", "registry")[who], position, at) for who, position, at in said],
    )
    await connection.executemany(
        "INSERT INTO tahap_event VALUES ($1, $2, $3, 'Told', '{}')",
        [(TAHAP, position, MOMENT) for position in range(1, 10)],
    )
    await connection.close()


async def followed(
    projection: Door, path: str, limit: int, region: str = "61.03", **query: Any
) -> list[Any]:
    """All items of a list, read in pages of a size, as somebody of a region."""
    who = projection.who("reader-1", "projection:read", regions=(region,))
    items: list[Any] = []
    while True:
        answer = await projection.client.get(path, headers=who, params={**query, "limit": limit})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next"] is None:
            return items
        query["cursor"] = page["next"]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 100])
@pytest.mark.parametrize("path", ["/designations", "/entitlements"])
async def test_every_family_of_the_readers_regions_is_told_once(
    projection: Door, path: str, limit: int
) -> None:
    query = {"tahap": TAHAP} if path == "/entitlements" else {}
    rows = await followed(projection, path, limit, **query)
    assert [row["family"] for row in rows] == [*FAMILIES[:3], *FAMILIES[4:]]


@pytest.mark.parametrize("limit", [1, 2, 4, 9])
async def test_a_timeline_is_told_in_order_wherever_a_page_ends(
    projection: Door, limit: int
) -> None:
    path = f"/families/{FAMILY}/timeline"
    events = await followed(projection, path, limit)
    assert len(events) == 9
    assert events == sorted(events, key=lambda each: (each["at"], each["source"], each["position"]))


@pytest.mark.parametrize("limit", [1, 4, 9])
async def test_the_documents_of_a_tahap_are_told_in_order(projection: Door, limit: int) -> None:
    events = await followed(projection, f"/tahap/{TAHAP}/events", limit, "*")
    assert [each["position"] for each in events] == list(range(1, 10))


async def test_a_cursor_of_another_tahap_is_refused(projection: Door) -> None:
    who = projection.who("reader-1", "projection:read")
    asked: dict[str, str | int] = {"tahap": TAHAP, "limit": 1}
    page = (await projection.client.get("/entitlements", headers=who, params=asked)).json()
    other = {"tahap": "2023-2", "cursor": page["next"]}
    answer = await projection.client.get("/entitlements", headers=who, params=other)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/cursor-foreign")
