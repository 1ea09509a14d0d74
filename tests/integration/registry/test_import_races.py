"""Imports that meet each other come to one register, or are told to try again."""

from __future__ import annotations

import asyncio

from tests.doors import CONTEXT, YEAR, Door, waits_for_a_lock
from tests.integration.registry.kit import Register, as_csv, family, hand_in
from tests.servers import eventually

CARD, OTHER_CARD = "6103010101010001", "6103010101010002"


async def head(register: Register) -> int:
    return (await register.store.head())[0]


async def test_concurrent_imports_of_one_file_come_to_one_set_of_families(
    registry: Door, register: Register
) -> None:
    text = (YEAR / "families.csv").read_bytes()
    rows = text.count(b"\n") - 1

    answers = await asyncio.gather(*(hand_in(registry, "families", text) for _ in range(3)))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert sum(answer.json()["accepted"] for answer in answers) == rows
    assert sum(answer.json()["unchanged"] for answer in answers) == 2 * rows
    for table in ("streams", "claims"):
        assert await register.store.pool.fetchval(f"SELECT count(*) FROM {table}") == rows


async def test_one_key_used_by_two_at_once_has_one_effect(
    registry: Door, register: Register
) -> None:
    text = as_csv("families", [family(CARD), family(OTHER_CARD)])

    answers = await asyncio.gather(
        *(hand_in(registry, "families", text, key="once") for _ in range(3))
    )

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert await register.store.pool.fetchval("SELECT count(*) FROM streams") == 2
    settled = await hand_in(registry, "families", text, key="once")
    assert settled.json()["accepted"] == 2


async def test_of_two_that_wait_for_each_other_one_is_told_to_try_again(
    registry: Door, register: Register
) -> None:
    cards = [f"61030101010{number:05}" for number in range(501)]  # more than one batch
    text = as_csv("families", map(family, cards))
    first, last = (register.pseudonymizer.card(card) for card in (cards[0], cards[-1]))

    async with register.store.transaction(CONTEXT) as unit:
        await unit.claim("card", {last: "family-of-another"})
        importing = asyncio.create_task(hand_in(registry, "families", text))
        await eventually(lambda: waits_for_a_lock(register.store, importing))
        # Whoever waited first looks first for a circle, finds it now and gives way.
        await unit.claim("card", {first: "family-of-another"})
        answer = await importing

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/database-busy")
    assert "Retry-After" in answer.headers
    assert await head(register) == 0
