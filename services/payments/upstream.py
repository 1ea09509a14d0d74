"""Holds that conditionality has decided: all are known here before a run's money is sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from libs.events.domain.errors import CorridorError
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.store.watermarks import positions
from services.payments.contract import COMMITMENT_TOPIC
from services.payments.outside import Outside
from services.payments.parked import families_parked
from services.payments.progress import Job


class HoldsParked(CorridorError):
    """Decisions on these families' money are parked here; replay them before money is sent."""


@dataclass(slots=True)
class Upstream:
    """Positions that conditionality's log had reached when a run's files were first to leave."""

    store: Store
    outside: Outside
    heads: dict[tuple[str, str], int] = field(default_factory=dict)
    """By run, conditionality's head when it was first asked."""
    informed: set[tuple[str, str]] = field(default_factory=set)

    def forget(self, key: tuple[str, str]) -> None:
        """A run (tahap, kind) is over."""
        self.heads.pop(key, None)
        self.informed.discard(key)

    async def holds_are_known(self, job: Job) -> bool:
        """True when all that conditionality had decided by the first question is taken in."""
        if job.key not in self.informed:
            now = await self.outside.conditionality()
            # Its head moves on while we wait; a hold decided behind this one came after the money.
            if now.relayed < self.heads.setdefault(job.key, now.head):
                return False
            if not (await positions(self.store)).has_consumed(now):
                return False
            self.informed.add(job.key)
        async with self.store.looking() as unit:
            parked = await families_parked(unit, COMMITMENT_TOPIC)
            held_up = await _lines_among(unit, *job.key, parked) if parked else 0
        if held_up:
            raise HoldsParked(families=held_up)
        return True


async def _lines_among(unit: Transaction, tahap: str, kind: str, families: Collection[str]) -> int:
    """A count of those of some families that have a line in a run."""
    found: int = await unit.connection.fetchval(
        """SELECT count(*) FROM payment_of
           WHERE tahap = $1 AND kind = $2 AND family = ANY($3::uuid[])""",
        tahap,
        kind,
        list(families),
    )
    return found
