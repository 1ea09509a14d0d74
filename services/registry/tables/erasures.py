"""Erasures beside their streams: what waits, who is erased, and the look-ups that go with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal, TypeAlias
from uuid import UUID

from libs.chassis.bodies import FamilyUnknown
from libs.chassis.regions import region_ranges
from libs.events.store.handle import handle
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.registry.contract import ERASURE, FAMILY
from services.registry.domain.erasure import (
    Command,
    Erased,
    Erasure,
    ErasureApproved,
    ErasureProposed,
    NotAsked,
)
from services.registry.domain.family.commands import AbandonTakeBack
from services.registry.tables.take_backs import keep_take_backs, waits

Standing: TypeAlias = Literal["PROPOSED", "APPROVED", "ERASED"]

_KEEP: Final = """
INSERT INTO erasure (family, region, state) VALUES ($1, $2, $3)
ON CONFLICT (family) DO UPDATE SET state = $3
"""
_PAGE: Final = """
SELECT family FROM erasure
WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR family > $2)
  AND EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
              WHERE region >= low AND region < high)
ORDER BY family LIMIT $5
"""
_AMONG: Final = """
SELECT family::text FROM erasure WHERE family = ANY($1::uuid[]) AND state <> 'PROPOSED'
"""
_FORGET: Final = (
    "DELETE FROM identity_member WHERE family = $1",
    "DELETE FROM move_ahead WHERE family = $1",
    "DELETE FROM identity_family WHERE family = $1",
    "DELETE FROM payee_of WHERE family = $1",
    "DELETE FROM listing_payee WHERE family = $1",
    "DELETE FROM change_waiting WHERE family = $1",
    "DELETE FROM reopening_open WHERE family = $1",
    "DELETE FROM wide_message WHERE stream_id = 'family-' || $1::uuid",
    # The person may apply again: card and number are claimed by nobody now, and whoever named a
    # member next has them. A decision for the family ends with it.
    "DELETE FROM adjudicated WHERE family = $1",
    """DELETE FROM claims WHERE stream_id = 'family-' || $1::uuid
       AND kind IN ('card', 'nik', 'person')""",
    """INSERT INTO claims (kind, token, stream_id)
       SELECT DISTINCT ON (token) 'person', token, 'family-' || family FROM duplicate
       WHERE family <> $1 AND token IN (SELECT token FROM duplicate WHERE family = $1)
       ORDER BY token, number
       ON CONFLICT DO NOTHING""",
    "DELETE FROM duplicate WHERE family = $1",
)


def standing_of(erasure: Erasure) -> Standing | None:
    """The last step of an erasure as others are told of it; None where nobody has asked."""
    match erasure:
        case NotAsked():
            return None
        case ErasureProposed():
            return "PROPOSED"
        case ErasureApproved():
            return "APPROVED"
        case Erased():
            return "ERASED"


async def step(unit: Transaction, family: str, region: str, command: Command) -> int:
    """Take an erasure a step further, and answer the version of its stream.

    With the approval the look-ups go that say who the family is, in the same transaction.
    """
    # Who is taking in a row of the family is waited for, and who comes later sees the erasure.
    await unit.hold([f"family-{family}"])
    outcome = await handle(unit, ERASURE, ERASURE.stream(family), command)
    if outcome.events:
        await unit.connection.execute(_KEEP, family, region, standing_of(outcome.state))
    for event in outcome.events:
        if isinstance(event, ErasureApproved):
            if await waits(unit, family):
                stream, abandon = f"family-{family}", AbandonTakeBack(event.checker)
                await keep_take_backs(unit, await handle(unit, FAMILY, stream, abandon))
            for statement in _FORGET:
                await unit.connection.execute(statement, family)
    return outcome.version


async def erased_among(unit: Transaction, families: Collection[str]) -> set[str]:
    """Those of some families that are erased, or are to be by two people."""
    rows = await unit.connection.fetch(_AMONG, list(families))
    return {row["family"] for row in rows}


async def ensure_not_erased(unit: Transaction, family: str) -> None:
    """Nothing is told of an erased family. Raises `FamilyUnknown`."""
    if await erased_among(unit, [family]):
        raise FamilyUnknown(family=family)


async def erasures(
    store: Store, regions: Sequence[str], state: Standing | None, after: UUID | None, limit: int
) -> list[UUID]:
    """The families behind one, in order, of some regions that are erased or are to be."""
    rows = await store.pool.fetch(_PAGE, state, after, *region_ranges(regions), limit)
    return [row["family"] for row in rows]


async def due(store: Store) -> list[str]:
    """The families whose erasure two people have approved and that have a key yet."""
    rows = await store.pool.fetch(
        "SELECT family::text FROM erasure WHERE state = 'APPROVED' ORDER BY erasure.family"
    )
    return [row["family"] for row in rows]


async def carried_out(store: Store) -> set[str]:
    """The families that are erased."""
    rows = await store.pool.fetch("SELECT family::text FROM erasure WHERE state = 'ERASED'")
    return {row["family"] for row in rows}
