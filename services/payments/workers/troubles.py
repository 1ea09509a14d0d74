"""Troubles of a tahap: a run's own step that fails, a partner's part, or its cancellation."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from libs.events.domain.errors import CorridorError
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import failing_item, failing_parts
from services.payments.tables.payments import books_wait, still_to_void
from services.payments.tables.run_lines import EXCHANGE, PAYER, run_item
from services.payments.workers.canceller import CANCELLER


class PaymentsSetAside(CorridorError):
    """The run's books wait for payments that do not take what the bank or the run says."""


class PaymentsNotVoid(CorridorError):
    """Payments of a cancelled announcement cannot be voided, and are paid by no other one yet."""


class PartnerTrouble(BaseModel):
    """The trouble of a partner's part of a run: TREASURY or a bank; tried again by itself."""

    partner: str
    error: str
    attempts: int
    since: datetime


async def partners_in_trouble(unit: Transaction, tahap: str, kind: str) -> list[PartnerTrouble]:
    """The partners whose part of a run is tried again and again."""
    run = run_item(tahap, kind)
    return [
        PartnerTrouble(
            partner=failing.item.removeprefix(f"{run} "),
            error=failing.error,
            attempts=failing.attempts,
            since=failing.since,
        )
        for failing in await failing_parts(unit.connection, EXCHANGE, run)
    ]


async def run_trouble(unit: Transaction, tahap: str, kind: str) -> str | None:
    """The reason why a run stands where it stands; None while it goes on."""
    item = run_item(tahap, kind)
    fails = await failing_item(unit.connection, PAYER, item)
    fails = fails or await failing_item(unit.connection, EXCHANGE, item)
    if fails is not None:
        return fails.error
    waited_for = await books_wait(unit, (tahap, kind))
    if waited_for:
        return str(PaymentsSetAside(payments=len(waited_for), first=waited_for[0]))
    return None


async def cancellation_trouble(unit: Transaction, tahap: str) -> str | None:
    """The reason why a cancelled tahap, or a payment of it, is not taken back yet; None while that
    goes on."""
    fails = await failing_item(unit.connection, CANCELLER, tahap)
    if fails is not None:
        return fails.error
    waiting = await still_to_void(unit, tahap)
    return str(PaymentsNotVoid(payments=len(waiting), first=waiting[0])) if waiting else None
