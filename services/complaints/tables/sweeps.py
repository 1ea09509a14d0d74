"""Days for which due days are swept, how far each sweep is, and cases that it could not take."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from libs.chassis.idempotency import OnceOnly
from libs.chassis.jobs import Job, JobNotCancellable, State, Wanted, newest_rows, rate
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import failing_item

SWEEP: Final = "sweep"
"""The kind of the jobs, and the leader's work."""
EVERYWHERE: Final = ""
"""The zone of a sweep that somebody asked for."""

_ASK: Final = """
INSERT INTO sweep (zone, day, client, key) VALUES ('', $1, $2, $3)
ON CONFLICT (zone, day) DO UPDATE
SET done = false, due_on = NULL, case_id = NULL, changed_at = clock_timestamp()
WHERE sweep.done
"""
_BEGIN: Final = """
INSERT INTO sweep (zone, day, client, key, done)
SELECT zone, day, $3, '', NOT EXISTS (SELECT FROM sweep AS earlier WHERE earlier.zone = z.zone)
FROM unnest($1::text[], $2::date[]) AS z (zone, day) ON CONFLICT DO NOTHING
"""
_NEXT: Final = """
SELECT zone, day, due_on, case_id FROM sweep WHERE NOT done ORDER BY day, zone LIMIT 1
"""
# In the order of the index, so that a chunk costs what it holds, however many cases are open.
_DUE: Final = """
SELECT case_id::text AS case, due_on FROM case_standing
WHERE status = 'OPEN' AND level <> 'NATION' AND due_on < $1
  AND (due_on, case_id) > ($2, $3)
  AND ($4::text[] IS NULL OR left(region, 2) = ANY($4))
  AND NOT EXISTS (SELECT FROM unswept_case AS u WHERE u.case_id = case_standing.case_id)
ORDER BY due_on, case_id LIMIT $5
"""
_MOVE: Final = """
UPDATE sweep SET due_on = $3, case_id = $4, swept = swept + $5, escalated = escalated + $6,
                 undated = undated + $7, changed_at = clock_timestamp()
WHERE zone = $1 AND day = $2
"""
_END: Final = """
UPDATE sweep SET done = true, changed_at = clock_timestamp() WHERE zone = $1 AND day = $2
"""
_LEAVE: Final = """
INSERT INTO unswept_case (case_id, day) SELECT unnest($1::uuid[]), $2
ON CONFLICT (case_id) DO UPDATE SET day = greatest(unswept_case.day, excluded.day)
"""
_JOBS: Final = """
SELECT * FROM (
    SELECT concat_ws('-', 'sweep', nullif(zone, ''), day) AS id, *, now() AS seen_at FROM sweep
) AS sweep
"""
FIRST: Final = "00000000-0000-0000-0000-000000000000"
"""A case before every other."""
_START: Final = (date.min, FIRST)


class Cursor(NamedTuple):
    """A place in the order in which cases are swept."""

    due_on: date
    case: str


class Sweep(NamedTuple):
    """A sweep that is not over: the zone and the day that it is for, and how far it is."""

    zone: str
    day: date
    cursor: Cursor


class Due(NamedTuple):
    """A case whose term is over, and the last day of it."""

    case: str
    due_on: date


async def ask(unit: Transaction, day: date, once: OnceOnly) -> None:
    """Have due days swept for a day, everywhere; again, where that was done."""
    await unit.connection.execute(_ASK, day, once.client, once.key)


async def begin(store: Store, days: Mapping[str, date], by: str) -> None:
    """Have each zone swept for the day that it has; the first day of a zone counts as swept."""
    await store.pool.execute(_BEGIN, list(days), list(days.values()), by)


async def next_sweep(store: Store) -> Sweep | None:
    """The sweep of the earliest day that is not over."""
    row = await store.pool.fetchrow(_NEXT)
    if row is None:
        return None
    cursor = Cursor(*_START) if row["due_on"] is None else Cursor(row["due_on"], row["case_id"])
    return Sweep(row["zone"], row["day"], cursor)


async def due_cases(
    unit: Transaction, before: date, cursor: Cursor, provinces: Collection[str] | None, limit: int
) -> list[Due]:
    """At most so many open cases behind the cursor whose term was over before a day."""
    asked = None if provinces is None else sorted(provinces)
    rows = await unit.connection.fetch(_DUE, before, *cursor, asked, limit)
    return [Due(*row) for row in rows]


class Advanced(NamedTuple):
    """New turns of a chunk of cases, and cases that wait for a decree before they have another."""

    escalated: int = 0
    undated: int = 0


async def move(
    unit: Transaction, sweep: Sweep, cursor: Cursor, swept: int, advanced: Advanced
) -> None:
    """Note how far a sweep is, and by how many cases and turns it came on."""
    await unit.connection.execute(_MOVE, sweep.zone, sweep.day, *cursor, swept, *advanced)


async def end(unit: Transaction, sweep: Sweep) -> None:
    """Note that nothing is left of a sweep."""
    await unit.connection.execute(_END, sweep.zone, sweep.day)


# -- Cases that could not be taken ----------------------------------------------------------------


async def leave(unit: Transaction, cases: Sequence[str], day: date) -> int:
    """Leave cases out of every sweep until they are taken by themselves. How many there are."""
    await unit.connection.execute(_LEAVE, cases, day)
    count: int = await unit.connection.fetchval("SELECT count(*) FROM unswept_case")
    return count


async def left(store: Store, limit: int) -> list[tuple[str, date]]:
    """Some cases that are left out, and the day that each is to be advanced to."""
    rows = await store.pool.fetch(
        "SELECT case_id::text, day FROM unswept_case ORDER BY case_id LIMIT $1", limit
    )
    return [(row[0], row[1]) for row in rows]


async def leave_no_more(unit: Transaction, case: str) -> None:
    """Let sweeps take a case again."""
    await unit.connection.execute("DELETE FROM unswept_case WHERE case_id = $1", case)


# -- Jobs -----------------------------------------------------------------------------------------


class SweepJobs:
    """Sweeps as jobs; those of the clock are begun by the service itself."""

    seen_by: frozenset[str] = frozenset()

    async def find(self, store: Store, job: str) -> Job | None:
        """The sweep of an id such as sweep-2023-12-31."""
        row = await store.pool.fetchrow(f"{_JOBS} WHERE id = $1", job)
        return None if row is None else await _job(store, row)

    async def newest(self, store: Store, wanted: Wanted) -> list[Job]:
        """The wanted sweeps."""
        return [await _job(store, row) for row in await newest_rows(store, _JOBS, wanted)]

    async def cancel(self, unit: Transaction, job: Job, by: str) -> None:
        """No sweep is cancelled."""
        raise JobNotCancellable(job=job.id, reason="a term that is over stays over")


async def _job(store: Store, row: Any) -> Job:
    state: State = "DONE" if row["done"] else "RUNNING"
    item = f"{row['zone']} {row['day']}".strip()
    failing = None if row["done"] else await failing_item(store.pool, SWEEP, item)
    until: datetime = row["changed_at"] if row["done"] else row["seen_at"]
    return Job(
        id=row["id"],
        kind=SWEEP,
        about=item,
        state=state if failing is None else "FAILING",
        done=row["swept"],
        total=row["swept"] if row["done"] else None,
        unit="cases",
        rate=rate(row["swept"], row["started_at"], until),
        counts={"escalated": row["escalated"], "undated": row["undated"]},
        attempt=1 if failing is None else failing.attempts,
        by=row["client"],
        started_at=row["started_at"],
        changed_at=row["changed_at"],
    )
