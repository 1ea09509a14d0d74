"""Families that a tahap was frozen without and nobody has paid yet, and why each is deferred."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events.store.postgres import Store
from services.payments.domain.tahap.state import TahapState

# A family's region is that of its line, or of its latest line where this tahap's has not arrived.
_PAGE: Final = """
SELECT family::text, region, reason, answer FROM (
    SELECT waits.family,
           coalesce((SELECT line ->> 'region' FROM list_line
                     WHERE list_line.family = waits.family AND line IS NOT NULL
                     ORDER BY tahap = $1 DESC, tahap DESC LIMIT 1), '') AS region,
           coalesce((SELECT deferred FROM run_line
                     WHERE tahap = $1 AND run_line.family = waits.family
                       AND deferred IS NOT NULL LIMIT 1),
                    nullif(waits.reason, ''),
                    (SELECT reason FROM list_withheld
                     WHERE tahap = $1 AND list_withheld.family = waits.family), '') AS reason,
           (SELECT unanswered_line.answer FROM unanswered_line
            JOIN run_line USING (tahap, kind, payment)
            WHERE tahap = $1 AND run_line.family = waits.family
            ORDER BY kind DESC LIMIT 1) AS answer
    FROM unnest($2::uuid[], $3::text[]) AS waits (family, reason)
) AS deferred
WHERE ($4::uuid IS NULL OR deferred.family > $4) AND ($5::text IS NULL OR reason = $5)
  AND EXISTS (SELECT FROM unnest($6::text[], $7::text[]) AS r (low, high)
              WHERE region COLLATE "C" >= low AND region COLLATE "C" < high)
ORDER BY deferred.family LIMIT $8
"""


async def deferred_families(
    store: Store,
    state: TahapState,
    regions: tuple[str, ...],
    reason: str | None,
    after: UUID | None,
    limit: int,
) -> list[dict[str, Any]]:
    """The families of some regions that wait for a supplementary run, in order of id."""
    named = {
        deferral.family: deferral.reason
        for run in state.lists
        if run.frozen is not None
        for deferral in run.frozen.deferred
    }
    waits = [(family, named.get(family, "")) for family in state.outstanding]
    families, reasons = [family for family, _ in waits], [why for _, why in waits]
    rows = await store.pool.fetch(
        _PAGE, state.tahap, families, reasons, after, reason, *region_ranges(regions), limit
    )
    return [dict(row) for row in rows]
