"""Commands to payments, with the ledger's rows written in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from libs.events.store.handle import handle, handle_many
from libs.events.store.model import Outcome
from libs.events.store.transaction import Transaction
from services.payments.contract import PAYMENT, RUN
from services.payments.domain import ledger
from services.payments.domain.payment.messages import Command, Event
from services.payments.domain.payment.state import PaymentState
from services.payments.domain.run.messages import Command as RunCommand
from services.payments.domain.run.messages import PaymentOrdered
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.ids import REGULAR, payment_id, payment_stream, run_stream

_LEDGER = ("id", "name", "tahap", "debit", "credit", "amount")


async def pay(
    unit: Transaction, commands: Sequence[tuple[str, Command]]
) -> list[Outcome[PaymentState, Event]]:
    """Handle commands of (payment, command); what moves money stands in the ledger.

    A refusal is raised: whoever commands payments here has read what they may be asked.
    """
    asked = [(payment_stream(payment), command) for payment, command in commands]
    outcomes = await handle_many(unit, PAYMENT, asked)
    movements: list[ledger.Movement] = []
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
        for event in outcome.events:
            movements += ledger.of_payment(event, outcome.state)
    await _move(unit, movements)
    return outcomes


async def run(unit: Transaction, tahap: str, kind: str, command: RunCommand) -> RunState:
    """Handle a command of a payment run."""
    outcome = await handle(unit, RUN, run_stream(tahap, kind), command)
    await _move(unit, [move for event in outcome.events for move in ledger.of_run(event)])
    return outcome.state


async def recalled_order(unit: Transaction, tahap: str, kind: str) -> PaymentOrdered | None:
    """The order of a cancelled run that the treasury has not given back yet."""
    stream = run_stream(tahap, kind)
    found = (await unit.load(RUN, [stream])).get(stream)
    return found.state.recalled if found else None


async def _move(unit: Transaction, movements: Sequence[ledger.Movement]) -> None:
    # A movement that is there already violates the key and undoes the whole transaction: better
    # no step than money that moved twice.
    if movements:
        rows = [(m.id, m.name, m.tahap, m.debit, m.credit, m.amount) for m in movements]
        await unit.connection.copy_records_to_table("ledger", records=rows, columns=_LEDGER)


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
