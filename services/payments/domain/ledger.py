"""The ledger: every movement of money as one row, derived from events and nothing else.

A movement takes whole rupiah from the account it credits and adds them to the account it debits,
so the sum over all accounts is zero whatever rows there are. Its id is the payment's (or run's) id
and the movement's name, and no stream can cause the same movement twice.

    state_treasury -> programme_account -> bank_clearing:BNI -> family_available
                                                             -> family_blocked -> family_available
                                                                               -> state_treasury
                                                             -> state_treasury
    state_treasury -> benefit_cut    what a failed cycle cuts; the money itself stays where it is
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.payments.domain.ids import run_id
from services.payments.domain.payment_hold_messages import (
    HoldStatus,
    PaymentReleased,
    PaymentReturned,
)
from services.payments.domain.payment_messages import (
    Event as PaymentEvent,
)
from services.payments.domain.payment_messages import (
    PaymentCredited,
    PaymentDeferred,
    PaymentInstructed,
    TransferFailed,
)
from services.payments.domain.payment_state import PaymentState
from services.payments.domain.run_messages import Event as RunEvent
from services.payments.domain.run_messages import FundsReleased

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
    """Why money moved; at most one movement of each name a payment."""

    FUNDS_RELEASED = "FUNDS_RELEASED"
    INSTRUCTED = "INSTRUCTED"
    CREDITED = "CREDITED"
    FAILED = "FAILED"
    DEFERRED = "DEFERRED"
    RELEASED = "RELEASED"
    RETURNED = "RETURNED"
    CUT = "CUT"


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
    if not isinstance(event, FundsReleased) or event.rupiah == 0:
        return ()
    return (
        Movement(
            id=f"{run_id(event.tahap, event.kind)}:{MovementName.FUNDS_RELEASED}",
            name=MovementName.FUNDS_RELEASED,
            tahap=event.tahap,
            debit=PROGRAMME_ACCOUNT,
            credit=STATE_TREASURY,
            amount=event.rupiah,
        ),
    )


def of_payment(event: PaymentEvent, state: PaymentState) -> tuple[Movement, ...]:
    """The movements of a payment's event; `state` is the payment's, before or after it."""
    match event:
        case PaymentInstructed():
            to_bank = bank_clearing(event.bank)
            return _moved(event, MovementName.INSTRUCTED, to_bank, PROGRAMME_ACCOUNT)
        case PaymentCredited():
            held = event.hold is HoldStatus.HELD
            account = FAMILY_BLOCKED if held else FAMILY_AVAILABLE
            credited = _moved(event, MovementName.CREDITED, account, bank_clearing(state.bank))
            return (*credited, *_cut(event, state))
        case TransferFailed():
            from_bank = bank_clearing(state.bank)
            failed = _moved(event, MovementName.FAILED, STATE_TREASURY, from_bank)
            return (*failed, *_cut(event, state))
        case PaymentDeferred() if event.returned:
            from_bank = bank_clearing(state.bank)
            return _moved(event, MovementName.DEFERRED, STATE_TREASURY, from_bank)
        case PaymentReleased():
            return _moved(event, MovementName.RELEASED, FAMILY_AVAILABLE, FAMILY_BLOCKED)
        case PaymentReturned():
            return _moved(event, MovementName.RETURNED, STATE_TREASURY, FAMILY_BLOCKED)
        case _:
            return ()


def _cut(event: PaymentCredited | TransferFailed, state: PaymentState) -> tuple[Movement, ...]:
    """The cut is booked with the bank's answer, which ends the payment either way.

    A line may leave its run until then, and the payment in its place has a cut of its own.
    """
    if state.cut == 0:
        return ()
    name = MovementName.CUT
    return (
        Movement(
            f"{event.payment}:{name}", name, event.tahap, BENEFIT_CUT, STATE_TREASURY, state.cut
        ),
    )


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
) -> tuple[Movement, ...]:
    return (
        Movement(
            id=f"{event.payment}:{name}",
            name=name,
            tahap=event.tahap,
            debit=debit,
            credit=credit,
            amount=event.returned if isinstance(event, PaymentDeferred) else event.amount,
        ),
    )


# -- Checks, for whoever proves the books


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold: its name, where, and the two figures that differ."""

    invariant: str
    where: str
    expected: int
    found: int


def balances(movements: Iterable[Movement]) -> Mapping[str, int]:
    """Each account's balance: debits less credits."""
    sums: Counter[str] = Counter()
    for each in movements:
        sums[each.debit] += each.amount
        sums[each.credit] -= each.amount
    return sums


def sums_by_name(movements: Iterable[Movement]) -> Mapping[MovementName, int]:
    """Rupiah moved under each name."""
    sums: Counter[MovementName] = Counter()
    for each in movements:
        sums[each.name] += each.amount
    return sums


def check_balances(accounts: Mapping[str, int]) -> Sequence[Broken]:
    """The sum of all accounts is zero, and no account but the treasury stands below zero."""
    broken = [
        Broken("no account below zero", account, 0, balance)
        for account, balance in sorted(accounts.items())
        if balance < 0 and account != STATE_TREASURY
    ]
    whole = sum(accounts.values())
    return [*broken, Broken("sum is zero", "all accounts", 0, whole)] if whole else broken


def check_tahap(tahap: str, moved: Mapping[MovementName, int]) -> Sequence[Broken]:
    """The rules that hold at every moment of a tahap, from the rupiah moved under each name.

    Never more is instructed than was released, answered or deferred than instructed, or released
    and returned from holds than credited.
    """
    sums = Counter(moved)
    funds, sent = sums[MovementName.FUNDS_RELEASED], sums[MovementName.INSTRUCTED]
    answered = _accounted(sums)
    unheld = sums[MovementName.RELEASED] + sums[MovementName.RETURNED]
    bounds = (
        ("instructed within funds released", funds, sent),
        ("answered and deferred within instructed", sent, answered),
        ("released and returned within credited", sums[MovementName.CREDITED], unheld),
    )
    return [Broken(name, tahap, most, found) for name, most, found in bounds if found > most]


def check_reconciled(tahap: str, moved: Mapping[MovementName, int]) -> Sequence[Broken]:
    """The invariant of a reconciled tahap: its funds are credited, failed or deferred."""
    sums = Counter(moved)
    funds, sent = sums[MovementName.FUNDS_RELEASED], sums[MovementName.INSTRUCTED]
    answered = _accounted(sums)
    equal = (
        ("instructed is funds released", funds, sent),
        ("credited, failed and deferred are funds released", funds, answered),
    )
    late = [Broken(name, tahap, must, found) for name, must, found in equal if found != must]
    return [*check_tahap(tahap, moved), *late]


def check_cut(tahap: str, approved: int, moved: Mapping[MovementName, int]) -> Sequence[Broken]:
    """The invariant of a settled tahap: of its answered payments so much is cut as was approved."""
    booked = Counter(moved)[MovementName.CUT]
    if booked == approved:
        return []
    return [Broken("cut is what was approved", tahap, approved, booked)]


def _accounted(sums: Mapping[MovementName, int]) -> int:
    """Instructed rupiah whose way is known: answered by the bank, or deferred before its file."""
    return sums[MovementName.CREDITED] + sums[MovementName.FAILED] + sums[MovementName.DEFERRED]
