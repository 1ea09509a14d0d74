"""A tahap is cancelled or corrected over HTTP: one person proposes it, another approves it."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Response

from libs.chassis.bodies import TahapId
from libs.chassis.deciding import Deciding, DecidingOf
from libs.chassis.etag import IfMatch, Seen, etag
from libs.chassis.idempotency import Reply
from libs.chassis.service import StoreOf
from libs.events.store.transaction import Transaction
from services.payments.domain.run.cancellation import require_cancellable
from services.payments.domain.tahap.messages import (
    ApproveCancellation,
    Circumstances,
    ProposeCancellation,
)
from services.payments.http import announcing, refusals
from services.payments.http.announcement import Announcer, terms_of
from services.payments.http.schemas import (
    AnnouncementApproval,
    Approval,
    Cancellation,
    Correction,
)
from services.payments.http.tahap import OutsideOf, PoliciesOf
from services.payments.tables import versions
from services.payments.workers.canceller import alone_with_runs, begin_cancelling
from services.payments.workers.making_way import alone_with_lists_behind, make_way

router = APIRouter(tags=["payments"])


@router.post(
    "/tahap/{tahap}/cancellation-proposal",
    status_code=204,
    responses=refusals.CANCELLATION_PROPOSED,
)
async def propose_cancellation(
    tahap: TahapId,
    body: Cancellation,
    deciding: DecidingOf,
    announcer: Announcer,
    seen: IfMatch,
) -> Response:
    """Propose to cancel a tahap that is announced, for another person to approve."""
    command = ProposeCancellation(body.reason, announcer.subject, Circumstances())
    return await _propose(deciding, seen, tahap, command)


@router.post(
    "/tahap/{tahap}/correction-proposal", status_code=204, responses=refusals.CORRECTION_PROPOSED
)
async def propose_correction(
    tahap: TahapId,
    body: Correction,
    store: StoreOf,
    policies: PoliciesOf,
    outside: OutsideOf,
    deciding: DecidingOf,
    announcer: Announcer,
    seen: IfMatch,
) -> Response:
    """Propose to cancel a tahap and announce it anew on other terms, in one approval."""
    answers = await announcing.answers(outside, policies, store)
    terms = terms_of(body, policies, announcer.subject)
    against = Circumstances(answers=answers)
    command = ProposeCancellation(body.reason, announcer.subject, against, terms)
    return await _propose(deciding, seen, tahap, command)


async def _propose(
    deciding: Deciding, seen: Seen, tahap: str, command: ProposeCancellation
) -> Response:
    async def decided(unit: Transaction) -> Reply:
        others = await announcing.other_tahaps(unit, tahap)
        standing = await versions.ensure_seen(unit, tahap, seen)
        for run in standing.runs.values():
            require_cancellable(run)
        against = replace(command.circumstances, others=others)
        await standing.decide(unit, replace(command, circumstances=against))
        return Reply(204, None, {"ETag": etag(standing.version)})

    return await deciding(decided)


@router.post("/tahap/{tahap}/cancellation-approval", status_code=204, responses=refusals.CANCELLED)
async def approve_cancellation(
    tahap: TahapId,
    body: Approval,
    deciding: DecidingOf,
    announcer: Announcer,
    seen: IfMatch,
) -> Response:
    """Cancel what another person proposed to cancel: every service takes back what it did."""
    command = ApproveCancellation(announcer.subject, body.hash, Circumstances())
    return await _approve(deciding, seen, tahap, command)


@router.post("/tahap/{tahap}/correction-approval", status_code=204, responses=refusals.CANCELLED)
async def approve_correction(
    tahap: TahapId,
    body: AnnouncementApproval,
    store: StoreOf,
    policies: PoliciesOf,
    outside: OutsideOf,
    deciding: DecidingOf,
    announcer: Announcer,
    seen: IfMatch,
) -> Response:
    """Cancel a tahap and announce it anew, as another person proposed."""
    against = Circumstances(answers=await announcing.answers(outside, policies, store))
    after = body.after.positions()
    command = ApproveCancellation(announcer.subject, body.hash, against, after)
    return await _approve(deciding, seen, tahap, command)


async def _approve(
    deciding: Deciding, seen: Seen, tahap: str, command: ApproveCancellation
) -> Response:
    async def decided(unit: Transaction) -> Reply:
        await announcing.alone(unit)
        await alone_with_runs(unit, tahap)
        standing = await versions.ensure_seen(unit, tahap, seen)
        await alone_with_lists_behind(unit, standing.tahap)
        others = await announcing.other_tahaps(unit, tahap)
        await make_way(unit, standing.tahap, others, command.checker)
        against = replace(command.circumstances, others=others)
        if (await standing.decide(unit, replace(command, circumstances=against))).events:
            await begin_cancelling(unit, tahap, standing.tahap.revision, standing.runs)
        return Reply(204, None, {"ETag": etag(standing.version)})

    return await deciding(decided)
