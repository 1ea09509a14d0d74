"""A partner's word that cannot be its own: a person judges it before the partner is asked again."""

from __future__ import annotations

from fastapi import APIRouter, Response

from libs.chassis.bodies import TahapId
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import IfMatch
from libs.events.store.transaction import Transaction
from services.payments.domain.run.messages import JudgeIncident
from services.payments.http import refusals
from services.payments.http.schemas import Judgement, Kind
from services.payments.http.tahap import Checker, deciding_on
from services.payments.tables.payments import run
from services.payments.tables.versions import Standing

router = APIRouter(tags=["payments"])


@router.post(
    "/tahap/{tahap}/runs/{kind}/incident-judgement",
    status_code=204,
    responses=refusals.INCIDENT_JUDGED,
)
async def judge_incident(
    tahap: TahapId,
    kind: Kind,
    body: Judgement,
    deciding: DecidingOf,
    checker: Checker,
    seen: IfMatch,
) -> Response:
    """Have a partner asked again, once its people have said what became of its last word.

    Nothing of that word is taken: the next one proves itself as every other one.
    """

    async def judged(unit: Transaction, standing: Standing) -> None:
        command = JudgeIncident(body.partner, checker.subject, body.reason)
        standing.runs[kind] = await run(unit, tahap, kind, command)

    return await deciding_on(deciding, tahap, seen, judged)
