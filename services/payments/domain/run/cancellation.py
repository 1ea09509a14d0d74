"""A payment run ends with its cancelled tahap, and its stream starts anew for the next revision.

It ends until its first bank file is committed, and never from then on: a bank may have the file.
Whatever was ordered before is taken back from the treasury, which says what it had released; until
it has, no later revision opens the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.payments.domain.run.messages import (
    CancelRun,
    Event,
    OrderCancelled,
    PaymentOrdered,
    RecordOrderCancelled,
    RunCancelled,
)
from services.payments.domain.run.state import RunState, once, totals_of
from services.payments.domain.shared.errors import (
    Contradiction,
    Malformed,
    StepNotReached,
    TooLateToCancel,
)
from services.payments.domain.shared.totals import NOTHING, Totals, require_equal


def take_back(command: CancelRun | RecordOrderCancelled, state: RunState) -> Sequence[Event]:
    """End the run, or record what the treasury says of its order."""
    if isinstance(command, CancelRun):
        return cancel(state)
    return record_order_cancelled(command, state)


def cancel(state: RunState) -> Sequence[Event]:
    """End the run; one that was never opened, or has ended before, has nothing to end."""
    require_cancellable(state)
    if state.opened is None:
        return []
    return [RunCancelled(state.opened.tahap, state.opened.kind)]


def require_cancellable(state: RunState) -> None:
    """Raise `TooLateToCancel` behind the run's first bank file, or behind its books.

    A file that was withdrawn since may be on its way all the same.
    """
    if state.dispatched:
        raise TooLateToCancel(step="BankFileSent", file=state.dispatched)
    if state.reconciled is not None:
        raise TooLateToCancel(step="TahapReconciled", kind=state.reconciled.kind)


def record_order_cancelled(command: RecordOrderCancelled, state: RunState) -> Sequence[Event]:
    """Record what the treasury gave back: all that it had released for the order, or nothing."""
    order, funds = state.recalled, state.recalled_funds
    if order is None:
        if state.given_back is None:
            raise StepNotReached(step="RunCancelled")
        return once(state.given_back, _cancelled(command, state.given_back))
    if command.order != order.order:
        raise Contradiction(document="PaymentOrdered", order=order.order)
    if funds is not None and command.number != funds.number:
        raise Contradiction(document="FundsReleased", number=funds.number)
    released = totals_of(order) if command.number else NOTHING
    require_equal(released, Totals(command.count, command.rupiah), of=command.receipt)
    if not 0 <= command.unvoided <= command.rupiah:
        raise Malformed(unvoided=command.unvoided, rupiah=command.rupiah)
    given_back = _cancelled(command, order)
    return [replace(given_back, unrecorded=bool(command.number) and funds is None)]


def _cancelled(
    command: RecordOrderCancelled, of: PaymentOrdered | OrderCancelled
) -> OrderCancelled:
    earlier = of if isinstance(of, OrderCancelled) else None
    return OrderCancelled(
        tahap=of.tahap,
        kind=of.kind,
        order=command.order,
        receipt=command.receipt,
        number=command.number,
        count=command.count,
        rupiah=command.rupiah,
        unrecorded=earlier is not None and earlier.unrecorded,
        unvoided=earlier.unvoided if earlier is not None else command.unvoided,
    )
