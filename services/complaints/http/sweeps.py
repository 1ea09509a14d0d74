"""Sweeps of due days, asked for by operations: the clock asks by itself when a day begins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel

from libs.chassis.auth import Principal, require_nation
from libs.chassis.bodies import Day, Strict
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import Once, Reply
from libs.chassis.middleware import Asked, resource
from libs.chassis.openapi import refuses
from libs.events.domain.errors import DomainError
from libs.events.store.transaction import Transaction
from services.complaints.domain.working_days import HolidaysUnknown
from services.complaints.policy import Policies
from services.complaints.tables.sweeps import SWEEP, ask

Operator = Annotated[Principal, require_nation("platform:operate")]
PoliciesOf = Annotated[Policies, resource("policies")]

router = APIRouter(tags=["complaints"])


class SweepInFuture(DomainError):
    """No term is swept for a day that has not begun anywhere."""


class BusinessDate(Strict):
    """The day for which terms are held against due days."""

    on: Day


class SweepAsked(BaseModel):
    """The job of a sweep; it is found at GET /jobs."""

    job: str


@router.post(
    "/sweeps",
    status_code=202,
    response_model=SweepAsked,
    responses=refuses(SweepInFuture, HolidaysUnknown),
    dependencies=[Unconditional],
)
async def sweep(
    body: BusinessDate,
    deciding: DecidingOf,
    policies: PoliciesOf,
    once: Once,
    context: Asked,
    _operator: Operator,
) -> Response:
    """Have every case whose term is over by a day received by the next level."""
    if body.on > max(policies.days_of(context.at).values()):
        raise SweepInFuture(on=body.on)
    policies.ladder.working.last_decreed(body.on)

    async def decided(unit: Transaction) -> Reply:
        await ask(unit, body.on, once)
        return Reply(202, {"job": f"{SWEEP}-{body.on}"})

    return await deciding(decided)
