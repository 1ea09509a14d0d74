"""One leads, the others wait; one that stands still is replaced, and knows it when it goes on."""

from __future__ import annotations

import asyncio

import pytest

from libs.events.store.postgres import Store
from libs.events.workers.leader import Leadership, LeadershipLost, has_leader
from tests.servers import eventually

SILENCE_S = 0.4
MOMENTS = 6


def leadership(store: Store) -> Leadership:
    return Leadership(store, "relay", silence_s=SILENCE_S)


async def test_a_leader_that_lives_keeps_the_lead_however_quiet_its_work_is(store: Store) -> None:
    async with leadership(store) as leader:
        waiting = asyncio.create_task(leadership(store).__aenter__())
        await leader.wait(4 * SILENCE_S)

        await leader.confirm()
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_a_leader_that_stands_still_is_replaced_and_told_when_it_goes_on(
    store: Store,
) -> None:
    async with leadership(store) as frozen:
        assert frozen._beating is not None
        frozen._beating.cancel()  # as for a process that the machine no longer runs

        async with leadership(store) as successor:
            await successor.confirm()
            with pytest.raises(LeadershipLost):
                await frozen.confirm()


async def test_the_lead_is_free_when_its_holder_ends(store: Store) -> None:
    async with leadership(store):
        assert await has_leader(store.pool, "relay")
    await eventually(lambda: _nobody_leads(store))


async def test_a_leader_that_is_told_to_end_hears_it_whatever_news_comes_with_it(
    store: Store,
) -> None:
    async with leadership(store) as leader:
        for moment in range(MOMENTS):
            waiting = asyncio.create_task(leader.wait(60))
            await turns(2)
            leader._heard()
            await turns(moment)
            heard = waiting.cancel()
            await asyncio.wait({waiting})
            assert waiting.cancelled() is heard


async def turns(count: int) -> None:
    """Let the loop do what is ready, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def _nobody_leads(store: Store) -> bool:
    return not await has_leader(store.pool, "relay")
