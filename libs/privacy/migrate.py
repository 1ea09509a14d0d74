"""Brings the key database up to date and gives each role there what it needs, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from libs.events.store import migrate

HOLDERS: Final = ("registry", "payments", "eraser", "complaints")
"""Who holds a role of its own in the key database."""
MIGRATIONS = Path(__file__).parent / "migrations"
_RECOGNISES: Final = (
    'GRANT SELECT, INSERT ON stands_for TO "{role}"; GRANT SELECT ON retired TO "{role}"'
)


@dataclass(frozen=True, slots=True)
class KeyRoles:
    """The database roles that meet in the key database; they exist before it is prepared."""

    registry: str
    payments: str
    eraser: str
    complaints: str
    recognising: Sequence[str] = ()
    """Of the services that recognise persons; each may be new."""


async def apply(owner_dsn: str, roles: KeyRoles) -> list[str]:
    """Apply what is missing as the database's owner; answers the names of what was applied.

    The owner is none of `roles`: it may do everything to the table, but undo an erasure.
    """
    named = {
        "REGISTRY_ROLE": roles.registry,
        "PAYMENTS_ROLE": roles.payments,
        "ERASER_ROLE": roles.eraser,
        "COMPLAINTS_ROLE": roles.complaints,
    }
    applied = await migrate.apply(owner_dsn, [MIGRATIONS], named)
    connection = await asyncpg.connect(owner_dsn)
    try:
        for role in roles.recognising:
            await connection.execute(_RECOGNISES.format(role=role))
    finally:
        await connection.close()
    return applied
