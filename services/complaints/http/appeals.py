"""Appeals of cases over HTTP, their decisions, and orders to other services with the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, model_validator

from libs.chassis.auth import Principal, require
from libs.chassis.bodies import Day, Strict, TahapId
from libs.chassis.deciding import Deciding, DecidingOf, moved
from libs.chassis.etag import IfMatch, Seen, Unconditional, etag
from libs.chassis.idempotency import Reply
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.service import StoreOf
from libs.events.domain.errors import DomainError
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.complaints.contract import CASE, REMEDY
from services.complaints.domain.case import CaseUnknown
from services.complaints.domain.remedy import (
    Answer,
    AppealAlreadyDecided,
    AppealDiffers,
    AppealOutcome,
    AppealRefused,
    AskFor,
    Command,
    DecideAppeal,
    Effect,
    NoSuchAppeal,
    OpenAppeal,
    Ordered,
    Remedy,
    SamePerson,
)
from services.complaints.http.cases import Reader, ensure_visible

Decider = Annotated[Principal, require("complaints:decide")]

EXAMPLES: Final[Mapping[str, object]] = {
    "answer": "PROPOSED",
    "effect": "HOLD",
    "not_paused": "NOT_BY_POLICY",
    "ended": "UPHELD",
    "opened_by": "officer-1",
    "ordered": "REEVALUATE_CYCLE",
    "outcome": "UPHELD",
    "reason": "NOT_APPROVED",
    "refused": "OUTSIDE_REGIONS",
    "tahap": "2023-1",
}

router = APIRouter(tags=["complaints"])


class CaseOfNoFamily(DomainError):
    """Only the case of a family asks another service for something."""


# -- What was asked and answered ------------------------------------------------------------------


class AppealView(BaseModel):
    """An appeal: `pauses` is empty until conditionality has answered, `not_paused` says why not.

    `refused` says why the last decision was none; then another person decides. OUTSIDE_REGIONS,
    ANOTHER_IS_OPEN and APPEALED_TOO_OFTEN refuse the appeal itself, as `not_paused` and `refused`:
    nobody decides on it.

    `ended` is how its pause ended: UPHELD once the cycle is corrected, REFUSED where that was not
    approved, REJECTED or WITHDRAWN.
    """

    tahap: str
    effect: Effect
    opened_by: str
    outcome: AppealOutcome | None
    pauses: bool | None
    not_paused: str
    ended: str
    refused: str


class OrderView(BaseModel):
    """An order and what its service has answered; nothing yet where `answer` is empty."""

    order: UUID
    ordered: Ordered
    tahap: str | None
    answer: Answer | None
    reason: str


class RemedyView(BaseModel):
    """The appeal and the orders of a case."""

    case: UUID
    family: UUID | None
    appeal: AppealView | None
    orders: list[OrderView]


@router.get("/cases/{case}/remedy", responses=refuses(CaseUnknown) | UNCHANGED)
async def remedy_of(
    case: UUID, store: StoreOf, reader: Reader, response: Response, noted: Noted
) -> RemedyView:
    """The appeal of a case and its orders; its ETag is what a decision is asked to name."""
    stream = REMEDY.stream(str(case))
    async with store.looking() as look:
        family = await _family(look, case, reader)
        found = (await look.load(REMEDY, [stream])).get(stream)
    response.headers["ETag"] = etag(found.version if found else 0)
    return await noted(_view(case, family, found.state if found else Remedy()))


def _view(case: UUID, family: str | None, state: Remedy) -> RemedyView:
    appeal = state.appeal
    return RemedyView(
        case=case,
        family=UUID(family) if family else None,
        appeal=appeal
        and AppealView(
            tahap=appeal.opened.tahap,
            effect=appeal.opened.effect,
            opened_by=appeal.opened.opened_by,
            outcome=appeal.decided.outcome if appeal.decided else None,
            pauses=appeal.pauses,
            not_paused=appeal.not_paused,
            ended=appeal.ended,
            refused=appeal.refused or appeal.refused_because,
        ),
        orders=[
            OrderView(
                order=UUID(order.requested.order),
                ordered=order.requested.ordered,
                tahap=order.requested.tahap,
                answer=order.outcome,
                reason=order.reason,
            )
            for order in state.orders
        ],
    )


async def _family(unit: Transaction, case: UUID, asker: Principal) -> str | None:
    """The family of a case within the asker's regions; raises `CaseUnknown`."""
    stream = CASE.stream(str(case))
    found = (await unit.load(CASE, [stream])).get(stream)
    return ensure_visible(asker, found).state.complaint.family


# -- What people ask ------------------------------------------------------------------------------


class AppealReport(Strict):
    """The tahap and the effect that a case appeals against, and when that came in."""

    tahap: TahapId
    effect: Effect
    received_on: Day


class AppealDecision(Strict):
    """The decision on an appeal; UPHELD orders its cycle to be decided again."""

    outcome: AppealOutcome


class OrderReport(Strict):
    """An order to another service; a cycle to be decided again is named by its tahap."""

    ordered: Ordered
    tahap: TahapId | None = None

    @model_validator(mode="after")
    def _of_a_tahap(self) -> OrderReport:
        if self.ordered == "REEVALUATE_CYCLE" and self.tahap is None:
            raise ValueError("a cycle is named by its tahap")
        return self


@router.post(
    "/cases/{case}/appeal",
    status_code=204,
    responses=refuses(CaseUnknown, CaseOfNoFamily, AppealDiffers),
    dependencies=[Unconditional],
)
async def open_appeal(
    case: UUID, body: AppealReport, deciding: DecidingOf, decider: Decider
) -> Response:
    """Open the appeal of a case; another person decides it. Where the family lives in none of the
    token's regions the appeal is refused, on the case."""

    def command(family: str) -> Command:
        appeal = str(case), family, body.tahap, body.effect
        return OpenAppeal(*appeal, body.received_on, decider.subject, decider.regions)

    return await _ask(deciding, None, case, decider, command)


@router.post(
    "/cases/{case}/appeal/decision",
    status_code=204,
    responses=refuses(
        *(CaseUnknown, CaseOfNoFamily, NoSuchAppeal, SamePerson),
        *(AppealRefused, AppealAlreadyDecided),
    ),
)
async def decide_appeal(
    case: UUID, body: AppealDecision, deciding: DecidingOf, decider: Decider, seen: IfMatch
) -> Response:
    """Decide an appeal; never by the person who opened it."""
    on = deciding.context.at.date()

    def command(_family: str) -> Command:
        return DecideAppeal(str(case), body.outcome, decider.subject, on, decider.regions)

    return await _ask(deciding, seen, case, decider, command)


@router.post(
    "/cases/{case}/orders",
    status_code=204,
    responses=refuses(CaseUnknown, CaseOfNoFamily),
    dependencies=[Unconditional],
)
async def ask_for(
    case: UUID, body: OrderReport, deciding: DecidingOf, decider: Decider
) -> Response:
    """Ask another service for something, which two people decide there; its answer comes back."""
    on = deciding.context.at.date()

    def command(family: str) -> Command:
        asked = str(case), body.ordered, family, body.tahap
        return AskFor(*asked, decider.subject, on, decider.regions)

    return await _ask(deciding, None, case, decider, command)


async def _ask(
    deciding: Deciding,
    seen: Seen | None,
    case: UUID,
    asker: Principal,
    command: Callable[[str], Command],
) -> Response:
    stream = REMEDY.stream(str(case))

    async def decided(unit: Transaction) -> Reply:
        family = await _family(unit, case, asker)
        if family is None:
            raise CaseOfNoFamily
        if seen is not None:
            await seen.ensure_stream(unit, REMEDY, stream)
        return moved(await handle(unit, REMEDY, stream, command(family)))

    return await deciding(decided)
