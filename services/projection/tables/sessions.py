"""Group sessions: rows by what messages say of them, and what a tahap came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec

from libs.chassis.reading import Reading
from libs.chassis.regions import region_ranges
from libs.events.bus.incoming import Incoming
from libs.events.store.transaction import Transaction
from services.projection.contract import (
    AttendanceRecorded,
    FamiliesJoined,
    FamiliesLeft,
    SessionCancelled,
    SessionHeld,
)

_JOINED: Final = """
INSERT INTO family_group (family, group_id, region, position, facilitator)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[])
ON CONFLICT (family) DO UPDATE
SET group_id = excluded.group_id, region = excluded.region, position = excluded.position,
    facilitator = excluded.facilitator
WHERE family_group.position < excluded.position
"""
_HELD: Final = """
INSERT INTO group_session
    (session, group_id, region, facilitator, held_on, module, number, sessions, rank, standing)
SELECT *, 'HELD' FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[],
                             $6::text[], $7::int[], $8::int[], $9::int[])
ON CONFLICT (session) DO UPDATE
SET group_id = excluded.group_id, region = excluded.region,
    facilitator = excluded.facilitator, held_on = excluded.held_on,
    module = excluded.module, number = excluded.number, sessions = excluded.sessions,
    rank = excluded.rank, standing = excluded.standing
"""
_CANCELLED: Final = """
INSERT INTO group_session (session, standing) SELECT unnest($1::text[]), 'CANCELLED'
ON CONFLICT (session) DO UPDATE SET standing = excluded.standing
"""
_MARKED: Final = """
INSERT INTO session_attendance (session, family, status)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[])
ON CONFLICT (session, family) DO UPDATE SET status = excluded.status
"""

# A family takes part in a tahap in which it has a row and has not graduated; an erased one counts
# nowhere. A session belongs to the tahap whose months hold its day.
_TAKING_PART: Final = """
taking_part AS MATERIALIZED (
    SELECT tahap, family, region FROM tahap_row
    WHERE {tahaps} AND disposition NOT IN ('GRADUATED_NATURAL', 'GRADUATION_PENDING')
      AND NOT EXISTS (SELECT FROM erased_family AS erased WHERE erased.family = tahap_row.family)
), held AS MATERIALIZED (
    SELECT tahap, session, group_id, region, facilitator, module, number, sessions, rank
    FROM tahap_month, group_session
    WHERE {tahaps} AND standing = 'HELD'
      AND held_on >= (month || '-01')::date
      AND held_on < (month || '-01')::date + interval '1 month'
), mark AS MATERIALIZED (
    SELECT held.tahap, held.session, held.group_id, module, number, sessions, rank,
           session_attendance.family, status
    FROM held JOIN session_attendance USING (session)
    -- IS TRUE has families hashed: tables that were never analysed are joined pair by pair.
    WHERE ((held.tahap, session_attendance.family) IN (SELECT tahap, family FROM taking_part))
          IS TRUE
)
"""
TAKING_PART: Final = _TAKING_PART.format(tahaps="tahap = $1")
"""The common tables taking_part, held and mark of the tahap in $1."""
_OF_YEAR: Final = _TAKING_PART.format(tahaps="split_part(tahap, '-', 1) = $1")

_GROUPS: Final = f"""
WITH {TAKING_PART}, belonging AS (
    SELECT group_id, count(*) AS families
    FROM taking_part JOIN family_group USING (family) GROUP BY 1
), session AS (
    SELECT group_id, count(*) AS sessions FROM held GROUP BY 1
), counted AS (
    SELECT group_id, count(*) FILTER (WHERE status = 'H') AS present,
           count(*) FILTER (WHERE status = 'I') AS excused,
           count(*) FILTER (WHERE status = 'A') AS absent,
           count(DISTINCT family) FILTER (WHERE status = 'H') AS reached
    FROM mark GROUP BY 1
), village AS (
    SELECT group_id, min(region) AS region FROM (
        SELECT group_id, region FROM family_group UNION ALL SELECT group_id, region FROM held
    ) AS named GROUP BY 1
)
SELECT group_id AS "group", coalesce(region, '') AS region, coalesce(families, 0) AS families,
       coalesce(sessions, 0) AS sessions, coalesce(present, 0) AS present,
       coalesce(excused, 0) AS excused, coalesce(absent, 0) AS absent,
       coalesce(reached, 0) AS reached
FROM belonging FULL JOIN session USING (group_id)
LEFT JOIN counted USING (group_id) LEFT JOIN village USING (group_id)
WHERE ($2::text IS NULL OR group_id > $2) AND EXISTS (
    SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE coalesce(region, '') >= low AND coalesce(region, '') < high)
ORDER BY group_id LIMIT $5
"""  # noqa: S608 - of texts that stand here
_FAMILIES: Final = f"""
WITH {_OF_YEAR}, completed AS (
    SELECT family, module, rank FROM mark WHERE status = 'H'
    GROUP BY family, module, rank, sessions HAVING count(DISTINCT number) = sessions
), learnt AS (
    SELECT family, 0 AS attended, NULL AS modules FROM taking_part
    UNION ALL
    SELECT family, count(DISTINCT (module, number)), NULL FROM mark WHERE status = 'H' GROUP BY 1
    UNION ALL
    SELECT family, 0, string_agg(module, ';' ORDER BY rank, module) FROM completed GROUP BY 1
), ever AS (
    SELECT family, max(attended) AS sessions_attended,
           coalesce(string_to_array(max(modules), ';'), '{{}}') AS modules_completed
    FROM learnt GROUP BY 1
)
SELECT ever.family::text, sessions_attended, modules_completed
FROM ever LEFT JOIN family_group USING (family)
WHERE ($2::uuid IS NULL OR ever.family > $2) AND EXISTS (
    SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE coalesce(region, '') >= low AND coalesce(region, '') < high)
ORDER BY ever.family LIMIT $5
"""  # noqa: S608 - of texts that stand here


# -- Written --------------------------------------------------------------------------------------


async def keep_sessions(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep what messages say of sessions and groups; of one session the last word counts."""
    held: dict[str, tuple[Any, ...]] = {}
    cancelled: set[str] = set()
    marks: dict[tuple[str, str], str] = {}
    joined: dict[str, tuple[Any, ...]] = {}
    for message in messages:
        match message.body:
            case AttendanceRecorded() as body:
                marks |= {(body.session, mark.family): mark.status for mark in body.marks}
            case SessionHeld() as body:
                facts = body.on, body.module, body.number, body.sessions, body.rank
                held[body.session] = (
                    *(body.session, body.group, body.region, body.facilitator),
                    *facts,
                )
                cancelled.discard(body.session)
            case SessionCancelled() as body:
                cancelled.add(body.session)
            case FamiliesJoined() as body:
                position = message.envelope.position
                whose = body.group, body.region, position, body.facilitator
                joined |= {family: (family, *whose) for family in body.families}
            case _:
                pass  # who left a group was of it in the tahap before
    # A session that was held and then cancelled is kept in this order.
    for statement, rows in (
        (_JOINED, list(joined.values())),
        (_HELD, list(held.values())),
        (_CANCELLED, [(session,) for session in sorted(cancelled)]),
        (_MARKED, [(*key, status) for key, status in marks.items()]),
    ):
        if rows:
            await transaction.connection.execute(statement, *map(list, zip(*rows, strict=True)))


def of_families(message: Incoming) -> list[tuple[str, str]]:
    """(family, body) of each family that a message is about; nobody's holds another's."""
    match message.body:
        case AttendanceRecorded() as body:
            about = {"session": body.session, "group": body.group, "on": body.on}
            return [
                (mark.family, _json(about | {"family": mark.family, "status": mark.status}))
                for mark in body.marks
            ]
        case FamiliesJoined() | FamiliesLeft() as body:
            return [(f, _json({"family": f, "group": body.group})) for f in body.families]
        case _:
            return []


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()


async def keep_months(
    transaction: Transaction, tahap: str, months: Sequence[str], closing_date: date
) -> None:
    """Keep the months and the closing date of a tahap, as its latest announcement says them."""
    await transaction.connection.execute("DELETE FROM tahap_month WHERE tahap = $1", tahap)
    await transaction.connection.execute(
        "INSERT INTO tahap_month SELECT $1, unnest($2::text[])", tahap, list(months)
    )
    await transaction.connection.execute(
        """INSERT INTO tahap_day VALUES ($1, $2)
           ON CONFLICT (tahap) DO UPDATE SET closing_date = excluded.closing_date""",
        tahap,
        closing_date,
    )


# -- Read -----------------------------------------------------------------------------------------


async def groups(
    reading: Reading, tahap: str, regions: Sequence[str], after: str | None, limit: int
) -> list[dict[str, Any]]:
    """Groups with a session in a tahap or a family that takes part in it, in order of their ids."""
    async with reading.within(regions) as connection:
        rows = await connection.fetch(_GROUPS, tahap, after, *region_ranges(regions), limit)
    return [dict(row) for row in rows]


async def learning_families(
    reading: Reading, year: str, regions: Sequence[str], after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Families that took part in a tahap of a year, and what they attended, in order of id."""
    async with reading.within(regions) as connection:
        rows = await connection.fetch(_FAMILIES, year, after, *region_ranges(regions), limit)
    return [dict(row) for row in rows]
