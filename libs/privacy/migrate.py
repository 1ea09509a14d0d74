"""Brings the key database up to date and gives each role there what it needs, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from libs.events.store import migrate

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class KeyRoles:
    """The database roles that meet in the key database; they exist before it is prepared."""

    registry: str
    payments: str
    eraser: str


async def apply(owner_dsn: str, roles: KeyRoles) -> list[str]:
    """Apply what is missing as the database's owner; answers the names of what was applied.

    The owner is none of `roles`: it may do everything to the table, but undo an erasure.
    """
    named = {
        "REGISTRY_ROLE": roles.registry,
        "PAYMENTS_ROLE": roles.payments,
        "ERASER_ROLE": roles.eraser,
    }
    return await migrate.apply(owner_dsn, [MIGRATIONS], named)
