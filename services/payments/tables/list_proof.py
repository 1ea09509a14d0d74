"""Proofs of a tahap's lines: what the topics' owners say that they come to, in their table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from libs.events.domain.list_proof import Buckets
from libs.events.store.model import encode
from libs.events.store.transaction import Transaction
from services.payments.contract import (
    COMMITMENT_TOPIC,
    ROSTER_TOPIC,
    FamiliesWithheld,
    ListClosed,
)
from services.payments.contract.commitment import EvaluationClosed
from services.payments.domain.tahap.messages import Deferral

_PROOF = """
INSERT INTO list_proof
    (tahap, topic, revision, lines, parked, buckets, graduated, pending, position, withheld,
     withheld_more)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tahap, topic) DO UPDATE
SET (revision, lines, parked, buckets, graduated, pending, position, withheld, withheld_more)
    = ($3, $4, $5, $6, $7, $8, $9, $10, $11)
WHERE list_proof.revision <= $3
"""
_WITHHELD = """
INSERT INTO list_withheld (tahap, revision, family, reason)
SELECT $1, $2, * FROM unnest($3::uuid[], $4::text[])
ON CONFLICT (tahap, family) DO UPDATE SET revision = excluded.revision, reason = excluded.reason
WHERE list_withheld.revision <= excluded.revision
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof by a topic's owner of its lines, and the families that have none: parked there, or
    withheld ({family: code}); `withheld_more` of them stand in a table of their own."""

    revision: int
    position: int
    lines: int
    graduated: int
    pending: int
    parked: tuple[str, ...]
    withheld: Mapping[str, str]
    withheld_more: int
    buckets: Buckets


async def keep_proof(
    unit: Transaction, closed: ListClosed | EvaluationClosed, position: int
) -> None:
    """Keep what a topic's owner says its lines come to, and where in its log it said so."""
    parked: tuple[str, ...] = ()
    graduated = pending = more = 0
    withheld: dict[str, str] = {}
    if isinstance(closed, ListClosed):
        graduated, pending = closed.graduated, closed.pending
        topic, lines = ROSTER_TOPIC, closed.listed + graduated
        withheld = {family.family: family.reason for family in closed.withheld}
        more = closed.withheld_more
    else:
        topic, lines, parked = COMMITMENT_TOPIC, closed.evaluated, closed.parked
    await unit.connection.execute(
        _PROOF,
        closed.tahap,
        topic,
        closed.revision,
        lines,
        encode(parked).decode(),
        encode(closed.buckets).decode(),
        graduated,
        pending,
        position,
        encode(withheld).decode(),
        more,
    )


async def keep_withheld(unit: Transaction, message: FamiliesWithheld) -> None:
    """Keep families that the end of the registry's list has no room to name."""
    families = [each.family for each in message.withheld]
    reasons = [each.reason for each in message.withheld]
    await unit.connection.execute(_WITHHELD, message.tahap, message.revision, families, reasons)


async def withheld_more(unit: Transaction, tahap: str) -> tuple[Deferral, ...]:
    """The withheld families that the end of the list does not name, in order."""
    rows = await unit.connection.fetch(
        "SELECT family::text, reason FROM list_withheld AS w WHERE tahap = $1 ORDER BY w.family",
        tahap,
    )
    return tuple(Deferral(*row) for row in rows)


async def withheld_by_reason(unit: Transaction, tahap: str) -> dict[str, int]:
    """The number of those families for each reason."""
    rows = await unit.connection.fetch(
        "SELECT reason, count(*) FROM list_withheld WHERE tahap = $1 GROUP BY 1 ORDER BY 1", tahap
    )
    return {row["reason"]: row["count"] for row in rows}


async def proof_of(unit: Transaction, tahap: str, topic: str) -> Proof | None:
    """The proof of a topic's lines, None before it came."""
    row = await unit.connection.fetchrow(
        "SELECT * FROM list_proof WHERE tahap = $1 AND topic = $2", tahap, topic
    )
    if row is None:
        return None
    buckets = msgspec.json.decode(row["buckets"], type=dict[str, tuple[int, str]])
    parked = msgspec.json.decode(row["parked"], type=tuple[str, ...])
    figures = row["revision"], row["position"], row["lines"], row["graduated"], row["pending"]
    withheld = msgspec.json.decode(row["withheld"], type=dict[str, str])
    more = row["withheld_more"]
    return Proof(*figures, parked, withheld, more, Buckets.from_json(buckets))
