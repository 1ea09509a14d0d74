"""Families that could not be taken back from a cancelled list.

Each is tried again by itself, from the latest list to the earliest. Until it is taken back no other
list takes it: its standing is that of a list which no longer counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.registry.domain.listing.state import Listing


class Left(NamedTuple):
    """A family that is left on a cancelled list: the list's revision, and its cut."""

    family: str
    revision: int
    cut: int


async def leave(unit: Transaction, listing: Listing, families: Sequence[str]) -> None:
    """Note families that could not be taken back from a cancelled list."""
    await unit.connection.execute(
        """INSERT INTO unlisting_left (tahap, family, revision, cut)
           SELECT $1, family, $3, $4 FROM unnest($2::uuid[]) AS family ON CONFLICT DO NOTHING""",
        listing.tahap,
        families,
        listing.revision,
        listing.cut,
    )


async def left_among(unit: Transaction, families: Sequence[str]) -> set[str]:
    """Those of some families that are left on any cancelled list."""
    rows = await unit.connection.fetch(
        "SELECT DISTINCT family::text FROM unlisting_left WHERE family = ANY($1::uuid[])", families
    )
    return {row["family"] for row in rows}


async def lists_left_on(store: Store) -> list[str]:
    """The cancelled lists that families are left on, the latest first."""
    rows = await store.pool.fetch("SELECT DISTINCT tahap FROM unlisting_left ORDER BY tahap DESC")
    return [row["tahap"] for row in rows]


async def left_on(unit: Transaction, tahap: str, after: str, limit: int) -> list[Left]:
    """The next families that are left on a list, but for those that a later one has first."""
    rows = await unit.connection.fetch(
        """SELECT family::text, revision, cut FROM unlisting_left AS here
           WHERE tahap = $1 AND family > $2
             AND NOT EXISTS (SELECT FROM unlisting_left AS later
                             WHERE later.family = here.family AND later.tahap > $1)
           ORDER BY here.family LIMIT $3""",
        tahap,
        after,
        limit,
    )
    return [Left(*row) for row in rows]


async def leave_no_more(unit: Transaction, tahap: str, families: Sequence[str]) -> None:
    """Families are taken back after all."""
    await unit.connection.execute(
        "DELETE FROM unlisting_left WHERE tahap = $1 AND family = ANY($2::uuid[])", tahap, families
    )
