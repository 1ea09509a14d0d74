"""Arrears of families since a cycle behind a cut was decided otherwise: found, kept, read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events.store.transaction import Transaction
from services.payments.contract.commitment import CycleEvaluated
from services.payments.domain.payment.messages import ArrearOwed

# By the line that two people approved: of it the payment was cut, and it changes no more.
_CUT: Final = """
SELECT tahap, family::text FROM supplementary_line
JOIN unnest($1::text[], $2::uuid[], $3::int[]) AS late (tahap, family, newer)
     USING (tahap, family)
WHERE cut_percent > 0 AND evaluated < newer
"""
_OWED: Final = """
INSERT INTO arrear
    (payment, tahap, family, amount, cut_percent, evaluation, case_id, reason, since)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (payment) DO UPDATE
SET amount = $4, cut_percent = $5, evaluation = $6, case_id = $7, reason = $8
"""
_OVER: Final = "DELETE FROM arrear WHERE payment = $1"
_PAGE: Final = """
SELECT payment, tahap, family, coalesce(lives.region, '') AS region, amount, cut_percent,
       evaluation, case_id, reason, since
FROM arrear LEFT JOIN LATERAL (
    SELECT line ->> 'region' AS region FROM list_line
    WHERE list_line.family = arrear.family AND line IS NOT NULL
    ORDER BY line -> 'months' ->> 0 DESC LIMIT 1) AS lives ON true
WHERE NOT EXISTS (SELECT FROM erased_family AS erased WHERE erased.family = arrear.family)
  AND ($1::text IS NULL OR tahap = $1)
  AND EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS r (low, high)
              WHERE coalesce(lives.region, '') COLLATE "C" >= low
                AND coalesce(lives.region, '') COLLATE "C" < high)
  AND ($4::uuid IS NULL OR payment > $4)
ORDER BY payment LIMIT $5
"""


class Arrear(NamedTuple):
    """Rupiah that a family is owed of a payment, by which decision, since when, and why no run
    has paid it; `case_id` is empty where late facts decided the cycle otherwise."""

    payment: UUID
    tahap: str
    family: UUID
    region: str
    amount: int
    cut_percent: int
    evaluation: int
    case_id: str
    reason: str
    since: date


async def cut_on_frozen_lists(
    unit: Transaction, late: Sequence[CycleEvaluated]
) -> list[CycleEvaluated]:
    """Those of some late evaluations whose frozen line is cut by an earlier revision."""
    newer = [body for body in late if body.revision > 1]  # a first one corrects nothing
    if not newer:
        return []
    rows = await unit.connection.fetch(
        _CUT,
        [body.tahap for body in newer],
        [body.family for body in newer],
        [body.revision for body in newer],
    )
    lines = {(row["tahap"], row["family"]) for row in rows}
    return [body for body in newer if (body.tahap, body.family) in lines]


async def keep_arrears(unit: Transaction, events: Iterable[ArrearOwed]) -> None:
    """Keep what is owed, in the transaction of its events."""
    for event in events:
        if not event.amount:
            await unit.connection.execute(_OVER, event.payment)
            continue
        by = event.cut_percent, event.evaluation, event.case, event.reason
        row = event.payment, event.tahap, event.family, event.amount, *by
        await unit.connection.execute(_OWED, *row, unit.context.at.date())


async def arrears(
    unit: Transaction, tahap: str | None, regions: Sequence[str], after: UUID | None, limit: int
) -> list[Arrear]:
    """At most `limit` arrears behind a payment, of families that live in these regions."""
    rows = await unit.connection.fetch(_PAGE, tahap, *region_ranges(regions), after, limit)
    return [Arrear(*row) for row in rows]
