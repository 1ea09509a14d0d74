"""A clerk of two districts moves an exception away, and a checker of one of them approves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from services.conditionality.main import SERVICE
from tests.doors import Door, front_door, service_settings
from tests.integration.conditionality.kit import Bench, bench_at, families
from tests.servers import Postgres

HERE, THERE = islice(families(), 2)
VILLAGE, OWN, BOTH = "61.03.01.2026", ("61.03",), ("61.03", "61.04")
ELSEWHERE: Final = "61.04.01.2001"
FLOOD: Final = {"reason": "DISASTER", "first_day": "2023-01-01", "last_day": "2023-03-31"}
APPROVED: Final = {"decision": "APPROVED"}
MOVED: Final = [{"region": "61.04"}, {"region": "61"}, {"family": THERE}]


@pytest_asyncio.fixture
async def door(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Door]:
    """The service's door, where one family lives in each of two regencies."""
    async with (
        service_settings(postgres, tmp_path, "conditionality") as settings,
        bench_at(settings) as parts,
        front_door(SERVICE, settings, tmp_path) as opened,
    ):
        await known(parts)
        yield opened


async def known(parts: Bench) -> None:
    await parts.take(
        parts.registered(HERE, region=VILLAGE), parts.registered(THERE, region=ELSEWHERE)
    )


async def step(
    door: Door, who: str, regions: tuple[str, ...], path: str, body: dict[str, Any]
) -> httpx.Response:
    """A step by somebody of these regions, who has been told the exception's version."""
    headers = door.who(who, "conditionality:investigate", "conditionality:approve", regions=regions)
    if path:
        everything = door.who("reader-1", "conditionality:read")
        shown = await door.client.get(f"/exceptions/{path.partition('/')[0]}", headers=everything)
        headers |= {"If-Match": shown.headers["ETag"]}
    return await door.post(f"/exceptions/{path}".rstrip("/"), headers, json=body)


async def moved(door: Door, where: dict[str, str]) -> str:
    """An exception of the checker's district, and a proposal that it be of another place."""
    made = await step(door, "officer-1", BOTH, "", FLOOD | {"region": VILLAGE})
    exception = str(made.json()["exception"])
    decided = await step(door, "checker-1", OWN, f"{exception}/decision", APPROVED)
    assert decided.status_code == 204
    maker = ("61",) if where == {"region": "61"} else BOTH
    corrected = await step(door, "officer-1", maker, f"{exception}/correction", FLOOD | where)
    assert corrected.status_code == 204, corrected.text
    return exception


@pytest.mark.parametrize("where", MOVED)
async def test_who_does_not_see_the_new_place_decides_nothing(
    door: Door, where: dict[str, str]
) -> None:
    exception = await moved(door, where)

    answer = await step(door, "checker-1", OWN, f"{exception}/decision", APPROVED)

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/exception-unknown")


async def test_a_reader_of_the_old_place_learns_of_no_family_elsewhere(door: Door) -> None:
    exception = await moved(door, {"family": THERE})
    who = door.who("reader-2", "conditionality:read", regions=OWN)

    one = await door.client.get(f"/exceptions/{exception}", headers=who)
    page = await door.client.get("/exceptions", headers=who)

    assert one.status_code == 404
    assert page.status_code == 200
    assert THERE not in one.text + page.text


async def test_who_sees_both_places_decides(door: Door) -> None:
    exception = await moved(door, {"family": THERE})

    answer = await step(door, "checker-2", ("61",), f"{exception}/decision", APPROVED)

    assert answer.status_code == 204
