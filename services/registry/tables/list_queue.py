"""The queue of lists: one is made at a time, and a cancelled one is taken back first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from libs.events.store.model import encode
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.registry.contract.read import ClosingAnnounced
from services.registry.tables.payees import forget_looked_at

# Whoever starts a list looks first whether another one is made; two at once would see neither.
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('registry:lists', 0))"
_BUSY: Final = """
SELECT EXISTS (SELECT FROM listing_open WHERE tahap <> $1) OR EXISTS (SELECT FROM unlisting_open)
"""
_NEXT: Final = """
SELECT announcement, trace FROM listing_waiting
WHERE NOT EXISTS (SELECT FROM listing_open) AND NOT EXISTS (SELECT FROM unlisting_open)
ORDER BY split_part(tahap, '-', 1)::int, split_part(tahap, '-', 2)::int LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An announcement whose list is to be made next, and the trace that it came with."""

    announcement: ClosingAnnounced
    trace: str | None


@dataclass(frozen=True, slots=True)
class Unlisting:
    """A cancelled list, the last family that was taken back from it, and its trace."""

    tahap: str
    cursor: str
    trace: str | None


async def others_first(unit: Transaction, tahap: str) -> bool:
    """True while another list is made or a cancelled one undone; it stays so until we commit."""
    await unit.connection.execute(_ONE_AT_A_TIME)
    waits: bool = await unit.connection.fetchval(_BUSY, tahap)
    return waits


async def wait_in_line(
    unit: Transaction, announcement: ClosingAnnounced, trace: str | None
) -> None:
    """Have an announcement's list made when those before it are."""
    await unit.connection.execute(
        """INSERT INTO listing_waiting (tahap, announcement, trace) VALUES ($1, $2, $3)
           ON CONFLICT (tahap) DO UPDATE SET announcement = $2, trace = $3""",
        announcement.tahap,
        encode(announcement).decode(),
        trace,
    )


async def leave_line(unit: Transaction, tahap: str) -> None:
    """An announcement waits no longer."""
    await unit.connection.execute("DELETE FROM listing_waiting WHERE tahap = $1", tahap)


async def anyone_next(store: Store) -> bool:
    """True when an announcement's turn has come."""
    return await store.pool.fetchval(_NEXT) is not None


async def next_in_line(unit: Transaction) -> Waiting | None:
    """The announcement whose turn it is; nobody else starts a list until we commit."""
    await unit.connection.execute(_ONE_AT_A_TIME)
    row = await unit.connection.fetchrow(_NEXT)
    if row is None:
        return None
    return Waiting(msgspec.json.decode(row["announcement"], type=ClosingAnnounced), row["trace"])


async def begin_unlisting(unit: Transaction, tahap: str, trace: str | None) -> None:
    """From now on the leader takes back what a tahap's list did; nothing more is added to it."""
    await unit.connection.execute("DELETE FROM listing_open WHERE tahap = $1", tahap)
    await unit.connection.execute("DELETE FROM relist_asked WHERE tahap = $1", tahap)
    await forget_looked_at(unit, tahap)
    await unit.connection.execute(
        "INSERT INTO unlisting_open (tahap, trace) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        tahap,
        trace,
    )


async def next_unlisting(store: Store) -> Unlisting | None:
    """The list that is taken back now: the latest of those that were cancelled."""
    # As of its cut a later list saw what the earlier one did; it would bring that back.
    row = await store.pool.fetchrow(
        "SELECT tahap, cursor, trace FROM unlisting_open ORDER BY tahap DESC LIMIT 1"
    )
    return Unlisting(**dict(row)) if row else None


async def move_unlisting(unit: Transaction, tahap: str, cursor: str) -> None:
    """The families up to a cursor are taken back."""
    await unit.connection.execute(
        "UPDATE unlisting_open SET cursor = $2 WHERE tahap = $1", tahap, cursor
    )


async def end_unlisting(unit: Transaction, tahap: str) -> None:
    """Everything that the list did is taken back, but for families that are left on it."""
    await unit.connection.execute("DELETE FROM unlisting_open WHERE tahap = $1", tahap)
