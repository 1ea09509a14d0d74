"""Commands that a payment's own stream does not take: found by bisection and set aside.

One stream that cannot be read, or refuses, stops nobody else's payment. Its commands are stored, a
bank's answer above all, shown by name, and tried again until they are taken. A payment that could
not be voided with its cancelled announcement takes nothing else before that: no later announcement
can pay it meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import asyncpg
import msgspec
import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import ConcurrencyConflict, CorridorError, safe_text
from libs.events.store.model import Context, encode
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from services.payments.contract import SERVICE, TAHAP
from services.payments.domain.ledger import MovementName, movement_id
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
from services.payments.domain.run.messages import PaymentOrdered
from services.payments.domain.shared.ids import run_stream, tahap_stream
from services.payments.tables.payments import pay, recalled_order
from services.payments.tables.run_lines import run_item

SET_ASIDE: Final = "set-aside"
"""The part of the payer's work that says again what payments did not take, each an item."""

SET_ASIDE_MAX: Final = 1_000
"""Payments of one run; more of them are no fault of theirs."""

NEVER_A_PAYMENTS_OWN: Final = (ConcurrencyConflict,)
"""A payment that moved meanwhile is decided again, with its whole chunk."""

_COMMANDS: Final[Mapping[str, type[Any]]] = {
    command.__name__: command
    for command in (Credit, Defer, FailAccountCheck, FailTransfer, Instruct, Return, TakeOut, Void)
}
_KEEP: Final = """
INSERT INTO payment_set_aside
    (payment, command, data, tahap, kind, revision, moves_money, at, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
"""
_STORED: Final = """
SELECT ord, command, data, tahap, kind, revision FROM payment_set_aside WHERE payment = $1
ORDER BY ord FOR UPDATE
"""
# Whoever tries it again has the row alone: a payment is void before it is paid, or is not paid.
_NOT_VOID: Final = """
SELECT payment::text FROM payment_set_aside
WHERE payment = ANY($1::uuid[]) AND command = 'Void' FOR SHARE
"""

log = structlog.get_logger("payments")


class TooManySetAside(CorridorError):
    """So many payments of a run fail that the fault is not theirs."""


class NotVoidYet(CorridorError):
    """A cancelled announcement still has this payment, so that another one cannot pay it."""


class OfPayment(Protocol):
    """Anything that is done to one payment."""

    @property
    def payment(self) -> str:
        """The payment's id."""


P = TypeVar("P", bound=OfPayment)


@dataclass(frozen=True, slots=True)
class PaymentCommands:
    """Commands to one payment of a run (tahap, kind), in their order."""

    run: tuple[str, str]
    payment: str
    commands: tuple[Command, ...]


async def pay_by_halves(
    unit: Transaction, items: Sequence[PaymentCommands]
) -> list[tuple[PaymentCommands, Exception]]:
    """Handle commands to payments, each payment at most once; those that fail alone, and with what.

    Of a payment that fails nothing is done.
    """

    async def some(part: Sequence[PaymentCommands]) -> None:
        await pay(unit, [(item.payment, command) for item in part for command in item.commands])

    return await done_by_halves(unit, items, some)


async def done_by_halves(
    unit: Transaction, items: Sequence[P], work: Callable[[Sequence[P]], Awaitable[None]]
) -> list[tuple[P, Exception]]:
    """Do work on payments, each at most once; those that fail alone, and with what.

    Whoever is not void yet of a cancelled announcement is not worked on.
    """
    held = await not_void_yet(unit, [item.payment for item in items])
    free = [item for item in items if item.payment not in held]
    waiting = [(item, NotVoidYet(payment=item.payment)) for item in items if item.payment in held]
    return [*waiting, *await by_halves(unit, free, work, NEVER_A_PAYMENTS_OWN)]


async def not_void_yet(unit: Transaction, payments: Collection[str]) -> set[str]:
    """Those of some payments that a cancelled announcement still has, until we commit."""
    rows = await unit.connection.fetch(_NOT_VOID, list(payments))
    return {row["payment"] for row in rows}


async def pay_or_set_aside(unit: Transaction, items: Sequence[PaymentCommands]) -> None:
    """Handle commands to payments; what one of them does not take is set aside.

    Raises `TooManySetAside` beyond SET_ASIDE_MAX payments of a run.
    """
    await set_aside(unit, await pay_by_halves(unit, items))


async def set_aside(
    unit: Transaction, refused: Sequence[tuple[PaymentCommands, Exception]]
) -> None:
    """Keep what payments did not take, to be tried again; raises as `pay_or_set_aside`."""
    for run in sorted({item.run for item, _ in refused}):
        stream = tahap_stream(run[0])
        revision = (await unit.load(TAHAP, [stream]))[stream].state.revision
        for item, error in refused:
            if item.run == run:
                await _keep(unit, item, revision, safe_text(error))
        count = await unit.connection.fetchval(
            """SELECT count(DISTINCT payment) FROM payment_set_aside
               WHERE tahap = $1 AND kind = $2""",
            *run,
        )
        if count > SET_ASIDE_MAX:
            raise TooManySetAside(tahap=run[0], kind=run[1], payments=count)


async def _keep(unit: Transaction, refused: PaymentCommands, revision: int, error: str) -> None:
    log.error("payment set aside", payment=refused.payment, run="-".join(refused.run), error=error)
    for command in refused.commands:
        name, data = type(command).__name__, encode(command).decode()
        row = *refused.run, revision, _moves_money(command), unit.context.at, error
        await unit.connection.execute(_KEEP, refused.payment, name, data, *row)


def _moves_money(command: Command) -> bool:
    """True where the books of the payment's run miss something until the command is taken."""
    if isinstance(command, TakeOut):
        return command.ordered
    return isinstance(command, Instruct | Credit | FailTransfer)


async def books_wait(unit: Transaction, run: tuple[str, str]) -> list[str]:
    """The payments of a run (tahap, kind) without which its books cannot be closed, in order."""
    rows = await unit.connection.fetch(
        """SELECT DISTINCT payment::text FROM payment_set_aside
           WHERE tahap = $1 AND kind = $2 AND moves_money ORDER BY payment""",
        *run,
    )
    return [row["payment"] for row in rows]


async def drop_set_aside(unit: Transaction, payments: Collection[str]) -> None:
    """Drop what is set aside of payments whose announcement is cancelled."""
    await unit.connection.execute(
        "DELETE FROM payment_set_aside WHERE payment = ANY($1::uuid[])", list(payments)
    )


async def still_to_void(unit: Transaction, tahap: str, kind: str | None = None) -> list[str]:
    """The payments of a tahap that a cancelled announcement still has, in order; of one run."""
    rows = await unit.connection.fetch(
        """SELECT payment::text FROM payment_set_aside
           WHERE tahap = $1 AND command = 'Void' AND ($2::text IS NULL OR kind = $2)
           ORDER BY payment_set_aside.payment""",
        tahap,
        kind,
    )
    return [row["payment"] for row in rows]


async def unvoided(unit: Transaction, order: PaymentOrdered) -> int:
    """The rupiah of a cancelled order that stand with payments which are not void yet."""
    ids = [
        movement_id(payment, MovementName.INSTRUCTED, order.order)
        for payment in await still_to_void(unit, order.tahap, order.kind)
    ]
    rupiah: int = await unit.connection.fetchval(
        "SELECT coalesce(sum(amount), 0)::bigint FROM ledger WHERE id = ANY($1)", ids
    )
    return rupiah


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
            await unit.hold([run_stream(*run)])
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
    stream = tahap_stream(row["tahap"])
    state = (await unit.load(TAHAP, [stream]))[stream].state
    stands = state.announced is not None and state.revision == row["revision"]
    return command if stands else None
