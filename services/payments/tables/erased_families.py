"""Families that the registry erases: nothing more is sent to them, and what is under way shows.

From the message on a family is held without an end (holds.py): at whatever step its money is, its
line leaves by name until its bank's file is committed. The registry destroys its key only once no
money of it is under way any more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from libs.events.store.transaction import Transaction
from services.payments.contract import PAYMENT, RUN
from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Credited, Instructed, PaymentState
from services.payments.domain.shared.ids import (
    payment_id,
)
from services.payments.tables.holds import OPEN_RUNS

Why: TypeAlias = Literal["IN_A_BANKS_FILE", "BLOCKED", "NOT_BOOKED"]
"""Its bank has not answered; it is credited and cannot be drawn; its own stream does not take what
became of it."""

_STOP: Final = """
INSERT INTO erased_family (family) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING
"""
_STOPPED: Final = "SELECT EXISTS (SELECT FROM erased_family WHERE family = $1)"
_PAYMENTS: Final = "SELECT tahap, kind FROM payment_of WHERE family = $1 ORDER BY tahap"
_NOT_BOOKED: Final = """
SELECT DISTINCT payment::text FROM payment_set_aside
WHERE payment = ANY($1::uuid[]) AND moves_money
"""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Money of a family that is neither still with the treasury nor the family's own yet."""

    tahap: str
    kind: str
    why: Why


async def stop(unit: Transaction, families: Collection[str]) -> None:
    """From here on no file is committed that pays these families.

    Taken before any stream: a file that is just being committed is waited for.
    """
    await unit.connection.execute(OPEN_RUNS)
    await unit.connection.execute(_STOP, list(families))


async def is_stopped(unit: Transaction, family: str) -> bool:
    """True where the registry's message has come: what is not in a file stays out of every file."""
    return bool(await unit.connection.fetchval(_STOPPED, family))


async def under_way(unit: Transaction, family: str) -> list[UnderWay]:
    """The money of a family that somebody else has and that is not settled, by tahap."""
    rows = await unit.connection.fetch(_PAYMENTS, family)
    places = {payment_id(row["tahap"], family, row["kind"]): row for row in rows}
    unbooked = {row[0] for row in await unit.connection.fetch(_NOT_BOOKED, list(places))}
    loaded = await unit.load(PAYMENT, sorted(map(PAYMENT.stream, places)))
    found = []
    for payment, (tahap, kind) in places.items():
        stream = loaded.get(PAYMENT.stream(payment))
        why: Why | None = "NOT_BOOKED" if payment in unbooked else None
        if why is None and stream is not None:
            why = await _why(unit, tahap, kind, stream.state)
        if why is not None:
            found.append(UnderWay(tahap, kind, why))
    return found


async def _why(unit: Transaction, tahap: str, kind: str, payment: PaymentState) -> Why | None:
    match payment:
        case Credited(hold=hold):
            return "BLOCKED" if hold.status is HoldStatus.HELD else None
        case Instructed(instruction=instruction):
            stream = RUN.stream(tahap, kind)
            run = (await unit.load(RUN, [stream]))[stream].state
            return "IN_A_BANKS_FILE" if run.file_of(instruction.bank) else None
        case _:
            return None
