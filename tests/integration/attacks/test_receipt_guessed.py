"""Somebody without an account guesses receipt numbers and PINs, to learn who complained of what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest_asyncio

from libs.chassis.settings import Settings
from libs.privacy.keys import KeyRing
from libs.privacy.wrapping import Wrapper
from services.complaints.http.words import CaseKeys, pin_of
from services.complaints.main import SERVICE
from tests.doors import Door, front_door, service_settings
from tests.integration.complaints.kit import NOW, follow, problem, received
from tests.servers import Postgres

NOBODYS = "AAAAAAAAAAAAAAAA"
GUESSES = 5


@pytest_asyncio.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Settings]:
    """The settings of complaints."""
    async with service_settings(postgres, tmp_path, "complaints") as settings:
        yield settings


@pytest_asyncio.fixture
async def complaints(settings: Settings, tmp_path: Path) -> AsyncIterator[Door]:
    """The door that the portal of the programme asks."""
    async with front_door(SERVICE, settings, tmp_path, NOW) as service:
        yield service


def other(pin: str) -> str:
    """A PIN that is not this one."""
    return f"{(int(pin) + 1) % 1_000_000:06d}"


def shown(answer: Any) -> tuple[int, dict[str, object]]:
    """All that an answer shows, but for the request's id."""
    body = {name: value for name, value in answer.json().items() if name != "instance"}
    return answer.status_code, body


async def test_a_pin_is_guessed_five_times_and_no_more(complaints: Door) -> None:
    case = await received(complaints)

    guesses = [
        problem(await follow(complaints, case["receipt"], other(case["pin"])))
        for _ in range(GUESSES)
    ]

    assert guesses == ["receipt-unknown"] * GUESSES
    right = await follow(complaints, case["receipt"], case["pin"])
    assert problem(right) == "pin-locked"


async def test_guesses_at_once_are_counted_one_by_one(complaints: Door) -> None:
    case = await received(complaints)

    answers = await asyncio.gather(
        *(follow(complaints, case["receipt"], other(case["pin"])) for _ in range(2 * GUESSES))
    )

    kinds = sorted(map(problem, answers))
    assert kinds == ["pin-locked"] * GUESSES + ["receipt-unknown"] * GUESSES


async def test_no_answer_tells_which_numbers_there_are(complaints: Door) -> None:
    case = await received(complaints)
    wrong = other(case["pin"])

    somebodys = [shown(await follow(complaints, case["receipt"], wrong)) for _ in range(7)]
    nobodys = [shown(await follow(complaints, NOBODYS, wrong)) for _ in range(7)]

    assert somebodys == nobodys


class CountingWrapper(Wrapper):
    """Unwraps as ever, and counts how often."""

    unwrapped = 0

    def unwrap(self, family: str, version: int, wrapped: bytes) -> bytes:
        """The key of a family or a case."""
        self.unwrapped += 1
        return super().unwrap(family, version, wrapped)


async def test_a_guess_costs_as_much_of_a_number_that_nobody_has(settings: Settings) -> None:
    case = str(uuid4())
    pool = asyncpg.create_pool(
        settings.keys_url, min_size=0, server_settings={"search_path": "complaints,public"}
    )
    async with pool as connections:
        ring = KeyRing(connections, settings.kek)
        ring.wrapper = wrapper = CountingWrapper(settings.kek)
        keys = CaseKeys.of(ring)
        pin = pin_of(await keys.made(case))
        assert not await keys.is_pin(None, pin)  # the first who ever asks
        counts = []
        for asked in (case, None):
            before = wrapper.unwrapped
            assert not await keys.is_pin(asked, other(pin))
            counts.append(wrapper.unwrapped - before)

    assert counts == [1, 1]


async def test_the_right_pin_gives_back_what_guesses_took(complaints: Door) -> None:
    case = await received(complaints)
    for _ in range(GUESSES - 1):
        await follow(complaints, case["receipt"], other(case["pin"]))

    assert (await follow(complaints, case["receipt"], case["pin"])).status_code == 200
    again = await follow(complaints, case["receipt"], other(case["pin"]))
    assert problem(again) == "receipt-unknown"
