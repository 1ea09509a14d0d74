"""Lists of families by what became of them: filters narrow, and none reaches beyond the token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from services.projection.main import SERVICE
from tests.doors import NATION, Door, front_door, service_settings
from tests.servers import Postgres

TAHAP: Final = "2023-1"
HERE, BESIDE = "61.03.01.2001", "61.04.01.2001"
# What became of a family: region, result of its cycle, check of its account, transfer, hold.
PAID = (HERE, "COMPLIANT", None, "CREDITED", "NONE")
BLOCKED = (HERE, "FAILED", None, "CREDITED", "HELD")
FAILED = (BESIDE, "UNVERIFIED", None, "ACCOUNT_CLOSED", None)
REFUSED = (HERE, "UNVERIFIED", "NAME_MISMATCH", None, None)
FATES: Final = {"paid": PAID, "blocked": BLOCKED, "failed": FAILED, "refused": REFUSED}
IDS: Final = dict(zip(FATES, (str(UUID(int=n << 100)) for n in count(1)), strict=False))
NAMES: Final = {family: name for name, family in IDS.items()}


@pytest_asyncio.fixture
async def projection(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of a projection that knows a family of each fate."""
    async with service_settings(postgres, tmp_path, "projection") as settings:
        connection = await asyncpg.connect(settings.bus_url)
        for name, fate in FATES.items():
            await _fill(connection, IDS[name], *fate)
        await connection.close()
        async with front_door(SERVICE, settings, tmp_path) as opened:
            yield opened


async def _fill(
    connection: Any,
    family: str,
    region: str,
    result: str,
    check: str | None,
    transfer: str | None,
    hold: str | None,
) -> None:
    await connection.execute(
        """INSERT INTO payment (payment, tahap, family, region, components, amount, payee_valid,
                                check_failure, transfer, hold)
           VALUES ($1, $2, $1, $3, '', 225000, true, $4, $5, $6)""",
        *(family, TAHAP, region, check, transfer, hold),
    )
    await connection.execute(
        """INSERT INTO evaluation (tahap, family, revision, result, counter, failing, duties)
           VALUES ($1, $2, 1, $3, 0, '{}', '{}')""",
        *(TAHAP, family, result),
    )
    await connection.execute(
        "INSERT INTO designation VALUES ($1, $2, $3, $4, $5)",
        *(family, TAHAP, *(("HOLD", "DUPLICATE_NIK") if check else ("ELIGIBLE", "")), region),
    )
    if hold == "HELD":
        await connection.execute(
            "INSERT INTO investigation VALUES ($1, $2, 'INVESTIGATION')", TAHAP, family
        )


async def listed(
    projection: Door, path: str, regions: Sequence[str] = NATION, **query: str
) -> set[str]:
    """The fates of the families that a list holds."""
    who = projection.who("reader-1", "projection:read", regions=regions)
    answer = await projection.client.get(path, headers=who, params=query)
    assert answer.status_code == 200, answer.text
    return {NAMES[item["family"]] for item in answer.json()["items"]}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, " ".join(FATES)),
        ({"commitment": "UNVERIFIED"}, "failed refused"),
        ({"commitment": "FAILED"}, "blocked"),
        ({"disposition": "BLOCKED"}, "blocked"),
        ({"disposition": "ACCOUNT_FAILED"}, "refused"),
        ({"account_check": "NAME_MISMATCH"}, "refused"),
        ({"transfer": "ACCOUNT_CLOSED"}, "failed"),
        ({"region": "61.03"}, "paid blocked refused"),
        ({"region": "61.03", "commitment": "UNVERIFIED"}, "refused"),
        ({"disposition": "NO_SUCH"}, ""),
    ],
    ids=str,
)
async def test_a_tahaps_rows_are_filtered_by_what_became_of_them(
    projection: Door, query: dict[str, str], names: str
) -> None:
    assert await listed(projection, "/entitlements", tahap=TAHAP, **query) == set(names.split())


async def test_judgements_are_filtered_by_status_reason_and_region(projection: Door) -> None:
    assert await listed(projection, "/designations", status="HOLD") == {"refused"}
    assert await listed(projection, "/designations", reason="DUPLICATE_NIK") == {"refused"}
    assert await listed(projection, "/designations", region="61.04") == {"failed"}


@pytest.mark.parametrize(
    ("regions", "region", "names"),
    [
        (("61.04",), "61", "failed"),
        (("61.04",), "61.03", ""),
        ((), "61", ""),
        (("61",), "61.04.01", "failed"),
    ],
)
async def test_a_filter_of_regions_reaches_no_further_than_the_token(
    projection: Door, regions: tuple[str, ...], region: str, names: str
) -> None:
    found = await listed(projection, "/entitlements", regions, tahap=TAHAP, region=region)
    assert found == set(names.split())


@pytest.mark.parametrize(
    "query", [{"commitment": "failed"}, {"region": "61.3"}, {"status": "HOLD"}], ids=str
)
async def test_a_filter_that_is_none_is_refused(projection: Door, query: dict[str, str]) -> None:
    who = projection.who("reader-1", "projection:read")
    asked = {"tahap": TAHAP, **query}
    answer = await projection.client.get("/entitlements", headers=who, params=asked)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
