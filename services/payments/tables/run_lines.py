"""A run on its way: what its steps know of it, and what they read and write of it alike."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import asyncpg

from libs.events.domain.errors import CorridorError
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.payments.contract import SERVICE
from services.payments.domain.ledger import MovementName, movement_id
from services.payments.domain.listing import OrderLine, order_digest
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.totals import Totals
from services.payments.domain.tahap.messages import ClosingAnnounced
from services.payments.domain.tahap.state import PaymentList, TahapState
from services.payments.tables.list_lines import LINES_A_CHUNK, NOBODY

_PAYABLE: Final = """
SELECT payment::text, family::text, bank, amount FROM run_line
WHERE tahap = $1 AND kind = $2 AND payable AND deferred IS NULL AND payment > $3
  AND (NOT $4 OR account_check = 'OK') AND ($5::text IS NULL OR bank = $5)
ORDER BY run_line.payment LIMIT $6
"""
PAYER: Final = "payer"
"""The leader's work that takes runs further."""

EXCHANGE: Final = "exchange"
"""The part of it that rests with partners, each an item, such as "2023-1-REGULAR BNI"."""

BOOKED: Final = (
    MovementName.INSTRUCTED,
    MovementName.CREDITED,
    MovementName.FAILED,
    MovementName.DEFERRED,
)


class RunMovedMeanwhile(CorridorError):
    """Another leader has taken this run further, or it is over: this step of it is undone."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run on its way, with what its steps need to know."""

    tahap: TahapState
    announced: ClosingAnnounced
    paid: PaymentList
    state: RunState
    trace: str | None
    step: str
    cursor: str

    @property
    def day(self) -> date:
        """The day that the run's payments count for."""
        return self.tahap.day_of(self.paid.kind)

    def on(self, day: date) -> Context:
        """The context of the run's work that counts for a day."""
        return Context.on_day(SERVICE, day, self.trace)

    @property
    def key(self) -> tuple[str, str]:
        """(tahap, kind) of the run."""
        return self.announced.tahap, self.paid.kind


def run_item(tahap: str, kind: str) -> str:
    """A run as an item of the payer's work."""
    return f"{tahap}-{kind}"


async def payable_lines(
    store: Store,
    key: tuple[str, str],
    after: str = NOBODY,
    *,
    checked: bool = False,
    bank: str | None = None,
) -> AsyncGenerator[list[asyncpg.Record], None]:
    """(payment, family, bank, amount) of a run's payable lines in order, a chunk at a time.

    `checked`: only those whose account passed; `bank`: only those that it has to credit.
    """
    while lines := await store.pool.fetch(_PAYABLE, *key, after, checked, bank, LINES_A_CHUNK):
        yield lines
        after = lines[-1]["payment"]


async def order_of(unit: Transaction, tahap: str, kind: str) -> tuple[str, Totals]:
    """(hash, totals) of a run's payments whose accounts passed: what an order is approved by."""
    digest = order_digest(tahap, kind)
    async for row in unit.connection.cursor(
        """SELECT payment::text, bank, amount FROM run_line
           WHERE tahap = $1 AND kind = $2 AND account_check = 'OK' AND deferred IS NULL
           ORDER BY run_line.payment""",
        tahap,
        kind,
    ):
        digest.add(OrderLine(row["payment"], row["bank"], row["amount"]))
    return digest.hash(), digest.totals


async def books_of(unit: Transaction, job: Job) -> dict[str, Totals]:
    """The sums of a run's payments in the ledger, by movement, under the run's order."""
    order = job.state.order.order if job.state.order else ""
    # Each id is made from the line alone: made with the ledger's own name, every line would be
    # held against every row.
    rows = await unit.connection.fetch(
        """SELECT movement AS name, count(*) AS count, sum(ledger.amount)::bigint AS rupiah
           FROM run_line CROSS JOIN unnest($3::text[], $4::text[]) AS booked (movement, ending)
           JOIN ledger ON ledger.id = run_line.payment::text || ending
           WHERE run_line.tahap = $1 AND run_line.kind = $2 GROUP BY movement""",
        *job.key,
        BOOKED,
        [movement_id("", name, order) for name in BOOKED],
    )
    return {row["name"]: Totals(row["count"], row["rupiah"]) for row in rows}


async def move(unit: Transaction, job: Job, step: str, cursor: str) -> Job:
    """Note how far a run's step has come; the job as it stands then.

    Raises `RunMovedMeanwhile` where it is not where `job` left it: another leader has gone on.
    """
    moved = await unit.connection.fetchval(
        """UPDATE run_open SET step = $3, cursor = $4
           WHERE tahap = $1 AND kind = $2 AND step = $5 AND cursor = $6 RETURNING true""",
        *job.key,
        step,
        cursor,
        job.step,
        job.cursor,
    )
    if not moved:
        raise RunMovedMeanwhile(tahap=job.announced.tahap, kind=job.paid.kind)
    return replace(job, step=step, cursor=cursor)
