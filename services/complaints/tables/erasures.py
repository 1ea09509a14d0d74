"""Cases that are erased, whose keys are to be destroyed, and cases whose retention is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

# The days of each period of the policy hold for what ended in it.
_EXPIRED: Final = """
SELECT case_id::text AS case, ended_on FROM case_standing
JOIN unnest($1::date[], $2::date[], $3::int[]) AS p (since, until, days)
  ON ended_on >= p.since AND ended_on < p.until AND ended_on + p.days < $4
WHERE status = 'RESOLVED' AND NOT erased AND (ended_on, case_id) > ($5, $6)
ORDER BY ended_on, case_id LIMIT $7
"""
_UNDATED: Final = """
SELECT case_id::text FROM case_standing
WHERE status = 'RESOLVED' AND ended_on IS NULL AND case_id > $1 ORDER BY case_id LIMIT $2
"""
_DATE: Final = """
UPDATE case_standing AS c SET ended_on = e.ended_on
FROM unnest($1::uuid[], $2::date[]) AS e (case_id, ended_on) WHERE c.case_id = e.case_id
"""
_BEHIND: Final = """
SELECT case_id::text FROM erased_case WHERE case_id > $1 ORDER BY case_id LIMIT $2
"""


class Ended(NamedTuple):
    """A case that has ended, and the day."""

    ended_on: date
    case: str


async def note_erased(unit: Transaction, case: str) -> None:
    """Note that the key of a case is to be destroyed."""
    statement = "INSERT INTO erased_case (case_id) VALUES ($1) ON CONFLICT DO NOTHING"
    await unit.connection.execute(statement, case)


async def keys_left(store: Store, limit: int) -> list[str]:
    """Some erased cases whose keys are not destroyed yet."""
    statement = "SELECT case_id::text FROM erased_case WHERE NOT destroyed LIMIT $1"
    return [row[0] for row in await store.pool.fetch(statement, limit)]


async def note_destroyed(store: Store, case: str) -> None:
    """Note that the key of a case is destroyed."""
    await store.pool.execute("UPDATE erased_case SET destroyed = true WHERE case_id = $1", case)


async def erased_behind(store: Store, after: str, limit: int) -> list[str]:
    """Some erased cases behind one, in order of their ids."""
    return [row[0] for row in await store.pool.fetch(_BEHIND, after, limit)]


async def expired_cases(
    unit: Transaction, days: Mapping[date, int], today: date, after: Ended, limit: int
) -> list[Ended]:
    """Some cases whose words have been kept for as long as they may be; `days` by the day from
    which they hold."""
    since = sorted(days)
    periods = since, [*since[1:], date.max], [days[day] for day in since]
    rows = await unit.connection.fetch(_EXPIRED, *periods, today, *after, limit)
    return [Ended(row["ended_on"], row["case"]) for row in rows]


async def undated_ends(unit: Transaction, after: str, limit: int) -> list[str]:
    """Some cases that ended before this service kept on which day."""
    return [row[0] for row in await unit.connection.fetch(_UNDATED, after, limit)]


async def date_ends(unit: Transaction, ends: Mapping[str, date | None]) -> None:
    """Keep the days on which cases have ended."""
    await unit.connection.execute(_DATE, list(ends), list(ends.values()))
