"""A cancelled tahap: its cycles are withdrawn family by family, and late lines of it are passed by.

Registry's lines and payments' cancellation come on topics of their own, in either order. Whoever
judges lines shares a lock that a cancellation takes alone, so a line is judged before it, and
withdrawn, or seen to be cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

import asyncpg
import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import ConcurrencyConflict, safe_text
from libs.events.store.handle import handle, handle_many
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from services.conditionality.contract import COMMITMENT, EVALUATION, SERVICE
from services.conditionality.domain.commitment import Command, WithdrawCycle
from services.conditionality.domain.evaluation.messages import CancelEvaluation
from services.conditionality.tables.investigations import keep_open
from services.conditionality.tables.roster import Line
from services.conditionality.workers.judging import (
    RECOUNTED,
    RuleSetPolicies,
    evaluations_of,
    policy_of,
)

WITHDRAWN_FAMILIES = 1_000
WITHDRAWER: Final = "withdrawer"

log = structlog.get_logger("withdrawer")

_SHARED: Final = """
SELECT pg_advisory_xact_lock_shared(hashtextextended('evaluation-' || tahap, 0))
FROM unnest($1::text[]) AS tahap
"""
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('evaluation-' || $1, 0))"
_OPEN: Final = """
INSERT INTO withdrawal_open (tahap, revision) VALUES ($1, $2)
ON CONFLICT (tahap) DO UPDATE SET revision = $2
"""
# Locked, so that a line of a later roster comes before or behind, never between the statements.
_NEXT: Final = """
SELECT family::text, rule_set FROM roster_line
WHERE tahap = $1 AND revision <= $2 AND NOT family = ANY($4::uuid[])
ORDER BY roster_line.family LIMIT $3 FOR UPDATE
"""
_GONE: Final = (
    "DELETE FROM re_decision_waiting WHERE tahap = $1 AND family = ANY($2::uuid[])",
    "DELETE FROM duty_holder WHERE tahap = $1 AND family = ANY($2::uuid[])",
    "DELETE FROM evaluated_line WHERE tahap = $1 AND family = ANY($2::uuid[])",
    "DELETE FROM departed_line WHERE tahap = $1 AND family = ANY($2::uuid[])",
    "DELETE FROM roster_line WHERE tahap = $1 AND family = ANY($2::uuid[])",
)
_OVER: Final = (
    "DELETE FROM evaluation_open WHERE tahap = $1",
    "DELETE FROM repeat_asked WHERE tahap = $1",
)
# Lines of a later roster may be counted meanwhile: first the old counts go, which waits for
# whoever adds to them, and then what stands is counted.
_UNCOUNTED: Final = "DELETE FROM evaluated_count WHERE tahap = $1"
_COUNTED: Final = """
INSERT INTO evaluated_count (tahap, partition, families, changes)
SELECT $1, $2::int, count(*), count(*) FROM evaluated_line WHERE tahap = $1
"""


async def cancel(unit: Transaction, tahap: str, revision: int) -> None:
    """From now on a tahap's evaluation is over, and the leader withdraws its cycles."""
    await unit.connection.execute(_ALONE, tahap)
    command = CancelEvaluation(tahap, revision)
    outcome = await handle(unit, EVALUATION, f"evaluation-{tahap}", command)
    if outcome.events:
        for statement in _OVER:
            await unit.connection.execute(statement, tahap)
        await unit.connection.execute(_OPEN, tahap, revision)


async def lock_uncancelled(unit: Transaction, lines: Sequence[Line]) -> list[Line]:
    """The lines whose tahap is not cancelled, locked so that it cannot be until we commit."""
    tahaps = {line.tahap for line in lines}
    await unit.connection.execute(_SHARED, sorted(tahaps))
    evaluations = await evaluations_of(unit, tahaps)
    return [line for line in lines if line.revision > evaluations[line.tahap].cancelled]


@dataclass(slots=True)
class Withdrawer:
    """Withdraws the cycles of cancelled tahaps, a chunk of families a transaction.

    A cycle that cannot be withdrawn is put off until all others are; its tahap is over when it is
    withdrawn too.
    """

    store: Store
    policies: RuleSetPolicies
    chunk: int = WITHDRAWN_FAMILIES
    backoff: Backoff = field(init=False)
    _put_off: dict[str, dict[str, Exception]] = field(default_factory=dict)
    """By tahap the families that could not be withdrawn, and what each failed with."""

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, WITHDRAWER)

    async def step(self) -> bool:
        """One chunk of each cancelled tahap; answers whether there was any."""
        rows = await self.store.pool.fetch("SELECT tahap, revision FROM withdrawal_open")
        return await self.backoff.turn(
            {row["tahap"]: partial(self._withdraw, row["tahap"], row["revision"]) for row in rows}
        )

    async def _withdraw(self, tahap: str, revision: int) -> bool:
        put_off = self._put_off.pop(tahap, {})
        async with self.store.transaction(Context(datetime.now(UTC), f"service:{SERVICE}")) as unit:
            rows = await unit.connection.fetch(_NEXT, tahap, revision, self.chunk, list(put_off))
            withdraw = partial(self._withdraw_some, unit, tahap, revision)
            failed = await by_halves(unit, rows, withdraw, (ConcurrencyConflict,))
            if not rows and not put_off:
                await self._end(unit, tahap)
        if not rows and put_off:
            # They alone are left: it fails with the first of them, rests, and tries all again.
            raise next(iter(put_off.values()))
        for (family, _), error in failed:
            log.error("cycle not withdrawn", tahap=tahap, family=family, error=safe_text(error))
        self._put_off[tahap] = put_off | {family: error for (family, _), error in failed}
        return True

    async def _withdraw_some(
        self, unit: Transaction, tahap: str, revision: int, rows: Sequence[asyncpg.Record]
    ) -> None:
        commands: list[tuple[str, Command]] = [
            (
                f"commitment-{family}",
                WithdrawCycle(family, tahap, revision, policy_of(self.policies, rule_set)),
            )
            for family, rule_set in rows
        ]
        outcomes = await handle_many(unit, COMMITMENT, commands)
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
        await keep_open(unit, outcomes)
        for statement in _GONE:
            await unit.connection.execute(statement, tahap, [family for family, _ in rows])

    async def _end(self, unit: Transaction, tahap: str) -> None:
        await unit.connection.execute(_UNCOUNTED, tahap)
        await unit.connection.execute(_COUNTED, tahap, RECOUNTED)
        await unit.connection.execute("DELETE FROM withdrawal_open WHERE tahap = $1", tahap)
