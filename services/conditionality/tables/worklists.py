"""Lists to work through: cycles not met, corrections that wait; rows beside the streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.conditionality.domain.commitment import (
    Commitment,
    CorrectionApproved,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
    CycleEvaluated,
    Event,
)
from services.conditionality.domain.duties import Result
from services.conditionality.tables.exceptions import keep_counted
from services.conditionality.tables.investigations import keep_open

Unmet: TypeAlias = Literal["FAILED", "UNVERIFIED"]

_KEEP_UNMET: Final = """
INSERT INTO unmet_cycle (tahap, family, result)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[])
ON CONFLICT (tahap, family) DO UPDATE SET result = excluded.result
"""
_DROP_MET: Final = """
DELETE FROM unmet_cycle USING unnest($1::text[], $2::uuid[]) AS met (tahap, family)
WHERE unmet_cycle.tahap = met.tahap AND unmet_cycle.family = met.family
"""
_KEEP_WAITING: Final = """
INSERT INTO correction_waiting (family, tahap, correction, result) VALUES ($1, $2, $3, $4)
ON CONFLICT (family, tahap) DO UPDATE SET correction = $3, result = $4
"""
_DROP_WAITING: Final = "DELETE FROM correction_waiting WHERE family = $1 AND tahap = $2"
_WANTED: Final = """
LEFT JOIN family_region USING (family) LEFT JOIN erased_family AS erased USING (family)
WHERE erased.family IS NULL
  AND ($1::text IS NULL OR tahap = $1) AND ($2::text IS NULL OR result = $2)
  AND EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
              WHERE coalesce(region, '') >= low AND coalesce(region, '') < high)
"""
_UNMET: Final = f"""
SELECT family::text, tahap, result, coalesce(region, '') AS region FROM unmet_cycle {_WANTED}
  AND ($5::uuid IS NULL OR unmet_cycle.family > $5) ORDER BY unmet_cycle.family LIMIT $6
"""  # noqa: S608 - of texts that stand here
_WAITING: Final = f"""
SELECT family::text, tahap, correction, result, coalesce(region, '') AS region
FROM correction_waiting {_WANTED}
  AND ($5::uuid IS NULL OR (correction_waiting.family, tahap) > ($5, $6))
ORDER BY correction_waiting.family, tahap LIMIT $7
"""  # noqa: S608 - of texts that stand here


async def keep_worklists(unit: Transaction, outcomes: Sequence[Outcome[Commitment, Event]]) -> None:
    """Note what waits for people now and what does not, in the transaction of the events."""
    await keep_open(unit, outcomes)
    events = [event for outcome in outcomes for event in outcome.events]
    evaluated = [event for event in events if isinstance(event, CycleEvaluated)]
    await _keep_cycles(unit, evaluated)
    await keep_counted(unit, evaluated)
    for event in events:
        match event:
            case CorrectionProposed():
                row = event.family, event.tahap, event.correction, event.result
                await unit.connection.execute(_KEEP_WAITING, *row)
            case CorrectionApproved() | CorrectionRejected() | CorrectionWithdrawn():
                await unit.connection.execute(_DROP_WAITING, event.family, event.tahap)
            case _:
                pass  # nothing that waits for anybody


async def _keep_cycles(unit: Transaction, evaluated: Iterable[CycleEvaluated]) -> None:
    latest = {(event.tahap, event.family): event for event in evaluated}
    unmet = [event for _, event in sorted(latest.items()) if _is_unmet(event)]
    # Most cycles are met at once, and of those nothing stands here that could go.
    met = [key for key, event in latest.items() if not _is_unmet(event) and event.revision > 1]
    if unmet:
        rows = [(event.tahap, event.family, event.result) for event in unmet]
        await unit.connection.execute(_KEEP_UNMET, *map(list, zip(*rows, strict=True)))
    if met:
        await unit.connection.execute(_DROP_MET, *map(list, zip(*met, strict=True)))


def _is_unmet(event: CycleEvaluated) -> bool:
    """True where a duty is left for somebody to look after; all may be excused instead."""
    return event.result != "COMPLIANT" and bool(event.duties)


# -- Read -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorklistFilter:
    """Filters of the rows; None is any."""

    tahap: str | None
    result: Result | None
    regions: tuple[str, ...]

    def arguments(self) -> tuple[Any, ...]:
        """The filters as the statements take them."""
        return self.tahap, self.result, *region_ranges(self.regions)


async def unmet_cycles(
    store: Store, wanted: WorklistFilter, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Families whose cycle failed or stayed unverified, in order of id."""
    rows = await store.pool.fetch(_UNMET, *wanted.arguments(), after, limit)
    return [dict(row) for row in rows]


async def waiting_corrections(
    store: Store, wanted: WorklistFilter, after: tuple[UUID, str] | None, limit: int
) -> list[dict[str, Any]]:
    """Corrections that wait for a second person, in order of family and tahap."""
    rows = await store.pool.fetch(_WAITING, *wanted.arguments(), *(after or (None, "")), limit)
    return [dict(row) for row in rows]
