"""Answers of payments: how a tahap and its runs stand, a family's payments, the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from pydantic import BaseModel

from libs.events.domain.errors import DomainError
from libs.events.store.transaction import Transaction
from services.payments.domain.run.deferral import unanswered_hash
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.totals import Totals, total
from services.payments.domain.tahap.messages import CloseProposed, Terms
from services.payments.domain.tahap.state import PaymentList, TahapState
from services.payments.http.announcement_answers import (
    OverrideView,
    ProposalView,
    override_view,
    proposal_view,
)
from services.payments.http.list_answers import (
    MISSING_SHOWN_MAX,
    Candidate,
    ListView,
    candidates,
    list_view,
)
from services.payments.tables.phases import run_phase, tahap_phase
from services.payments.tables.run_lines import order_of
from services.payments.tables.unanswered import unanswered
from services.payments.workers.troubles import (
    PartnerTrouble,
    cancellation_trouble,
    partners_in_trouble,
    run_trouble,
)


class OrderDiffers(DomainError):
    """The payments whose accounts passed are not those of this hash."""


class Figures(BaseModel):
    """The number of payments, and the whole rupiah that they come to."""

    count: int
    rupiah: int


class UnansweredView(Figures):
    """The lines of whose accounts the treasury says neither yes nor no; `hash` is what two people
    approve to go on without them, `maker` who proposes it, `families` the first of them."""

    hash: str
    maker: str | None
    families: list[UUID]


class OrderView(Figures):
    """The payments whose accounts passed; `hash` is what two people approve."""

    hash: str


class IncidentView(BaseModel):
    """A word of a partner that cannot be its own; its part of the run waits for a judgement."""

    partner: str
    error: str


class RunView(BaseModel):
    """A payment run, by the documents that it has so far.

    `deferred` are the lines that left it by name since its list was frozen.
    """

    kind: str
    phase: str
    list_hash: str | None
    count: int
    rupiah: int
    cut: int
    deferred_candidates: list[Candidate]
    unanswered: UnansweredView | None
    order: OrderView | None
    check_failed: Figures
    credited: Figures
    failed: Figures
    unknown: Figures
    deferred: Figures
    trouble: str | None
    partners_in_trouble: list[PartnerTrouble]
    incidents: list[IncidentView]


class CloseView(BaseModel):
    """A proposal to close a tahap: the hash that its approver sends, and the families that nobody
    will pay in it any more, the first of them by name."""

    hash: str
    maker: str
    count: int
    lapsed: list[Candidate]


class TahapView(BaseModel):
    """The standing of a tahap; `trouble` is why a cancelled one is not taken back yet."""

    tahap: str
    phase: str
    months: list[str]
    closing_date: date
    account_check_date: date
    credit_date: date
    rule_set: str
    revision: int
    trouble: str | None
    override: OverrideView | None
    proposal: ProposalView | None
    closing: CloseView | None
    runs: list[RunView]
    list: ListView


# -- Tahap ----------------------------------------------------------------------------------------


async def tahap_view(
    unit: Transaction,
    state: TahapState,
    terms: Terms,
    runs: Mapping[str, RunState],
) -> TahapView:
    """A tahap with its list and runs, by kind."""
    shown = await list_view(unit, state)
    views = [
        await _run_view(unit, state, payment_list, runs[payment_list.kind])
        for payment_list in state.lists
    ]
    return TahapView(
        tahap=state.tahap,
        phase=tahap_phase(state),
        months=list(terms.months),
        closing_date=terms.closing_date,
        account_check_date=terms.account_check_date,
        credit_date=terms.credit_date,
        rule_set=terms.policies["rule_set"],
        revision=state.revision,
        trouble=await cancellation_trouble(unit, state.tahap),
        override=override_view(terms),
        proposal=proposal_view(state),
        closing=_close_view(state.closing),
        list=shown,
        runs=views,
    )


def _close_view(proposed: CloseProposed | None) -> CloseView | None:
    if proposed is None:
        return None
    return CloseView(
        hash=proposed.hash,
        maker=proposed.maker,
        count=len(proposed.lapsed),
        lapsed=[
            Candidate(family=deferral.family, reason=deferral.reason)
            for deferral in proposed.lapsed[:MISSING_SHOWN_MAX]
        ],
    )


async def _run_view(
    unit: Transaction, standing: TahapState, payment_list: PaymentList, state: RunState
) -> RunView:
    tahap = standing.tahap
    failed_check = total(answer.failed for answer in state.check_answers)
    return RunView(
        kind=payment_list.kind,
        phase=run_phase(payment_list, state),
        list_hash=payment_list.ready.hash if payment_list.ready else None,
        count=payment_list.ready.count if payment_list.ready else 0,
        rupiah=payment_list.ready.rupiah if payment_list.ready else 0,
        cut=payment_list.ready.cut if payment_list.ready else 0,
        deferred_candidates=await candidates(unit, standing, payment_list),
        unanswered=await _unanswered_view(unit, tahap, payment_list.kind, state),
        order=await _order_view(unit, tahap, payment_list.kind, state),
        check_failed=_figures(failed_check),
        credited=_figures(state.credited),
        failed=_figures(state.failed),
        unknown=_figures(state.instructed - state.credited - state.failed),
        deferred=_figures(Totals(len(state.deferred), sum(x.rupiah for x in state.deferred))),
        trouble=await run_trouble(unit, tahap, payment_list.kind),
        partners_in_trouble=await partners_in_trouble(unit, tahap, payment_list.kind),
        incidents=[IncidentView(partner=x.partner, error=x.error) for x in state.incidents],
    )


async def _unanswered_view(
    unit: Transaction, tahap: str, kind: str, state: RunState
) -> UnansweredView | None:
    if not state.checks or state.check_complete:
        return None
    lines = await unanswered(unit, (tahap, kind))
    stands, totals = unanswered_hash(tahap, kind, lines)
    proposal = state.unanswered_proposal
    view = UnansweredView(
        count=totals.count,
        rupiah=totals.rupiah,
        hash=stands,
        maker=proposal.maker if proposal and proposal.hash == stands else None,
        families=[UUID(line.family) for line in lines[:MISSING_SHOWN_MAX]],
    )
    return view if lines else None


async def _order_view(
    unit: Transaction, tahap: str, kind: str, state: RunState
) -> OrderView | None:
    document = state.order or state.request
    if document is not None:
        return OrderView(hash=document.hash, count=document.count, rupiah=document.rupiah)
    if not state.check_complete:
        return None
    stands, totals = await order_of(unit, tahap, kind)
    return OrderView(hash=stands, count=totals.count, rupiah=totals.rupiah)


def _figures(totals: Totals) -> Figures:
    return Figures(count=totals.count, rupiah=totals.rupiah)
