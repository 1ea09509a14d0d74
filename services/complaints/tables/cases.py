"""Cases as rows, beside their streams and in the transaction of their events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import product
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from libs.chassis.regions import region_ranges
from libs.events import telemetry
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.telemetry.metrics import Sample
from services.complaints.domain.case import Case, Event
from services.complaints.domain.deadlines import LEVELS, Level, Withheld, area_of
from services.complaints.domain.erasing import CaseErased
from services.complaints.tables.erasures import note_erased

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

Status: TypeAlias = Literal["OPEN", "LINKED", "RESOLVED"]
_KEEP: Final = """
INSERT INTO case_standing
    (case_id, reference, region, category, level, received_on, due_on, status, area, channel,
     family, assigned, paused, closed, linked, ended_on, erased)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[],
                     $7::date[], $8::text[], $9::text[], $10::text[], $11::uuid[], $12::text[],
                     $13::boolean[], $14::boolean[], $15::uuid[], $16::date[], $17::boolean[])
ON CONFLICT (case_id) DO UPDATE
SET level = excluded.level, due_on = excluded.due_on, status = excluded.status,
    assigned = excluded.assigned, paused = excluded.paused, closed = excluded.closed,
    linked = excluded.linked, ended_on = excluded.ended_on, erased = excluded.erased
"""
_LISTED: Final = """
SELECT case_id::text AS case, region, category, channel, level, received_on, due_on, status,
       assigned, paused, closed, linked::text, family::text
FROM case_standing
WHERE EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS r (low, high)
              WHERE area >= low AND area < high)
  AND ($3::text IS NULL OR region = $3 OR starts_with(region, $3 || '.'))
  AND ($4::text IS NULL OR level = $4) AND ($5::text IS NULL OR status = $5)
  AND ($6::date IS NULL OR due_on <= $6) AND ($7::text IS NULL OR assigned = $7)
  AND ($8::text IS NULL OR due_on IS NULL)
  AND ($9::date IS NULL OR (coalesce(due_on, 'infinity'), case_id) > ($9, $10::uuid))
ORDER BY coalesce(due_on, 'infinity'), case_id LIMIT $11
"""
_BESIDE: Final = "SELECT case_id::text FROM case_standing WHERE linked = $1 AND status = 'LINKED'"
_OF_FAMILIES: Final = "SELECT case_id::text FROM case_standing WHERE family = ANY($1::uuid[])"
_FILED: Final = """
SELECT case_id::text AS case, reference FROM case_standing
WHERE reference <> '' AND EXISTS (
    SELECT FROM unnest($1::text[], $2::text[]) AS r (low, high)
    WHERE region >= low AND region < high)
  AND ($3::text IS NULL OR reference > $3)
ORDER BY reference LIMIT $4
"""

_UNDATED: Final = """
SELECT case_id::text AS case, level, received_on FROM case_standing
WHERE status = 'OPEN' AND due_on IS NULL AND NOT paused AND case_id > $1
  AND NOT EXISTS (SELECT FROM unswept_case AS u WHERE u.case_id = case_standing.case_id)
ORDER BY case_id LIMIT $2
"""
_COUNTED: Final = """
SELECT level, CASE WHEN due_on IS NULL THEN 'UNDATED' WHEN due_on < $1 THEN 'OVER'
                   WHEN due_on <= $2 THEN 'DUE' ELSE 'IN_TERM' END, count(*)
FROM case_standing WHERE status = 'OPEN' GROUP BY 1, 2
"""
TERMS: Final = ("IN_TERM", "DUE", "OVER", "UNDATED")


class Undated(NamedTuple):
    """An open case whose term has no last day yet, and the day on which it was received first."""

    case: str
    level: Level
    received_on: date


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
                due_on(outcome.state),
                status_of(outcome.state),
                area_of(received.level, received.region),
                received.channel,
                received.family,
                outcome.state.assigned,
                outcome.state.paused is not None,
                outcome.state.closed_on is not None,
                None if outcome.state.linked is None else outcome.state.linked.to,
                outcome.state.ended_on,
                bool(outcome.state.erasure.done),
            )
            if any(isinstance(event, CaseErased) for event in outcome.events):
                await note_erased(unit, received.case)
    if rows:
        await unit.connection.execute(_KEEP, *map(list, zip(*rows.values(), strict=True)))


def status_of(case: Case) -> Status:
    """A case is open, stands behind another one, or is resolved."""
    if case.resolved is not None:
        return "RESOLVED"
    return "OPEN" if case.linked is None else "LINKED"


def due_on(case: Case) -> date | None:
    """The day behind which something happens: the level's last, or that of the reporter."""
    if case.paused is not None:
        return case.paused.due_on
    return case.turns[-1].due_on if case.turns else None


class CaseRow(NamedTuple):
    """A case as it stands."""

    case: str
    region: str
    category: str
    channel: str
    level: Level
    received_on: date
    due_on: date | None
    status: Status
    assigned: str
    paused: bool
    closed: bool
    linked: str | None
    family: str | None


class CasesWanted(NamedTuple):
    """Filters of cases; None is any."""

    regions: Sequence[str]
    region: str | None = None
    level: Level | None = None
    status: Status | None = None
    due_by: date | None = None
    assigned: str | None = None
    withheld: Withheld | None = None


async def cases(
    store: Store, wanted: CasesWanted, after: tuple[date, str] | None, limit: int
) -> list[CaseRow]:
    """Cases that offices in these regions see, in the order in which they are due."""
    ranges = region_ranges(wanted.regions)
    rows = await store.pool.fetch(_LISTED, *ranges, *wanted[1:], *(after or (None, None)), limit)
    return [CaseRow(*row) for row in rows]


async def beside(unit: Transaction, case: str) -> list[str]:
    """The cases for which this one stands."""
    return [row[0] for row in await unit.connection.fetch(_BESIDE, case)]


async def cases_of(unit: Transaction, families: Iterable[str]) -> list[str]:
    """The cases of these families."""
    return [row[0] for row in await unit.connection.fetch(_OF_FAMILIES, list(families))]


async def filed_cases(
    connection: Connection, regions: Sequence[str], after: str | None, limit: int
) -> list[FiledCase]:
    """Cases of files in these regions, in order of their numbers."""
    rows = await connection.fetch(_FILED, *region_ranges(regions), after, limit)
    return [FiledCase(*row) for row in rows]


async def undated_cases(unit: Transaction, after: str, limit: int) -> list[Undated]:
    """At most so many open cases behind one whose terms have no last day."""
    return [Undated(*row) for row in await unit.connection.fetch(_UNDATED, after, limit)]


async def case_readings(store: Store, today: date, tomorrow: date) -> list[Sample]:
    """The gauges of open cases by level and term; `tomorrow` is the next working day."""
    rows = await store.pool.fetch(_COUNTED, today, tomorrow)
    counts = dict.fromkeys(product(LEVELS, TERMS), 0) | {(row[0], row[1]): row[2] for row in rows}
    return [Sample(telemetry.OPEN_CASES, count, labels) for labels, count in counts.items()]
