"""A tahap's families and money by area, for whoever sees the area: sums of one and of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from libs.chassis.reading import Reading
from libs.chassis.regions import region_ranges

LENGTHS: Final[Mapping[int | None, int]] = {None: 2, 2: 5, 5: 8, 8: 13}
"""By the length of an area's code (None: the nation), the length of those of its parts."""

_BY_AREA: Final = """
SELECT left(region, $4) AS area, split_part(disposition, '+', 1) AS disposition, commitment,
       count(*) AS families, coalesce(sum(amount), 0)::bigint AS amount,
       coalesce(sum(cut), 0)::bigint AS cut, coalesce(sum(released), 0)::bigint AS released,
       coalesce(sum(returned), 0)::bigint AS returned,
       coalesce(sum(amount - cut) FILTER (WHERE transfer = 'CREDITED'), 0)::bigint AS credited
FROM tahap_row
WHERE tahap = $1 AND EXISTS (
    SELECT FROM unnest($2::text[], $3::text[]) AS r (low, high)
    WHERE region COLLATE "C" >= low AND region COLLATE "C" < high)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_FAILURES: Final = """
SELECT CASE WHEN account_check NOT IN ('', 'OK') THEN account_check ELSE transfer END AS reason,
       split_part(disposition, '+', 1) AS disposition, count(*) AS families,
       coalesce(sum(amount - cut), 0)::bigint AS amount
FROM tahap_row
WHERE tahap = $1 AND split_part(disposition, '+', 1) IN ('ACCOUNT_FAILED', 'TRANSFER_FAILED')
  AND EXISTS (
    SELECT FROM unnest($2::text[], $3::text[]) AS r (low, high)
    WHERE region COLLATE "C" >= low AND region COLLATE "C" < high)
GROUP BY 1, 2 ORDER BY 3 DESC, 1
"""


async def tahaps(reading: Reading, regions: Sequence[str]) -> list[str]:
    """The tahaps that were announced, the latest first; of no region, none."""
    async with reading.within(regions) as connection:
        rows = await connection.fetch(
            'SELECT tahap FROM tahap_month GROUP BY 1 ORDER BY tahap COLLATE "C" DESC'
        )
    return [row["tahap"] for row in rows]


async def by_area(
    reading: Reading, tahap: str, area: str | None, regions: Sequence[str]
) -> list[dict[str, Any]]:
    """Counts and whole rupiah of a tahap by the parts of an area, disposition (before its `+`) and
    commitment; a village has no parts, and stands for itself."""
    length = LENGTHS.get(len(area) if area else None, 13)
    async with reading.within(regions) as connection:
        rows = await connection.fetch(_BY_AREA, tahap, *region_ranges(regions), length)
    return [dict(row) for row in rows]


async def failures(reading: Reading, tahap: str, regions: Sequence[str]) -> list[dict[str, Any]]:
    """Why money of a tahap did not arrive: by the bank's code, the most frequent first."""
    async with reading.within(regions) as connection:
        rows = await connection.fetch(_FAILURES, tahap, *region_ranges(regions))
    return [dict(row) for row in rows]
