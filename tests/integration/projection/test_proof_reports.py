"""Reports of verifications and of a witness's looks: sent once, listed, and measured."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from services.projection.main import SERVICE
from services.projection.tables.proofs import gauges
from tests.doors import Door, front_door, service_settings
from tests.integration.projection.kit import desk_at
from tests.servers import Postgres

PATH: Final = "/proof-reports"


@pytest_asyncio.fixture
async def projection(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of a projection of which nothing was proven yet."""
    async with (
        service_settings(postgres, tmp_path, "projection") as settings,
        front_door(SERVICE, settings, tmp_path) as opened,
    ):
        yield opened


async def report(door: Door, kind: str, findings: Any, key: str | None = None, **who: Any) -> Any:
    """The answer to a report of the auditor."""
    headers = door.who("auditor-1", "platform:prove", **who)
    body = {"kind": kind, "findings": findings}
    return await door.post(PATH, headers, json=body, key=key)


async def listed(door: Door, **query: Any) -> Any:
    headers = door.who("operator-1", "platform:read")
    return (await door.client.get(PATH, headers=headers, params=query)).json()


async def test_reports_are_listed_the_newest_first_page_by_page(projection: Door) -> None:
    for kind, findings in (("WITNESS", 0), ("VERIFICATION", 3), ("VERIFICATION", 0)):
        assert (await report(projection, kind, findings)).status_code == 204

    first = await listed(projection, limit=2)
    rest = await listed(projection, limit=2, cursor=first["next"])

    newest, *_ = first["items"]
    assert newest["reported_by"] == "auditor-1"
    assert [(item["kind"], item["findings"]) for item in first["items"] + rest["items"]] == [
        ("VERIFICATION", 0),
        ("VERIFICATION", 3),
        ("WITNESS", 0),
    ]
    assert rest["next"] is None


async def test_a_report_that_is_sent_twice_is_one(projection: Door) -> None:
    for _ in range(2):
        await report(projection, "WITNESS", 0, key="look-1")

    assert len((await listed(projection))["items"]) == 1


@pytest.mark.parametrize(
    ("kind", "findings"), [("DEMO", 0), ("WITNESS", -1), ("WITNESS", 2**31), ("WITNESS", True)]
)
async def test_what_is_no_report_is_refused(projection: Door, kind: str, findings: Any) -> None:
    assert (await report(projection, kind, findings)).status_code == 422
    assert (await listed(projection))["items"] == []


async def test_who_proves_a_part_of_the_nation_reports_nothing(projection: Door) -> None:
    refused = await report(projection, "WITNESS", 0, regions=("61",))

    assert refused.status_code == 403
    assert (await listed(projection))["items"] == []


async def test_the_last_of_each_kind_is_measured(postgres: Postgres, tmp_path: Path) -> None:
    began = time.time()
    async with service_settings(postgres, tmp_path, "projection") as settings:
        async with front_door(SERVICE, settings, tmp_path) as door:
            await report(door, "VERIFICATION", 3)
            await report(door, "VERIFICATION", 2)
        async with desk_at(settings) as desk:
            found = {sample.metric.name: sample for sample in await gauges(desk.store)}

    assert found["projection_proof_findings"].value == 2
    at = found["projection_proved_timestamp_seconds"]
    assert at.labels == ("VERIFICATION",)
    assert began <= at.value <= time.time()
