"""The key that wraps the keys of cases is complaints' own, and changed while it works."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from libs.chassis.settings import Settings
from libs.privacy.errors import KeyMistaken, KeyRetired
from libs.privacy.versions import KeyVersions
from services.complaints.main import SERVICE
from tests.doors import Door, front_door
from tests.integration.complaints.kit import NOW, follow, problem, received
from tests.servers import eventually


async def left(door: Door) -> dict[int, int]:
    """{version: how many keys are under it}, as operations see it."""
    shown = await door.client.get("/keys", headers=door.who("ana", "platform:read"))
    versions = shown.json()["versions"]
    assert {each["secret"] for each in versions} == {"complaints.kek"}
    return {each["version"]: each["left"] for each in versions}


async def test_a_case_opens_at_each_stage_of_leaving_the_key_that_was_shared(
    settings: Settings, tmp_path: Path
) -> None:
    async with front_door(SERVICE, settings, tmp_path, NOW) as before:
        case = await received(before)
        assert await left(before) == {1: 1}

    renewed = settings.kek.renewed(os.urandom(32))
    async with front_door(SERVICE, replace(settings, kek=renewed), tmp_path, NOW) as changing:

        async def wrapped_again() -> bool:
            return await left(changing) == {1: 0, 2: 1}

        await eventually(wrapped_again)
        assert not problem(await follow(changing, case["receipt"], case["pin"]))

    alone = replace(settings, kek=KeyVersions(2, {2: renewed.secrets[2]}))
    async with front_door(SERVICE, alone, tmp_path, NOW) as after:
        assert await left(after) == {2: 1}
        assert not problem(await follow(after, case["receipt"], case["pin"]))
    with pytest.raises(KeyRetired, match="version=1"):
        async with front_door(SERVICE, settings, tmp_path, NOW):
            pytest.fail("the key that was shared is in use again")


async def test_it_does_not_start_with_the_file_of_another_service(
    settings: Settings, tmp_path: Path
) -> None:
    async with front_door(SERVICE, settings, tmp_path, NOW) as door:
        await received(door)

    another = replace(settings, kek=KeyVersions.of(os.urandom(32)))
    with pytest.raises(KeyMistaken, match="version=1"):
        async with front_door(SERVICE, another, tmp_path, NOW):
            pytest.fail("it started")
