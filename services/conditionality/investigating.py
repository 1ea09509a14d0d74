"""Which families are under investigation: rows beside their streams, read page by page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events.model import Outcome
from libs.events.store import Store
from libs.events.transaction import Transaction
from services.conditionality.contract import COMMITMENT
from services.conditionality.domain.commitment import (
    Cleared,
    Commitment,
    Event,
    InvestigationOpened,
    InvestigationWithdrawn,
    Terminated,
)

_OPENS_OR_ENDS: Final = (InvestigationOpened, InvestigationWithdrawn, Terminated, Cleared)

_KEEP: Final = """
INSERT INTO investigation_open (family, tahap) SELECT * FROM unnest($1::uuid[], $2::text[])
ON CONFLICT (family) DO UPDATE SET tahap = excluded.tahap
"""
_PAGE: Final = """
SELECT family::text FROM investigation_open LEFT JOIN family_region USING (family)
WHERE ($1::text IS NULL OR tahap = $1) AND ($2::uuid IS NULL OR family > $2) AND EXISTS (
    SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE coalesce(region, '') >= low AND coalesce(region, '') < high)
ORDER BY investigation_open.family LIMIT $5
"""


async def keep_open(unit: Transaction, outcomes: Iterable[Outcome[Commitment, Event]]) -> None:
    """Note which families' investigations opened or ended, in the transaction of the events."""
    states: dict[str, Commitment] = {}
    for outcome in outcomes:
        for event in outcome.events:
            if isinstance(event, _OPENS_OR_ENDS):
                states[event.family] = outcome.state
    opened = {
        family: state.investigation.tahap
        for family, state in states.items()
        if state.investigation is not None and state.under_investigation
    }
    if opened:
        await unit.connection.execute(_KEEP, list(opened), list(opened.values()))
    if ended := list(states.keys() - opened.keys()):
        statement = "DELETE FROM investigation_open WHERE family = ANY($1::uuid[])"
        await unit.connection.execute(statement, ended)


async def under_investigation(
    store: Store, tahap: str | None, regions: Sequence[str], after: UUID | None, limit: int
) -> list[tuple[str, Commitment]]:
    """At most `limit` families of regions behind one, in order of id, and how each stands.

    `tahap` is the one at which their investigations opened, None for all.
    """
    async with store.looking() as look:
        rows = await look.connection.fetch(_PAGE, tahap, after, *region_ranges(regions), limit)
        families = [row["family"] for row in rows]
        found = await look.load(COMMITMENT, [f"commitment-{family}" for family in families])
    return [(family, found[f"commitment-{family}"].state) for family in families]
