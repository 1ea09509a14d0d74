"""Answers about a tahap's announcement: who overrides what, and what waits."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel

from services.payments.domain.tahap.messages import (
    AnnouncementProposed,
    CancellationProposed,
    Terms,
)
from services.payments.domain.tahap.state import TahapState


class OverrideView(BaseModel):
    """The person who lets a tahap be paid by a benefit table without a verified source, and why."""

    table: str
    reason: str
    by: str


class TermsView(BaseModel):
    """Months, dates and rules of a tahap."""

    months: list[str]
    closing_date: date
    account_check_date: date
    credit_date: date
    rule_set: str
    override: OverrideView | None


class ProposalView(BaseModel):
    """A proposal that waits for an approval; `hash` is what the approver sends.

    `what` is ANNOUNCEMENT, CANCELLATION, or CORRECTION: a cancellation that announces the tahap
    anew on `terms`. `behind` are later tahaps whose lists have not begun: they make way, and are
    announced anew as they are. `heads` are the positions of the services' logs now, null of one
    that does not answer.
    """

    what: Literal["ANNOUNCEMENT", "CANCELLATION", "CORRECTION"]
    hash: str
    revision: int
    maker: str
    reason: str | None = None
    terms: TermsView | None = None
    after: dict[str, int] = {}
    behind: list[str] = []
    heads: dict[str, int | None] = {}


def override_view(terms: Terms) -> OverrideView | None:
    """The override that terms hold, None for none."""
    override = terms.override
    return (
        OverrideView(table=override.table, reason=override.reason, by=override.by)
        if override
        else None
    )


def terms_view(terms: Terms) -> TermsView:
    """Terms as they are told."""
    return TermsView(
        months=list(terms.months),
        closing_date=terms.closing_date,
        account_check_date=terms.account_check_date,
        credit_date=terms.credit_date,
        rule_set=terms.policies["rule_set"],
        override=override_view(terms),
    )


def proposal_view(state: TahapState) -> ProposalView | None:
    """The proposal that waits for an approval, without the services' heads; None for nothing."""
    match state.proposal:
        case AnnouncementProposed() as waits:
            return ProposalView(
                what="ANNOUNCEMENT",
                hash=waits.hash,
                revision=waits.revision,
                maker=waits.maker,
                terms=terms_view(waits.terms),
                after=dict(waits.after),
                behind=list(waits.behind),
            )
        case CancellationProposed() as waits:
            return ProposalView(
                what="CORRECTION" if waits.terms else "CANCELLATION",
                hash=waits.hash,
                revision=waits.revision,
                maker=waits.maker,
                reason=waits.reason,
                terms=terms_view(waits.terms) if waits.terms else None,
                behind=list(waits.behind),
            )
        case None:
            return None
