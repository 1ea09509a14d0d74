"""Facts of schools and health facilities, by file or request; corrections and who approves them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from libs.chassis.auth import Principal, require
from libs.chassis.csv_upload import CSV_BODY
from libs.chassis.etag import IfMatch, Unconditional, etag
from libs.chassis.idempotency import Once, OnceStreamed, Reply
from libs.chassis.imports import IMPORT_BYTES_MAX, Partial, Report, take_file
from libs.chassis.request import Asked, body_up_to, resource
from libs.chassis.service import StoreOf
from libs.events.errors import NotFound
from libs.events.handle import handle
from libs.events.store import Store
from libs.events.transaction import Transaction
from libs.privacy.tokens import Tokenizer
from services.conditionality.contract import COMMITMENT, PERSON
from services.conditionality.domain.commitment import (
    ApproveCorrection,
    CorrectionProposed,
    RejectCorrection,
)
from services.conditionality.domain.commitment import Command as CommitmentCommand
from services.conditionality.domain.commitment.corrections import NoSuchCorrection
from services.conditionality.domain.person import (
    RecordSchoolMonths,
    RecordVisits,
    SchoolMonth,
    Visit,
)
from services.conditionality.intake import HEALTH_COLUMNS, SCHOOL_COLUMNS, Intake
from services.conditionality.investigating import keep_open
from services.conditionality.judging import Policies, policy_of
from services.conditionality.views import rule_set_of

Recorder = Annotated[Principal, require("conditionality:record")]
Approver = Annotated[Principal, require("conditionality:approve")]
Reader = Annotated[Principal, require("conditionality:read")]
IntakeOf = Annotated[Intake, resource("intake")]
TokenizerOf = Annotated[Tokenizer, resource("tokenizer")]
PoliciesOf = Annotated[Policies, resource("policies")]

LARGE = [body_up_to(IMPORT_BYTES_MAX), Unconditional]

router = APIRouter(tags=["conditionality"])


class FamilyUnknown(NotFound):
    """No cycle of this family was ever evaluated."""


# -- Files ----------------------------------------------------------------------------------------


@router.post(
    "/imports/school-attendance",
    dependencies=LARGE,
    openapi_extra=CSV_BODY,
    response_model=Report,
)
async def import_school_attendance(
    request: Request,
    store: StoreOf,
    intake: IntakeOf,
    context: Asked,
    once: OnceStreamed,
    recorder: Recorder,
    partial: Partial = False,
) -> Response:
    """A school's months: nik, month (YYYY-MM), effective_days, absent, permitted, sick."""

    file, take = "school_attendance.csv", intake.school_months
    return await take_file(
        request, store, context, once, file, SCHOOL_COLUMNS, take, partial=partial
    )


@router.post(
    "/imports/health-verification",
    dependencies=LARGE,
    openapi_extra=CSV_BODY,
    response_model=Report,
)
async def import_health_verification(
    request: Request,
    store: StoreOf,
    intake: IntakeOf,
    context: Asked,
    once: OnceStreamed,
    recorder: Recorder,
    partial: Partial = False,
) -> Response:
    """A facility's visits: nik, month (YYYY-MM), service, attended (Y/N)."""

    file, take = "health_verification.csv", intake.visits
    return await take_file(
        request, store, context, once, file, HEALTH_COLUMNS, take, partial=partial
    )


# -- Requests -------------------------------------------------------------------------------------


class Strict(BaseModel):
    """A request's body: nothing is converted, nothing unknown is passed over."""

    model_config = ConfigDict(strict=True, extra="forbid")


Nik = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32)]
Days = Annotated[int, Field(ge=0, le=31)]


class SchoolMonthReport(Strict):
    """One pupil's month, in days."""

    nik: Nik
    month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    effective_days: Days
    absent: Days
    permitted: Days
    sick: Days


class VisitReport(Strict):
    """Whether one person came to one service in a month."""

    nik: Nik
    month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    service: Annotated[str, Field(pattern="^(WEIGHING|MATERNAL_CHECK|HOME_VISIT|ELDERLY_CHECK)$")]
    attended: bool


@router.post("/school-months", status_code=204, dependencies=[Unconditional])
async def report_school_month(
    body: SchoolMonthReport,
    store: StoreOf,
    tokenizer: TokenizerOf,
    context: Asked,
    once: Once,
    recorder: Recorder,
) -> Response:
    """Record or correct one pupil's month; a correction is judged again wherever it counts."""
    month = SchoolMonth(body.month, body.effective_days, body.absent, body.permitted, body.sick)
    command = RecordSchoolMonths((month,))
    async with store.transaction(context) as unit:
        await once.claim(unit.connection)
        await handle(unit, PERSON, f"person-{tokenizer.nik(body.nik)}", command)
        reply = Reply(204)
        await once.keep(unit.connection, reply)
    return reply.response(unit.position)


@router.post("/visits", status_code=204, dependencies=[Unconditional])
async def report_visit(
    body: VisitReport,
    store: StoreOf,
    tokenizer: TokenizerOf,
    context: Asked,
    once: Once,
    recorder: Recorder,
) -> Response:
    """Record or correct one person's visit."""
    command = RecordVisits((Visit(body.month, body.service, body.attended),))
    async with store.transaction(context) as unit:
        await once.claim(unit.connection)
        await handle(unit, PERSON, f"person-{tokenizer.nik(body.nik)}", command)
        reply = Reply(204)
        await once.keep(unit.connection, reply)
    return reply.response(unit.position)


# -- Corrections ----------------------------------------------------------------------------------


class CycleState(BaseModel):
    """The latest revision of one cycle."""

    tahap: str
    revision: int
    result: str
    hold: str


class Correction(BaseModel):
    """A change that late facts would bring, waiting for somebody who did not record them."""

    correction: int
    tahap: str
    result: str


class CommitmentView(BaseModel):
    """How a family's commitment stands."""

    family: UUID
    cycles: list[CycleState]
    corrections: list[Correction]


@router.get("/commitments/{family}")
async def commitment(family: UUID, store: StoreOf, reader: Reader, response: Response) -> Any:
    """A family's cycles, and the corrections that wait for a decision."""
    stream_id = f"commitment-{family}"
    found = await store.read(COMMITMENT, [stream_id])
    if stream_id not in found:
        raise FamilyUnknown(family=family)
    state = found[stream_id].state
    response.headers["ETag"] = etag(found[stream_id].version)
    return CommitmentView(
        family=family,
        cycles=[
            CycleState(tahap=c.tahap, revision=c.revision, result=c.result, hold=c.hold)
            for c in state.cycles
        ],
        corrections=[_waiting(c.proposed) for c in state.corrections if not c.rejected],
    )


def _waiting(proposed: CorrectionProposed) -> Correction:
    return Correction(correction=proposed.correction, tahap=proposed.tahap, result=proposed.result)


@router.post("/commitments/{family}/corrections/{correction}/approval", status_code=204)
async def approve_correction(
    family: UUID,
    correction: int,
    store: StoreOf,
    policies: PoliciesOf,
    context: Asked,
    once: Once,
    approver: Approver,
    seen: IfMatch,
) -> Response:
    """Let a proposed correction count; its approver is none of those who recorded its facts."""

    async def approval(unit: Transaction) -> CommitmentCommand:
        rule_set = await _rule_set(unit, family, correction)
        policy = policy_of(policies, rule_set)
        return ApproveCorrection(str(family), correction, approver.subject, policy)

    return await _decide(store, context, once, seen, family, approval)


@router.post("/commitments/{family}/corrections/{correction}/rejection", status_code=204)
async def reject_correction(
    family: UUID,
    correction: int,
    store: StoreOf,
    context: Asked,
    once: Once,
    approver: Approver,
    seen: IfMatch,
) -> Response:
    """Let a proposed correction not count."""

    async def rejection(_unit: Transaction) -> CommitmentCommand:
        return RejectCorrection(str(family), correction, approver.subject)

    return await _decide(store, context, once, seen, family, rejection)


async def _decide(
    store: Store,
    context: Asked,
    once: Once,
    seen: IfMatch,
    family: UUID,
    command: Callable[[Transaction], Awaitable[CommitmentCommand]],
) -> Response:
    async with store.transaction(context) as unit:
        await once.claim(unit.connection)
        await seen.ensure_stream(unit, COMMITMENT, f"commitment-{family}")
        outcome = await handle(unit, COMMITMENT, f"commitment-{family}", await command(unit))
        await keep_open(unit, [outcome])
        reply = Reply(204, None, {"ETag": etag(outcome.version)})
        await once.keep(unit.connection, reply)
    return reply.response(unit.position)


async def _rule_set(unit: Transaction, family: UUID, correction: int) -> str:
    stream_id = f"commitment-{family}"
    found = await unit.load(COMMITMENT, [stream_id])
    if stream_id not in found:
        raise FamilyUnknown(family=family)
    for each in found[stream_id].state.corrections:
        if each.proposed.correction == correction and not each.rejected:
            return await rule_set_of(unit, each.proposed.tahap, str(family))
    raise NoSuchCorrection(correction=correction)
