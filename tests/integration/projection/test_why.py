"""Why, over HTTP: told within the region that the family belongs to now, and written down."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
import pytest_asyncio

from libs.events.store.model import encode
from services.projection.explanation.facts import FamilyMoved
from services.projection.explanation.messages import Published
from services.projection.main import SERVICE
from tests.doors import MOMENT, Door, front_door, reads_of, service_settings
from tests.servers import Postgres
from tests.unit.projection.kit import (
    CLOSING,
    FAMILY,
    KNOWN_FAMILY,
    PAPERS,
    REGION,
    TAHAP,
    credited,
    day,
    entitled,
    failed,
    registry,
)

NOBODY = "00000000-0000-4000-8000-000000000000"

MOVED_TO = "61.04.11.2017"
MOVED = registry(900, FamilyMoved(FAMILY, day("2023-09-01"), day("2023-09-02"), MOVED_TO))
OF_FAMILY = (*KNOWN_FAMILY, *failed(), entitled(), credited("HELD"))
WHY = f"/families/{FAMILY}/tahap/{TAHAP}/why"


Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True)
class Projection:
    """A projection that was told of one family in one tahap: its door and its tables."""

    door: Door
    tables: Connection


@pytest_asyncio.fixture
async def projection(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Projection]:
    async with service_settings(postgres, tmp_path, "projection") as settings:
        tables = await asyncpg.connect(settings.bus_url)
        await fill(tables, OF_FAMILY)
        async with front_door(SERVICE, settings, tmp_path) as opened:
            yield Projection(opened, tables)
        await tables.close()


async def fill(connection: Connection, messages: tuple[Published[Any], ...]) -> None:
    await connection.executemany(
        "INSERT INTO timeline VALUES ($1, $2, $3, $4, $5, $6)",
        [(FAMILY, _source(each), each.position, MOMENT, *_said(each)) for each in messages],
    )
    await connection.executemany(
        "INSERT INTO tahap_terms VALUES ($1, $2, $3, $4, $5)",
        [(TAHAP, _source(each), each.position, *_said(each)) for each in CLOSING[1:]],
    )
    await connection.executemany(
        "INSERT INTO tahap_event VALUES ($1, $2, $3, $4, $5)",
        [(TAHAP, each.position, MOMENT, *_said(each)) for each in (CLOSING[0], *PAPERS)],
    )


def _source(message: Published[Any]) -> str:
    return f"/services/{message.service}"


def _said(message: Published[Any]) -> tuple[str, str]:
    return type(message.body).__name__, encode(message.body).decode()


async def ask(projection: Projection, path: str = WHY, region: str = "*") -> Any:
    who = projection.door.who("officer-1", "projection:read", regions=(region,))
    return await projection.door.client.get(path, headers=who)


async def test_an_amount_is_explained_with_its_facts_clauses_and_arithmetic(
    projection: Projection,
) -> None:
    answer = await ask(projection)

    explanation = answer.json()
    assert answer.status_code == 200
    assert (explanation["family"], explanation["amount"], explanation["region"]) == (
        FAMILY,
        975_000,
        REGION,
    )
    assert explanation["known"] == {"closing_date": "2023-03-31", "cut": 100}
    [pupil, _] = [step for step in explanation["steps"] if step["kind"] == "COUNTED"]
    assert pupil["amount"] == 225_000
    assert pupil["clauses"][0]["sources"][0]["title"] == "Permensos 1/2018"
    assert pupil["facts"][1] == {
        "name": "born",
        "value": "2010-2019",
        "member": 2,
        "effective_on": None,
        "reported_on": None,
        "reference": {"service": "registry", "position": 11, "type": "MembersRegistered"},
    }


@pytest.mark.parametrize(
    ("path", "problem", "looked_at"),
    [
        (f"/families/{NOBODY}/tahap/{TAHAP}/why", "family-unknown", []),
        (f"/families/{FAMILY}/tahap/2031-1/why", "tahap-unknown", [(FAMILY, "2031-1")]),
    ],
)
async def test_what_nobody_knows_is_a_problem_of_its_own_and_a_look_at_nobody(
    projection: Projection, path: str, problem: str, looked_at: list[tuple[str, str]]
) -> None:
    answer = await ask(projection, path)

    assert (answer.status_code, answer.json()["type"]) == (404, f"/problems/{problem}")
    assert [look[1:] for look in await looks(projection)] == looked_at


@pytest.mark.parametrize("tahap", ["1", "2023", "2023-1;", "..%2F.."])
async def test_a_tahap_that_can_not_be_one_is_refused(projection: Projection, tahap: str) -> None:
    answer = await ask(projection, f"/families/{FAMILY}/tahap/{tahap}/why")

    assert answer.status_code in (404, 422)


async def test_a_look_is_written_down_with_its_reader(projection: Projection) -> None:
    await ask(projection)
    await ask(projection, f"/families/{FAMILY}/timeline")

    assert await looks(projection) == [
        ("officer-1", FAMILY, TAHAP),
        ("officer-1", FAMILY, None),
    ]


async def test_a_family_is_explained_where_it_lives_now_also_what_was_before(
    projection: Projection,
) -> None:
    assert (await ask(projection, region="61.03")).status_code == 200
    assert (await ask(projection, region="61.04")).status_code == 404

    await projection.tables.execute(
        "INSERT INTO timeline VALUES ($1, $2, $3, $4, $5, $6)",
        *(FAMILY, _source(MOVED), MOVED.position, MOMENT, *_said(MOVED)),
    )

    assert (await ask(projection, region="61.03")).status_code == 404
    moved = await ask(projection, region="61.04")
    assert (moved.status_code, moved.json()["region"]) == (200, REGION)


async def test_a_move_to_come_gives_nobody_sight_of_a_family(projection: Projection) -> None:
    ahead = datetime.now(UTC).date() + timedelta(days=30)
    body = encode(replace(MOVED.body, effective_on=ahead)).decode()
    await projection.tables.execute(
        "INSERT INTO timeline VALUES ($1, $2, $3, $4, $5, $6)",
        *(FAMILY, _source(MOVED), MOVED.position, MOMENT, "FamilyMoved", body),
    )

    assert (await ask(projection, region="61.04")).status_code == 404
    assert (await ask(projection, region="61.03")).status_code == 200


async def test_a_scope_is_needed(projection: Projection) -> None:
    who = projection.door.who("officer-1", "payments:read")

    answer = await projection.door.client.get(WHY, headers=who)

    assert answer.status_code == 403
    assert json.loads(answer.content)["type"] == "/problems/scope-missing"


async def looks(projection: Projection) -> list[tuple[Any, ...]]:
    return [
        (reader, *read["families"], read["filters"].get("tahap"))
        for reader, read in await reads_of(projection.tables)
    ]
