"""Replays parked messages as was asked, beside everything else that a service does.

    asyncio.create_task(ReplayWorker(store, subscriptions).run())

Every process of a service works on replays. A step is one transaction, in which the replay's row
is locked: two processes never do the same one, and a killed process leaves nothing to tidy up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from libs.events.consumer.parking import Selection
from libs.events.consumer.replay import Replayed, replay
from libs.events.consumer.subscription import Subscription
from libs.events.domain.errors import safe_text
from libs.events.store.faults import is_infrastructure_fault
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

LOOK_S: Final = 1.0
STOPPED: Final = "/problems/internal-server-error"

_OLDEST: Final = """
SELECT id, client FROM replay WHERE state = 'RUNNING' ORDER BY started_at LIMIT 1
"""
_LOCKED: Final = """
SELECT topic, parked_key, place, cancelled_by FROM replay
WHERE id = $1 AND state = 'RUNNING' FOR UPDATE SKIP LOCKED
"""
_ADVANCE: Final = """
UPDATE replay SET place = $2, handled = handled + $3, refused = refused + $4, changed_at = now()
WHERE id = $1
"""
_END: Final = """
UPDATE replay SET state = $2, problem = $3, changed_at = now() WHERE id = $1 AND state = 'RUNNING'
"""

log = structlog.get_logger("replay")


@dataclass(frozen=True, slots=True)
class ReplayWorker:
    """Does what was asked for, the oldest replay first."""

    store: Store
    subscriptions: Sequence[Subscription]

    async def run(self) -> None:
        """Step by step, until cancelled; what fails is begun again."""
        while True:
            try:
                busy = await self.step()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the database is away: go on when it is back
                log.warning("replay tried again", error=safe_text(error))
                busy = False
            if not busy:
                await asyncio.sleep(LOOK_S)

    async def step(self) -> bool:
        """One transaction of the oldest replay; False where there is none, or another is at it.

        One that fails by itself has FAILED, and stops none that was asked for behind it.
        """
        oldest = await self.store.pool.fetchrow(_OLDEST)
        if oldest is None:
            return False
        context = Context(datetime.now(UTC), oldest["client"], cause=oldest["id"])
        try:
            async with self.store.transaction(context) as unit:
                return await self._step(unit, oldest["id"])
        except Exception as error:
            if is_infrastructure_fault(error):
                raise
            # Tried again it would fail again, and those asked for behind it would never begin.
            log.warning("replay fails", replay=oldest["id"], error=safe_text(error))
            problem = msgspec.json.encode({"type": STOPPED, "detail": safe_text(error)}).decode()
            await self.store.pool.execute(_END, oldest["id"], "FAILED", problem)
            return True

    async def _step(self, unit: Transaction, job: str) -> bool:
        row = await unit.connection.fetchrow(_LOCKED, job)
        if row is None:
            return False
        came: Replayed | None = None
        if row["cancelled_by"] is None:
            reached = msgspec.json.decode(row["place"], type=tuple[str, str, int, int])
            selection = Selection(row["topic"], row["parked_key"])
            came = await replay(unit, self.subscriptions, selection, reached)
        if came is not None:
            advanced = msgspec.json.encode(came.reached).decode(), came.handled, came.refused
            await unit.connection.execute(_ADVANCE, job, *advanced)
        else:
            state = "CANCELLED" if row["cancelled_by"] else "DONE"
            await unit.connection.execute(_END, job, state, None)
        return True
