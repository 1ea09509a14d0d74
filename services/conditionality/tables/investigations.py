"""Families under investigation: rows beside their streams, read page by page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events.consumer.batch_bisection import load_by_halves
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.conditionality.contract import COMMITMENT
from services.conditionality.domain.commitment import (
    Cleared,
    Commitment,
    Event,
    FindingBrought,
    FindingRejected,
    InvestigationOpened,
    InvestigationWithdrawn,
    Terminated,
)

_CHANGES: Final = (
    InvestigationOpened,
    InvestigationWithdrawn,
    FindingBrought,
    FindingRejected,
    Terminated,
    Cleared,
)

_KEEP: Final = """
INSERT INTO investigation_open (family, tahap, finding)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::boolean[])
ON CONFLICT (family) DO UPDATE SET tahap = excluded.tahap, finding = excluded.finding
"""
_PAGE: Final = """
SELECT family::text FROM investigation_open LEFT JOIN family_region USING (family)
WHERE ($1::text IS NULL OR tahap = $1) AND ($2::boolean IS NULL OR finding = $2) AND EXISTS (
    SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE coalesce(region, '') >= low AND coalesce(region, '') < high)
  AND NOT EXISTS (SELECT FROM erased_family AS erased
                  WHERE erased.family = investigation_open.family)
  AND ($5::uuid IS NULL OR family > $5) ORDER BY investigation_open.family LIMIT $6
"""


async def keep_open(unit: Transaction, outcomes: Iterable[Outcome[Commitment, Event]]) -> None:
    """Note which families' investigations are open, and whether a finding waits, in the transaction
    of the events."""
    states: dict[str, Commitment] = {}
    for outcome in outcomes:
        for event in outcome.events:
            if isinstance(event, _CHANGES):
                states[event.family] = outcome.state
    opened = [
        (
            family,
            investigation.tahap,
            investigation.finding is not None and investigation.finding.decision == "WAITING",
        )
        for family, state in states.items()
        if (investigation := state.investigation) is not None and state.under_investigation
    ]
    if opened:
        await unit.connection.execute(_KEEP, *map(list, zip(*opened, strict=True)))
    if ended := list(states.keys() - {family for family, _, _ in opened}):
        statement = "DELETE FROM investigation_open WHERE family = ANY($1::uuid[])"
        await unit.connection.execute(statement, ended)


@dataclass(frozen=True, slots=True)
class InvestigationFilter:
    """Filters of open investigations: those of a tahap, with or without a finding that
    waits; None is any."""

    tahap: str | None
    finding: bool | None
    regions: tuple[str, ...]


async def under_investigation(
    store: Store, wanted: InvestigationFilter, after: UUID | None, limit: int
) -> list[tuple[str, Commitment | None]]:
    """At most `limit` families behind one, in order of id, and how each stands; None of one that
    cannot be read."""
    where = wanted.tahap, wanted.finding, *region_ranges(wanted.regions)
    async with store.looking() as look:
        rows = await look.connection.fetch(_PAGE, *where, after, limit)
        families = [row["family"] for row in rows]
        streams = [f"commitment-{family}" for family in families]
        found = await load_by_halves(look, COMMITMENT, streams)
    return [
        (family, found[stream].state if stream in found else None)
        for family, stream in zip(families, streams, strict=True)
    ]
