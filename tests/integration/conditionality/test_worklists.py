"""Work for people is listed while it waits, by tahap, state and region, and no longer."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest_asyncio

from tests.doors import Door
from tests.integration.conditionality.kit import (
    BAD,
    GOOD,
    NEXT_TAHAP,
    TAHAP,
    Bench,
    families,
    months_of,
)

FAILED, UNVERIFIED, COMPLIANT, ELSEWHERE = islice(families(), 4)
THERE = "11.01.01.2001"


async def listed(door: Door, path: str, **query: str) -> list[Any]:
    """The items of a list."""
    who = door.who("reader-1", "conditionality:read")
    answer = await door.client.get(path, headers=who, params=query)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


async def who_is(door: Door, path: str, **query: str) -> set[str]:
    """The families of a list."""
    return {item["family"] for item in await listed(door, path, **query)}


@pytest_asyncio.fixture
async def evaluated(conditionality: Door, bench: Bench) -> Door:
    """The door of a service with a cycle of every result, and one failed elsewhere."""
    await bench.school(FAILED, BAD)
    await bench.school(COMPLIANT, GOOD)
    await bench.school(ELSEWHERE, BAD)
    lines = [bench.line(family) for family in (FAILED, UNVERIFIED, COMPLIANT)]
    await bench.take(bench.announced(), *lines, bench.line(ELSEWHERE, region=THERE))
    return conditionality


async def corrected(bench: Bench) -> None:
    """Late facts would make a frozen cycle compliant."""
    await bench.take(bench.frozen())
    await bench.school(FAILED, GOOD)
    await bench.re_decide()


async def test_cycles_that_were_not_met_are_listed_by_tahap_result_and_region(
    evaluated: Door,
) -> None:
    async def unmet(**query: str) -> set[str]:
        return await who_is(evaluated, "/unmet-cycles", **{"tahap": TAHAP} | query)

    assert await unmet() == {FAILED, UNVERIFIED, ELSEWHERE}
    assert await unmet(result="UNVERIFIED") == {UNVERIFIED}
    assert await unmet(result="FAILED", region="61") == {FAILED}
    assert await unmet(region="61.04") == set()
    assert await unmet(tahap=NEXT_TAHAP) == set()


async def test_a_cycle_leaves_the_list_with_the_revision_that_meets_it(
    evaluated: Door, bench: Bench
) -> None:
    await bench.school(UNVERIFIED, GOOD)
    await bench.school(FAILED, GOOD)
    await bench.school(COMPLIANT, BAD)
    await bench.re_decide()

    assert await who_is(evaluated, "/unmet-cycles", tahap=TAHAP) == {COMPLIANT, ELSEWHERE}


async def test_a_correction_is_listed_until_somebody_has_decided(
    evaluated: Door, bench: Bench
) -> None:
    await corrected(bench)

    [waiting] = await listed(evaluated, "/corrections", tahap=TAHAP)
    assert (waiting["family"], waiting["result"]) == (FAILED, "COMPLIANT")
    assert await listed(evaluated, "/corrections", result="FAILED") == []
    path = f"/commitments/{FAILED}"
    reader = evaluated.who("reader-1", "conditionality:read")
    seen = (await evaluated.client.get(path, headers=reader)).headers["ETag"]
    who = evaluated.who("supervisor-1", "conditionality:approve") | {"If-Match": seen}
    answer = await evaluated.post(f"{path}/corrections/{waiting['correction']}/approval", who)

    assert answer.status_code == 204
    assert await listed(evaluated, "/corrections") == []
    assert FAILED not in await who_is(evaluated, "/unmet-cycles", tahap=TAHAP)


async def test_a_correction_whose_facts_are_taken_back_waits_no_longer(
    evaluated: Door, bench: Bench
) -> None:
    await corrected(bench)
    await bench.school(FAILED, BAD)
    await bench.re_decide()

    assert await listed(evaluated, "/corrections") == []
    assert FAILED in await who_is(evaluated, "/unmet-cycles", tahap=TAHAP)


async def test_investigations_are_listed_by_whether_a_finding_waits(
    conditionality: Door, bench: Bench
) -> None:
    for tahap in ("2023-1", "2023-2", "2023-3"):
        for family in (FAILED, UNVERIFIED):
            await bench.school(family, BAD, months=months_of(tahap))
        lines = [bench.line(family, tahap) for family in (FAILED, UNVERIFIED)]
        await bench.take(bench.announced(tahap), *lines)
    path = f"/investigations/{FAILED}/2023-3"
    reader = conditionality.who("reader-1", "conditionality:read")
    seen = (await conditionality.client.get(path, headers=reader)).headers["ETag"]
    who = conditionality.who("officer-1", "conditionality:investigate") | {"If-Match": seen}
    await conditionality.post(f"{path}/finding", who, json={"outcome": "CONFIRMED"})

    assert await who_is(conditionality, "/investigations", finding="WAITING") == {FAILED}
    assert await who_is(conditionality, "/investigations", finding="NONE") == {UNVERIFIED}
    assert await who_is(conditionality, "/investigations", region="61.04") == set()
