"""Whose data somebody saw: asked by the auditor, answered from the log, proven by its chain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest

from libs.chassis.settings import Settings
from libs.events.store.verify import verify
from services.registry.main import SERVICE
from tests.doors import Door, front_door, reads_of
from tests.integration.registry.kit import Register, family, member

CARD, NIK = "6103010101010001", "6103014505900001"
TODAY: Final = datetime.now(UTC).date()
FROM, TO = f"{TODAY - timedelta(days=1)}T00:00:00Z", f"{TODAY + timedelta(days=2)}T00:00:00Z"


async def reads(door: Door, subject: str, **changes: str | int) -> httpx.Response:
    """The auditor's question about somebody."""
    who = door.who("auditor-1", "platform:audit")
    asked: dict[str, str | int] = {"subject": subject, "since": FROM, "until": TO}
    return await door.client.get("/reads", headers=who, params=asked | changes)


async def given_reads(door: Door, register: Register) -> str:
    """A family that a clerk read, listed and looked up; its id."""
    await register.take("families", family(CARD, NIK))
    await register.take("members", member(CARD, NIK))
    mine = (await register.state_of(CARD)).family
    who = door.who("clerk-1", "registry:read", "registry:identify")
    assert (await door.client.get(f"/families/{mine}", headers=who)).status_code == 200
    assert (await door.client.get("/changes", headers=who)).json()["items"] == []
    body = {"purpose": "COMPLAINT", "no_kk": CARD}
    answer = await door.client.post("/identities/by-card", headers=who, json=body)
    assert answer.json() == {"family": mine}
    return mine


async def test_the_auditor_sees_page_by_page_whose_data_somebody_saw(
    registry: Door, register: Register
) -> None:
    mine = await given_reads(registry, register)

    found: list[dict[str, Any]] = []
    more: dict[str, str | int] = {"limit": 1}
    while True:
        page = (await reads(registry, "CLERK-1", **more)).json()
        found += page["items"]
        if page["next"] is None:
            break
        more["cursor"] = page["next"]

    assert [(each["operation"], each["purpose"], each["families"]) for each in found] == [
        ("GET /families/{family}", None, [mine]),
        ("POST /identities/by-card", "COMPLAINT", [mine]),
    ]
    assert [reader for reader, _ in await reads_of(register.store.pool)][2:] == ["auditor-1"] * 2


@pytest.mark.parametrize(
    "between",
    [{"until": FROM}, {"since": TO}, {"subject": "clerk-2"}],
    ids=["before", "behind", "another"],
)
async def test_what_is_before_behind_or_of_another_is_not_shown(
    registry: Door, register: Register, between: dict[str, str]
) -> None:
    await given_reads(registry, register)

    subject = between.get("subject", "clerk-1")
    times = {name: value for name, value in between.items() if name != "subject"}
    assert (await reads(registry, subject, **times)).json() == {"items": [], "next": None}


@pytest.mark.parametrize("moment", ["2026-11-30", "1764489600", "2026-11-31T00:00:00Z", "now"])
async def test_a_moment_has_one_form(registry: Door, moment: str) -> None:
    answer = await reads(registry, "clerk-1", since=moment)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")


async def test_the_records_stand_in_the_chain(
    settings: Settings, register: Register, tmp_path: Path
) -> None:
    async with front_door(SERVICE, settings, tmp_path) as door:
        mine = await given_reads(door, register)
        checked = await door.client.get(
            "/refolded", headers=door.who("auditor-1", "platform:read"), params={"limit": 100}
        )
    assert checked.json()["findings"] == []
    assert [what async for what in verify(register.store.pool)] == []

    await tampered(settings, mine)

    assert [what async for what in verify(register.store.pool)] != []


async def tampered(settings: Settings, mine: str) -> None:
    """Somebody who may write the database takes a family out of the record of who saw it."""
    owner = await asyncpg.connect(settings.bus_url)
    await owner.execute(
        """UPDATE events SET data = replace(data::text, $1, $2)::json
           WHERE stream_id LIKE 'reads-%'""",
        mine,
        f"{mine[:-1]}{'0' if mine[-1] != '0' else '1'}",
    )
    await owner.close()
