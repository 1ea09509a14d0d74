from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from libs.events.store import migrate as numbered
from libs.privacy import migrate, rotation
from libs.privacy.errors import KeyDestroyed, KeyMistaken, KeyNeeded, KeyRetired
from libs.privacy.keys import KeyRing, Pool
from libs.privacy.rotation import (
    KEK,
    Rewrapper,
    ensure_all_open,
    keys_under,
    retire_older,
    still_in_use,
)
from libs.privacy.versions import KeyVersions
from libs.privacy.wrapping import Wrapper
from tests.integration.privacy.conftest import OWNER, ROLES, AsRole

FIRST, SECOND = bytes(range(32)), bytes(range(1, 33))
OLD = KeyVersions(1, {1: FIRST})
BOTH = KeyVersions(1, {1: FIRST, 2: SECOND})
CHANGING = KeyVersions(2, {2: SECOND, 1: FIRST})
NEW = KeyVersions(2, {2: SECOND})


@pytest.fixture
async def registry(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.registry) as pool:
        yield pool


@pytest.fixture
async def eraser(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.eraser) as pool:
        yield pool


@pytest.fixture
async def cases(registry: Pool, database: str) -> AsyncIterator[Pool]:
    own = {"role": ROLES.complaints, "search_path": "complaints,public"}
    async with asyncpg.create_pool(database, min_size=1, max_size=2, server_settings=own) as pool:
        yield pool


@pytest.fixture
async def payments(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.payments) as pool:
        yield pool


def families(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]


def ring(pool: Pool, kek: KeyVersions) -> KeyRing:
    return KeyRing(pool, kek, ttl_s=0)


async def rewrap(registry: Pool, eraser: Pool, kek: KeyVersions = CHANGING) -> int:
    """The number of steps until nothing is left to do."""
    rewrapper, steps = Rewrapper(registry, eraser, Wrapper(kek)), 0
    while await rewrapper.step():
        steps += 1
    return steps


async def test_every_key_is_wrapped_again_and_is_the_same_key(
    registry: Pool, eraser: Pool, payments: Pool
) -> None:
    batch = families(1_200)
    keys = await ring(registry, OLD).create(batch)

    assert await rewrap(registry, eraser) == 3

    assert await keys_under(registry) == {2: 1_200}
    assert await ring(payments, NEW).fetch(batch) == keys


async def test_keys_of_cases_leave_the_key_that_was_registry_s_for_one_of_their_own(
    registry: Pool, cases: Pool
) -> None:
    batch, of_families = families(3), families(2)
    keys = await ring(cases, OLD).create(batch)  # as before, when one file wrapped both
    await ring(registry, OLD).create(of_families)
    own = OLD.renewed(b"\x07" * 32)

    await ensure_all_open(cases, Wrapper(own))
    assert await rewrap(cases, cases, own) == 1
    alone = KeyVersions(2, {2: own.secrets[2]})
    await ensure_all_open(cases, Wrapper(alone))
    await retire_older(cases, KEK, alone)

    assert await ring(cases, alone).fetch(batch) == keys
    assert (await keys_under(cases), await keys_under(registry)) == ({2: 3}, {1: 2})
    assert await still_in_use(registry, KEK, OLD) == OLD  # families' keys are not changed
    with pytest.raises(KeyMistaken, match="version=2"):
        await ensure_all_open(cases, Wrapper(CHANGING))  # registry's file, changed as well


async def test_a_retired_key_of_cases_is_retired_for_cases_alone(
    registry: Pool, cases: Pool
) -> None:
    await retire_older(cases, KEK, NEW)

    with pytest.raises(KeyRetired, match="version=1"):
        await still_in_use(cases, KEK, BOTH)
    with pytest.raises(asyncpg.RaiseError, match="retired"):
        await ring(cases, OLD).create(families(1))
    await ring(registry, OLD).create(families(1))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await cases.execute("SELECT FROM public.retired")


async def test_what_was_retired_for_both_stays_so_for_cases(owner_dsn: str, tmp_path: Path) -> None:
    before = tmp_path / "privacy" / "migrations"
    before.mkdir(parents=True)
    for path in migrate.MIGRATIONS.glob("00[1-7]_*.sql"):
        shutil.copy(path, before)
    named = {f"{name.upper()}_ROLE": getattr(ROLES, name) for name in migrate.HOLDERS}
    await numbered.apply(owner_dsn, [before], named)
    owner = await asyncpg.connect(owner_dsn)
    try:
        await owner.execute("INSERT INTO retired (kind, up_to) VALUES ('kek', 3), ('token', 2)")

        await migrate.apply(owner_dsn, ROLES)

        kept = await owner.fetch("SELECT kind, up_to FROM complaints.retired")
    finally:
        await owner.close()
    assert [tuple(row) for row in kept] == [(KEK, 3)]


async def test_keys_open_for_all_at_each_stage_of_the_change(
    registry: Pool, eraser: Pool, payments: Pool
) -> None:
    before, between = families(600), families(3)
    keys = await ring(registry, BOTH).create(before)
    await Rewrapper(registry, eraser, Wrapper(CHANGING)).step()
    keys |= await ring(registry, CHANGING).create(between)

    assert await keys_under(registry) == {1: 100, 2: 503}
    for kek in (BOTH, CHANGING):
        assert await ring(payments, kek).fetch([*before, *between]) == keys


async def test_a_change_that_was_killed_goes_on_where_it_was(registry: Pool, eraser: Pool) -> None:
    batch = families(1_200)
    keys = await ring(registry, OLD).create(batch)
    step = asyncio.create_task(Rewrapper(registry, eraser, Wrapper(CHANGING)).step())
    await asyncio.sleep(0)
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    await Rewrapper(registry, eraser, Wrapper(CHANGING)).step()

    assert await rewrap(registry, eraser) == 2
    assert await ring(registry, NEW).fetch(batch) == keys


async def test_an_erased_family_stays_erased_also_where_its_key_was_read_before(
    registry: Pool, eraser: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    erased, living = batch = families(2)
    await ring(registry, OLD).create(batch)
    read = await registry.fetch("SELECT family::text, version, wrapped FROM keys")
    await ring(eraser, OLD).destroy(erased)

    await Rewrapper(registry, eraser, Wrapper(CHANGING))._replace(read)  # as who had read before

    with pytest.raises(KeyDestroyed):
        await ring(registry, NEW).fetch([erased])
    assert (await ring(registry, NEW).fetch([living]))[living].secrets


async def test_a_key_that_does_not_open_stays_and_stops_no_other(
    registry: Pool, eraser: Pool
) -> None:
    broken, living = families(2)
    keys = await ring(registry, OLD).create([living])
    insert = "INSERT INTO keys (family, version, wrapped) VALUES ($1, 1, $2)"
    await registry.execute(insert, broken, b"\x01" + bytes(60))

    await rewrap(registry, eraser)

    assert await keys_under(registry) == {1: 1, 2: 1}
    assert await ring(registry, NEW).fetch([living]) == keys


async def test_nothing_is_wrapped_again_under_an_older_key(registry: Pool, eraser: Pool) -> None:
    await ring(registry, CHANGING).create(families(2))

    await rewrap(registry, eraser, BOTH)

    assert await keys_under(registry) == {2: 2}
    with pytest.raises(asyncpg.RaiseError, match="newer key"):
        await eraser.execute("UPDATE keys SET wrapped = decode('01' || repeat('00', 60), 'hex')")


async def test_a_file_that_lacks_a_key_which_is_needed_is_refused(
    registry: Pool, eraser: Pool, payments: Pool
) -> None:
    await ring(registry, OLD).create(families(2))

    for pool in (registry, payments):
        with pytest.raises(KeyNeeded, match="version=1"):
            await ensure_all_open(pool, Wrapper(NEW))
    await rewrap(registry, eraser)
    await ensure_all_open(payments, Wrapper(NEW))


async def test_a_file_with_another_secret_is_refused_by_its_version(
    registry: Pool, eraser: Pool, payments: Pool
) -> None:
    await ring(registry, OLD).create(families(6))
    another, beside = KeyVersions(1, {1: SECOND}), KeyVersions(2, {2: FIRST, 1: SECOND})

    for pool in (registry, payments):
        for wrong in (another, beside):
            with pytest.raises(KeyMistaken, match="version=1"):
                await ensure_all_open(pool, Wrapper(wrong))
        await ensure_all_open(pool, Wrapper(OLD))


async def test_one_key_that_is_broken_keeps_nobody_from_starting(
    registry: Pool, eraser: Pool
) -> None:
    await ring(registry, OLD).create(families(2))
    insert = "INSERT INTO keys (family, version, wrapped) VALUES ($1, 1, $2)"
    await registry.execute(insert, "0" * 32, b"\x01" + bytes(60))

    await ensure_all_open(registry, Wrapper(OLD))
    await rewrap(registry, eraser)
    assert await keys_under(registry) == {1: 1, 2: 2}
    await ensure_all_open(registry, Wrapper(CHANGING))


async def test_a_key_that_was_taken_out_is_retired_for_everybody(
    registry: Pool, payments: Pool
) -> None:
    await retire_older(registry, KEK, NEW)

    for pool in (registry, payments):
        with pytest.raises(KeyRetired, match="version=1"):
            await still_in_use(pool, KEK, BOTH)
        assert await still_in_use(pool, KEK, CHANGING) == NEW
    with pytest.raises(asyncpg.RaiseError, match="retired"):
        await ring(registry, OLD).create(families(1))


async def test_a_first_key_retires_nothing(registry: Pool) -> None:
    for kek in (OLD, BOTH, CHANGING):
        await retire_older(registry, KEK, kek)
        assert await still_in_use(registry, KEK, kek) == kek


@pytest.mark.parametrize(
    "statement", ["UPDATE retired SET up_to = 1", "DELETE FROM retired", "TRUNCATE retired"]
)
async def test_not_even_the_owner_takes_a_retired_key_into_use_again(
    as_role: AsRole, statement: str
) -> None:
    async with as_role(OWNER) as owner:
        await retire_older(owner, KEK, KeyVersions(3, {3: SECOND}))

        with pytest.raises(asyncpg.RaiseError, match="stays retired"):
            await owner.execute(statement)
        assert await rotation.retired_up_to(owner, KEK) == 2
