"""The leader's work once `pkh.registry.family.v1` has ended: what was stored for it goes (0078).

A chunk a transaction. It asks every day, so a registry that was started before the last day and
is never started again keeps no day of a birth either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from libs.events.store.postgres import Store

ROWS_PER_STEP_MAX = 10_000


def today() -> date:
    """The day by which a topic ends, which is UTC's."""
    return datetime.now(UTC).date()


@dataclass(slots=True)
class WideMessages:
    """Forgets what the topic told, from the day behind its last one on."""

    store: Store
    last: date
    today: Callable[[], date] = today
    _forgotten: bool = False

    async def step(self) -> bool:
        """The next rows; answers whether there were any."""
        if self._forgotten or self.today() <= self.last:
            return False
        rows = await self.store.forget_wide(ROWS_PER_STEP_MAX)
        self._forgotten = rows < ROWS_PER_STEP_MAX
        return rows > 0
