"""Cycles that late facts ask to be judged again and that cannot be: they wait, with their facts.

The log's window goes on without them. Who recorded the facts is kept, because none of them may
approve what follows once the cycle is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.conditionality.domain.commitment import Cause

CycleKey: TypeAlias = tuple[str, str]
"""(tahap, family)."""

_WAIT: Final = """
INSERT INTO re_decision_waiting AS waits (tahap, family, fact, recorded_by, seen)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tahap, family) DO UPDATE
SET fact = greatest(waits.fact, $3),
    recorded_by = ARRAY(SELECT unnest(waits.recorded_by) UNION SELECT unnest($4::text[]))
"""
_WAITING: Final = """
SELECT tahap, family::text, fact, recorded_by, seen FROM re_decision_waiting
JOIN unnest($1::text[], $2::uuid[]) AS u (tahap, family) USING (tahap, family)
FOR UPDATE OF re_decision_waiting
"""
_END: Final = """
DELETE FROM re_decision_waiting AS waits USING unnest($1::text[], $2::uuid[]) AS u (tahap, family)
WHERE waits.tahap = u.tahap AND waits.family = u.family
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The cause for judging a cycle again, in which its facts up to the position `seen` are."""

    cause: Cause
    seen: int


async def keep_waiting(unit: Transaction, cycle: CycleKey, cause: Cause, seen: int) -> None:
    """Keep a cycle that waits; whoever recorded a fact of one that does already stays named."""
    await unit.connection.execute(_WAIT, *cycle, cause.fact, list(cause.recorded_by), seen)


async def lock_waiting(unit: Transaction, cycles: Sequence[CycleKey]) -> dict[CycleKey, Waiting]:
    """The cycles among these that wait, locked: nobody else tries them until we commit."""
    rows = await unit.connection.fetch(_WAITING, *map(list, zip(*cycles, strict=True)))
    return {
        (row["tahap"], row["family"]): Waiting(
            Cause(row["fact"], tuple(sorted(row["recorded_by"]))), row["seen"]
        )
        for row in rows
    }


async def end_waiting(unit: Transaction, cycles: Sequence[CycleKey]) -> None:
    """These cycles wait no longer: they are judged, or withdrawn."""
    if cycles:
        await unit.connection.execute(_END, *map(list, zip(*cycles, strict=True)))


async def waiting_cycles(store: Store) -> list[CycleKey]:
    """All cycles that wait."""
    rows = await store.pool.fetch(
        """SELECT tahap, family::text FROM re_decision_waiting
           ORDER BY tahap, re_decision_waiting.family"""
    )
    return [(row["tahap"], row["family"]) for row in rows]
