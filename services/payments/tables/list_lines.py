"""The joined lines of a tahap's list in their table: who is complete, and who is missing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
import msgspec

from libs.events.bus.incoming import Incoming
from libs.events.domain.errors import CorridorError
from libs.events.domain.list_proof import MODULUS, Buckets, value_hash, value_hash_hex
from libs.events.store.transaction import Transaction
from services.payments.contract import COMMITMENT_TOPIC, ROSTER_TOPIC, FamilyListed

LINES_A_CHUNK: Final = 1_000
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""Sorts before every family, and is none."""

_ROSTER = "SELECT keep_lines($1, $2, $3, $4, $5, $6)"
_EVALUATED = """
INSERT INTO list_line (tahap, family, evaluated, result, evaluation_hash, cut_percent)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::text[], $5::numeric[], $6::int[])
ON CONFLICT (tahap, family) DO UPDATE SET evaluated = excluded.evaluated,
    result = excluded.result, evaluation_hash = excluded.evaluation_hash,
    cut_percent = excluded.cut_percent
WHERE list_line.evaluated IS NULL OR list_line.evaluated <= excluded.evaluated
"""
_THERE = """
SELECT tahap, count(*) AS lines FROM list_line
JOIN unnest($1::text[], $2::uuid[]) AS u (tahap, family) USING (tahap, family)
WHERE CASE WHEN $3 THEN revision IS NOT NULL ELSE evaluated IS NOT NULL END GROUP BY tahap
"""
_COUNT = """
INSERT INTO list_count (tahap, topic, partition, lines, changes, newest)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tahap, topic, partition)
DO UPDATE SET lines = list_count.lines + $4, changes = list_count.changes + $5, newest = $6
"""
_BUCKETS = """
SELECT left(family::text, 2) AS bucket, count(*) AS lines, mod(sum(hash), $2)::text AS total
FROM (SELECT family, CASE WHEN $3 THEN roster_hash ELSE evaluation_hash END AS hash
      FROM list_line WHERE tahap = $1 AND NOT family = ANY($4::uuid[])) AS hashed
WHERE hash IS NOT NULL GROUP BY 1
"""
# The regular list's lines are those that were proven; a supplementary one has late lines as well.
LIST_LINES: Final = "list_line"
SUPPLEMENTARY_LINES: Final = "supplementary_line"
_COMPLETE = """
SELECT family::text, outcome, roster_hash, line, cut_percent, evaluated
FROM {lines} AS found
WHERE tahap = $1 AND family > $2 AND revision IS NOT NULL
  AND (outcome <> 'LISTED' OR evaluated IS NOT NULL)
  AND ($3::uuid[] IS NULL OR family = ANY($3)) AND NOT family = ANY($4::uuid[])
ORDER BY found.family LIMIT $5
"""


class LineAltered(CorridorError):
    """A line of a list is not what the registry has sent."""


class NotAsApproved(CorridorError):
    """The lines of a run are not those that two people approved."""


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A family that is complete: its roster line, and the hash (16 hex) it is pinned by.

    `evaluated` is the revision of its evaluation, `cut_percent` what that cuts.
    """

    family: str
    outcome: str
    source: str
    roster: FamilyListed
    cut_percent: int
    evaluated: int | None


# -- Joining --------------------------------------------------------------------------------------


async def join_roster(unit: Transaction, lines: Sequence[Incoming]) -> None:
    """Put roster lines into their families' rows, and count those that were not there."""
    latest = {(m.body.tahap, m.body.family): m for m in lines}
    columns: list[list[object]] = [
        [m.body.revision for m in latest.values()],
        [m.body.outcome for m in latest.values()],
        [value_hash(m.value) for m in latest.values()],
        [m.value.decode() for m in latest.values()],
    ]
    await _join(unit, latest, ROSTER_TOPIC, _ROSTER, columns)


async def join_evaluations(unit: Transaction, lines: Sequence[Incoming]) -> None:
    """Put evaluations into their families' rows, and count those that were not there."""
    latest = {(m.body.tahap, m.body.family): m for m in lines}
    columns: list[list[object]] = [
        [m.body.revision for m in latest.values()],
        [m.body.result for m in latest.values()],
        [value_hash(m.value) for m in latest.values()],
        [m.body.cut_percent for m in latest.values()],
    ]
    await _join(unit, latest, COMMITMENT_TOPIC, _EVALUATED, columns)


async def _join(
    unit: Transaction,
    latest: Mapping[tuple[str, str], Incoming],
    topic: str,
    statement: str,
    columns: Sequence[Sequence[object]],
) -> None:
    if not latest:
        return
    tahaps, families = [key[0] for key in latest], [key[1] for key in latest]
    # A partition has one reader at a time, so nobody adds these lines between the two statements.
    rows = await unit.connection.fetch(_THERE, tahaps, families, topic == ROSTER_TOPIC)
    there = {row["tahap"]: row["lines"] for row in rows}
    await unit.connection.execute(statement, tahaps, families, *columns)
    for tahap in sorted(set(tahaps)):
        # Its own newest: another tahap's would seem to come behind this one's proof.
        own = [message for (of, _), message in latest.items() if of == tahap]
        last, lines = max(own, key=lambda message: message.envelope.position), len(own)
        fresh = lines - there.get(tahap, 0)
        counts = last.partition, fresh, lines, last.envelope.position
        await unit.connection.execute(_COUNT, tahap, topic, *counts)


# -- Looking --------------------------------------------------------------------------------------


async def buckets_of(
    unit: Transaction, tahap: str, topic: str, without: Collection[str] = ()
) -> Buckets:
    """The buckets over the lines that are there, but for some families."""
    of_roster = topic == ROSTER_TOPIC
    rows = await unit.connection.fetch(_BUCKETS, tahap, MODULUS, of_roster, list(without))
    return Buckets({row["bucket"]: (row["lines"], int(row["total"])) for row in rows})


async def complete_lines(
    unit: Transaction,
    tahap: str,
    *,
    after: str = NOBODY,
    among: Sequence[str] | None = None,
    without: Sequence[str] = (),
    limit: int = LINES_A_CHUNK,
    strict: bool = True,
) -> list[ListedLine]:
    """The next families whose lines are complete, in order; `among` are a later run's.

    Raises `LineAltered`; unless `strict` such a line has no `source`.
    """
    lines, only = (LIST_LINES, None) if among is None else (SUPPLEMENTARY_LINES, list(among))
    statement = _COMPLETE.format(lines=lines)
    rows = await unit.connection.fetch(statement, tahap, after, only, list(without), limit)
    return [_listed(tahap, row, strict) for row in rows]


def _listed(tahap: str, row: asyncpg.Record, strict: bool) -> ListedLine:
    source = value_hash_hex(row["line"].encode())
    if int(source, 16) != row["roster_hash"]:
        if strict:
            raise LineAltered(tahap=tahap, family=row["family"])
        source = ""
    roster = msgspec.json.decode(row["line"], type=FamilyListed)
    evaluation = row["cut_percent"], row["evaluated"]
    return ListedLine(row["family"], row["outcome"], source, roster, *evaluation)


async def incomplete(
    unit: Transaction, tahap: str, held_back: Collection[str] = (), limit: int | None = None
) -> list[str]:
    """The families on a list that are not evaluated, or are among those held back, in order."""
    rows = await unit.connection.fetch(
        """SELECT family::text FROM list_line WHERE tahap = $1 AND revision IS NOT NULL
             AND ((outcome = 'LISTED' AND evaluated IS NULL) OR family = ANY($2::uuid[]))
           ORDER BY list_line.family LIMIT $3""",
        tahap,
        list(held_back),
        limit,
    )
    return [row[0] for row in rows]


async def all_complete_lines(
    unit: Transaction, tahap: str, among: Sequence[str] | None, without: Sequence[str]
) -> AsyncGenerator[list[ListedLine], None]:
    """Every complete family, a chunk in memory at a time."""
    after = NOBODY
    while chunk := await complete_lines(unit, tahap, after=after, among=among, without=without):
        yield chunk
        after = chunk[-1].family


async def arrived(unit: Transaction, tahap: str, families: Sequence[str]) -> list[str]:
    """Those of some families whose lines are complete by now."""
    rows = await unit.connection.fetch(
        """SELECT family::text FROM supplementary_line AS found
           WHERE tahap = $1 AND family = ANY($2::uuid[]) AND revision IS NOT NULL
             AND (outcome <> 'LISTED' OR evaluated IS NOT NULL) ORDER BY found.family""",
        tahap,
        list(families),
    )
    return [row[0] for row in rows]
