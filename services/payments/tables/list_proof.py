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
    ListClosed,
)
from services.payments.contract.commitment import EvaluationClosed

_PROOF = """
INSERT INTO list_proof
    (tahap, topic, revision, lines, parked, buckets, graduated, pending, position, withheld)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (tahap, topic) DO UPDATE
SET (revision, lines, parked, buckets, graduated, pending, position, withheld)
    = ($3, $4, $5, $6, $7, $8, $9, $10)
WHERE list_proof.revision <= $3
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof by a topic's owner of its lines, and the families that have none: parked there, or
    withheld ({family: code})."""

    revision: int
    position: int
    lines: int
    graduated: int
    pending: int
    parked: tuple[str, ...]
    withheld: Mapping[str, str]
    buckets: Buckets


async def keep_proof(
    unit: Transaction, closed: ListClosed | EvaluationClosed, position: int
) -> None:
    """Keep what a topic's owner says its lines come to, and where in its log it said so."""
    parked: tuple[str, ...] = ()
    graduated = pending = 0
    withheld: dict[str, str] = {}
    if isinstance(closed, ListClosed):
        graduated, pending = closed.graduated, closed.pending
        topic, lines = ROSTER_TOPIC, closed.listed + graduated
        withheld = {family.family: family.reason for family in closed.withheld}
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
    )


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
    return Proof(*figures, parked, withheld, Buckets.from_json(buckets))
