"""The rules that hold of the ledger's rows, for whoever proves the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.payments.domain.ledger import STATE_TREASURY, TAKEN_BACK_BY, Movement, MovementName


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
    for movement in movements:
        sums[movement.debit] += movement.amount
        sums[movement.credit] -= movement.amount
    return sums


def sums_by_name(movements: Iterable[Movement]) -> Mapping[MovementName, int]:
    """Rupiah moved under each name."""
    sums: Counter[MovementName] = Counter()
    for movement in movements:
        sums[movement.name] += movement.amount
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
    and returned from holds than credited; what a cancellation took back does not count.
    """
    sums = _standing(moved)
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
    sums = _standing(moved)
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


def _standing(moved: Mapping[MovementName, int]) -> Counter[MovementName]:
    """Rupiah moved under each name, less what was taken back of it."""
    sums = Counter(moved)
    for name, back in TAKEN_BACK_BY.items():
        sums[name] -= sums[back]
    return sums


def _accounted(sums: Mapping[MovementName, int]) -> int:
    """Instructed rupiah whose way is known: answered by the bank, or deferred before its file."""
    return sums[MovementName.CREDITED] + sums[MovementName.FAILED] + sums[MovementName.DEFERRED]
