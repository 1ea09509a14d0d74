"""A clerk of Aceh wants to see a family of Kalimantan: a friend there reports a move in a month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from services.registry.tables.identity_rows import lives
from tests.integration.attacks.conftest import RegistryAtItsDoor
from tests.integration.registry.kit import as_csv, decide, family, hand_in, life_event, member

CARD, NOBODYS = "6103010101230001", "6103010101230002"
HERE, THERE = "61.03.01.2026", "11.01.01.2001"
KALIMANTAN, ACEH = ("61",), ("11",)
TODAY: Final = datetime.now(UTC).date()
A_MONTH_ON: Final = TODAY + timedelta(days=30)


def move(on: date) -> str:
    row = life_event("MOVE", CARD, on.isoformat(), TODAY.isoformat(), region_code=THERE)
    return as_csv("life-events", [row])


@pytest_asyncio.fixture
async def given(registry: RegistryAtItsDoor) -> RegistryAtItsDoor:
    """A family of Kalimantan whose move in a month was reported there, and confirmed in Aceh."""
    await registry.register.take("families", family(CARD, "6103014107900001", region_code=HERE))
    await registry.register.take("members", member(CARD, "6103014107900001"))
    sent = await hand_in(registry.door, "life-events", move(A_MONTH_ON), regions=KALIMANTAN)
    assert sent.json()["proposed"] == 1
    assert (await decide(registry.door, "friend-1", regions=ACEH)).status_code == 204
    return registry


async def asked(registry: RegistryAtItsDoor, regions: tuple[str, ...]) -> dict[str, object]:
    """The answers to somebody of these regions about the family, by each way to ask."""
    door, wanted = registry.door, (await registry.register.state_of(CARD)).family
    who = door.who("clerk-1", "registry:read", "registry:identify", regions=regions)
    shown = await door.client.get(f"/families/{wanted}", headers=who)
    looked_up = await door.client.post(
        "/identities/lookup", headers=who, json={"families": [wanted], "purpose": "COMPLAINT"}
    )
    by_card = await door.client.post(
        "/identities/by-card", headers=who, json={"no_kk": CARD, "purpose": "COMPLAINT"}
    )
    row = as_csv("members", [member(CARD, "6103014107900009")])
    taken = await hand_in(door, "members", row, partial=True, regions=regions)
    return {
        "shown": shown.status_code,
        "looked up": len(looked_up.json()),
        "by card": by_card.status_code,
        "taken": taken.json()["refused"] == 0,
    }


SEEN: Final = {"shown": 200, "looked up": 1, "by card": 200, "taken": True}
UNSEEN: Final = {"shown": 404, "looked up": 0, "by card": 404, "taken": False}


async def test_a_move_to_come_shows_him_nothing(given: RegistryAtItsDoor) -> None:
    assert await asked(given, ACEH) == UNSEEN
    assert await asked(given, KALIMANTAN) == SEEN


@pytest.mark.parametrize("days", [0, 1])
async def test_from_its_day_the_family_is_there(given: RegistryAtItsDoor, days: int) -> None:
    wanted = UUID((await given.register.state_of(CARD)).family)
    store, on = given.register.store, A_MONTH_ON + timedelta(days=days)

    assert await lives(store, wanted, A_MONTH_ON - timedelta(days=1)) == HERE
    assert await lives(store, wanted, on) == THERE


async def test_a_move_of_today_shows_the_family_there_and_no_more_here(
    given: RegistryAtItsDoor,
) -> None:
    sent = await hand_in(given.door, "life-events", move(TODAY), regions=KALIMANTAN)
    before = await asked(given, ACEH)
    await decide(given.door, "friend-1", regions=ACEH)

    assert (sent.json()["proposed"], before) == (1, UNSEEN)
    assert await asked(given, ACEH) == SEEN
    assert await asked(given, KALIMANTAN) == UNSEEN


async def test_a_card_of_another_region_and_one_of_nobody_are_answered_alike(
    given: RegistryAtItsDoor,
) -> None:
    who = given.door.who("clerk-1", "registry:identify", regions=ACEH)

    async def answer(card: str) -> httpx.Response:
        return await given.door.client.post(
            "/identities/by-card", headers=who, json={"no_kk": card, "purpose": "COMPLAINT"}
        )

    foreign, unknown = await answer(CARD), await answer(NOBODYS)
    answers = [one.json() | {"instance": ""} for one in (foreign, unknown)]

    assert answers[0] == answers[1]
    assert (foreign.status_code, answers[0]["type"]) == (404, "/problems/card-unknown")
