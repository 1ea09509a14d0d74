"""The leader's work on a cancelled tahap: the lines of its list go, then it is announced anew.

Payments takes back its own before it announces a corrected tahap, so that no line of the new list
meets one of the old. Lines of the old one that still come are passed by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from libs.events.backoff import Backoff
from libs.events.handle import handle
from libs.events.store import Store
from libs.events.transaction import Transaction
from services.payments.contract import TAHAP
from services.payments.domain.cancellation_messages import CompleteCancellation
from services.payments.domain.ids import tahap_stream
from services.payments.joining import on
from services.payments.lists import open_list

CANCELLER: Final = "canceller"
LINES_A_CHUNK: Final = 5_000

_GONE: Final = """
DELETE FROM list_line WHERE (tahap, family) IN (
    SELECT tahap, family FROM list_line WHERE tahap = $1 ORDER BY family LIMIT $2)
"""
_OVER: Final = (
    "DELETE FROM list_count WHERE tahap = $1",
    "DELETE FROM list_proof WHERE tahap = $1",
    "DELETE FROM cancellation_open WHERE tahap = $1",
)


async def begin_cancelling(unit: Transaction, tahap: str, revision: int) -> None:
    """From now on no line is added to the tahap's list, and the leader takes away those of it."""
    # Whoever adds lines holds the row, so we wait for them here and they see that it is gone.
    await unit.connection.execute("DELETE FROM list_open WHERE tahap = $1", tahap)
    await unit.connection.execute(
        "INSERT INTO cancellation_open (tahap, revision) VALUES ($1, $2)", tahap, revision
    )


@dataclass(slots=True)
class Canceller:
    """Takes back the lines of cancelled tahaps, a chunk a transaction."""

    store: Store
    chunk: int = LINES_A_CHUNK
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, CANCELLER)

    async def step(self) -> bool:
        """One chunk of each cancelled tahap; answers whether there was any."""
        rows = await self.store.pool.fetch("SELECT tahap, revision FROM cancellation_open")
        return await self.backoff.turn(
            {row["tahap"]: partial(self._take_back, row["tahap"], row["revision"]) for row in rows}
        )

    async def _take_back(self, tahap: str, revision: int) -> bool:
        stream = tahap_stream(tahap)
        cancelled = (await self.store.read(TAHAP, [stream]))[stream].state.cancelled
        if cancelled is None:
            return False
        async with self.store.transaction(on(cancelled.closing_date)) as unit:
            gone = await unit.connection.execute(_GONE, tahap, self.chunk)
            if gone == "DELETE 0":
                await self._end(unit, tahap, revision)
        return True

    async def _end(self, unit: Transaction, tahap: str, revision: int) -> None:
        for statement in _OVER:
            await unit.connection.execute(statement, tahap)
        command = CompleteCancellation(revision)
        state = (await handle(unit, TAHAP, tahap_stream(tahap), command)).state
        if state.announced is not None:
            await open_list(unit, tahap, state.revision)
