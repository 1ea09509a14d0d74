"""Applies numbered SQL files (dbmate's format) to one service's database, once each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import asyncpg

from libs.events.domain.errors import CorridorError

# The folder above it begins a migration's name in every database: events/001_corridor.sql.
CORRIDOR = Path(__file__).parents[1] / "migrations"
_LOCK = 7_305_001  # one migrator at a time in a database
_UP, _DOWN = "-- migrate:up", "-- migrate:down"


class MigrationChanged(CorridorError):
    """A migration that was applied has another text now; write a new one instead."""


class MigrationMalformed(CorridorError):
    """A migration needs one `-- migrate:up` line."""


async def apply(
    owner_dsn: str,
    directories: Sequence[Path],
    roles: Mapping[str, str],
    schema: str = "public",
) -> list[str]:
    """Bring a database up to date as its owner; answers the names of what was applied.

    Tables are made in `schema`, which must be there. `${NAME}` in a file stands for the role
    `roles[NAME]`; a service's own is RUNTIME_ROLE. Each file is one transaction. Raises
    `MigrationChanged` when an applied file's text differs.
    """
    connection = await asyncpg.connect(owner_dsn, server_settings={"search_path": schema})
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, checksum text NOT NULL)"
        )
        rows = await connection.fetch("SELECT name, checksum FROM migrations")
        done = {row["name"]: row["checksum"] for row in rows}
        return [
            name
            for name, text in _files(directories)
            if await _apply_one(connection, name, text, roles, done.get(name))
        ]
    finally:
        await connection.close()


def _files(directories: Iterable[Path]) -> list[tuple[str, str]]:
    return [
        (f"{directory.parent.name}/{path.name}", path.read_text(encoding="utf-8"))
        for directory in directories
        for path in sorted(directory.glob("*.sql"))
    ]


async def _apply_one(
    connection: asyncpg.Connection[asyncpg.Record],
    name: str,
    text: str,
    roles: Mapping[str, str],
    applied: str | None,
) -> bool:
    checksum = hashlib.sha256(text.encode()).hexdigest()
    if applied is not None:
        if applied != checksum:
            raise MigrationChanged(name=name)
        return False
    if _UP not in text:
        raise MigrationMalformed(name=name)
    statements = text.split(_UP, 1)[1].split(_DOWN, 1)[0]
    for placeholder, role in roles.items():
        statements = statements.replace(f"${{{placeholder}}}", f'"{role}"')
    async with connection.transaction():
        await connection.execute(statements)
        await connection.execute("INSERT INTO migrations VALUES ($1, $2)", name, checksum)
    return True
