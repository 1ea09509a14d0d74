"""The regions of families, by the latest roster line of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from libs.chassis.bodies import FamilyUnknown
from libs.chassis.regions import holds
from libs.events.store.handle import Loaded
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.conditionality.contract import COMMITMENT, FamilyListed, PersonsRegistered
from services.conditionality.domain.commitment import Commitment

_KEEP: Final = """
INSERT INTO family_region (family, region, month, revision)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[])
ON CONFLICT (family) DO UPDATE
SET region = excluded.region, month = excluded.month, revision = excluded.revision
WHERE (family_region.month, family_region.revision) <= (excluded.month, excluded.revision)
"""
_LIVES: Final = """
SELECT coalesce((SELECT region FROM family_region WHERE family = $1), '')
WHERE NOT EXISTS (SELECT FROM erased_family WHERE family = $1)
"""

BEFORE_LINES: Final = ("", 0)


async def keep_regions(
    unit: Transaction, messages: Sequence[FamilyListed | PersonsRegistered]
) -> None:
    """Keep where each family is: as its latest line has it, and before the first as registry told.

    A line that is sent again later does not move a family back.
    """
    latest: dict[str, tuple[str, int, str]] = {}
    for message in messages:
        since = BEFORE_LINES
        if isinstance(message, FamilyListed):
            since = message.months[0], message.revision
        if since >= latest.get(message.family, BEFORE_LINES)[:2]:
            latest[message.family] = *since, message.region
    if latest:
        rows = [(family, region, *since) for family, (*since, region) in latest.items()]
        await unit.connection.execute(_KEEP, *map(list, zip(*rows, strict=True)))


async def lives(store: Store, family: UUID, _on: date) -> str | None:
    """Where a family lived at its latest closing; "" where no line has said so, None if erased."""
    region: str | None = await store.pool.fetchval(_LIVES, family)
    return region


async def lives_within(unit: Transaction, family: str, regions: Sequence[str]) -> bool:
    """True where a family lives in one of these regions; where nobody said where, in the nation.

    A family that nobody knows and one that is erased are nowhere, too.
    """
    region = await unit.connection.fetchval(_LIVES, family)
    return holds(regions, region or "")


async def commitment_of(unit: Transaction, family: UUID) -> Loaded[Commitment]:
    """A family's commitment; raises `FamilyUnknown` where there is none."""
    stream_id = f"commitment-{family}"
    found = await unit.load(COMMITMENT, [stream_id])
    if stream_id not in found:
        raise FamilyUnknown(family=family)
    return found[stream_id]
