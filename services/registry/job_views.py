"""How far the registry's long work is: the list of a tahap."""

from __future__ import annotations

from typing import Final

from libs.chassis.run_jobs import Progress, Runs, share_before
from libs.events.store import Store
from services.registry.contract import LISTING

LISTER: Final = "lister"
"""The leader's work."""


async def listing(store: Store, tahap: str) -> Progress:
    """A tahap's list, in families; before its end the total is estimated from its cursor."""
    stream_id = f"listing-{tahap}"
    state = (await store.read(LISTING, [stream_id]))[stream_id].state
    counts = {
        "listed": state.listed,
        "graduated": state.graduated,
        "pending": state.pending,
        "withheld": len(state.withheld),
    }
    done, share = sum(counts.values()), share_before(state.cursor)
    if not state.open:
        return Progress("DONE", done, done, "families", counts, result=dict(counts))
    return Progress("RUNNING", done, round(done / share) if done else None, "families", counts)


LISTINGS = Runs(
    kind="listing",
    ends_with=("ListClosed",),
    why_not="a list that was announced is made to its end, or its tahap could never close",
    progress=listing,
    work=LISTER,
    seen_by=frozenset({"registry:read"}),
)
