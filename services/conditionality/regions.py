"""Where families are, by the latest roster line of each, and who may therefore see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from libs.chassis.auth import Principal, is_outside
from libs.events.errors import NotFound
from libs.events.handle import Loaded
from libs.events.transaction import Transaction
from services.conditionality.contract import COMMITMENT, FamilyListed
from services.conditionality.domain.commitment import Commitment

_KEEP: Final = """
INSERT INTO family_region (family, region, month, revision)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[])
ON CONFLICT (family) DO UPDATE
SET region = excluded.region, month = excluded.month, revision = excluded.revision
WHERE (family_region.month, family_region.revision) < (excluded.month, excluded.revision)
"""


class FamilyUnknown(NotFound):
    """No cycle of this family was ever evaluated in the regions of the token."""


async def keep_regions(unit: Transaction, listed: Sequence[FamilyListed]) -> None:
    """Keep where each family is; a line that is sent again later does not move it back."""
    latest: dict[str, tuple[str, int, str]] = {}
    for line in listed:
        place = line.months[0], line.revision, line.region
        latest[line.family] = max(latest.get(line.family, place), place)
    if latest:
        rows = [(family, region, *since) for family, (*since, region) in latest.items()]
        await unit.connection.execute(_KEEP, *map(list, zip(*rows, strict=True)))


async def commitment_of(unit: Transaction, asker: Principal, family: UUID) -> Loaded[Commitment]:
    """A family's commitment; raises `FamilyUnknown` where there is none or its region is not the
    asker's, which nobody can tell apart.

    A family that was listed before regions were kept is the nation's.
    """
    statement = "SELECT region FROM family_region WHERE family = $1"
    region = await unit.connection.fetchval(statement, family)
    stream_id = f"commitment-{family}"
    found = await unit.load(COMMITMENT, [stream_id])
    if stream_id not in found or is_outside(asker, region or ""):
        raise FamilyUnknown(family=family)
    return found[stream_id]
