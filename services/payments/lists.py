"""The list of a tahap: roster and evaluations joined in one row a family, counted a batch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from libs.events.buckets import MODULUS, value_hash
from libs.events.model import encode
from libs.events.store import CHANNEL, Store, Transaction
from services.payments.contract import EvaluationClosed, ListClosed
from services.payments.domain.entitlement import Component
from services.payments.domain.listing import ListLine
from services.payments.domain.tahap_messages import Deferral

if TYPE_CHECKING:
    import asyncpg

    from libs.events.store import Connection

LINES_PREFETCH: Final = 2_000

# The sub-select reads the row as it was before this statement: a family's lines of one topic come
# through one partition, so nobody else can have counted it meanwhile.
_KEEP_LISTED = """
INSERT INTO list_line AS line
    (tahap, family, revision, hash, outcome, region, components, amount, payee_valid, persons,
     bank, account_no, account_name, payee_nik)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::bigint[], $5::text[], $6::text[],
    $7::text[], $8::bigint[], $9::bool[], $10::text[], $11::text[], $12::text[], $13::text[],
    $14::text[]) AS came (tahap, family)
ORDER BY tahap, family
ON CONFLICT (tahap, family) DO UPDATE SET
    revision = excluded.revision, hash = excluded.hash, outcome = excluded.outcome,
    region = excluded.region, components = excluded.components, amount = excluded.amount,
    payee_valid = excluded.payee_valid, persons = excluded.persons, bank = excluded.bank,
    account_no = excluded.account_no, account_name = excluded.account_name,
    payee_nik = excluded.payee_nik
WHERE line.revision IS NULL OR line.revision <= excluded.revision
RETURNING line.tahap, NOT EXISTS (
    SELECT FROM list_line AS before WHERE before.tahap = line.tahap
       AND before.family = line.family AND before.revision IS NOT NULL) AS fresh
"""
_KEEP_EVALUATED = """
INSERT INTO list_line AS line (tahap, family, evaluated, evaluated_of, evaluated_hash, result)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::int[], $5::bigint[], $6::text[])
    AS came (tahap, family)
ORDER BY tahap, family
ON CONFLICT (tahap, family) DO UPDATE SET
    evaluated = excluded.evaluated, evaluated_of = excluded.evaluated_of,
    evaluated_hash = excluded.evaluated_hash, result = excluded.result
WHERE line.evaluated IS NULL OR line.evaluated <= excluded.evaluated
RETURNING line.tahap, NOT EXISTS (
    SELECT FROM list_line AS before WHERE before.tahap = line.tahap
       AND before.family = line.family AND before.evaluated IS NOT NULL) AS fresh
"""
_COUNT = """
INSERT INTO list_count AS known (tahap, topic, partition, families, changes, newest)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tahap, topic, partition) DO UPDATE SET families = known.families + $4,
    changes = known.changes + $5, newest = greatest(known.newest, $6)
"""
_LINES = """
SELECT family::text, outcome, region, components, amount, payee_valid, hash FROM list_line
WHERE tahap = $1 AND revision IS NOT NULL AND ($2::uuid[] IS NULL OR family = ANY($2))
ORDER BY family
"""


# -- Lines ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """The roster's half of a line; `hash` is its message's, `persons` tokens set apart by spaces.

    Account and payee are sealed, and null where the family graduated.
    """

    tahap: str
    family: str
    revision: int
    hash: int
    outcome: str
    region: str
    components: str
    amount: int
    payee_valid: bool
    persons: str
    bank: str | None
    account_no: str | None
    account_name: str | None
    payee_nik: str | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The evaluation's half of a line, of roster revision `of`."""

    tahap: str
    family: str
    revision: int
    of: int
    hash: int
    result: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Where the lines of a batch came from: topic, partition, position of the last one."""

    topic: str
    partition: int
    position: int


def signed(value: bytes) -> int:
    """The hash of a message's value as the database keeps it."""
    unsigned = value_hash(value)
    return unsigned - MODULUS if unsigned >= MODULUS // 2 else unsigned


async def keep_listed(unit: Transaction, lines: Iterable[Listed], batch: Batch) -> None:
    """Keep the latest line of each family, and count the families that are new."""
    await _keep(unit, _KEEP_LISTED, {(line.tahap, line.family): astuple(line) for line in lines}, batch)


async def keep_evaluated(unit: Transaction, lines: Iterable[Evaluated], batch: Batch) -> None:
    """Keep the latest evaluation of each family, and count the families that are new."""
    await _keep(unit, _KEEP_EVALUATED, {(line.tahap, line.family): astuple(line) for line in lines}, batch)


async def _keep(
    unit: Transaction,
    statement: str,
    lines: Mapping[tuple[str, str], tuple[object, ...]],
    batch: Batch,
) -> None:
    if not lines:
        return
    columns = map(list, zip(*lines.values(), strict=True))
    rows = await unit.connection.fetch(statement, *columns)
    for tahap in sorted({row["tahap"] for row in rows}):
        of_tahap = [row["fresh"] for row in rows if row["tahap"] == tahap]
        await unit.connection.execute(
            _COUNT, tahap, batch.topic, batch.partition, sum(of_tahap), len(of_tahap), batch.position
        )


async def lines(
    connection: Connection, tahap: str, families: Sequence[str] | None = None
) -> AsyncIterator[ListLine]:
    """The lines of a tahap as they are hashed, in order of family; of these families alone."""
    async for row in connection.cursor(_LINES, tahap, families, prefetch=LINES_PREFETCH):
        yield ListLine(
            family=row["family"],
            outcome=row["outcome"],
            region=row["region"],
            components=components_of(row["components"]),
            amount=row["amount"],
            payee_valid=row["payee_valid"],
            source=f"{row['hash'] % MODULUS:016x}",
        )


def components_of(text: str) -> tuple[Component, ...]:
    """Components from their text, EARLY_CHILD:1;SD:2."""
    parts = (part.partition(":") for part in text.split(";") if part)
    return tuple(Component(category, int(members)) for category, _, members in parts)


# -- The closing of a tahap -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Closing:
    """The list of a tahap as a whole: what its senders said of it, and what was proven.

    `looked` and `proved` name what the last proof, and the last one that held, had seen.
    """

    tahap: str
    rule_set: str
    trace: str | None
    roster: ListClosed | None
    roster_at: int
    evaluation: EvaluationClosed | None
    evaluation_at: int
    looked: str
    proved: str
    deferrable: tuple[Deferral, ...]
    frozen: bool


_CLOSING = "SELECT * FROM closing WHERE tahap = $1"


async def open_closing(unit: Transaction, tahap: str, rule_set: str) -> None:
    """A tahap is announced: its lines may come."""
    await unit.connection.execute(
        """INSERT INTO closing (tahap, rule_set, trace) VALUES ($1, $2, $3)
           ON CONFLICT DO NOTHING""",
        tahap,
        rule_set,
        unit.context.trace,
    )


async def shared(unit: Transaction, tahaps: Iterable[str]) -> dict[str, tuple[str, bool]]:
    """{tahap: (rule set, frozen)} of those that were announced; not frozen before we commit."""
    rows = await unit.connection.fetch(
        """SELECT tahap, rule_set, frozen FROM closing
           WHERE tahap = ANY($1) ORDER BY tahap FOR SHARE""",
        sorted(set(tahaps)),
    )
    return {row["tahap"]: (row["rule_set"], row["frozen"]) for row in rows}


async def held(unit: Transaction, tahap: str) -> Closing | None:
    """The closing of a tahap; nobody adds to its list, or to its holds, before we commit."""
    row = await unit.connection.fetchrow(f"{_CLOSING} FOR UPDATE", tahap)
    return _closing(row) if row else None


async def closing(store: Store, tahap: str) -> Closing | None:
    """The closing of a tahap, as it is just now."""
    row = await store.pool.fetchrow(_CLOSING, tahap)
    return _closing(row) if row else None


async def provable(store: Store) -> list[str]:
    """The tahaps whose senders have closed their lists and that are not frozen yet."""
    rows = await store.pool.fetch(
        """SELECT tahap FROM closing
           WHERE roster IS NOT NULL AND evaluation IS NOT NULL AND NOT frozen ORDER BY tahap"""
    )
    return [row["tahap"] for row in rows]


async def freeze(unit: Transaction, tahap: str) -> None:
    """From now on only lines of deferred families are taken."""
    await unit.connection.execute("UPDATE closing SET frozen = true WHERE tahap = $1", tahap)


async def note_roster(unit: Transaction, closed: ListClosed, position: int) -> None:
    """The registry has closed its list; its latest revision counts."""
    await unit.connection.execute(
        """UPDATE closing SET roster = $2, roster_at = $3 WHERE tahap = $1 AND roster_at < $3""",
        closed.tahap,
        encode(closed).decode(),
        position,
    )
    await _wake_leader(unit)


async def note_evaluation(unit: Transaction, closed: EvaluationClosed, position: int) -> None:
    """Conditionality has closed its evaluation; its latest revision counts."""
    await unit.connection.execute(
        """UPDATE closing SET evaluation = $2, evaluation_at = $3
           WHERE tahap = $1 AND evaluation_at < $3""",
        closed.tahap,
        encode(closed).decode(),
        position,
    )
    await _wake_leader(unit)


async def _wake_leader(unit: Transaction) -> None:
    await unit.connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def note_look(unit: Transaction, tahap: str, seen: str) -> None:
    """A proof has looked at this and did not hold."""
    await unit.connection.execute("UPDATE closing SET looked = $2 WHERE tahap = $1", tahap, seen)


async def note_proof(
    unit: Transaction, tahap: str, seen: str, deferrable: Sequence[Deferral]
) -> None:
    """A proof of this has held; who is missing can be deferred, for these reasons."""
    await unit.connection.execute(
        "UPDATE closing SET looked = $2, proved = $2, deferrable = $3 WHERE tahap = $1",
        tahap,
        seen,
        encode(deferrable).decode(),
    )


def _closing(row: asyncpg.Record) -> Closing:
    decode = msgspec.json.decode
    return Closing(
        tahap=row["tahap"],
        rule_set=row["rule_set"],
        trace=row["trace"],
        roster=decode(row["roster"], type=ListClosed) if row["roster"] else None,
        roster_at=row["roster_at"],
        evaluation=decode(row["evaluation"], type=EvaluationClosed) if row["evaluation"] else None,
        evaluation_at=row["evaluation_at"],
        looked=row["looked"],
        proved=row["proved"],
        deferrable=decode(row["deferrable"], type=tuple[Deferral, ...]),
        frozen=row["frozen"],
    )
