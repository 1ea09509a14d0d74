"""A clerk of Aceh names a pupil of Kalimantan as a member of a candidate, and reports on them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import pytest_asyncio

from libs.events.bus import Record
from services.conditionality.main import SERVICE
from tests.doors import Door, front_door, service_settings
from tests.integration.conditionality.kit import Bench, bench_at, families, months_of, nik_of
from tests.integration.conditionality.test_facts import SCHOOL_HEADER, school
from tests.servers import Postgres

FAMILY, CANDIDATE = islice(families(), 2)
KALIMANTAN, ACEH = ("61",), ("11",)
VILLAGE: Final = "11.01.01.2001"


@pytest_asyncio.fixture
async def village(postgres: Postgres, tmp_path: Path) -> AsyncIterator[tuple[Bench, Door]]:
    """A family of Kalimantan whose pupil a candidate of Aceh has been made to name too."""
    async with (
        service_settings(postgres, tmp_path, "conditionality") as settings,
        bench_at(settings) as parts,
        front_door(SERVICE, settings, tmp_path) as door,
    ):
        await parts.take(parts.registered(FAMILY))
        await parts.take(named_too(parts))
        yield parts, door


def named_too(parts: Bench, **more: Any) -> Record:
    """The registry's word that the pupil is the candidate's as well."""
    return parts.registered(CANDIDATE, region=VILLAGE, pupil=FAMILY, **more)


async def truant(door: Door, regions: tuple[str, ...]) -> httpx.Response:
    """The answer to somebody of these regions who says that the pupil was hardly ever there."""
    who = door.who(f"school-{regions[0]}", "conditionality:record", regions=regions)
    days = {"effective_days": 20, "absent": 18, "permitted": 0, "sick": 0}
    body = {"nik": nik_of(FAMILY), "month": months_of("2023-1")[0]} | days
    return await door.post("/school-months", who, json=body)


async def test_he_says_nothing_about_the_pupil(village: tuple[Bench, Door]) -> None:
    parts, door = village
    before = await parts.head()
    who = door.who("school-11", "conditionality:record", regions=ACEH)
    rows = [SCHOOL_HEADER, *(school(nik_of(FAMILY), month) for month in months_of("2023-1"))]

    single = await truant(door, ACEH)
    file = await door.post("/imports/school-attendance", who, content="\n".join(rows) + "\n")

    assert (single.status_code, single.json()["type"]) == (403, "/problems/region-not-yours")
    assert {error["code"] for error in file.json()["report"]["errors"]} == {"REGION_NOT_YOURS"}
    assert await parts.head() == before


async def test_the_pupil_s_own_school_is_heard(village: tuple[Bench, Door]) -> None:
    _, door = village

    assert (await truant(door, KALIMANTAN)).status_code == 200


async def test_a_line_of_the_candidate_lets_him_in_no_more(village: tuple[Bench, Door]) -> None:
    parts, door = village
    [pupil] = json.loads(parts.line(FAMILY).value)["members"]
    line = parts.line(CANDIDATE, region=VILLAGE, members=[pupil])

    await parts.take(parts.announced(), line)

    assert (await truant(door, ACEH)).status_code == 403


async def test_whose_two_people_say_the_pupil_is_has_their_school_heard(
    village: tuple[Bench, Door],
) -> None:
    parts, door = village

    await parts.take(named_too(parts, decided=True))

    answers = [(await truant(door, regions)).status_code for regions in (ACEH, KALIMANTAN)]
    assert answers == [200, 403]


async def test_a_later_decision_takes_the_place_of_an_earlier_one(
    village: tuple[Bench, Door],
) -> None:
    parts, door = village

    await parts.take(named_too(parts, decided=True))
    await parts.take(parts.registered(FAMILY, decided=True))

    answers = [(await truant(door, regions)).status_code for regions in (ACEH, KALIMANTAN)]
    assert answers == [403, 200]
