"""Commands that payments did not take, tried again until they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

import asyncpg
import msgspec

from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from services.payments.contract import RUN, SERVICE, TAHAP
from services.payments.domain.payment.messages import (
    Command,
    Credit,
    Defer,
    FailAccountCheck,
    FailTransfer,
    Instruct,
    Return,
    TakeOut,
    Void,
)
from services.payments.tables.payments import pay, recalled_order
from services.payments.tables.run_lines import run_item

SET_ASIDE: Final = "set-aside"
"""The part of the payer's work that tries again what payments did not take, each an item."""

_COMMANDS: Final[Mapping[str, type[Any]]] = {
    command.__name__: command
    for command in (Credit, Defer, FailAccountCheck, FailTransfer, Instruct, Return, TakeOut, Void)
}
_STORED: Final = """
SELECT ord, command, data, tahap, kind, revision FROM payment_set_aside WHERE payment = $1
ORDER BY ord FOR UPDATE
"""


@dataclass(slots=True)
class SetAsideRetry:
    """Tries again what payments did not take; each rests longer every time."""

    store: Store
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, SET_ASIDE)

    async def step(self) -> bool:
        """A try of each payment that does not rest; answers whether one was taken."""
        rows = await self.store.pool.fetch(
            "SELECT DISTINCT tahap, kind, payment::text FROM payment_set_aside ORDER BY payment"
        )
        return await self.backoff.turn(
            {
                f"{run_item(row['tahap'], row['kind'])} {row['payment']}": partial(
                    self._retry, (row["tahap"], row["kind"]), row["payment"]
                )
                for row in rows
            }
        )

    async def _retry(self, run: tuple[str, str], payment: str) -> bool:
        """Handle all that is set aside of a payment, in order; raises what it fails with."""
        at: datetime = await self.store.pool.fetchval(
            "SELECT max(at) FROM payment_set_aside WHERE payment = $1", payment
        )
        async with self.store.transaction(Context(at, f"service:{SERVICE}")) as unit:
            # An order is booked as given back before one of its payments is void, or behind it.
            await unit.hold([RUN.stream(*run)])
            rows = await unit.connection.fetch(_STORED, payment)
            commands = [await _still(unit, row) for row in rows]
            await pay(unit, [(payment, command) for command in commands if command is not None])
            await unit.connection.execute(
                "DELETE FROM payment_set_aside WHERE payment = $1 AND ord = ANY($2)",
                payment,
                [row["ord"] for row in rows],
            )
        return True


async def _still(unit: Transaction, row: asyncpg.Record) -> Command | None:
    """The command that was set aside; None where its announcement is cancelled, which has the
    payment voided instead."""
    command: Command = msgspec.json.decode(row["data"], type=_COMMANDS[row["command"]])
    if isinstance(command, Void):
        order = await recalled_order(unit, row["tahap"], row["kind"])
        return replace(command, recalled=order.order if order else "")
    stream = TAHAP.stream(row["tahap"])
    state = (await unit.load(TAHAP, [stream]))[stream].state
    stands = state.announced is not None and state.revision == row["revision"]
    return command if stands else None
