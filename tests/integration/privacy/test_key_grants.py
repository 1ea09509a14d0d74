from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from libs.privacy import migrate
from libs.privacy.keys import KeyRing
from libs.privacy.versions import KeyVersions
from tests.integration.privacy.conftest import OWNER, ROLES, AsRole

KEK = KeyVersions.of(bytes(32))
SELECT_KEY = "SELECT wrapped FROM keys"
SELECT_ROW = "SELECT family, version, destroyed_at FROM keys"
INSERT = f"INSERT INTO keys (family, version, wrapped) VALUES ('{uuid4()}', 1, '\\x{'00' * 61}')"
INSERT_DESTROYED = (
    f"INSERT INTO keys (family, version, destroyed_at) VALUES ('{uuid4()}', 1, now())"
)
DESTROY = "UPDATE keys SET wrapped = NULL, destroyed_at = now()"
RENAME = "UPDATE keys SET version = 2"
DELETE = "DELETE FROM keys"
TRUNCATE = "TRUNCATE keys"
EVERY = {
    SELECT_KEY, SELECT_ROW, INSERT, INSERT_DESTROYED, DESTROY, RENAME, DELETE, TRUNCATE
}  # fmt: skip

MATRIX = [
    (ROLES.registry, {SELECT_KEY, SELECT_ROW, INSERT}),
    (ROLES.payments, {SELECT_KEY, SELECT_ROW}),
    (ROLES.eraser, {SELECT_ROW, DESTROY}),
    (ROLES.recognising[1], set[str]()),
    ("pg_monitor", set[str]()),
]


@pytest.mark.parametrize(
    ("role", "statement", "allowed"),
    [(role, one, one in allowed) for role, allowed in MATRIX for one in sorted(EVERY)],
)
async def test_each_role_may_do_what_it_needs_and_nothing_else(
    as_role: AsRole, role: str, statement: str, allowed: bool
) -> None:
    async with as_role(ROLES.registry) as registry:
        await KeyRing(registry, KEK).create([str(uuid4())])

    async with as_role(role) as pool:
        if allowed:
            await pool.execute(statement)
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        DELETE,
        TRUNCATE,
        RENAME,
        "UPDATE keys SET wrapped = decode(repeat('00', 61), 'hex')",
        "UPDATE keys SET destroyed_at = now()",
        "UPDATE keys SET wrapped = NULL",
    ],
)
async def test_not_even_the_owner_does_more_to_a_key_than_destroy_it(
    as_role: AsRole, statement: str
) -> None:
    async with as_role(OWNER) as owner:
        await KeyRing(owner, KEK).create([str(uuid4())])

        with pytest.raises(asyncpg.PostgresError):
            await owner.execute(statement)


async def test_a_destroyed_key_is_not_brought_back_by_the_owner(as_role: AsRole) -> None:
    family = str(uuid4())
    async with as_role(OWNER) as owner:
        ring = KeyRing(owner, KEK)
        await ring.create([family])
        await ring.destroy(family)

        with pytest.raises(asyncpg.RaiseError, match="destroyed, once"):
            await owner.execute(
                "UPDATE keys SET destroyed_at = NULL, wrapped = decode(repeat('00', 61), 'hex')"
            )


async def test_preparing_twice_changes_nothing(owner_dsn: str) -> None:
    assert await migrate.apply(owner_dsn, ROLES) == [
        "privacy/001_keys.sql",
        "privacy/002_destroyed.sql",
        "privacy/003_rotation.sql",
        "privacy/004_stands_for.sql",
        "privacy/005_ended_tokens.sql",
        "privacy/006_cases.sql",
        "privacy/007_kept_under.sql",
        "privacy/008_own_kek.sql",
    ]
    assert await migrate.apply(owner_dsn, ROLES) == []


async def test_a_role_that_does_not_exist_leaves_no_half_prepared_database(owner_dsn: str) -> None:
    with pytest.raises(asyncpg.UndefinedObjectError):
        await migrate.apply(owner_dsn, replace(ROLES, eraser="nobody at all"))

    owner = await asyncpg.connect(owner_dsn)
    try:
        assert await owner.fetchval("SELECT to_regclass('keys')") is None
    finally:
        await owner.close()
