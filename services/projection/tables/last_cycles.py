"""Gauges of the last two tahaps: how cycles were judged, and what banks answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events import telemetry
from libs.events.store.postgres import Store
from libs.events.telemetry import Metric
from libs.events.telemetry.metrics import Sample

CYCLES: Final = ("LATEST", "BEFORE")
OUTCOMES: Final = ("CREDITED", "FAILED")

_RESULTS: Final = """
SELECT tahap, result, count(*) AS families FROM evaluation
WHERE tahap IN (SELECT DISTINCT tahap FROM evaluation ORDER BY tahap DESC LIMIT 2)
GROUP BY tahap, result
"""
_ANSWERS: Final = """
SELECT tahap, CASE transfer WHEN 'CREDITED' THEN 'CREDITED' ELSE 'FAILED' END AS outcome,
       count(*) AS payments
FROM payment WHERE transfer IS NOT NULL AND tahap IN (
    SELECT DISTINCT tahap FROM payment WHERE transfer IS NOT NULL ORDER BY tahap DESC LIMIT 2)
GROUP BY 1, 2
"""


async def last_cycles(store: Store) -> list[Sample]:
    """The counts, each with a zero where the other cycle has one."""
    judged = [tuple(row) for row in await store.pool.fetch(_RESULTS)]
    answered = [tuple(row) for row in await store.pool.fetch(_ANSWERS)]
    results = sorted({result for _, result, _ in judged})
    return [
        *_of_cycles(telemetry.EVALUATED_FAMILIES, judged, results),
        *_of_cycles(telemetry.ANSWERED_PAYMENTS, answered, OUTCOMES),
    ]


def _of_cycles(
    metric: Metric, counts: Sequence[tuple[str, str, int]], values: Sequence[str]
) -> list[Sample]:
    found = {(tahap, value): count for tahap, value, count in counts}
    tahaps = sorted({tahap for tahap, _, _ in counts}, reverse=True)
    return [
        Sample(metric, found.get((tahap, value), 0), (cycle, value))
        for cycle, tahap in zip(CYCLES, tahaps, strict=False)
        for value in values
    ]
