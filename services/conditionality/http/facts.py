"""Facts of schools and health facilities, by file or request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import OUTSIDE, Principal, ensure_may_see, require
from libs.chassis.bodies import Month, Nik, Strict
from libs.chassis.etag import Unconditional
from libs.chassis.forms import NPSN, OFFICE_ID
from libs.chassis.idempotency import Once, Reply
from libs.chassis.imports import Report, Take, import_route
from libs.chassis.middleware import Asked, resource
from libs.chassis.openapi import refuses
from libs.chassis.regions import require_family
from libs.chassis.service import CommitterOf, StoreOf
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.privacy.recognition import Recognition
from services.conditionality.contract import PERSON
from services.conditionality.domain.person import (
    SERVICES,
    InvalidRecord,
    RecordSchoolMonths,
    RecordVisits,
    SchoolMonth,
    Visit,
    check_school_month,
)
from services.conditionality.http.csv_commands import (
    FORM_COLUMNS,
    HEALTH_COLUMNS,
    SCHOOL_COLUMNS,
    CsvImport,
    FactsReport,
)
from services.conditionality.tables.persons import regions_of
from services.conditionality.tables.unmatched import Unmatched, keep_unmatched

Recorder = Annotated[Principal, require("conditionality:record")]
FamilyApprover = Annotated[Principal, require_family("conditionality:approve")]
FamilyReader = Annotated[Principal, require_family("conditionality:read")]
Reader = Annotated[Principal, require("conditionality:read")]
CsvImportOf = Annotated[CsvImport, resource("csv_import")]
RecognitionOf = Annotated[Recognition, resource("recognition")]

router = APIRouter(tags=["conditionality"])


class ReportOfFacts(Report):
    """The outcome of a file's facts, with a count of those whose persons a registered family has.

    The others are kept and count once registry knows the person; see GET /unmatched-facts.
    """

    matched: int
    unmatched: int


# -- Files ----------------------------------------------------------------------------------------


@import_route(router, "school-attendance", SCHOOL_COLUMNS, FactsReport, ReportOfFacts)
async def import_school_attendance(
    csv_import: CsvImportOf, recorder: Recorder
) -> Take[FactsReport]:
    """A school's months: nik, month (YYYY-MM), effective_days, absent, permitted, sick."""
    return csv_import.for_(recorder).school_months


@import_route(router, "school-form", FORM_COLUMNS, FactsReport, ReportOfFacts)
async def import_school_form(csv_import: CsvImportOf, recorder: Recorder) -> Take[FactsReport]:
    """A school's form of three months, a pupil a row: nik, first_month (YYYY-MM), and
    effective_days, absent, permitted and sick of each month, as effective_days_1 to sick_3. A month
    of four empty cells says nothing. `accepted`, `unchanged`, `matched` and `unmatched` count
    months, `refused` rows: one wrong month refuses its row.
    """
    return csv_import.for_(recorder).school_form


@import_route(router, "health-verification", HEALTH_COLUMNS, FactsReport, ReportOfFacts)
async def import_health_verification(
    csv_import: CsvImportOf, recorder: Recorder
) -> Take[FactsReport]:
    """A facility's visits: nik, month (YYYY-MM), service, attended (Y/N)."""
    return csv_import.for_(recorder).visits


# -- Requests -------------------------------------------------------------------------------------


Days = Annotated[int, Field(ge=0, le=31)]


class SchoolMonthReport(Strict):
    """One pupil's month, in days; `npsn` is the school that says so."""

    nik: Nik
    month: Month
    effective_days: Days
    absent: Days
    permitted: Days
    sick: Days
    npsn: Annotated[str, Field(pattern=f"^{NPSN.pattern}$")] = ""


class VisitReport(Strict):
    """A visit: one person came to one service in a month, or did not, as a health facility says."""

    nik: Nik
    month: Month
    service: Annotated[str, Field(pattern=f"^({'|'.join(sorted(SERVICES))})$")]
    attended: bool
    facility_code: Annotated[str, Field(pattern=f"^{OFFICE_ID.pattern}$")] = ""


class Taken(BaseModel):
    """A fact is recorded; `matched` says whether a registered family has the person."""

    matched: bool


REFUSED = refuses(InvalidRecord, OUTSIDE)


@router.post(
    "/school-months", response_model=Taken, responses=REFUSED, dependencies=[Unconditional]
)
async def report_school_month(
    body: SchoolMonthReport,
    store: StoreOf,
    committer: CommitterOf,
    recognition: RecognitionOf,
    context: Asked,
    once: Once,
    recorder: Recorder,
) -> Response:
    """Record or correct one pupil's month; a correction is judged again wherever it counts."""
    month = SchoolMonth(body.month, body.effective_days, body.absent, body.permitted, body.sick)
    check_school_month(month)
    token = (await recognition.of(niks=[body.nik])).nik(body.nik)
    matched = await _match_or_note(store, recorder, context, token, month, body.npsn)
    command = RecordSchoolMonths((month,))
    grouped = GroupedCommand(PERSON, f"person-{token}", command, context, _taken(matched), once)
    done = await committer.append(grouped)
    return done.reply.response(done.position)


@router.post("/visits", response_model=Taken, responses=REFUSED, dependencies=[Unconditional])
async def report_visit(
    body: VisitReport,
    store: StoreOf,
    committer: CommitterOf,
    recognition: RecognitionOf,
    context: Asked,
    once: Once,
    recorder: Recorder,
) -> Response:
    """Record or correct one person's visit."""
    visit = Visit(body.month, body.service, body.attended)
    token = (await recognition.of(niks=[body.nik])).nik(body.nik)
    matched = await _match_or_note(store, recorder, context, token, visit, body.facility_code)
    command = RecordVisits((visit,))
    grouped = GroupedCommand(PERSON, f"person-{token}", command, context, _taken(matched), once)
    done = await committer.append(grouped)
    return done.reply.response(done.position)


async def _match_or_note(
    store: Store,
    recorder: Principal,
    context: Context,
    token: str,
    record: SchoolMonth | Visit,
    reporter: str,
) -> bool:
    """True where a registered family has the person; else the fact is noted as unmatched.

    Raises 403 where the family lives outside the recorder's regions. The note comes before the fact
    is recorded: who gets no answer sends it again, and both are then as if sent once.
    """
    async with store.pool.acquire() as connection:
        regions = (await regions_of(connection, [token])).get(token)
        ensure_may_see(recorder, *(recorder.regions if regions is None else regions))
        if regions is None:
            where = reporter, recorder.regions, context.cause or ""
            await keep_unmatched(connection, [Unmatched.of(token, record, *where)])
    return regions is not None


def _taken(matched: bool) -> Callable[[object], Reply]:
    return lambda _outcome: Reply(200, {"matched": matched})
