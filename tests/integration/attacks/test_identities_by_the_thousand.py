"""An officer who may look up identities copies the register, and wants nobody to know."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import pytest_asyncio

from libs.chassis.settings import Settings
from services.registry.main import LOOK_UPS, SERVICE
from tests.doors import Door, front_door, reads_of, runtime_role, service_settings
from tests.integration.registry.kit import Register, family, member, register_at
from tests.servers import Postgres

CARD, NIK = "6103010101010001", "6103014505900001"
AT_ONCE: Final = 1_000
LIMIT: Final = 10_000
FORBID: Final = f"REVOKE INSERT ON events FROM {runtime_role('registry')}"
assert set(dict(LOOK_UPS.limits).values()) == {LIMIT}


@pytest_asyncio.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Settings]:
    async with service_settings(postgres, tmp_path, "registry") as found:
        yield found


@pytest_asyncio.fixture
async def register(settings: Settings) -> AsyncIterator[Register]:
    async with register_at(settings) as found:
        yield found


def asked(*families: str, purpose: str | None = "REPORT") -> dict[str, Any]:
    return {"families": list(families)} | ({"purpose": purpose} if purpose else {})


def a_thousand() -> dict[str, Any]:
    return asked(*(f"00000000-0000-4000-8000-{n:012}" for n in range(AT_ONCE)))


async def look_up(door: Door, who: str, body: dict[str, Any]) -> tuple[int, str]:
    """Status and problem of a look-up by somebody."""
    headers = door.who(who, "registry:identify")
    answer = await door.client.post("/identities/lookup", headers=headers, json=body)
    problem = answer.json()["type"] if answer.status_code >= 400 else ""
    return answer.status_code, problem


async def test_many_requests_at_once_at_two_processes_tell_no_more_than_a_days_limit(
    settings: Settings, register: Register, tmp_path: Path
) -> None:
    too_many = (409, "/problems/look-up-limit-reached")
    async with (
        front_door(SERVICE, settings, tmp_path) as one,
        front_door(SERVICE, settings, tmp_path) as other,
    ):
        doors = [one, other] * 7
        answers = await asyncio.gather(*(look_up(door, "clerk-1", a_thousand()) for door in doors))

        assert Counter(answers) == {(200, ""): LIMIT // AT_ONCE, too_many: 14 - LIMIT // AT_ONCE}
        assert await look_up(other, "CLERK-1", asked(str(UUID(int=1)))) == too_many
        assert (await look_up(one, "clerk-2", a_thousand()))[0] == 200
    assert sum(read["asked"] for _, read in await reads_of(register.store.pool)) == LIMIT + AT_ONCE


@pytest.mark.parametrize("purpose", [None, "", "CURIOSITY", "complaint"])
async def test_nobody_is_told_without_a_purpose_of_the_list(
    settings: Settings, register: Register, tmp_path: Path, purpose: str | None
) -> None:
    await register.take("families", family(CARD, NIK))
    await register.take("members", member(CARD, NIK))
    mine = (await register.state_of(CARD)).family
    async with front_door(SERVICE, settings, tmp_path) as door:
        answer = await look_up(door, "clerk-1", asked(mine, purpose=purpose))
        card = {"no_kk": CARD} | ({"purpose": purpose} if purpose is not None else {})
        who = door.who("clerk-1", "registry:identify")
        by_card = await door.client.post("/identities/by-card", headers=who, json=card)

    assert answer == (422, "/problems/purpose-unknown")
    assert (by_card.status_code, by_card.json()["type"]) == answer
    assert await reads_of(register.store.pool) == []


async def test_where_the_log_takes_no_record_nobody_is_told_anything(
    settings: Settings, register: Register, tmp_path: Path, postgres: Postgres
) -> None:
    await register.take("families", family(CARD, NIK))
    await register.take("members", member(CARD, NIK))
    mine = (await register.state_of(CARD)).family
    async with front_door(SERVICE, settings, tmp_path) as door:
        postgres.run_sql(FORBID, urlsplit(settings.database_url).path[1:])
        who = door.who("clerk-1", "registry:identify", "registry:read")
        looked_up = await door.client.post("/identities/lookup", headers=who, json=asked(mine))
        shown = await door.client.get(f"/families/{mine}", headers=who)

    for answer in (looked_up, shown):
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/read-not-recorded")
        assert CARD not in answer.text
