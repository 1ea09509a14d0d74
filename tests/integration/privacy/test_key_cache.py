from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from libs.privacy.errors import KeyDestroyed
from libs.privacy.keys import KeyRing, Pool
from libs.privacy.versions import KeyVersions
from tests.integration.privacy.conftest import OWNER, ROLES, AsRole

KEK = KeyVersions.of(bytes(range(32)))


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def registry(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.registry) as pool:
        yield pool


@pytest.fixture
async def eraser(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.eraser) as pool:
        yield pool


async def test_a_cached_key_is_forgotten_when_its_time_is_over(
    registry: Pool, eraser: Pool
) -> None:
    family, clock = str(uuid4()), Clock()
    ring = KeyRing(registry, KEK, ttl_s=60, clock=clock)
    await ring.create([family])
    await KeyRing(eraser, KEK).destroy(family)

    clock.now_s += 59
    assert (await ring.fetch([family]))[family].secrets
    clock.now_s += 1
    with pytest.raises(KeyDestroyed):
        await ring.fetch([family])


async def test_using_a_cached_key_does_not_prolong_its_time(registry: Pool, eraser: Pool) -> None:
    family, clock = str(uuid4()), Clock()
    ring = KeyRing(registry, KEK, ttl_s=60, clock=clock)
    await ring.create([family])
    await KeyRing(eraser, KEK).destroy(family)

    for _ in range(59):
        clock.now_s += 1
        await ring.fetch([family])
    clock.now_s += 1

    with pytest.raises(KeyDestroyed):
        await ring.fetch([family])


async def test_the_cache_holds_no_more_than_its_limit(registry: Pool, eraser: Pool) -> None:
    first, *others = (str(uuid4()) for _ in range(11))
    ring = KeyRing(registry, KEK, ttl_s=60, cached_max=10, clock=Clock())
    await ring.create([first])
    await ring.create(others)
    for family in (first, others[0]):
        await KeyRing(eraser, KEK).destroy(family)

    assert (await ring.fetch([others[0]]))[others[0]].secrets
    with pytest.raises(KeyDestroyed):
        await ring.fetch([first])


async def test_a_batch_larger_than_the_cache_is_answered_whole(registry: Pool) -> None:
    batch = [str(uuid4()) for _ in range(25)]

    keys = await KeyRing(registry, KEK, cached_max=10).create(batch)

    assert list(keys) == batch


async def test_whoever_destroys_a_key_forgets_it_at_once(as_role: AsRole) -> None:
    family = str(uuid4())
    async with as_role(OWNER) as all_rights:
        ring = KeyRing(all_rights, KEK)
        await ring.create([family])
        await ring.destroy(family)

        with pytest.raises(KeyDestroyed):
            await ring.fetch([family])


@pytest.mark.parametrize("ttl_s", [-1, 300.1])
async def test_a_key_is_never_cached_longer_than_five_minutes(registry: Pool, ttl_s: float) -> None:
    with pytest.raises(ValueError, match="300 s"):
        KeyRing(registry, KEK, ttl_s=ttl_s)
