"""Commands to runs and their payments, with the ledger's rows written in the same transaction.

One payment whose stream cannot be read, or refuses, stops nobody else's: it is found by bisection
and its commands are set aside: stored, a bank's answer above all, shown by name, and tried again
(workers/set_aside_retry.py) until they are taken. A payment that could not be voided with its
cancelled announcement takes nothing else before that: no later announcement can pay it meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import ConcurrencyConflict, CorridorError, safe_text
from libs.events.store.handle import handle, handle_many
from libs.events.store.model import Outcome, encode
from libs.events.store.transaction import Transaction
from services.payments.contract import PAYMENT, RUN, TAHAP
from services.payments.domain import ledger
from services.payments.domain.payment.messages import (
    ArrearOwed,
    Command,
    Credit,
    Event,
    FailTransfer,
    Instruct,
    TakeOut,
)
from services.payments.domain.payment.state import PaymentState
from services.payments.domain.run.messages import Command as RunCommand
from services.payments.domain.run.messages import PaymentOrdered
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.ids import REGULAR, payment_id
from services.payments.tables.arrears import keep_arrears

SET_ASIDE_MAX: Final = 1_000
"""Payments of one run; more of them are no fault of theirs."""

NEVER_A_PAYMENTS_OWN: Final = (ConcurrencyConflict,)
"""A payment that moved meanwhile is decided again, with its whole chunk."""

_LEDGER: Final = ("id", "name", "tahap", "debit", "credit", "amount")
_KEEP: Final = """
INSERT INTO payment_set_aside
    (payment, command, data, tahap, kind, revision, moves_money, at, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
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


# -- Handled --------------------------------------------------------------------------------------


async def pay(
    unit: Transaction, commands: Sequence[tuple[str, Command]]
) -> list[Outcome[PaymentState, Event]]:
    """Handle commands of (payment, command); what moves money stands in the ledger.

    A refusal is raised: whoever commands payments here has read what they may be asked.
    """
    asked = [(PAYMENT.stream(payment), command) for payment, command in commands]
    outcomes = await handle_many(unit, PAYMENT, asked)
    movements: list[ledger.Movement] = []
    owed: list[ArrearOwed] = []
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
        for event in outcome.events:
            movements += ledger.of_payment(event, outcome.state)
            if isinstance(event, ArrearOwed):
                owed.append(event)
    await _move(unit, movements)
    await keep_arrears(unit, owed)
    return outcomes


async def run(unit: Transaction, tahap: str, kind: str, command: RunCommand) -> RunState:
    """Handle a command of a payment run."""
    outcome = await handle(unit, RUN, RUN.stream(tahap, kind), command)
    await _move(unit, [move for event in outcome.events for move in ledger.of_run(event)])
    return outcome.state


async def recalled_order(unit: Transaction, tahap: str, kind: str) -> PaymentOrdered | None:
    """The order of a cancelled run that the treasury has not given back yet."""
    stream = RUN.stream(tahap, kind)
    found = (await unit.load(RUN, [stream])).get(stream)
    return found.state.recalled if found else None


async def _move(unit: Transaction, movements: Sequence[ledger.Movement]) -> None:
    # A movement that is there already violates the key and undoes the whole transaction: better
    # no step than money that moved twice.
    if movements:
        rows = [(m.id, m.name, m.tahap, m.debit, m.credit, m.amount) for m in movements]
        await unit.connection.copy_records_to_table("ledger", records=rows, columns=_LEDGER)


# -- By halves, and what is not taken set aside ----------------------------------------------------


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
        stream = TAHAP.stream(run[0])
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


# -- What is set aside ----------------------------------------------------------------------------


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
        ledger.movement_id(payment, ledger.MovementName.INSTRUCTED, order.order)
        for payment in await still_to_void(unit, order.tahap, order.kind)
    ]
    rupiah: int = await unit.connection.fetchval(
        "SELECT coalesce(sum(amount), 0)::bigint FROM ledger WHERE id = ANY($1)", ids
    )
    return rupiah


# -- Where a family's money is ---------------------------------------------------------------------


async def place_payments(
    unit: Transaction, tahap: str, kind: str, families: Sequence[str]
) -> Mapping[str, str]:
    """From now on these families' money of a tahap is on their payments of this kind.

    Answers {family: payment} that it was on until now, once nobody addresses effects to them.
    """
    rows = await unit.connection.fetch(
        """SELECT family::text, kind FROM payment_of WHERE tahap = $1 AND family = ANY($2::uuid[])
           ORDER BY payment_of.family FOR UPDATE""",
        tahap,
        list(families),
    )
    before = {row["family"]: row["kind"] for row in rows}
    await unit.connection.execute(
        """INSERT INTO payment_of (tahap, family, kind)
           SELECT $1, family, $2 FROM unnest($3::uuid[]) AS u (family) ORDER BY family
           ON CONFLICT (tahap, family) DO UPDATE SET kind = $2""",
        tahap,
        kind,
        list(families),
    )
    return {family: payment_id(tahap, family, before.get(family, REGULAR)) for family in families}


async def payments_of(
    unit: Transaction, families: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], str]:
    """{(tahap, family): payment} that the family's money of a tahap is on, until we commit.

    A supplementary payment takes over what was said to the deferred one, and the row. Whoever
    addresses an effect holds the row meanwhile, so it is said to the one or carried to the other.
    """
    rows = await unit.connection.fetch(
        """SELECT tahap, family::text, kind FROM payment_of
           JOIN unnest($1::text[], $2::uuid[]) AS u (tahap, family) USING (tahap, family)
           ORDER BY tahap, payment_of.family FOR SHARE OF payment_of""",
        [tahap for tahap, _ in families],
        [family for _, family in families],
    )
    kinds = {(row["tahap"], row["family"]): row["kind"] for row in rows}
    return {
        (tahap, family): payment_id(tahap, family, kinds.get((tahap, family), REGULAR))
        for tahap, family in families
    }
