"""Whoever makes a list, and however often they are interrupted, it comes to the same lines."""

from __future__ import annotations

import asyncio

from libs.chassis.settings import Settings
from tests.doors import copied, sent, waits_for_a_lock
from tests.integration.registry.kit import Register, register_at
from tests.integration.registry.lists import (
    CARDS,
    CHUNK,
    assert_closed_with_proof,
    given_families,
)
from tests.servers import Postgres, eventually


async def test_a_list_that_is_killed_within_a_chunk_comes_to_the_same_lines(
    settings: Settings, postgres: Postgres
) -> None:
    async with register_at(settings) as register:
        await given_families(register)
        await register.announce()
    with copied(postgres, settings) as elsewhere:
        async with register_at(elsewhere) as undisturbed:
            await undisturbed.list_all(CHUNK)
            expected = await undisturbed.lines(), await undisturbed.closed()

    async with register_at(settings) as register:
        await register.lister(CHUNK).step()
        await killed_within_a_chunk(register)
        assert len(await register.lines()) == CHUNK
        await register.list_all(CHUNK + 2)

        assert await register.lines() == expected[0]
        assert await register.closed() == expected[1]


async def killed_within_a_chunk(register: Register) -> None:
    """A step of the leader is cancelled while it waits for a family that somebody else holds."""
    last = await register.store.pool.fetchval(
        "SELECT max(stream_id) FROM streams WHERE stream_id LIKE 'family-%'"
    )
    async with register.store.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM streams WHERE stream_id = $1 FOR UPDATE", last)
        step = asyncio.create_task(register.lister(len(CARDS)).step())
        await eventually(lambda: waits_for_a_lock(register.store, step))
        step.cancel()
        await asyncio.gather(step, return_exceptions=True)


async def test_a_leader_that_was_replaced_within_a_chunk_adds_nothing(given: Register) -> None:
    await given.announce()
    last = await given.store.pool.fetchval(
        "SELECT max(stream_id) FROM streams WHERE stream_id LIKE 'family-%'"
    )
    async with given.store.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM streams WHERE stream_id = $1 FOR UPDATE", last)
        leaders = [asyncio.create_task(given.lister().step()) for _ in range(2)]
        await eventually(lambda: waits_for_a_lock(given.store, *leaders, waiting=2))
    await asyncio.gather(*leaders, return_exceptions=True)
    await given.list_all()

    assert len(await sent(given.store, "FamilyDesignated")) == len(CARDS)
    await assert_closed_with_proof(given)
