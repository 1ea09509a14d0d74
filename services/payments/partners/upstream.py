"""Holds that conditionality has decided: all are known here before a run's money is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from libs.events.store.postgres import Store
from libs.events.store.watermarks import positions
from services.payments.partners.client import Outside
from services.payments.tables.run_lines import Job


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

    async def holds_are_consumed(self, job: Job) -> bool:
        """True when all that conditionality had decided by the first question is taken in."""
        if job.key not in self.informed:
            now = await self.outside.conditionality()
            # Its head moves on while we wait; a hold decided behind this one came after the money.
            if now.relayed < self.heads.setdefault(job.key, now.head):
                return False
            if not (await positions(self.store)).has_consumed(now):
                return False
            self.informed.add(job.key)
        return True
