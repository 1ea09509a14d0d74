"""Exceptions beside their streams: which hold for whom, whose cycles they ask to be judged again.

Whoever judges lines shares a lock that a decision on an exception takes alone: a line is judged
before it, and found by its scan, or judged by what was decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from libs.chassis.regions import region_ranges
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.conditionality.domain.commitment import CycleEvaluated
from services.conditionality.domain.duties import Exempt
from services.conditionality.domain.exceptions import (
    DutyException,
    Event,
    ExceptionDecided,
    ExceptionTerms,
)
from services.conditionality.tables.roster import Line

_SHARED: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended('exceptions', 0))"
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('exceptions', 0))"
_OF: Final = """
SELECT exception::text, reason, region, family::text, first_day, last_day, people
FROM exception_standing
WHERE (region = ANY($1) AND region <> '' OR family = ANY($2::uuid[]))
ORDER BY exception_standing.exception
"""
_SCANS_OF: Final = """
SELECT region, family::text, first_day, last_day, people FROM exception_scan
WHERE region = ANY($1) AND region <> '' OR family = ANY($2::uuid[])
"""
_LIST: Final = """
INSERT INTO duty_exception (exception, state, reason, region, family) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (exception) DO UPDATE SET state = $2, reason = $3, region = $4, family = $5
"""
_STAND: Final = """
INSERT INTO exception_standing
    (exception, reason, region, family, first_day, last_day, people)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (exception) DO UPDATE
SET reason = $2, region = $3, family = $4, first_day = $5, last_day = $6, people = $7
"""
_SCAN_BEFORE: Final = """
INSERT INTO exception_scan (exception, number, region, family, first_day, last_day, people)
SELECT exception, $2, region, family, first_day, last_day, $3 FROM exception_standing
WHERE exception = $1
"""
_SCAN: Final = """
INSERT INTO exception_scan (exception, number, region, family, first_day, last_day, people)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_COUNTED: Final = """
WITH counted AS (
    SELECT u.exception, max(months[cardinality(months)]) AS month
    FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS u (exception, tahap, family)
    JOIN roster_line USING (tahap, family) GROUP BY u.exception
), locked AS (
    SELECT exception, counted.month FROM exception_standing JOIN counted USING (exception)
    WHERE counted_to IS NULL OR counted_to < counted.month
    ORDER BY exception FOR UPDATE OF exception_standing
)
UPDATE exception_standing AS standing SET counted_to = locked.month
FROM locked WHERE standing.exception = locked.exception
"""
_PLACED: Final = """
SELECT exception, state, reason, coalesce(lives.region, of.region) AS place
FROM duty_exception AS of LEFT JOIN family_region AS lives USING (family)
"""
_PAGE: Final = f"""
SELECT exception FROM ({_PLACED}) AS placed
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR reason = $2) AND EXISTS (
    SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE place >= low AND place < high)
  AND ($5::uuid IS NULL OR exception > $5) ORDER BY exception LIMIT $6
"""  # noqa: S608 - of texts that stand here
_WHERE: Final = f"SELECT place FROM ({_PLACED}) AS placed WHERE exception = $1"  # noqa: S608 - same
_NEXT: Final = """
SELECT exception::text, number, region, coalesce(family::text, '') AS family, first_day, last_day,
       people, tahap, after
FROM exception_scan ORDER BY exception_scan.exception, number LIMIT 1 FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """The exceptions that hold for a cycle, and who made them or others that did until lately."""

    exempt: tuple[Exempt, ...] = ()
    people: tuple[str, ...] = ()


async def lock_shared(unit: Transaction) -> None:
    """No decision on an exception is taken until we commit."""
    await unit.connection.execute(_SHARED)


async def lock_alone(unit: Transaction) -> None:
    """Nobody judges a line until we commit. Taken before any stream."""
    await unit.connection.execute(_ALONE)


async def holding_for(
    unit: Transaction, lines: Sequence[Line]
) -> Mapping[tuple[str, str], Holding]:
    """The exceptions of each line's cycle, by (tahap, family); one that none is of is left out."""
    areas = {area for line in lines for area in _areas(line.region)}
    of = sorted(areas), sorted({line.family for line in lines})
    standing = await unit.connection.fetch(_OF, *of)
    scanned = await unit.connection.fetch(_SCANS_OF, *of)
    if not standing and not scanned:
        return {}
    found: dict[tuple[str, str], Holding] = {}
    for line in lines:
        exempt = tuple(
            Exempt(row["exception"], row["reason"], row["first_day"], row["last_day"])
            for row in standing
            if _is_of(row, line)
        )
        people = {
            name for row in (*standing, *scanned) if _is_of(row, line) for name in row["people"]
        }
        if people:
            found[line.tahap, line.family] = Holding(exempt, tuple(sorted(people)))
    return found


def _areas(region: str) -> list[str]:
    """A region and all that it lies in: 61.03.01 lies in 61.03 and 61, and what is unknown nowhere.

    An exception of a family has no region either, and is no exception of who lives nowhere.
    """
    parts = region.split(".") if region else []
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _is_of(row: asyncpg.Record, line: Line) -> bool:
    first, last = f"{row['first_day']:%Y-%m}", f"{row['last_day']:%Y-%m}"
    there = row["family"] == line.family or row["region"] in _areas(line.region)
    return there and first <= line.months[-1] and line.months[0] <= last


async def keep_counted(unit: Transaction, evaluated: Iterable[CycleEvaluated]) -> None:
    """Note in which cycles exceptions have counted: so much of them stays as it was."""
    counted = {
        (duty.exception, event.tahap, event.family) for event in evaluated for duty in event.excused
    }
    if counted:
        rows = map(list, zip(*sorted(counted), strict=True))
        await unit.connection.execute(_COUNTED, *rows)


async def counted_to(unit: Transaction, exception: str) -> str | None:
    """The last month (YYYY-MM) of the cycles in which an exception has counted."""
    statement = "SELECT counted_to FROM exception_standing WHERE exception = $1"
    month: str | None = await unit.connection.fetchval(statement, exception)
    return month


async def keep_exception(unit: Transaction, outcome: Outcome[DutyException, Event]) -> None:
    """Note how an exception stands, in the transaction of its events. What held before and what
    holds now ask for their cycles to be judged again."""
    state = outcome.state
    forms = (state, state.proposed, state.decided)
    shown = next((form.terms for form in forms if form is not None and form.terms), None)
    if shown is not None:
        row = state.state, shown.reason, shown.region, shown.family or None
        await unit.connection.execute(_LIST, state.exception, *row)
    else:  # withdrawn: of what stands there, the state alone changes
        statement = "UPDATE duty_exception SET state = $2 WHERE exception = $1"
        await unit.connection.execute(statement, state.exception, state.state)
    if any(isinstance(e, ExceptionDecided) and e.decision == "APPROVED" for e in outcome.events):
        await _stand(unit, outcome)


async def _stand(unit: Transaction, outcome: Outcome[DutyException, Event]) -> None:
    state, number = outcome.state, 2 * outcome.version
    people = list(state.people)
    await unit.connection.execute(_SCAN_BEFORE, state.exception, number, people)
    if state.terms is None:
        statement = "DELETE FROM exception_standing WHERE exception = $1"
        await unit.connection.execute(statement, state.exception)
        return
    terms = state.terms
    of = terms.region, terms.family or None, terms.first_day, terms.last_day, people
    await unit.connection.execute(_STAND, state.exception, terms.reason, *of)
    await unit.connection.execute(_SCAN, state.exception, number + 1, *of)


async def exceptions_page(
    store: Store,
    regions: Sequence[str],
    state: str | None,
    reason: str | None,
    after: UUID | None,
    limit: int,
) -> list[UUID]:
    """The exceptions behind one, in order of id, of some regions, in a state and for a reason."""
    rows = await store.pool.fetch(_PAGE, state, reason, *region_ranges(regions), after, limit)
    return [row["exception"] for row in rows]


async def place_of(unit: Transaction, exception: UUID) -> str | None:
    """The area of an exception, or where its family lives; None of one that is not there, or whose
    family is erased."""
    region: str | None = await unit.connection.fetchval(_WHERE, exception)
    return region


async def homes_of(unit: Transaction, families: Sequence[str]) -> Mapping[str, str]:
    """{family: where it lives} of those of whom this is known."""
    statement = "SELECT family::text, region FROM family_region WHERE family = ANY($1::uuid[])"
    rows = await unit.connection.fetch(statement, families) if families else []
    return {row["family"]: row["region"] for row in rows}


async def area_known(store: Store, area: str) -> bool:
    """True if any family that this service knows lives in an area."""
    [low], [high] = region_ranges([area])
    statement = "SELECT EXISTS (SELECT FROM family_region WHERE region >= $1 AND region < $2)"
    return bool(await store.pool.fetchval(statement, low, high))


# -- Cycles to judge again ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scan:
    """Terms that began or ceased to hold, and how far their cycles are judged again.

    `after` is the last line's (tahap, family); `people` made the exception.
    """

    exception: str
    number: int
    terms: ExceptionTerms
    people: tuple[str, ...]
    after: tuple[str, UUID]


async def next_scan(unit: Transaction) -> Scan | None:
    """The next scan that is not at its end, locked."""
    row = await unit.connection.fetchrow(_NEXT)
    if row is None:
        return None
    days = row["first_day"], row["last_day"]
    terms = ExceptionTerms("", *days, row["region"], row["family"])
    after = row["tahap"], row["after"]
    return Scan(row["exception"], row["number"], terms, tuple(row["people"]), after)


async def move_scan(unit: Transaction, scan: Scan, lines: Sequence[Line]) -> None:
    """The scan goes on behind these lines, and is over where there are none."""
    key = scan.exception, scan.number
    if not lines:
        statement = "DELETE FROM exception_scan WHERE exception = $1 AND number = $2"
        await unit.connection.execute(statement, *key)
        return
    statement = (
        "UPDATE exception_scan SET tahap = $3, after = $4 WHERE exception = $1 AND number = $2"
    )
    await unit.connection.execute(statement, *key, lines[-1].tahap, lines[-1].family)
