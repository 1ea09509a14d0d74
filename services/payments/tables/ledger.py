"""The books: what families were paid, and what must hold of the ledger and does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from pydantic import BaseModel

from libs.events import telemetry
from libs.events.store.postgres import Store
from libs.events.telemetry.metrics import Sample
from services.payments.domain import ledger, ledger_checks
from services.payments.domain.ledger import MovementName
from services.payments.domain.shared.ids import payment_id

# -- Families -------------------------------------------------------------------------------------


async def lives(store: Store, family: UUID, _on: date) -> str | None:
    """Where a family lived at its last closing; None where it was never listed, or is erased."""
    region: str | None = await store.pool.fetchval(
        """SELECT line ->> 'region' FROM list_line WHERE family = $1 AND line IS NOT NULL
             AND NOT EXISTS (SELECT FROM erased_family WHERE family = $1)
           ORDER BY line -> 'months' ->> 0 DESC LIMIT 1""",
        family,
    )
    return region


async def payments_of_family(
    store: Store, family: str, after: str, limit: int
) -> list[tuple[str, str]]:
    """(tahap, payment) of a family's later tahaps, in order."""
    rows = await store.pool.fetch(
        """SELECT tahap, kind FROM payment_of WHERE family = $1 AND tahap > $2
           ORDER BY tahap LIMIT $3""",
        family,
        after,
        limit,
    )
    return [(row["tahap"], payment_id(row["tahap"], family, row["kind"])) for row in rows]


# -- The books ------------------------------------------------------------------------------------


class Broken(BaseModel):
    """An invariant of the books that does not hold, and the two figures that differ."""

    invariant: str
    where: str
    expected: int
    found: int


async def balances(store: Store) -> dict[str, int]:
    """Each account's balance: debits less credits."""
    rows = await store.pool.fetch(
        """SELECT account, sum(amount)::bigint AS balance FROM (
               SELECT debit AS account, amount FROM ledger
               UNION ALL SELECT credit, -amount FROM ledger) AS sides
           GROUP BY account ORDER BY account"""
    )
    return {row["account"]: row["balance"] for row in rows}


class Books(BaseModel):
    """The rules that do not hold of the books, and the tahaps that were looked at."""

    broken: list[Broken]
    tahaps: list[str]


async def books(store: Store) -> Books:
    """Everything that must hold of the ledger and does not."""
    rows = await store.pool.fetch(
        "SELECT tahap, name, sum(amount)::bigint AS rupiah FROM ledger GROUP BY tahap, name"
    )
    moved: dict[str, dict[MovementName, int]] = {}
    for row in rows:
        moved.setdefault(row["tahap"], {})[MovementName(row["name"])] = row["rupiah"]
    rows = await store.pool.fetch(
        """SELECT tahap FROM run_open UNION SELECT tahap FROM cancellation_open
           UNION SELECT tahap FROM payment_set_aside WHERE command = 'Void'"""
    )
    open_tahaps = {row["tahap"] for row in rows}
    approved = await _approved_cuts(store)
    found = list(ledger_checks.check_balances(await balances(store)))
    for tahap, sums in sorted(moved.items()):
        settled = tahap not in open_tahaps
        found += _tahap_broken(tahap, sums, settled=settled)
        found += ledger_checks.check_cut(tahap, approved.get(tahap, 0), sums) if settled else ()
    broken = [
        Broken(invariant=b.invariant, where=b.where, expected=b.expected, found=b.found)
        for b in found
    ]
    return Books(broken=broken, tahaps=sorted(moved))


async def _approved_cuts(store: Store) -> Mapping[str, int]:
    """The rupiah that were to be cut of each tahap's payments that a bank has answered."""
    rows = await store.pool.fetch(
        """SELECT tahap, sum(cut)::bigint AS rupiah FROM run_line
           WHERE answer IS NOT NULL AND deferred IS NULL GROUP BY tahap"""
    )
    return {row["tahap"]: row["rupiah"] for row in rows}


async def ledger_readings(store: Store) -> list[Sample]:
    """The gauges of the ledger: each account's balance, what moved under each name."""
    rows = await store.pool.fetch(
        "SELECT name, debit, credit, sum(amount)::bigint AS rupiah FROM ledger GROUP BY 1, 2, 3"
    )
    balance = Counter(dict.fromkeys(ledger.ALWAYS_SHOWN, 0))
    moved = Counter(dict.fromkeys(MovementName, 0))
    for row in rows:
        balance[row["debit"]] += row["rupiah"]
        balance[row["credit"]] -= row["rupiah"]
        moved[MovementName(row["name"])] += row["rupiah"]
    return [
        *(Sample(telemetry.BALANCE_RUPIAH, rupiah, (name,)) for name, rupiah in balance.items()),
        *(Sample(telemetry.MOVED_RUPIAH, rupiah, (name,)) for name, rupiah in moved.items()),
    ]


def _tahap_broken(
    tahap: str, sums: Mapping[MovementName, int], *, settled: bool
) -> Sequence[ledger_checks.Broken]:
    if settled:
        return ledger_checks.check_reconciled(tahap, sums)
    return ledger_checks.check_tahap(tahap, sums)
