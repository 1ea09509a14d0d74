"""The rows beside the streams: roster lines, who rests on whose facts, counts and proofs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from libs.chassis.regions import region_ranges
from libs.events.bus import Record
from libs.events.bus.envelope import parse
from libs.events.consumer.parking import parked_records
from libs.events.domain.list_proof import HASH_HEX_DIGITS, MODULUS, BucketsJson, value_hash
from libs.events.store.model import encode
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.conditionality.contract import ROSTER_TOPIC, SERVICE, FamilyListed
from services.conditionality.domain.duties import ListedMember, tokens_of
from services.conditionality.domain.exceptions import ExceptionTerms

UUID_FORM: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_KEEP_LINE = """
INSERT INTO roster_line (tahap, family, revision, months, rule_set, members, region)
SELECT * FROM json_to_recordset($1) AS line (tahap text, family uuid, revision integer,
    months text[], rule_set text, members json, region text)
ON CONFLICT (tahap, family) DO UPDATE
SET revision = excluded.revision, months = excluded.months, rule_set = excluded.rule_set,
    members = excluded.members, region = excluded.region
WHERE roster_line.revision < excluded.revision
"""
_IN_AREA = """
SELECT tahap, family::text, revision, months, rule_set, members, region FROM roster_line
WHERE (family = $1::uuid OR region >= $2 AND region < $3)
  AND months[1] <= $5 AND months[cardinality(months)] >= $4
  AND (tahap, roster_line.family) > ($6, $7) ORDER BY tahap, roster_line.family LIMIT $8
"""
_KEEP_HOLDER = """
INSERT INTO duty_holder (token, tahap, family)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[]) ON CONFLICT DO NOTHING
"""
_KEEP_EVALUATED = """
INSERT INTO evaluated_line (tahap, family, hash)
SELECT t, f, h::numeric FROM unnest($1::text[], $2::uuid[], $3::text[]) AS u (t, f, h)
ON CONFLICT (tahap, family) DO UPDATE SET hash = excluded.hash
RETURNING tahap, (xmax = 0) AS fresh
"""
_COUNT = """
INSERT INTO evaluated_count (tahap, partition, families, changes) VALUES ($1, $2, $3, $4)
ON CONFLICT (tahap, partition) DO UPDATE
SET families = evaluated_count.families + $3, changes = evaluated_count.changes + $4
"""
_PROOF = """
SELECT left(family::text, 2) AS bucket, count(*) AS lines, mod(sum(hash), $2)::text AS total
FROM evaluated_line WHERE tahap = $1 GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class _ParkedLine:
    tahap: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Line:
    """A family's roster line, as its cycle is judged by it."""

    tahap: str
    family: str
    revision: int
    months: tuple[str, ...]
    rule_set: str
    members: tuple[ListedMember, ...]
    region: str


def line_of(listed: FamilyListed) -> Line:
    """The roster's message as a line."""
    return Line(
        listed.tahap,
        listed.family,
        listed.revision,
        listed.months,
        listed.rule_set,
        listed.members,
        listed.region,
    )


async def keep_lines(unit: Transaction, lines: Sequence[Line]) -> None:
    """Keep each family's latest line, and whose facts it rests on."""
    latest: dict[tuple[str, str], Line] = {}
    for line in lines:
        before = latest.setdefault((line.tahap, line.family), line)
        if before.revision < line.revision:
            latest[line.tahap, line.family] = line
    await unit.connection.execute(_KEEP_LINE, encode(list(latest.values())).decode())
    holders = [
        (token, line.tahap, line.family) for line in lines for token in tokens_of(line.members)
    ]
    if holders:
        await unit.connection.execute(_KEEP_HOLDER, *map(list, zip(*holders, strict=True)))


async def lines_resting_on(unit: Transaction, tokens: Sequence[str]) -> list[tuple[str, Line]]:
    """(token, line) of every cycle that rests on one of these persons."""
    rows = await unit.connection.fetch(
        """SELECT token, tahap, family::text, revision, months, rule_set, members, region
           FROM duty_holder JOIN roster_line USING (tahap, family) WHERE token = ANY($1)
           ORDER BY family, tahap, token""",
        tokens,
    )
    return [(row["token"], _line(row)) for row in rows]


async def rule_set_of(unit: Transaction, tahap: str, family: str) -> str:
    """The rule set by which a family's cycle is judged."""
    found = await unit.connection.fetchval(
        "SELECT rule_set FROM roster_line WHERE tahap = $1 AND family = $2", tahap, family
    )
    return str(found)


async def lines_of(unit: Transaction, families: Sequence[tuple[str, str]]) -> list[Line]:
    """The lines of (tahap, family) pairs."""
    rows = await unit.connection.fetch(
        """SELECT tahap, family::text, revision, months, rule_set, members, region
           FROM roster_line
           JOIN unnest($1::text[], $2::uuid[]) AS u (tahap, family) USING (tahap, family)
           ORDER BY family, tahap""",
        [tahap for tahap, _ in families],
        [family for _, family in families],
    )
    return [_line(row) for row in rows]


async def lines_of_families(unit: Transaction, families: Sequence[str]) -> list[Line]:
    """All lines of families, of every tahap."""
    rows = await unit.connection.fetch(
        """SELECT tahap, family::text, revision, months, rule_set, members, region
           FROM roster_line
           WHERE family = ANY($1::uuid[]) ORDER BY roster_line.family, tahap""",
        families,
    )
    return [_line(row) for row in rows]


async def lines_in(
    unit: Transaction, terms: ExceptionTerms, after: tuple[str, UUID], limit: int
) -> list[Line]:
    """Lines that an exception of these terms may be of, behind one, by (tahap, family)."""
    [low], [high] = region_ranges([terms.region] if terms.region else ["~"])
    months = f"{terms.first_day:%Y-%m}", f"{terms.last_day:%Y-%m}"
    area = terms.family or None, low, high
    rows = await unit.connection.fetch(_IN_AREA, *area, *months, *after, limit)
    return [_line(row) for row in rows]


def _line(row: asyncpg.Record) -> Line:
    members = msgspec.json.decode(row["members"], type=tuple[ListedMember, ...])
    named = row["tahap"], row["family"], row["revision"]
    return Line(*named, tuple(row["months"]), row["rule_set"], members, row["region"])


async def keep_evaluated(
    unit: Transaction, evaluated: Mapping[tuple[str, str], bytes], partition: int
) -> None:
    """Put the latest evaluation of (tahap, family) into the proof, and count it."""
    if not evaluated:
        return
    keys = sorted(evaluated)
    rows = await unit.connection.fetch(
        _KEEP_EVALUATED,
        [tahap for tahap, _ in keys],
        [family for _, family in keys],
        [str(value_hash(evaluated[key])) for key in keys],
    )
    for tahap in sorted({tahap for tahap, _ in keys}):
        fresh = sum(row["fresh"] for row in rows if row["tahap"] == tahap)
        changes = sum(row["tahap"] == tahap for row in rows)
        await unit.connection.execute(_COUNT, tahap, partition, fresh, changes)


async def counted(unit: Transaction, tahap: str) -> tuple[int, int]:
    """(families evaluated, changes so far) of a tahap."""
    row = await unit.connection.fetchrow(
        """SELECT coalesce(sum(families), 0)::bigint AS families,
                  coalesce(sum(changes), 0)::bigint AS changes
           FROM evaluated_count WHERE tahap = $1""",
        tahap,
    )
    return (row["families"], row["changes"]) if row else (0, 0)


async def proof(unit: Transaction, tahap: str) -> BucketsJson:
    """The buckets over the latest evaluations of a tahap."""
    rows = await unit.connection.fetch(_PROOF, tahap, MODULUS)
    return {
        row["bucket"]: (row["lines"], f"{int(row['total']):0{HASH_HEX_DIGITS}x}") for row in rows
    }


async def keep_departed(unit: Transaction, lines: Sequence[Line]) -> None:
    """Note families that left after they were listed."""
    statement = "INSERT INTO departed_line (tahap, family) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    await unit.connection.executemany(statement, [(line.tahap, line.family) for line in lines])


async def unjudged_families(unit: Transaction, tahap: str) -> tuple[str, ...]:
    """The families that a tahap lists and of whom no evaluation comes.

    Those who left since, and those whose line is parked here and that are not evaluated: a line
    may be parked behind an older one of its family, so one that was evaluated before can be
    parked as well, and so can one that only says that the family has left.
    """
    parked = await parked_records(unit, SERVICE, ROSTER_TOPIC)
    found = {_family(record) for record in parked if _is_line_of(record, tahap)}
    rows = await unit.connection.fetch(
        "SELECT family::text FROM evaluated_line WHERE tahap = $1 AND family = ANY($2::uuid[])",
        tahap,
        [family for family in found if UUID_FORM.fullmatch(family)],
    )
    departed = await unit.connection.fetch(
        "SELECT family::text FROM departed_line WHERE tahap = $1", tahap
    )
    waiting = found.difference(row["family"] for row in rows)
    return tuple(sorted(waiting.union(row["family"] for row in departed)))


def _family(record: Record) -> str:
    return (record.key or b"").decode()


def _is_line_of(record: Record, tahap: str) -> bool:
    if parse(record).type != "FamilyListed":
        return False
    try:
        line = msgspec.json.decode(record.value, type=_ParkedLine)
    except msgspec.DecodeError:
        return True  # unreadable: better named as missing here than waited for in vain
    return line.tahap == tahap and line.outcome == "LISTED"


async def ask_again(unit: Transaction, tahap: str, buckets: Sequence[str]) -> None:
    """Ask the leader to say the evaluations of these buckets again."""
    await unit.connection.executemany(
        "INSERT INTO repeat_asked (tahap, bucket) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [(tahap, bucket) for bucket in buckets],
    )


async def asked_again(store: Store) -> list[tuple[str, str]]:
    """(tahap, bucket) of evaluations that are asked for again and not said again yet."""
    rows = await store.pool.fetch("SELECT tahap, bucket FROM repeat_asked ORDER BY tahap, bucket")
    return [(row["tahap"], row["bucket"]) for row in rows]


async def evaluated_after(
    unit: Transaction, tahap: str, cursor: str, bucket: str, limit: int
) -> list[str]:
    """The families of a bucket behind `cursor` that a tahap has evaluated, in order of id."""
    rows = await unit.connection.fetch(
        """SELECT family::text FROM evaluated_line
           WHERE tahap = $1 AND family > $2 AND family <= $3 ORDER BY family LIMIT $4""",
        tahap,
        cursor,
        f"{bucket}ffffff-ffff-ffff-ffff-ffffffffffff",
        limit,
    )
    return [row["family"] for row in rows]


async def sent_again(unit: Transaction, tahap: str, bucket: str) -> None:
    """Take back that a bucket's evaluations are asked for: they stand in the log again."""
    await unit.connection.execute(
        "DELETE FROM repeat_asked WHERE tahap = $1 AND bucket = $2", tahap, bucket
    )


async def open_evaluation(unit: Transaction, tahap: str, listed: int) -> None:
    """From now on the leader looks whether a tahap's evaluation is complete."""
    await unit.connection.execute(
        """INSERT INTO evaluation_open (tahap, listed) VALUES ($1, $2)
           ON CONFLICT (tahap) DO UPDATE SET listed = $2""",
        tahap,
        listed,
    )


async def open_evaluations(store: Store) -> list[tuple[str, int, str]]:
    """(tahap, families listed, counts that the last proof is of) of every open evaluation."""
    rows = await store.pool.fetch(
        """SELECT tahap, listed, proved FROM evaluation_open
           WHERE tahap NOT IN (SELECT tahap FROM withdrawal_open) ORDER BY tahap"""
    )
    return [(row["tahap"], row["listed"], row["proved"]) for row in rows]


async def evaluation_proved(unit: Transaction, tahap: str, counted: str) -> None:
    """Keep the counts that a tahap's last proof is of."""
    await unit.connection.execute(
        "UPDATE evaluation_open SET proved = $2 WHERE tahap = $1", tahap, counted
    )


async def end_evaluation(unit: Transaction, tahap: str) -> None:
    """The list is frozen: nothing is left to prove."""
    await unit.connection.execute("DELETE FROM evaluation_open WHERE tahap = $1", tahap)
