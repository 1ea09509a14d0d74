"""What payments answers of a tahap's announcement: who overrides what, and what waits."""

from __future__ import annotations

from pydantic import BaseModel

from services.payments.domain.announcement_messages import Terms
from services.payments.domain.tahap_state import TahapState


class OverrideView(BaseModel):
    """Who lets a tahap be paid by a benefit table without a verified source, and why."""

    table: str
    reason: str
    by: str


class ProposalView(BaseModel):
    """An announcement that waits for its approval; `hash` is what the approver sends.

    `heads` are the positions of the services' logs now, null of one that does not answer.
    """

    hash: str
    revision: int
    maker: str
    after: dict[str, int]
    heads: dict[str, int | None] = {}


def override_view(terms: Terms) -> OverrideView | None:
    """The override that terms hold, None for none."""
    override = terms.override
    return (
        OverrideView(table=override.table, reason=override.reason, by=override.by)
        if override
        else None
    )


def proposal_view(state: TahapState) -> ProposalView | None:
    """What waits for an approval, without the services' heads; None for nothing."""
    waits = state.proposal
    if waits is None:
        return None
    return ProposalView(
        hash=waits.hash, revision=waits.revision, maker=waits.maker, after=dict(waits.after)
    )
