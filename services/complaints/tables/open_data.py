"""Counts of cases for everybody: by regency, category, level and month, none of them small."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from libs.events.store.postgres import Store
from services.complaints.domain.deadlines import LEVELS, Level, area_of


class Rank(NamedTuple):
    """The rank of a count in the order of all."""

    month: str
    regency: str
    category: str
    level: Level


# The level is the one at which a case began, which its first office tells: that of a case that is
# passed on would change a count of a month that is published.
_COUNTED: Final = """
SELECT to_char(received_on, 'YYYY-MM') AS month, left(region, $1) AS regency, category,
       length(area) AS began, count(*) AS cases
FROM case_standing
WHERE received_on < $2 AND ($3::date IS NULL OR received_on >= $3)
  AND ($4::text IS NULL OR region = $4 OR starts_with(region, $4 || '.'))
GROUP BY 1, 2, 3, 4 HAVING count(*) >= $5
   AND ($6::text IS NULL OR (to_char(received_on, 'YYYY-MM'), left(region, $1), category,
                             length(area)) > ($6, $7, $8, $9))
ORDER BY 1, 2, 3, 4 LIMIT $10
"""
_REGENCY: Final = len("61.03")
_LEVELS: Final = {len(area_of(level, "61.03.01.2026")): level for level in LEVELS}
_LENGTHS: Final = {level: length for length, level in _LEVELS.items()}


class Count(NamedTuple):
    """Cases of a category that came in within a month and began at a level, in a regency."""

    month: str
    regency: str
    category: str
    level: Level
    cases: int


class CountsWanted(NamedTuple):
    """Months that are over before `until`, and of these only since a day, or of an area."""

    until: date
    least: int
    since: date | None = None
    area: str | None = None


async def counts(store: Store, wanted: CountsWanted, after: Rank | None, limit: int) -> list[Count]:
    """The counts that are at least `least`, in order of their places. A smaller one is left out,
    and no sum over them is told, so none follows from others."""
    behind = (*after[:3], _LENGTHS[after.level]) if after else (None,) * 4
    rows = await store.pool.fetch(
        _COUNTED,
        _REGENCY,
        wanted.until,
        wanted.since,
        wanted.area,
        wanted.least,
        *behind,
        limit,
    )
    return [
        Count(row["month"], row["regency"], row["category"], _LEVELS[row["began"]], row["cases"])
        for row in rows
    ]
