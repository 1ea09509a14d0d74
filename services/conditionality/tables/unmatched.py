"""Facts of persons whom no family has: kept beside the person's stream until registry tells.

A fact is recorded in any case, and counts once its person is listed. What stands here says whom the
sender has to ask about, by school or facility, and where the line is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from libs.chassis.regions import region_ranges
from libs.events import telemetry
from libs.events.store.model import encode
from libs.events.store.postgres import Store
from libs.events.telemetry.metrics import Sample
from services.conditionality.domain.person import SchoolMonth, Visit

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

Kind: TypeAlias = Literal["SCHOOL", "FACILITY"]

_KEEP: Final = """
INSERT INTO unmatched_fact (token, kind, month, service, reporter, regions, source, line)
SELECT token, kind, month, service, reporter, regions, source, line
FROM json_to_recordset($1) AS fact (
    token text, kind text, month text, service text, reporter text, regions text[], source text,
    line integer)
ON CONFLICT (token, kind, month, service) DO UPDATE
SET reporter = excluded.reporter, regions = excluded.regions, source = excluded.source,
    line = excluded.line
"""
# An upload that began before its person was told of may end behind that: it is asked here again.
_NOBODYS: Final = """
FROM unmatched_fact AS fact
WHERE NOT EXISTS (SELECT FROM person_family AS known WHERE known.token = fact.token)
  AND NOT EXISTS (SELECT FROM duty_holder AS known WHERE known.token = fact.token)
"""
_WANTED: Final = f"""{_NOBODYS}
  AND ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR reporter = $2)
  AND ($3::text IS NULL OR month = $3) AND ($4::text IS NULL OR source = $4)
  AND EXISTS (SELECT FROM unnest(regions) AS own, unnest($5::text[], $6::text[]) AS r (low, high)
              WHERE own COLLATE "C" >= low AND own COLLATE "C" < high)
"""
_COUNTS: Final = f"""
SELECT kind, reporter, month, count(*) AS facts {_WANTED}
  AND (kind, reporter, month) > ($7, $8, $9)
GROUP BY kind, reporter, month ORDER BY kind, reporter, month LIMIT $10
"""
_KINDS: Final = f"SELECT kind, count(*) AS facts {_NOBODYS} GROUP BY kind"
_LINES: Final = f"""
SELECT source, line, kind, reporter, month, service {_WANTED}
  AND (source, line, month, service) > ($7, $8::int, $9, $10)
ORDER BY source, line, month, service LIMIT $11
"""
# A line of a form has several months, and a page may end between them.


@dataclass(frozen=True, slots=True)
class Unmatched:
    """One fact of a person whom nobody knows; `source` and `line` are where it came from."""

    token: str
    kind: Kind
    month: str
    service: str
    reporter: str
    regions: tuple[str, ...]
    source: str
    line: int

    @classmethod
    def of(
        cls,
        token: str,
        record: SchoolMonth | Visit,
        reporter: str,
        regions: tuple[str, ...],
        source: str,
        line: int = 0,
    ) -> Unmatched:
        """The note of a record, without what it says of the person."""
        if isinstance(record, SchoolMonth):
            return cls(token, "SCHOOL", record.month, "", reporter, regions, source, line)
        return cls(token, "FACILITY", record.month, record.service, reporter, regions, source, line)


@dataclass(frozen=True, slots=True)
class UnmatchedFilter:
    """Filters of unmatched facts, and the regions of their senders."""

    kind: Kind | None
    reporter: str | None
    month: str | None
    source: str | None
    regions: tuple[str, ...]

    def arguments(self) -> tuple[Any, ...]:
        """The filters as the statements take them."""
        ranges = region_ranges(self.regions)
        return self.kind, self.reporter, self.month, self.source, *ranges


async def keep_unmatched(connection: Connection, facts: Sequence[Unmatched]) -> None:
    """Keep facts of persons nobody knows; a later report of the same month takes the place."""
    latest = {(fact.token, fact.kind, fact.month, fact.service): fact for fact in facts}
    # In one order for everybody, or two files of the same persons wait for each other.
    in_order = [latest[key] for key in sorted(latest)]
    await connection.execute(_KEEP, encode(in_order).decode())


async def unmatched_readings(store: Store) -> list[Sample]:
    """The gauges of unmatched facts: how many, by who reports them."""
    found = {row["kind"]: row["facts"] for row in await store.pool.fetch(_KINDS)}
    facts = dict.fromkeys(get_args(Kind), 0) | found
    return [Sample(telemetry.UNMATCHED_FACTS, count, (kind,)) for kind, count in facts.items()]


async def unmatched_counts(
    store: Store, wanted: UnmatchedFilter, after: tuple[str, str, str] | None, limit: int
) -> list[dict[str, Any]]:
    """Counts of unmatched facts by school or facility and month, in that order."""
    rows = await store.pool.fetch(_COUNTS, *wanted.arguments(), *(after or ("", "", "")), limit)
    return [dict(row) for row in rows]


async def unmatched_lines(
    store: Store, wanted: UnmatchedFilter, after: tuple[str, int, str, str] | None, limit: int
) -> list[dict[str, Any]]:
    """The origin of each unmatched fact, in order of import, line and month."""
    first = ("", -1, "", "")
    rows = await store.pool.fetch(_LINES, *wanted.arguments(), *(after or first), limit)
    return [dict(row) for row in rows]
