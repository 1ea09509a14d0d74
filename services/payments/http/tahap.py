"""A tahap over HTTP: its lists, proposed by one person and approved by another, and its close."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Response

from libs.chassis.auth import Principal, require, require_nation
from libs.chassis.bodies import TahapId, TahapUnknown
from libs.chassis.deciding import Deciding, DecidingOf
from libs.chassis.etag import IfMatch, Seen, etag
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import resource
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.service import StoreOf
from libs.events.store.transaction import Transaction
from services.payments.domain.payment.messages import Defer
from services.payments.domain.shared.errors import Malformed
from services.payments.domain.shared.ids import REGULAR, payment_id, supplementary
from services.payments.domain.tahap.messages import (
    ApproveClose,
    ApproveFreeze,
    Deferral,
    FamiliesDeferred,
    ListFrozen,
    MarkListReady,
    OpenSupplementary,
    ProposeClose,
    ProposeFreeze,
)
from services.payments.http import announcing, answers, refusals
from services.payments.http.schemas import (
    Approval,
    Close,
    FreezeApproval,
    FreezeProposal,
    Kind,
    Opened,
    Supplementary,
)
from services.payments.partners.client import Outside
from services.payments.policy import Policies
from services.payments.tables import phases, versions
from services.payments.tables.holds import held_among, lapsing
from services.payments.tables.list_lines import arrived
from services.payments.tables.open_lists import open_run, unmoved, withheld_more
from services.payments.tables.payments import PaymentCommands, pay_or_set_aside, place_payments
from services.payments.workers.ready_lists import ListMaker

Maker = Annotated[Principal, require_nation("payments:make")]
Checker = Annotated[Principal, require_nation("payments:check")]
Reader = Annotated[Principal, require("payments:read")]
NationReader = Annotated[Principal, require_nation("payments:read")]
PoliciesOf = Annotated[Policies, resource("policies")]
ListsOf = Annotated[ListMaker, resource("lists")]
OutsideOf = Annotated[Outside, resource("outside")]

STILL_MISSING: Final = "STILL_MISSING"

router = APIRouter(tags=["payments"])


# -- How a tahap stands ---------------------------------------------------------------------------


@router.get("/tahap")
async def tahaps(store: StoreOf, reader: Reader, paging: Paging) -> Page[phases.TahapPhase]:
    """The tahaps that are announced or proposed, in order, and how far each is."""
    rows = await phases.tahaps(store, paging.after(str), paging.rows)
    found, following = paging.cut(rows, lambda row: row.tahap)
    return Page[phases.TahapPhase](items=list(found), next=following)


@router.get("/tahap/{tahap}", responses=refuses(TahapUnknown) | UNCHANGED)
async def tahap_view(
    tahap: TahapId,
    store: StoreOf,
    outside: OutsideOf,
    reader: NationReader,
    noted: Noted,
    response: Response,
) -> answers.TahapView:
    """A tahap as it stands: what waits for an approval, its list, who is missing, its runs."""
    async with store.looking() as unit:
        standing = await versions.load(unit, tahap)
        view = await answers.tahap_view(unit, standing.tahap, standing.terms, standing.runs)
    if view.proposal is not None:
        view.proposal.heads = await announcing.heads(outside)
    response.headers["ETag"] = etag(standing.version, view.model_dump_json())
    return await noted(view)


# -- What people decide on it ---------------------------------------------------------------------


async def deciding_on(
    deciding: Deciding,
    tahap: str,
    seen: Seen,
    decide: Callable[[Transaction, versions.Standing], Awaitable[None]],
) -> Response:
    """Have somebody decide on a tahap as they saw it; the answer says its new version."""

    async def decided(unit: Transaction) -> Reply:
        standing = await versions.ensure_seen(unit, tahap, seen)
        await decide(unit, standing)
        return Reply(204, None, {"ETag": etag(standing.version)})

    return await deciding(decided)


@router.post(
    "/tahap/{tahap}/freeze-proposal",
    status_code=204,
    responses=refusals.PROPOSED,
)
async def propose_freeze(
    tahap: TahapId,
    body: FreezeProposal,
    deciding: DecidingOf,
    maker: Maker,
    seen: IfMatch,
) -> Response:
    """Propose to freeze a run's list as it stands."""
    command = ProposeFreeze(maker.subject, body.hash, _named(body), diff=body.diff or "")
    return await _propose(deciding, seen, tahap, command)


@router.post(
    "/tahap/{tahap}/runs/{kind}/freeze-proposal", status_code=204, responses=refusals.PROPOSED
)
async def propose_supplementary_freeze(
    tahap: TahapId,
    kind: Kind,
    body: FreezeProposal,
    deciding: DecidingOf,
    maker: Maker,
    seen: IfMatch,
) -> Response:
    """Propose to freeze a supplementary list whose differences one has seen."""
    command = ProposeFreeze(maker.subject, body.hash, _named(body), kind, body.diff or "")
    return await _propose(deciding, seen, tahap, command)


def _named(body: FreezeProposal) -> tuple[Deferral, ...]:
    return tuple(Deferral(str(deferral.family), deferral.reason) for deferral in body.deferred)


async def _propose(deciding: Deciding, seen: Seen, tahap: str, command: ProposeFreeze) -> Response:
    async def proposed(unit: Transaction, standing: versions.Standing) -> None:
        await standing.decide(unit, command)

    return await deciding_on(deciding, tahap, seen, proposed)


@router.post("/tahap/{tahap}/freeze-approval", status_code=204, responses=refusals.FROZEN)
async def approve_freeze(
    tahap: TahapId,
    body: FreezeApproval,
    deciding: DecidingOf,
    checker: Checker,
    seen: IfMatch,
) -> Response:
    """Freeze the list that another person proposed; from here on it is paid."""
    command = ApproveFreeze(checker.subject, body.hash, diff=body.diff or "")
    return await _freeze(deciding, seen, tahap, command)


@router.post(
    "/tahap/{tahap}/runs/{kind}/freeze-approval", status_code=204, responses=refusals.FROZEN
)
async def approve_supplementary_freeze(
    tahap: TahapId,
    kind: Kind,
    body: FreezeApproval,
    deciding: DecidingOf,
    checker: Checker,
    seen: IfMatch,
) -> Response:
    """Freeze a supplementary list that another person proposed."""
    command = ApproveFreeze(checker.subject, body.hash, kind, diff=body.diff or "")
    return await _freeze(deciding, seen, tahap, command)


async def _freeze(deciding: Deciding, seen: Seen, tahap: str, command: ApproveFreeze) -> Response:
    async def frozen(unit: Transaction, standing: versions.Standing) -> None:
        announced = standing.tahap.announced if command.kind == REGULAR else None
        if announced and not await unmoved(unit, tahap, announced.credit_date):
            raise refusals.ListMoved(tahap=tahap)
        beyond = await withheld_more(unit, tahap) if command.kind == REGULAR else ()
        outcome = await standing.decide(unit, replace(command, withheld=beyond))
        if outcome.events:
            revision = outcome.state.revision
            await open_run(unit, tahap, command.kind, revision, unit.context.trace)
        for event in outcome.events:
            if isinstance(event, ListFrozen | FamiliesDeferred) and event.deferred:
                await _defer(unit, tahap, event.deferred)

    return await deciding_on(deciding, tahap, seen, frozen)


async def _defer(unit: Transaction, tahap: str, deferred: Sequence[Deferral]) -> None:
    """Close the payments of families that a list is frozen without, for good."""
    defer = [
        PaymentCommands(
            (tahap, REGULAR),
            payment_id(tahap, deferral.family),
            (Defer(tahap, deferral.family, REGULAR, deferral.reason),),
        )
        for deferral in deferred
    ]
    await pay_or_set_aside(unit, defer)
    await place_payments(unit, tahap, REGULAR, [deferral.family for deferral in deferred])


@router.post(
    "/tahap/{tahap}/supplementary-runs",
    status_code=201,
    response_model=Opened,
    responses=refusals.OPENED,
)
async def open_supplementary(
    tahap: TahapId,
    body: Supplementary,
    lists: ListsOf,
    deciding: DecidingOf,
    maker: Maker,
    seen: IfMatch,
) -> Response:
    """Open a supplementary list for families that were deferred and have arrived since."""

    async def opened_list(unit: Transaction) -> Reply:
        standing = await versions.ensure_seen(unit, tahap, seen)
        state = standing.tahap
        credit_date = standing.terms.credit_date
        today = max(credit_date, unit.context.at.date())
        day = body.day or today
        # On a day that has not come, a hold would be over that is in force.
        if not credit_date <= day <= today:
            raise Malformed(field="day", first=credit_date, last=today)
        held = await held_among(unit, tahap, day, state.outstanding)
        free = [family for family in state.outstanding if family not in held]
        named = [str(family) for family in body.families]
        families = named or await arrived(unit, tahap, free)
        number = len(state.lists)
        opened = await standing.decide(unit, OpenSupplementary(number, tuple(families), day))
        missing = set(families) - (set(await arrived(unit, tahap, families)) - held.keys())
        ready = await lists.ready(unit, opened.state, supplementary(number), families, missing)
        await standing.decide(unit, ready)
        deferred = tuple(Deferral(x, held.get(x, STILL_MISSING)) for x in ready.missing)
        if not (ready.diff and ready.diff.to_acknowledge):
            proposal = ProposeFreeze(maker.subject, ready.hash, deferred, ready.kind)
            await standing.decide(unit, proposal)
        return Reply(201, _opened(ready, families, deferred), {"ETag": etag(standing.version)})

    return await deciding(opened_list)


def _opened(
    ready: MarkListReady, families: Sequence[str], deferred: Sequence[Deferral]
) -> dict[str, object]:
    return {
        "kind": ready.kind,
        "hash": ready.hash,
        "count": ready.count,
        "rupiah": ready.rupiah,
        "cut": ready.cut,
        "families": sorted(families),
        "deferred": [{"family": x.family, "reason": x.reason} for x in deferred],
        "diff": (ready.diff.to_acknowledge or None) if ready.diff else None,
    }


@router.post("/tahap/{tahap}/close-proposal", status_code=204, responses=refusals.CLOSE_PROPOSED)
async def propose_close(
    tahap: TahapId, body: Close, deciding: DecidingOf, maker: Maker, seen: IfMatch
) -> Response:
    """Propose to close a tahap whose runs are settled; needed where deferred families are left.

    Families that are excluded lapse without being named.
    """
    named = [Deferral(str(deferral.family), deferral.reason) for deferral in body.lapsed]
    families = {deferral.family for deferral in named}

    async def proposed(unit: Transaction, standing: versions.Standing) -> None:
        excluded = [x for x in await lapsing(unit, standing.tahap) if x.family not in families]
        await standing.decide(unit, ProposeClose(maker.subject, (*named, *excluded)))

    return await deciding_on(deciding, tahap, seen, proposed)


@router.post("/tahap/{tahap}/close-approval", status_code=204, responses=refusals.CLOSED)
async def approve_close(
    tahap: TahapId, body: Approval, deciding: DecidingOf, checker: Checker, seen: IfMatch
) -> Response:
    """Close the tahap as another person proposed: who is named is not paid in it any more."""

    async def closed(unit: Transaction, standing: versions.Standing) -> None:
        await standing.decide(unit, ApproveClose(checker.subject, body.hash))

    return await deciding_on(deciding, tahap, seen, closed)
