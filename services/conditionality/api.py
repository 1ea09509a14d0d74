"""Facts of schools and health facilities, by file or request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.chassis.auth import Principal, require
from libs.chassis.csv_upload import CSV_BODY
from libs.chassis.etag import Unconditional
from libs.chassis.forms import MONTH, NIK
from libs.chassis.idempotency import Once, OnceStreamed, Reply
from libs.chassis.imports import IMPORT_BYTES_MAX, Partial, Report, take_file
from libs.chassis.openapi import refuses
from libs.chassis.request import Asked, body_up_to, resource
from libs.chassis.service import AppenderOf, StoreOf
from libs.events.singles import Single
from libs.privacy.tokens import Tokenizer
from services.conditionality.contract import PERSON
from services.conditionality.domain.person import (
    InvalidRecord,
    RecordSchoolMonths,
    RecordVisits,
    SchoolMonth,
    Visit,
)
from services.conditionality.intake import HEALTH_COLUMNS, SCHOOL_COLUMNS, Intake

Recorder = Annotated[Principal, require("conditionality:record")]
Approver = Annotated[Principal, require("conditionality:approve")]
Reader = Annotated[Principal, require("conditionality:read")]
IntakeOf = Annotated[Intake, resource("intake")]
TokenizerOf = Annotated[Tokenizer, resource("tokenizer")]

LARGE = [body_up_to(IMPORT_BYTES_MAX), Unconditional]

router = APIRouter(tags=["conditionality"])


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


Nik = Annotated[str, Field(pattern=f"^{NIK.pattern}$")]
Month = Annotated[str, Field(pattern=f"^{MONTH.pattern}$")]
Days = Annotated[int, Field(ge=0, le=31)]


class SchoolMonthReport(Strict):
    """One pupil's month, in days."""

    nik: Nik
    month: Month
    effective_days: Days
    absent: Days
    permitted: Days
    sick: Days


class VisitReport(Strict):
    """Whether one person came to one service in a month."""

    nik: Nik
    month: Month
    service: Annotated[str, Field(pattern="^(WEIGHING|MATERNAL_CHECK|HOME_VISIT|ELDERLY_CHECK)$")]
    attended: bool


@router.post(
    "/school-months",
    status_code=204,
    responses=refuses(InvalidRecord),
    dependencies=[Unconditional],
)
async def report_school_month(
    body: SchoolMonthReport,
    appender: AppenderOf,
    tokenizer: TokenizerOf,
    context: Asked,
    once: Once,
    recorder: Recorder,
) -> Response:
    """Record or correct one pupil's month; a correction is judged again wherever it counts."""
    month = SchoolMonth(body.month, body.effective_days, body.absent, body.permitted, body.sick)
    command = RecordSchoolMonths((month,))
    stream_id = f"person-{tokenizer.nik(body.nik)}"
    done = await appender.append(Single(PERSON, stream_id, command, context, _no_content, once))
    return done.reply.response(done.position)


@router.post(
    "/visits", status_code=204, responses=refuses(InvalidRecord), dependencies=[Unconditional]
)
async def report_visit(
    body: VisitReport,
    appender: AppenderOf,
    tokenizer: TokenizerOf,
    context: Asked,
    once: Once,
    recorder: Recorder,
) -> Response:
    """Record or correct one person's visit."""
    command = RecordVisits((Visit(body.month, body.service, body.attended),))
    stream_id = f"person-{tokenizer.nik(body.nik)}"
    done = await appender.append(Single(PERSON, stream_id, command, context, _no_content, once))
    return done.reply.response(done.position)


def _no_content(_outcome: object) -> Reply:
    return Reply(204)
