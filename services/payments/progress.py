"""A run on its way: what its steps know of it, and what they read and write of it alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from libs.events.transaction import Transaction
from services.payments.domain.listing import OrderLine, order_digest
from services.payments.domain.run_state import RunState
from services.payments.domain.tahap_messages import ClosingAnnounced
from services.payments.domain.tahap_state import PaymentList, TahapState
from services.payments.domain.totals import Totals

BOOKED: Final = ("INSTRUCTED", "CREDITED", "FAILED")


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
    def key(self) -> tuple[str, str]:
        """(tahap, kind) of the run."""
        return self.announced.tahap, self.paid.kind


async def order_of(unit: Transaction, tahap: str, kind: str) -> tuple[str, Totals]:
    """(hash, totals) of the payments whose accounts passed: what an order is approved by."""
    digest = order_digest(tahap, kind)
    async for row in unit.connection.cursor(
        """SELECT payment::text, bank, amount FROM run_line
           WHERE tahap = $1 AND kind = $2 AND account_check = 'OK' ORDER BY run_line.payment""",
        tahap,
        kind,
    ):
        digest.add(OrderLine(row["payment"], row["bank"], row["amount"]))
    return digest.hash(), digest.totals


async def books_of(unit: Transaction, tahap: str, kind: str) -> dict[str, Totals]:
    """What the ledger says of a run's payments, by movement."""
    # Each id is made from the line alone: made with the ledger's own name, every line would be
    # held against every row.
    rows = await unit.connection.fetch(
        """SELECT movement AS name, count(*) AS count, sum(ledger.amount)::bigint AS rupiah
           FROM run_line CROSS JOIN unnest($3::text[]) AS movement
           JOIN ledger ON ledger.id = run_line.payment::text || ':' || movement
           WHERE run_line.tahap = $1 AND run_line.kind = $2 GROUP BY movement""",
        tahap,
        kind,
        BOOKED,
    )
    return {row["name"]: Totals(row["count"], row["rupiah"]) for row in rows}


async def move(unit: Transaction, job: Job, step: str, cursor: str) -> None:
    """Note how far a run's step has come."""
    await unit.connection.execute(
        "UPDATE run_open SET step = $3, cursor = $4 WHERE tahap = $1 AND kind = $2",
        *job.key,
        step,
        cursor,
    )
