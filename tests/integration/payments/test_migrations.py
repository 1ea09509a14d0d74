"""Rows that stand in payments' database before a migration mean the same behind it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from libs.events.store import migrate
from tests.doors import ROOT
from tests.servers import Postgres, fresh_database

MIGRATIONS: Final = ROOT / "services" / "payments" / "migrations"
ROLES: Final = {"RUNTIME_ROLE": "postgres"}

ANNOUNCED: Final = """
INSERT INTO events (block, ord, stream_id, version, type, schema_version, data, occurred_at)
VALUES ($1, 0, 'tahap-' || $2, $1, $3, 1, '{}', now())
"""
SET_ASIDE: Final = """
INSERT INTO payment_set_aside
    (payment, command, data, tahap, kind, revision, moves_money, at, error)
VALUES ('c0b1a2d3-e4f5-5a6b-8c7d-9e0f1a2b3c4d', 'Defer', '{}', '2023-1', 'REGULAR', $1, false,
        now(), 'odd')
"""


def before(number: str, directory: Path) -> Path:
    """The migrations that come before one."""
    some = directory / "payments" / "migrations"
    some.mkdir(parents=True)
    for file in MIGRATIONS.glob("*.sql"):
        if file.name < number:
            shutil.copy(file, some)
    return some


@asynccontextmanager
async def database(url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection to a database."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_run_that_is_open_gets_the_revision_that_its_tahap_was_announced_in(
    postgres: Postgres, tmp_path: Path
) -> None:
    types_of_tahap = {
        "2023-1": ["ClosingAnnounced"],
        "2023-2": ["ClosingAnnounced", "TahapCancelled", "ClosingAnnounced", "ListFrozen"],
    }
    with fresh_database(postgres) as url:
        await migrate.apply(url, [migrate.CORRIDOR, before("011", tmp_path)], ROLES)
        async with database(url) as connection:
            for tahap, types in types_of_tahap.items():
                for name in types:
                    block = await connection.fetchval("SELECT nextval('block_numbers')")
                    await connection.execute(ANNOUNCED, block, tahap, name)
            await connection.execute(
                """INSERT INTO run_open (tahap, kind) VALUES ('2023-1', 'REGULAR'),
                   ('2023-2', 'REGULAR'), ('2023-2', 'SUPPLEMENTARY-1')"""
            )

            await migrate.apply(url, [MIGRATIONS], ROLES)

            rows = await connection.fetch("SELECT tahap, revision FROM run_open ORDER BY 1, kind")
    assert [tuple(row) for row in rows] == [("2023-1", 1), ("2023-2", 2), ("2023-2", 2)]


async def test_what_was_set_aside_before_is_kept_beside_that_of_a_later_revision(
    postgres: Postgres, tmp_path: Path
) -> None:
    with fresh_database(postgres) as url:
        await migrate.apply(url, [migrate.CORRIDOR, before("012", tmp_path)], ROLES)
        async with database(url) as connection:
            await connection.execute(SET_ASIDE, 1)
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.execute(SET_ASIDE, 2)

            await migrate.apply(url, [MIGRATIONS], ROLES)

            await connection.execute(SET_ASIDE, 2)
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.execute(SET_ASIDE, 2)
            rows = await connection.fetch("SELECT revision FROM payment_set_aside ORDER BY ord")
    assert [row["revision"] for row in rows] == [1, 2]
