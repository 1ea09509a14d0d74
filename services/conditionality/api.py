"""Facts of schools and health facilities, by file or request; corrections and who approves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.chassis.auth import Principal, require
from libs.chassis.csv_upload import CSV_BODY, Columns, ImportReport, Row
from libs.chassis.etag import etag
from libs.chassis.idempotency import Once, OnceStreamed, Reply
from libs.chassis.imports import IMPORT_BYTES_MAX, Partial, Report, take_file
from libs.chassis.request import Asked, body_up_to, resource
from libs.chassis.service import StoreOf
from libs.events.errors import NotFound
from libs.events.handle import handle, handle_many
from libs.events.store import Store, Transaction
from libs.privacy.tokens import Tokenizer
from services.conditionality.contract import COMMITMENT, PERSON
from services.conditionality.domain.commitment import (
    ApproveCorrection,
    CorrectionProposed,
    RejectCorrection,
)
from services.conditionality.domain.commitment import Command as CommitmentCommand
from services.conditionality.domain.person import (
    Command,
    InvalidRecord,
    RecordSchoolMonths,
    RecordVisits,
    SchoolMonth,
    Visit,
    check_school_month,
    check_visit,
)
from services.conditionality.judging import Policies, policy_of

R = TypeVar("R", SchoolMonth, Visit)

Recorder = Annotated[Principal, require("conditionality:record")]
Approver = Annotated[Principal, require("conditionality:approve")]
Reader = Annotated[Principal, require("conditionality:read")]
TokenizerOf = Annotated[Tokenizer, resource("tokenizer")]
PoliciesOf = Annotated[Policies, resource("policies")]

SCHOOL_COLUMNS = Columns(
    ("nik", "month", "effective_days", "absent", "permitted", "sick"), ("npsn", "nisn")
)
HEALTH_COLUMNS = Columns(("nik", "month", "service", "attended"), ("facility_code", "service_date"))
LARGE = [body_up_to(IMPORT_BYTES_MAX)]

router = APIRouter(tags=["conditionality"])


class Mistake(Enum):
    """Why a row of facts is refused."""

    MISSING = "The cell is empty."
    NOT_A_NUMBER = "The cell is no whole number of days."
    NOT_Y_OR_N = "The cell is neither Y nor N."
    IMPOSSIBLE = "The record can not be true as it stands."


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
    tokenizer: TokenizerOf,
    context: Asked,
    once: OnceStreamed,
    recorder: Recorder,
    partial: Partial = False,
) -> Response:
    """A school's months: nik, month (YYYY-MM), effective_days, absent, permitted, sick."""

    async def take(unit: Transaction, rows: list[Row], report: ImportReport) -> None:
        months = _by_token(rows, report, tokenizer, _school_month)
        await _record(unit, months, lambda records: RecordSchoolMonths(tuple(records)), report)

    file = "school_attendance.csv"
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
    tokenizer: TokenizerOf,
    context: Asked,
    once: OnceStreamed,
    recorder: Recorder,
    partial: Partial = False,
) -> Response:
    """A facility's visits: nik, month (YYYY-MM), service, attended (Y/N)."""

    async def take(unit: Transaction, rows: list[Row], report: ImportReport) -> None:
        visits = _by_token(rows, report, tokenizer, _visit)
        await _record(unit, visits, lambda records: RecordVisits(tuple(records)), report)

    file = "health_verification.csv"
    return await take_file(
        request, store, context, once, file, HEALTH_COLUMNS, take, partial=partial
    )


def _by_token(
    rows: list[Row],
    report: ImportReport,
    tokenizer: Tokenizer,
    parse: Callable[[int, Mapping[str, str], ImportReport], R | None],
) -> dict[str, list[R]]:
    records: dict[str, list[R]] = {}
    for line, row in rows:
        if not row["nik"].strip():
            report.refuse(line, "nik", Mistake.MISSING)
            continue
        record = parse(line, row, report)
        if record is not None:
            records.setdefault(tokenizer.nik(row["nik"].strip()), []).append(record)
    return records


def _school_month(line: int, row: Mapping[str, str], report: ImportReport) -> SchoolMonth | None:
    days: list[int] = []
    for column in ("effective_days", "absent", "permitted", "sick"):
        if not (row[column].isascii() and row[column].isdigit() and len(row[column]) <= 3):
            report.refuse(line, column, Mistake.NOT_A_NUMBER)
            return None
        days.append(int(row[column]))
    record = SchoolMonth(row["month"], *days)
    return _possible(line, record, check_school_month, report)


def _visit(line: int, row: Mapping[str, str], report: ImportReport) -> Visit | None:
    if row["attended"] not in ("Y", "N"):
        report.refuse(line, "attended", Mistake.NOT_Y_OR_N)
        return None
    record = Visit(row["month"], row["service"], row["attended"] == "Y")
    return _possible(line, record, check_visit, report)


def _possible(line: int, record: R, check: Callable[[R], None], report: ImportReport) -> R | None:
    try:
        check(record)
    except InvalidRecord as error:
        report.refuse(line, str(error.facts["field"]), Mistake.IMPOSSIBLE)
        return None
    return record


async def _record(
    unit: Transaction,
    records: Mapping[str, list[R]],
    command: Callable[[list[R]], Command],
    report: ImportReport,
) -> None:
    commands = [(f"person-{token}", command(found)) for token, found in records.items()]
    for (_, asked), outcome in zip(
        commands, await handle_many(unit, PERSON, commands), strict=True
    ):
        if outcome.error is not None:
            raise outcome.error
        changed = sum(len(event.records) for event in outcome.events)
        report.accepted += changed
        report.unchanged += len(asked.records) - changed


# -- Requests -------------------------------------------------------------------------------------


class Strict(BaseModel):
    """A request's body: nothing is converted, nothing unknown is passed over."""

    model_config = ConfigDict(strict=True, extra="forbid")


Nik = Annotated[str, Field(min_length=1, max_length=32)]
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


@router.post("/school-months", status_code=204)
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


@router.post("/visits", status_code=204)
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
) -> Response:
    """Let a proposed correction count; its approver is none of those who recorded its facts."""
    rule_set = await _rule_set(store, family, correction)
    command = ApproveCorrection(
        str(family), correction, approver.subject, policy_of(policies, rule_set)
    )
    return await _decide(store, context, once, command)


@router.post("/commitments/{family}/corrections/{correction}/rejection", status_code=204)
async def reject_correction(
    family: UUID,
    correction: int,
    store: StoreOf,
    context: Asked,
    once: Once,
    approver: Approver,
) -> Response:
    """Let a proposed correction not count."""
    command = RejectCorrection(str(family), correction, approver.subject)
    return await _decide(store, context, once, command)


async def _decide(store: Store, context: Asked, once: Once, command: CommitmentCommand) -> Response:
    async with store.transaction(context) as unit:
        await once.claim(unit.connection)
        outcome = await handle(unit, COMMITMENT, f"commitment-{command.family}", command)
        reply = Reply(204, None, {"ETag": etag(outcome.version)})
        await once.keep(unit.connection, reply)
    return reply.response(unit.position)


async def _rule_set(store: Store, family: UUID, correction: int) -> str:
    found = await store.read(COMMITMENT, [f"commitment-{family}"])
    waiting = [
        each.proposed.tahap
        for loaded in found.values()
        for each in loaded.state.corrections
        if each.proposed.correction == correction
    ]
    rule_set: str | None = await store.pool.fetchval(
        "SELECT rule_set FROM roster_line WHERE family = $1 AND tahap = ANY($2)", family, waiting
    )
    if rule_set is None:
        raise FamilyUnknown(family=family)
    return rule_set
