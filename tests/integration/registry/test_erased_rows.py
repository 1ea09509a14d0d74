"""A row of a family whose key or events nobody can read is refused by its line; the others go as
the import's rules say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from libs.chassis.imports import UNREADABLE_MAX
from libs.chassis.settings import Settings
from libs.privacy.keys import KeyRing
from services.registry.http.csv_commands import MEMBERS_MAX
from services.registry.main import SERVICE
from tests.doors import Door, as_role, front_door, runtime_role
from tests.integration.registry.kit import (
    REGION,
    Register,
    as_csv,
    child,
    door_at,
    family,
    hand_in,
    life_event,
    member,
    register_at,
)

ERASED, LIVING, NEW = "6103010101230001", "6103010101230002", "6103010101230003"
PAYEE: Final = "6103014107900001"
FILES: Final[Mapping[str, Any]] = {
    "families": (family(ERASED, PAYEE), family(NEW, PAYEE)),
    "members": (member(ERASED, PAYEE), child(LIVING, "6103011712160002")),
    "life-events": tuple(
        life_event("MOVE", card, "2023-01-01", "2023-01-02", region_code=REGION)
        for card in (ERASED, LIVING)
    ),
}


async def erase(register: Register, settings: Settings, card: str) -> None:
    """Destroy the key of a card's family."""
    eraser = as_role(settings.bus_url, runtime_role("eraser"))
    async with asyncpg.create_pool(eraser, min_size=1, max_size=1) as pool:
        erased = (await register.state_of(card)).family
        assert await KeyRing(pool, settings.kek).destroy(erased)


@pytest.mark.parametrize("file", FILES)
async def test_a_row_of_an_erased_family_is_refused_by_line_and_the_others_are_taken(
    file: str, register: Register, settings: Settings, tmp_path: Path
) -> None:
    await register.take("families", family(ERASED, PAYEE), family(LIVING, PAYEE))
    await erase(register, settings, ERASED)  # and nobody has compared the log with the keys since
    async with register_at(settings) as fresh, door_at(settings, tmp_path, fresh) as registry:
        whole = await hand_in(registry, file, as_csv(file, FILES[file]))
        part = await hand_in(registry, file, as_csv(file, FILES[file]), partial=True)

    assert whole.status_code == 422, whole.text
    report = part.json()
    assert (report["accepted"], report["refused"]) == (1, 1)
    [error] = report["errors"]
    assert (error["line"], error["column"], error["code"]) == (2, "no_kk", "ERASED")


async def spoil(register: Register, *cards: str) -> None:
    """Make the state of cards' families one that nobody can read."""
    for card in cards:
        stream = f"family-{(await register.state_of(card)).family}"
        await register.store.pool.execute(
            "UPDATE streams SET state = '[]' WHERE stream_id = $1", stream
        )


@pytest.mark.parametrize("file", FILES)
async def test_a_row_of_a_family_that_cannot_be_read_is_refused_by_line_and_the_others_are_taken(
    file: str, register: Register, settings: Settings, tmp_path: Path
) -> None:
    await register.take("families", family(ERASED, PAYEE), family(LIVING, PAYEE))
    await spoil(register, ERASED)
    async with front_door(SERVICE, settings, tmp_path) as registry:
        whole = await hand_in(registry, file, as_csv(file, FILES[file]))
        part = await hand_in(registry, file, as_csv(file, FILES[file]), partial=True)

    assert whole.status_code == 422, whole.text
    report = part.json()
    assert (report["accepted"], report["unchanged"], report["refused"]) == (1, 0, 1)
    [error] = report["errors"]
    assert (error["line"], error["code"]) == (2, "CANNOT_BE_TAKEN")


async def test_where_very_many_cannot_be_read_the_file_is_not_to_blame(
    register: Register, settings: Settings, tmp_path: Path
) -> None:
    cards = [f"61030101012{number:05}" for number in range(UNREADABLE_MAX + 1)]
    rows = [family(card, PAYEE) for card in cards]
    await register.take("families", *rows)
    await register.store.pool.execute("UPDATE streams SET state = '[]'")
    async with front_door(SERVICE, settings, tmp_path) as registry:
        answer = await hand_in(registry, "families", as_csv("families", rows), partial=True)

    assert answer.status_code == 500, answer.text


async def test_a_card_with_more_people_than_a_family_is_taken_and_warned_of_once(
    registry: Door,
) -> None:
    await hand_in(registry, "families", as_csv("families", [family(LIVING, PAYEE)]))
    crowd = [member(LIVING, f"6103{number:012}") for number in range(MEMBERS_MAX + 2)]
    first = await hand_in(registry, "members", as_csv("members", crowd[:MEMBERS_MAX]))
    second = await hand_in(registry, "members", as_csv("members", crowd[: MEMBERS_MAX + 1]))
    third = await hand_in(registry, "members", as_csv("members", crowd))

    warned = [answer.json()["warnings"] for answer in (first, second, third)]
    assert [[each["code"] for each in warnings] for warnings in warned] == [
        [],
        ["TOO_MANY_MEMBERS"],
        [],
    ]
    assert third.json()["accepted"] == 1
