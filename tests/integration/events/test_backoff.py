"""Work that fails rests and is kept for all to see; what else the leader does goes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

import pytest

from libs.events.domain.errors import CorridorError
from libs.events.monitoring.gauges import failing_samples
from libs.events.store.postgres import Store
from libs.events.workers.backoff import (
    FAILING_ATTEMPTS,
    RETRY_S,
    RETRY_S_MAX,
    THE_WORK,
    Attempt,
    Backoff,
    failing,
    failing_item,
)
from libs.events.workers.leader import lead
from tests.servers import eventually

WORK = "lister"
NIK = "6103014107900001"


class CannotGoOn(CorridorError):
    """This tahap cannot go on."""


@dataclass
class Clock:
    """A clock that the test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def goes_on() -> bool:
    return True


async def fails(error: Exception) -> bool:
    raise error


async def test_an_item_that_fails_rests_longer_each_time_and_the_others_go_on(
    store: Store,
) -> None:
    clock = Clock()
    backoff = Backoff(store, WORK, clock)
    fails_always = partial(fails, CannotGoOn(tahap="2023-1"))
    items: dict[str, Attempt] = {"2023-1": fails_always, "2023-2": goes_on}
    rests = []
    for _ in range(9):
        assert await backoff.turn(items)
        begun = clock.now
        while backoff.rests("2023-1"):
            clock.now += RETRY_S
        rests.append(clock.now - begun)

    assert rests[:4] == [RETRY_S, 2 * RETRY_S, 4 * RETRY_S, 8 * RETRY_S]
    assert max(rests) == RETRY_S_MAX
    [found] = await failing(store, [WORK])
    assert (found.item, found.attempts) == ("2023-1", 9)
    assert found.error == "This tahap cannot go on. (tahap=2023-1)"
    assert await failing_item(store.pool, WORK, "2023-2") is None


async def test_an_item_that_succeeds_or_is_gone_is_forgotten_by_whoever_leads_then(
    store: Store,
) -> None:
    items = {name: partial(fails, CannotGoOn()) for name in ("2023-1", "2023-2", "2023-3")}
    await Backoff(store, WORK).turn(items)

    await Backoff(store, WORK).turn({"2023-1": goes_on, "2023-3": items["2023-3"]})

    rows = await store.pool.fetch("SELECT item, attempts FROM failing_work")
    assert [tuple(row) for row in rows] == [("2023-3", 2)]


async def test_a_fault_of_the_infrastructure_is_no_items_fault(store: Store) -> None:
    with pytest.raises(ConnectionResetError):
        await Backoff(store, WORK).turn({"2023-1": partial(fails, ConnectionResetError())})

    assert await store.pool.fetchval("SELECT count(*) FROM failing_work") == 0


async def test_no_text_of_a_foreign_error_is_kept(store: Store) -> None:
    await Backoff(store, WORK).turn({"2023-1": partial(fails, RuntimeError(NIK))})

    found = await failing_item(store.pool, WORK, "2023-1")
    assert found is not None
    assert found.error == "RuntimeError"


async def test_a_bucket_that_fails_is_told_with_its_tahap_and_no_other(store: Store) -> None:
    await Backoff(store, WORK).turn({"2023-1 a7": partial(fails, CannotGoOn())})

    assert await failing_item(store.pool, WORK, "2023-1") is not None
    assert await failing_item(store.pool, WORK, "2023-11") is None


async def test_a_step_that_fails_as_a_whole_is_told_until_it_succeeds(store: Store) -> None:
    broken = True

    async def step() -> bool:
        if broken:
            raise CannotGoOn()
        return False

    leading = asyncio.create_task(lead(store, WORK, step))
    await eventually(partial(_attempts, store, 2))
    broken = False
    await eventually(partial(_attempts, store, None))
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)


async def _attempts(store: Store, at_least: int | None) -> bool:
    found = await failing_item(store.pool, WORK, THE_WORK)
    return found is None if at_least is None else found is not None and found.attempts >= at_least


async def test_the_metric_counts_what_fails_again_and_again(store: Store) -> None:
    backoff = Backoff(store, WORK, Clock())
    await backoff.failed("2023-1", CannotGoOn())
    for _ in range(FAILING_ATTEMPTS):
        await backoff.failed("2023-2", CannotGoOn())

    readings = await failing_samples(store, [WORK, "other"])

    assert [(each.labels, each.value) for each in readings] == [
        (("test", WORK), 1),
        (("test", "other"), 0),
    ]
