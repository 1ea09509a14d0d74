"""Retention: what requests leave behind goes when nobody has a reason to ask for it any more.

Kept answers make a request that is sent twice happen once, and rows of uploads tell how they ended;
neither is a fact of the programme. Both go after so many days, a batch a transaction, so that no
request waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from libs.events.store.postgres import Store

RETENTION: Final = "retention"
BATCH_MAX: Final = 1_000
LOOK_EVERY_S: Final = 600.0

# By the index of their times; a row that is locked is somebody's, and goes with a later batch.
_ANSWERS = """
DELETE FROM idempotency WHERE (client, key) IN (
    SELECT client, key FROM idempotency WHERE recorded_at < now() - $1::interval
    ORDER BY recorded_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""
_UPLOADS = """
DELETE FROM job WHERE id IN (
    SELECT id FROM job WHERE started_at < now() - $1::interval AND changed_at < now() - $1::interval
    ORDER BY started_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""


class Retention:
    """A leader's work on one store, of which `days` are kept."""

    def __init__(
        self,
        store: Store,
        days: int,
        *,
        batch_max: int = BATCH_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store, self._term = store, timedelta(days=days)
        self._batch_max, self._clock = batch_max, clock
        self._due = float("-inf")

    async def step(self) -> bool:
        """Delete a batch of each kind; True where there may be more of one."""
        if self._clock() < self._due:
            return False
        done = [
            await self.store.pool.execute(statement, self._term, self._batch_max)
            for statement in (_ANSWERS, _UPLOADS)
        ]
        more = f"DELETE {self._batch_max}" in done
        if not more:
            self._due = self._clock() + LOOK_EVERY_S
        return more
