"""Coverage by sessions, of families and groups, and what a facilitator has done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events.store.postgres import Store

# A family belongs where it was assigned last, while it is designated and has not left.
_BELONGING: Final = """
belonging AS (
    SELECT DISTINCT ON (family) family, group_id FROM member
    WHERE since <= $1::date ORDER BY family, since DESC
), counted AS (
    SELECT group_id, count(*)::int AS families FROM belonging JOIN standing USING (family)
    WHERE designated AND left_for IS NULL AND NOT EXISTS (
        SELECT FROM erased_family AS erased WHERE erased.family = belonging.family)
    GROUP BY 1
)
"""
_GROUPS: Final = f"""
WITH {_BELONGING}
SELECT group_id AS "group", region, facilitator, coalesce(families, 0) AS families
FROM study_group LEFT JOIN counted USING (group_id)
WHERE EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS r (low, high)
              WHERE region >= low AND region < high)
  AND ($4::text IS NULL OR facilitator = $4)
  AND ($5::text IS NULL OR group_id > $5)
ORDER BY group_id LIMIT $6
"""  # noqa: S608 - of texts that stand here
_MODULES: Final = """
SELECT module, sessions AS of, count(DISTINCT number)::int AS sessions,
       count(*) FILTER (WHERE status = 'H')::int AS present,
       count(status)::int AS marks
FROM session LEFT JOIN attendance USING (session)
WHERE group_id = $1 AND standing = 'HELD' AND extract(year FROM held_on) = $2
GROUP BY module, rank, sessions ORDER BY rank, module
"""
_MONTHS: Final = """
SELECT DISTINCT to_char(held_on, 'YYYY-MM') AS month FROM session
WHERE group_id = $1 AND standing = 'HELD' AND extract(year FROM held_on) = $2
"""
_REACHED: Final = """
SELECT count(DISTINCT family)::int FROM session JOIN attendance USING (session)
WHERE group_id = $1 AND standing = 'HELD' AND extract(year FROM held_on) = $2 AND status = 'H'
  AND family = ANY($3::uuid[])
"""
_LOADS: Final = f"""
WITH {_BELONGING}, shown AS (
    SELECT * FROM study_group WHERE EXISTS (
        SELECT FROM unnest($2::text[], $3::text[]) AS r (low, high)
        WHERE region >= low AND region < high)
), led AS (
    SELECT facilitator, count(*)::int AS groups, coalesce(sum(families), 0)::int AS families
    FROM shown LEFT JOIN counted USING (group_id) GROUP BY 1
), sat AS (
    SELECT session.facilitator,
           count(*) FILTER (WHERE standing = 'PLANNED' AND held_on >= $1)::int AS planned,
           count(*) FILTER (WHERE standing = 'HELD')::int AS held,
           count(*) FILTER (WHERE standing = 'CANCELLED')::int AS cancelled,
           count(*) FILTER (WHERE standing = 'PLANNED' AND held_on < $1)::int AS missed
    FROM session JOIN shown USING (group_id)
    WHERE extract(year FROM held_on) = $4 GROUP BY 1
), idle AS (
    SELECT facilitator, count(*)::int AS missed_months
    FROM shown CROSS JOIN unnest($5::text[]) AS month
    WHERE NOT EXISTS (SELECT FROM session
                      WHERE session.group_id = shown.group_id AND standing = 'HELD'
                        AND to_char(held_on, 'YYYY-MM') = month)
    GROUP BY 1
)
SELECT facilitator, coalesce(groups, 0) AS groups, coalesce(families, 0) AS families,
       coalesce(planned, 0) AS planned, coalesce(held, 0) AS held,
       coalesce(cancelled, 0) AS cancelled, coalesce(missed, 0) AS missed,
       coalesce(missed_months, 0) AS missed_months
FROM led FULL JOIN sat USING (facilitator) LEFT JOIN idle USING (facilitator)
WHERE $6::text IS NULL OR facilitator > $6 ORDER BY facilitator LIMIT $7
"""  # noqa: S608 - of texts that stand here
_FAMILY: Final = """
SELECT module, sessions AS of, rank,
       coalesce(array_agg(DISTINCT number ORDER BY number) FILTER (WHERE status = 'H'), '{}')
           AS attended
FROM session JOIN attendance USING (session)
WHERE attendance.family = $1 AND standing = 'HELD'
GROUP BY module, rank, sessions ORDER BY rank, module, sessions
"""


async def groups(
    store: Store,
    today: date,
    regions: Sequence[str],
    facilitator: str | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """The groups of these regions, of any facilitator where none is named, and how many families
    belong to each, in order of their ids."""
    asked = *region_ranges(regions), facilitator, after, limit
    return [dict(row) for row in await store.pool.fetch(_GROUPS, today, *asked)]


async def modules_of_group(store: Store, group: str, year: int) -> list[dict[str, Any]]:
    """By module: which of its sessions a group held in a year, and how many were there."""
    return [dict(row) for row in await store.pool.fetch(_MODULES, group, year)]


async def months_held(store: Store, group: str, year: int) -> set[str]:
    """The months (YYYY-MM) of a year in which a group held a session."""
    return {row["month"] for row in await store.pool.fetch(_MONTHS, group, year)}


async def reached(store: Store, group: str, year: int, families: Sequence[str]) -> int:
    """The number of these families that were at a session of a group in a year."""
    count: int = await store.pool.fetchval(_REACHED, group, year, families)
    return count


async def loads(
    store: Store,
    today: date,
    regions: Sequence[str],
    year: int,
    ended: Sequence[str],
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Facilitators' groups, families and sessions of a year in these regions, by their ids.

    `ended` are the months (YYYY-MM) of the year that a group may have missed.
    """
    ranges = region_ranges(regions)
    rows = await store.pool.fetch(_LOADS, today, *ranges, year, ended, after, limit)
    return [dict(row) for row in rows]


async def modules_of_family(store: Store, family: UUID) -> list[dict[str, Any]]:
    """By module: at which of its sessions a family was."""
    return [dict(row) for row in await store.pool.fetch(_FAMILY, family)]
