"""Cases as rows, beside their streams and in the transaction of their events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from libs.chassis.regions import region_ranges
from libs.events import telemetry
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.telemetry.metrics import Sample
from services.complaints.domain.case import Case, Event
from services.complaints.domain.deadlines import LEVELS

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

_KEEP: Final = """
INSERT INTO case_standing
    (case_id, reference, region, category, level, received_on, due_on, status)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[],
                     $7::date[], $8::text[])
ON CONFLICT (case_id) DO UPDATE
SET level = excluded.level, due_on = excluded.due_on, status = excluded.status
"""
_FILED: Final = """
SELECT case_id::text AS case, reference FROM case_standing
WHERE reference <> '' AND EXISTS (
    SELECT FROM unnest($1::text[], $2::text[]) AS r (low, high)
    WHERE region >= low AND region < high)
  AND ($3::text IS NULL OR reference > $3)
ORDER BY reference LIMIT $4
"""

_COUNTED: Final = """
SELECT level, CASE WHEN due_on < $1 THEN 'OVER' WHEN due_on <= $2 THEN 'DUE' ELSE 'IN_TERM' END,
       count(*)
FROM case_standing WHERE status = 'OPEN' GROUP BY 1, 2
"""
TERMS: Final = ("IN_TERM", "DUE", "OVER")


class FiledCase(NamedTuple):
    """A case that came in by a file, and its number there."""

    case: str
    reference: str


async def keep_cases(unit: Transaction, outcomes: Iterable[Outcome[Case, Event]]) -> None:
    """Keep how cases that moved stand."""
    rows: dict[str, tuple[Any, ...]] = {}
    for outcome in outcomes:
        received = outcome.state.received
        if outcome.events and received is not None:
            turns = outcome.state.turns
            rows[received.case] = (
                received.case,
                outcome.state.reference,
                received.region,
                received.category,
                turns[-1].level if turns else received.level,
                received.received_on,
                turns[-1].due_on if turns else None,
                "OPEN" if outcome.state.resolved is None else "RESOLVED",
            )
    if rows:
        await unit.connection.execute(_KEEP, *map(list, zip(*rows.values(), strict=True)))


async def filed_cases(
    connection: Connection, regions: Sequence[str], after: str | None, limit: int
) -> list[FiledCase]:
    """Cases of files in these regions, in order of their numbers."""
    rows = await connection.fetch(_FILED, *region_ranges(regions), after, limit)
    return [FiledCase(*row) for row in rows]


async def case_readings(store: Store, today: date, tomorrow: date) -> list[Sample]:
    """The gauges of open cases by level and term; `tomorrow` is the next working day."""
    rows = await store.pool.fetch(_COUNTED, today, tomorrow)
    counts = dict.fromkeys(product(LEVELS, TERMS), 0) | {(row[0], row[1]): row[2] for row in rows}
    return [Sample(telemetry.OPEN_CASES, count, labels) for labels, count in counts.items()]
