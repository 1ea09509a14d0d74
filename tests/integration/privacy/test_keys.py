from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from libs.privacy.errors import KeyDestroyed, KeyMissing, WrapBroken
from libs.privacy.keys import KeyRing, Pool
from libs.privacy.sealing import Sealer
from libs.privacy.versions import KeyVersions
from tests.integration.privacy.conftest import ROLES, AsRole

KEK = KeyVersions.of(bytes(range(32)))


def families(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]


def ring(pool: Pool) -> KeyRing:
    return KeyRing(pool, KEK, ttl_s=0)


@pytest.fixture
async def registry(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.registry) as pool:
        yield pool


@pytest.fixture
async def payments(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.payments) as pool:
        yield pool


@pytest.fixture
async def eraser(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.eraser) as pool:
        yield pool


async def test_what_registry_seals_payments_opens(registry: Pool, payments: Pool) -> None:
    (family,) = batch = families(1)
    sealed = Sealer(await ring(registry).create(batch)).seal(family, "account_no", "300000000001")

    opened = Sealer(await ring(payments).fetch(batch)).unseal(family, "account_no", sealed)

    assert opened == "300000000001"


async def test_every_family_of_a_large_batch_has_a_key_of_its_own(registry: Pool) -> None:
    batch = families(2_500)

    keys = await ring(registry).create(batch)

    assert list(keys) == batch
    assert len({key.secrets[1] for key in keys.values()}) == len(batch)
    assert await ring(registry).fetch(batch) == keys


async def test_creating_again_answers_the_same_keys(registry: Pool) -> None:
    batch = families(500)
    first = await ring(registry).create(batch[:250])

    both = await ring(registry).create(batch)

    assert {family: both[family] for family in first} == first


async def test_many_creators_at_once_agree_on_the_keys(registry: Pool) -> None:
    batch = families(200)

    answers = await asyncio.gather(
        *(ring(registry).create(order) for order in (batch, batch[::-1]) * 8)
    )

    assert all(answer == answers[0] for answer in answers)


async def test_a_created_key_is_committed_before_it_is_answered(
    registry: Pool, owner_dsn: str
) -> None:
    batch = families(3)
    await ring(registry).create(batch)

    another = await asyncpg.connect(owner_dsn)
    try:
        assert await another.fetchval("SELECT count(*) FROM keys") == 3
    finally:
        await another.close()


async def test_a_family_named_twice_is_asked_for_once(registry: Pool) -> None:
    batch = families(2)

    assert list(await ring(registry).create(batch * 3)) == batch


async def test_no_families_no_keys(registry: Pool) -> None:
    assert await ring(registry).create([]) == {}
    assert await ring(registry).fetch([]) == {}


async def test_a_family_that_never_had_a_key_is_missing(registry: Pool) -> None:
    known, unknown = families(2)
    await ring(registry).create([known])

    with pytest.raises(KeyMissing, match=unknown):
        await ring(registry).fetch([known, unknown])


async def test_a_destroyed_key_opens_nothing_and_comes_back_never(
    registry: Pool, eraser: Pool
) -> None:
    (family,) = batch = families(1)
    await ring(registry).create(batch)

    assert await ring(eraser).destroy(family)

    with pytest.raises(KeyDestroyed, match=family):
        await ring(registry).fetch(batch)
    with pytest.raises(KeyDestroyed, match=family):
        await ring(registry).create(batch)


async def test_destroying_twice_or_nothing_is_harmless(registry: Pool, eraser: Pool) -> None:
    family, unknown = families(2)
    await ring(registry).create([family])

    assert await ring(eraser).destroy(family)
    assert not await ring(eraser).destroy(family)
    assert not await ring(eraser).destroy(unknown)


async def test_an_erased_family_does_not_hide_the_others(registry: Pool, eraser: Pool) -> None:
    erased, living = batch = families(2)
    keys = await ring(registry).create(batch)
    await ring(eraser).destroy(erased)

    found = await ring(registry).fetch_each(batch)

    assert found[living] == keys[living]
    with pytest.raises(KeyDestroyed):
        Sealer(found).seal(erased, "name", "X")


async def test_erasing_destroys_every_version(registry: Pool, eraser: Pool, owner_dsn: str) -> None:
    (family,) = batch = families(1)
    await ring(registry).create(batch)
    await registry.execute(
        "INSERT INTO keys (family, version, wrapped) VALUES ($1, 2, $2)", family, bytes(61)
    )

    await ring(eraser).destroy(family)

    owner = await asyncpg.connect(owner_dsn)
    try:
        rows = await owner.fetch("SELECT wrapped, destroyed_at FROM keys ORDER BY version")
        assert [row["wrapped"] for row in rows] == [None, None]
        assert all(row["destroyed_at"] for row in rows)
    finally:
        await owner.close()


async def test_a_key_under_another_key_encryption_key_is_refused(registry: Pool) -> None:
    batch = families(1)
    await ring(registry).create(batch)

    with pytest.raises(WrapBroken):
        await KeyRing(registry, KeyVersions.of(bytes(32)), ttl_s=0).fetch(batch)


async def test_a_stored_key_that_is_moved_to_another_family_is_refused(registry: Pool) -> None:
    family, thief = families(2)
    await ring(registry).create([family])
    await registry.execute(
        "INSERT INTO keys (family, version, wrapped)"
        " SELECT $2::uuid, version, wrapped FROM keys WHERE family = $1::uuid",
        family,
        thief,
    )

    with pytest.raises(WrapBroken):
        await ring(registry).fetch([thief])
