"""The leader's work on a cancelled tahap: payments, lines and funds go, then it is announced anew.

Payments takes back its own before it announces a corrected tahap, so that no line of the new list
meets one of the old. Lines of the old one that still come are passed by. What was ordered is asked
back from the treasury, which may have a request of before still on its way: only its answer ends
the cancellation.

A payment that does not take it is found by halves and set aside (tables/payments.py): it holds up
nobody else, and is paid by no later announcement before it is void.

A cancellation and the run's next step cannot pass each other: both have the run's row before any
stream, and whoever is second finds that the run is over, or that a bank's file is committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Final

from libs.events.store.handle import handle
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from services.payments.contract import RUN, SERVICE, TAHAP
from services.payments.domain.payment.messages import Void
from services.payments.domain.run.messages import CancelRun, PaymentOrdered, ReportIncident
from services.payments.domain.shared.ids import REGULAR, payment_id
from services.payments.domain.tahap.messages import CompleteCancellation
from services.payments.partners.answers import TREASURY, PartnerIncident, require_judged
from services.payments.partners.client import Outside
from services.payments.partners.in_flight import InFlight
from services.payments.tables.open_lists import open_list
from services.payments.tables.payments import (
    PaymentCommands,
    drop_set_aside,
    pay_or_set_aside,
    recalled_order,
    run,
    unvoided,
)

CANCELLER: Final = "canceller"
LINES_A_CHUNK: Final = 5_000
PAYMENTS_A_CHUNK: Final = 1_000

_RUNS: Final = "SELECT FROM run_open WHERE tahap = $1 ORDER BY kind FOR UPDATE"
_STILL_OPEN: Final = """
SELECT kinds FROM cancellation_open WHERE tahap = $1 AND revision = $2 FOR UPDATE
"""
_EARLIER: Final = "SELECT tahap FROM cancellation_open WHERE tahap < $1 ORDER BY tahap"
# Whoever addresses an effect to a payment has its row, too, and then its stream.
_PLACED: Final = """
SELECT family::text FROM payment_of WHERE tahap = $1
ORDER BY payment_of.family LIMIT $2 FOR UPDATE
"""
_UNPLACED: Final = (
    "DELETE FROM run_line WHERE tahap = $1 AND family = ANY($2::uuid[])",
    "DELETE FROM payment_of WHERE tahap = $1 AND family = ANY($2::uuid[])",
)
_OVER: Final = (
    "DELETE FROM list_count WHERE tahap = $1",
    "DELETE FROM list_proof WHERE tahap = $1",
    "DELETE FROM list_withheld WHERE tahap = $1",
    "DELETE FROM list_diff WHERE tahap = $1",
    "DELETE FROM unanswered_line WHERE tahap = $1",
    "DELETE FROM cancellation_open WHERE tahap = $1",
)


async def alone_with_runs(unit: Transaction, tahap: str) -> None:
    """Have the tahap's runs until we commit, before any stream: none of them takes a step."""
    await unit.connection.execute(_RUNS, tahap)


async def begin_cancelling(
    unit: Transaction, tahap: str, revision: int, kinds: Iterable[str] = ()
) -> None:
    """From now on nothing is added to the tahap, and the leader takes back what it has.

    `kinds` are its runs. Raises `TooLateToCancel` where one of them has come too far.
    """
    for kind in kinds:
        await run(unit, tahap, kind, CancelRun())
    await unit.connection.execute("DELETE FROM run_open WHERE tahap = $1", tahap)
    # Whoever adds lines holds the row, so we wait for them here and they see that it is gone.
    await unit.connection.execute("DELETE FROM list_open WHERE tahap = $1", tahap)
    await unit.connection.execute(
        "INSERT INTO cancellation_open (tahap, revision, kinds) VALUES ($1, $2, $3)",
        tahap,
        revision,
        sorted({REGULAR, *kinds}),
    )


@dataclass(slots=True)
class Canceller:
    """Takes back payments, lines and funds of cancelled tahaps, a chunk a transaction."""

    store: Store
    outside: Outside
    chunk: int = LINES_A_CHUNK
    payments: int = PAYMENTS_A_CHUNK
    in_flight: InFlight = field(default_factory=InFlight)
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, CANCELLER)

    async def step(self) -> bool:
        """One chunk of each cancelled tahap; answers whether there was any."""
        rows = await self.store.pool.fetch(
            "SELECT tahap, revision FROM cancellation_open ORDER BY tahap"
        )
        return await self.backoff.turn(
            {row["tahap"]: partial(self._take_back, row["tahap"], row["revision"]) for row in rows}
        )

    async def _take_back(self, tahap: str, revision: int) -> bool:
        stream = TAHAP.stream(tahap)
        cancelled = (await self.store.read(TAHAP, [stream]))[stream].state.cancelled
        return cancelled is not None and await self._undo(tahap, revision, cancelled.closing_date)

    async def _undo(self, tahap: str, revision: int, day: date) -> bool:
        """One chunk of a cancelled revision, or its end; the tahap's next one is left alone."""
        async with self.store.transaction(Context.on_day(SERVICE, day)) as unit:
            # A leader that hung may come back when the revision is undone and the next one ordered.
            kinds = await unit.connection.fetchval(_STILL_OPEN, tahap, revision)
            if kinds is None:
                return False
            orders = {kind: await recalled_order(unit, tahap, kind) for kind in kinds}
            if await self._void(unit, tahap, orders):
                return True
            if await unit.connection.fetchval("SELECT forget_lines($1, $2)", tahap, self.chunk):
                return True
            recalled = [order for order in orders.values() if order is not None]
            if not recalled:
                return await self._end(unit, tahap, revision)
        given_back = [await self._give_back(order, day) for order in recalled]
        return any(given_back)

    async def _give_back(self, order: PaymentOrdered, day: date) -> bool:
        """Have the treasury cancel an order and book what it has back; whether it has answered.

        It is not asked while an incident waits for a person.
        """
        stream, context = RUN.stream(order.tahap, order.kind), Context.on_day(SERVICE, day)
        require_judged((await self.store.read(RUN, [stream]))[stream].state, TREASURY)
        ask = partial(self.outside.cancel_order, order)
        try:
            answer = await self.in_flight.ended(order.order, ask)
        except PartnerIncident as incident:
            async with self.store.transaction(context) as unit:
                report = ReportIncident(TREASURY, str(incident))
                await run(unit, order.tahap, order.kind, report)
            raise
        if answer is None:
            return False
        async with self.store.transaction(context) as unit:
            await unit.hold([stream])
            answer = replace(answer, unvoided=await unvoided(unit, order))
            await run(unit, order.tahap, order.kind, answer)
        return True

    async def _void(
        self, unit: Transaction, tahap: str, orders: Mapping[str, PaymentOrdered | None]
    ) -> bool:
        """Take the next families' payments of each run back, with their lines; whether there were
        any. `orders` are those that the treasury has not given back, by run."""
        rows = await unit.connection.fetch(_PLACED, tahap, self.payments)
        if not rows:
            return False
        families = [row["family"] for row in rows]
        placed = [
            PaymentCommands((tahap, kind), payment_id(tahap, family, kind), (_void(order),))
            for family in families
            for kind, order in orders.items()
        ]
        await drop_set_aside(unit, [item.payment for item in placed])
        await pay_or_set_aside(unit, placed)
        for statement in _UNPLACED:
            await unit.connection.execute(statement, tahap, families)
        return True

    async def _end(self, unit: Transaction, tahap: str, revision: int) -> bool:
        """Announce anew what is to be; False while an earlier tahap is to be announced first."""
        if await _earlier_first(unit, tahap):
            return False
        for statement in _OVER:
            await unit.connection.execute(statement, tahap)
        command = CompleteCancellation(revision)
        state = (await handle(unit, TAHAP, TAHAP.stream(tahap), command)).state
        if state.announced is not None:
            await open_list(unit, tahap, state.revision)
        return True


async def _earlier_first(unit: Transaction, tahap: str) -> bool:
    """True while an earlier tahap is corrected: what made way for it is announced behind it."""
    rows = await unit.connection.fetch(_EARLIER, tahap)
    found = await unit.load(TAHAP, [TAHAP.stream(row["tahap"]) for row in rows])
    return any(loaded.state.upcoming is not None for loaded in found.values())


def _void(order: PaymentOrdered | None) -> Void:
    return Void(order.order if order else "")
