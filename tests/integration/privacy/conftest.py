from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import asyncpg
import pytest

from libs.privacy import migrate
from libs.privacy.keys import Pool
from libs.privacy.migrate import KeyRoles

ROLES = KeyRoles(
    registry="keys_registry",
    payments="keys_payments",
    eraser="keys_eraser",
    complaints="keys_complaints",
    recognising=("keys_registry", "keys_conditionality"),
)
OWNER = "keys_owner"

AsRole: TypeAlias = Callable[[str], AbstractAsyncContextManager[Pool]]


@pytest.fixture
async def owner_dsn(database: str) -> str:
    """The address of a fresh key database that is not prepared yet; the roles exist."""
    connection = await asyncpg.connect(database)
    try:
        for role in (OWNER, ROLES.payments, ROLES.eraser, ROLES.complaints, *ROLES.recognising):
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                await connection.execute(f"CREATE ROLE {role}")
        await connection.execute(f"GRANT CREATE ON SCHEMA public TO {OWNER}")
        name = await connection.fetchval("SELECT quote_ident(current_database())")
        await connection.execute(f"GRANT CREATE ON DATABASE {name} TO {OWNER}")
    finally:
        await connection.close()
    return f"{database}{'&' if '?' in database else '?'}role={OWNER}"


@pytest.fixture
async def as_role(owner_dsn: str, database: str) -> AsRole:
    """Pools of a prepared key database: `async with as_role(ROLES.registry) as pool`."""
    await migrate.apply(owner_dsn, ROLES)

    @asynccontextmanager
    async def open_pool(role: str) -> AsyncIterator[Pool]:
        async with asyncpg.create_pool(
            database, min_size=1, max_size=4, server_settings={"role": role}
        ) as pool:
            yield pool

    return open_pool
