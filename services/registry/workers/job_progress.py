"""Progress of the registry's long work: the list of a tahap."""

from __future__ import annotations

from typing import Final

from libs.chassis.stream_jobs import Progress, StreamJobs, share_before
from libs.events.store.postgres import Store
from services.registry.contract import LISTING

LISTER: Final = "lister"
UNLISTER: Final = "unlister"
REWRAPPER: Final = "rewrapper"
WIDE_MESSAGES: Final = "wide-messages"
"""The leader's works."""


async def listing(store: Store, tahap: str) -> Progress:
    """A tahap's list, in families; before its end the total is estimated from its cursor."""
    stream_id = f"listing-{tahap}"
    state = (await store.read(LISTING, [stream_id]))[stream_id].state
    counts = {
        "listed": state.listed,
        "graduated": state.graduated,
        "pending": state.pending,
        "withheld": len(state.withheld) + state.withheld_more,
    }
    done, share = sum(counts.values()), share_before(state.cursor)
    if not state.open:
        return Progress("DONE", done, done, "families", counts, result=dict(counts))
    return Progress("RUNNING", done, round(done / share) if done else None, "families", counts)


LISTINGS = StreamJobs(
    kind="listing",
    ends_with=("ListClosed", "ListingCancelled"),
    why_not="a list that was announced is made to its end; two people cancel its tahap at payments",
    progress=listing,
    work=LISTER,
    seen_by=frozenset({"registry:read"}),
)
