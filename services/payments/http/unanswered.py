"""An account check without an answer for some lines: two people let the run go on without them."""

from __future__ import annotations

from fastapi import APIRouter, Response

from libs.chassis.bodies import TahapId
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import IfMatch
from libs.chassis.idempotency import Reply
from libs.events.store.transaction import Transaction
from services.payments.domain.run.messages import DeferUnanswered, ProposeUnanswered
from services.payments.http import refusals
from services.payments.http.schemas import Approval, Kind
from services.payments.http.tahap import Checker, Maker, deciding_on
from services.payments.tables import versions
from services.payments.tables.deferrals import let_go
from services.payments.tables.payments import run
from services.payments.tables.unanswered import unanswered
from services.payments.workers.canceller import alone_with_runs

router = APIRouter(tags=["payments"])


@router.post(
    "/tahap/{tahap}/runs/{kind}/unanswered-proposal",
    status_code=204,
    responses=refusals.UNANSWERED_PROPOSED,
)
async def propose_unanswered(
    tahap: TahapId,
    kind: Kind,
    body: Approval,
    deciding: DecidingOf,
    maker: Maker,
    seen: IfMatch,
) -> Response:
    """Propose to go on without the lines of whose accounts the treasury says neither yes nor no."""

    async def proposed(unit: Transaction, standing: versions.Standing) -> None:
        lines = await unanswered(unit, (tahap, kind))
        command = ProposeUnanswered(maker.subject, body.hash, lines)
        standing.runs[kind] = await run(unit, tahap, kind, command)

    return await deciding_on(deciding, tahap, seen, proposed)


@router.post(
    "/tahap/{tahap}/runs/{kind}/unanswered-approval",
    status_code=204,
    responses=refusals.UNANSWERED_DEFERRED,
)
async def approve_unanswered(
    tahap: TahapId,
    kind: Kind,
    body: Approval,
    deciding: DecidingOf,
    checker: Checker,
    seen: IfMatch,
) -> Response:
    """Take the lines out that another person proposed; they are deferred by name."""

    async def decided(unit: Transaction) -> Reply:
        # What has an answer by now is seen, and no answer is taken until we commit.
        await alone_with_runs(unit, tahap)
        await versions.ensure_seen(unit, tahap, seen)
        lines = await unanswered(unit, (tahap, kind))
        await let_go(unit, (tahap, kind), DeferUnanswered(checker.subject, body.hash, lines))
        return Reply(204, None, await versions.etag_of(unit, tahap))

    return await deciding(decided)
