"""Lines taken out of a run by name, in one transaction with all that follows from it.

The one way out: a family that is held and a family whose key is gone leave by it alike, each with
its reason. The payment is deferred, the run and its books go on without it, and the family waits
for a supplementary run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.payments.contract import RUN, TAHAP
from services.payments.domain.payment.messages import Command, TakeOut
from services.payments.domain.run.messages import (
    DeferLines,
    DeferredLine,
    DeferUnanswered,
    WithdrawFile,
)
from services.payments.domain.tahap.messages import DeferFamilies, Deferral
from services.payments.tables.payments import PaymentCommands, pay_or_set_aside, run

Asked: TypeAlias = Callable[[DeferredLine, bool], tuple[Command, ...]]
"""The command to a payment whose line leaves; the flag is True once its run is ordered."""

_OUT: Final = """
UPDATE run_line SET deferred = reason
FROM unnest($3::uuid[], $4::text[]) AS u (payment, reason)
WHERE tahap = $1 AND kind = $2 AND run_line.payment = u.payment
"""


async def reserve(unit: Transaction, key: tuple[str, str]) -> None:
    """Have a run and its tahap until we commit, before any payment is touched.

    Whoever takes in a deferred family's line has the tahap first and then its payments, too.
    """
    await unit.hold([RUN.stream(*key), TAHAP.stream(key[0])])


def _take_out(line: DeferredLine, ordered: bool) -> tuple[Command, ...]:
    return (TakeOut(line.reason, ordered),)


async def take_out(
    unit: Transaction,
    key: tuple[str, str],
    lines: Sequence[DeferredLine],
    asked: Asked = _take_out,
) -> None:
    """Take lines out of a run (tahap, kind); at most LINES_A_CHUNK, so that its event fits the bus.

    A payment that does not take what it is `asked` leaves all the same, and is asked again. Raises
    `StepNotReached` while the treasury is at work on them or they are being instructed, and
    `AlreadyDispatched` once the file of their bank is committed.
    """
    if lines:
        await _without(unit, key, DeferLines(tuple(lines)), lines, asked)


async def withdraw(
    unit: Transaction, key: tuple[str, str], file: str, lines: Sequence[DeferredLine]
) -> None:
    """Take back a file that its partner never took, and lines out of it that cannot be opened.

    Without those lines it is committed anew under the same id, of which a partner takes one
    content alone; and nobody can ever send them again, so none of them can be paid twice.
    """
    await _without(unit, key, WithdrawFile(file, tuple(lines)), lines)


async def let_go(unit: Transaction, key: tuple[str, str], command: DeferUnanswered) -> None:
    """Take lines out of whose accounts the treasury says neither yes nor no, by two people."""
    await _without(unit, key, command, command.lines)


async def _without(
    unit: Transaction,
    key: tuple[str, str],
    command: DeferLines | DeferUnanswered | WithdrawFile,
    lines: Sequence[DeferredLine],
    asked: Asked = _take_out,
) -> None:
    tahap, kind = key
    await reserve(unit, key)
    state = await run(unit, tahap, kind, command)
    ordered = state.order is not None
    await pay_or_set_aside(
        unit, [PaymentCommands(key, line.payment, asked(line, ordered)) for line in lines]
    )
    families = tuple(Deferral(line.family, line.reason) for line in lines)
    await handle(unit, TAHAP, TAHAP.stream(tahap), DeferFamilies(families, kind))
    payments = [line.payment for line in lines]
    await unit.connection.execute(_OUT, *key, payments, [line.reason for line in lines])
