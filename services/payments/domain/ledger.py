"""The ledger: every movement of money as one row, derived from events and nothing else.

A movement takes whole rupiah from the account it credits and adds them to the account it debits,
so the sum over all accounts is zero whatever rows there are. Its id is the payment's (or run's) id
and the movement's name, and no stream can cause the same movement twice; what a cancellation takes
back may be done once more for each order that follows, whose number ends the id.

    state_treasury -> programme_account -> bank_clearing:BNI -> family_available
                                                             -> family_blocked -> family_available
                                                                               -> state_treasury
                                                             -> state_treasury
    state_treasury -> benefit_cut    what a failed cycle cuts; the money itself stays where it is

Of a cancelled tahap no row goes: each has one that moves the same rupiah back, under a name that
says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from services.payments.domain.payment.messages import Event as PaymentEvent
from services.payments.domain.payment.messages import (
    HoldStatus,
    PaymentCredited,
    PaymentDeferred,
    PaymentInstructed,
    PaymentReleased,
    PaymentReturned,
    PaymentVoided,
    TransferFailed,
)
from services.payments.domain.payment.state import (
    Credited,
    Deferred,
    Failed,
    Instruction,
    PaymentState,
)
from services.payments.domain.run.messages import Event as RunEvent
from services.payments.domain.run.messages import FundsReleased, OrderCancelled
from services.payments.domain.shared.ids import of_order, run_id

STATE_TREASURY: Final = "state_treasury"
"""Kas Negara: where all money comes from and what is not paid goes back to; the only account that
stands below zero, by what the programme holds or has paid."""

PROGRAMME_ACCOUNT: Final = "programme_account"
"""The ministry's account that the treasury releases an order's funds to (SP2D), and from which the
standing instructions draw; zero once every payment of the order is instructed."""

FAMILY_AVAILABLE: Final = "family_available"
"""In the families' accounts and theirs to draw: what the programme has paid."""

FAMILY_BLOCKED: Final = "family_blocked"
"""In the families' accounts and blocked until the duties are met: neither paid nor returned."""

BENEFIT_CUT: Final = "benefit_cut"
"""Cut from what families were entitled to, because a cycle failed. It never leaves the treasury:
what Kas Negara holds of the programme's money is the sum of both accounts."""

ALWAYS_SHOWN: Final = (STATE_TREASURY, PROGRAMME_ACCOUNT, FAMILY_AVAILABLE, FAMILY_BLOCKED)
"""The accounts that are there before any money has moved."""


def bank_clearing(bank: str) -> str:
    """Instructed to a bank and not answered yet: the rupiah whose outcome is unknown."""
    return f"bank_clearing:{bank}"


class MovementName(StrEnum):
    """Why money moved; at most one movement of each name a payment, or a payment and order."""

    FUNDS_RELEASED = "FUNDS_RELEASED"
    INSTRUCTED = "INSTRUCTED"
    CREDITED = "CREDITED"
    FAILED = "FAILED"
    DEFERRED = "DEFERRED"
    RELEASED = "RELEASED"
    RETURNED = "RETURNED"
    CUT = "CUT"
    FUNDS_CANCELLED = "FUNDS_CANCELLED"
    INSTRUCTED_CANCELLED = "INSTRUCTED_CANCELLED"
    DEFERRED_CANCELLED = "DEFERRED_CANCELLED"


TAKEN_BACK_BY: Final = {
    MovementName.FUNDS_RELEASED: MovementName.FUNDS_CANCELLED,
    MovementName.INSTRUCTED: MovementName.INSTRUCTED_CANCELLED,
    MovementName.DEFERRED: MovementName.DEFERRED_CANCELLED,
}
"""By the name of a movement, the one by which a cancelled tahap takes it back. The ids of both name
the order: it may be done again under the next one."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of the ledger: `amount` whole rupiah, above zero, out of `credit` into `debit`.

    `tahap` is the one whose money it is, also where a later tahap's result moved it.
    """

    id: str
    name: MovementName
    tahap: str
    debit: str
    credit: str
    amount: int


def of_run(event: RunEvent) -> tuple[Movement, ...]:
    """The movements of a run's event."""
    match event:
        case FundsReleased() if event.rupiah:
            return (_funds(event, MovementName.FUNDS_RELEASED, PROGRAMME_ACCOUNT, STATE_TREASURY),)
        case OrderCancelled() if event.rupiah:
            back = _funds(event, MovementName.FUNDS_CANCELLED, STATE_TREASURY, PROGRAMME_ACCOUNT)
            # What stands with a payment goes back with it, so no account is below zero meanwhile.
            back = replace(back, amount=back.amount - event.unvoided)
            out = _funds(event, MovementName.FUNDS_RELEASED, PROGRAMME_ACCOUNT, STATE_TREASURY)
            moves = (out, back) if event.unrecorded else (back,)
            return tuple(movement for movement in moves if movement.amount)
        case _:
            return ()


def _funds(
    event: FundsReleased | OrderCancelled, name: MovementName, debit: str, credit: str
) -> Movement:
    of = run_id(event.tahap, event.kind)
    return Movement(
        movement_id(of, name, event.order), name, event.tahap, debit, credit, event.rupiah
    )


def movement_id(of: str, name: MovementName, order: str) -> str:
    """The id of a movement of a payment or run, under its order."""
    again = {*TAKEN_BACK_BY, *TAKEN_BACK_BY.values()}
    return f"{of}:{name}{of_order(order) if name in again else ''}"


def of_payment(event: PaymentEvent, state: PaymentState) -> tuple[Movement, ...]:
    """The movements of a payment's event; `state` is the payment's after it."""
    match event, state:
        case PaymentInstructed(), _:
            to_bank = bank_clearing(event.bank)
            return _moved(event, MovementName.INSTRUCTED, to_bank, PROGRAMME_ACCOUNT, event.order)
        case PaymentCredited() | TransferFailed(), Credited() | Failed():
            return _answered(event, state)
        case PaymentDeferred(), Deferred(instruction=Instruction() as sent):
            from_bank = bank_clearing(sent.bank)
            return _moved(event, MovementName.DEFERRED, STATE_TREASURY, from_bank, sent.order)
        case PaymentVoided(), _:
            return _taken_back(event)
        case PaymentReleased(), _:
            return _moved(event, MovementName.RELEASED, FAMILY_AVAILABLE, FAMILY_BLOCKED)
        case PaymentReturned(), _:
            return _moved(event, MovementName.RETURNED, STATE_TREASURY, FAMILY_BLOCKED)
        case PaymentCredited() | TransferFailed(), _:
            raise ValueError(f"{type(event).__name__} of a payment that is {state.transfer}")
        case _:
            return ()


def _answered(
    event: PaymentCredited | TransferFailed, state: Credited | Failed
) -> tuple[Movement, ...]:
    """The money's way out of clearing, and with it the cut: the answer ends the payment either way.

    A line may leave its run until then, and the payment in its place has a cut of its own.
    """
    if isinstance(event, TransferFailed):
        name, account = MovementName.FAILED, STATE_TREASURY
    else:
        held = event.hold is HoldStatus.HELD
        name, account = MovementName.CREDITED, FAMILY_BLOCKED if held else FAMILY_AVAILABLE
    moved = _moved(event, name, account, bank_clearing(state.instruction.bank))
    if (cut := state.terms.cut) == 0:
        return moved
    of = f"{event.payment}:{MovementName.CUT}"
    return (*moved, Movement(of, MovementName.CUT, event.tahap, BENEFIT_CUT, STATE_TREASURY, cut))


def _moved(
    event: PaymentInstructed
    | PaymentCredited
    | TransferFailed
    | PaymentDeferred
    | PaymentReleased
    | PaymentReturned,
    name: MovementName,
    debit: str,
    credit: str,
    order: str = "",
) -> tuple[Movement, ...]:
    return (
        Movement(
            id=movement_id(event.payment, name, order),
            name=name,
            tahap=event.tahap,
            debit=debit,
            credit=credit,
            amount=event.returned if isinstance(event, PaymentDeferred) else event.amount,
        ),
    )


def _taken_back(event: PaymentVoided) -> tuple[Movement, ...]:
    """The ways back of a payment that a bank was to make, and of one that was deferred then."""
    in_clearing = bank_clearing(event.bank)
    ways = (
        (MovementName.DEFERRED_CANCELLED, in_clearing, STATE_TREASURY, event.deferred),
        (MovementName.INSTRUCTED_CANCELLED, PROGRAMME_ACCOUNT, in_clearing, event.instructed),
        (MovementName.FUNDS_CANCELLED, STATE_TREASURY, PROGRAMME_ACCOUNT, event.funds),
    )
    return tuple(
        Movement(
            movement_id(event.payment, name, event.order), name, event.tahap, debit, credit, amount
        )
        for name, debit, credit, amount in ways
        if amount
    )
