"""Complaints that come in by a file, and how their cases stood at the end of a day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.auth import Principal, require
from libs.chassis.bodies import Day
from libs.chassis.csv_upload import ImportReport
from libs.chassis.imports import Take, import_route
from libs.chassis.middleware import Asked, resource
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from services.complaints.contract import CASE
from services.complaints.domain.deadlines import Level
from services.complaints.domain.standing import standing_on
from services.complaints.http.csv_commands import COMPLAINT_COLUMNS, CsvImport
from services.complaints.tables.cases import filed_cases

Receiver = Annotated[Principal, require("complaints:receive")]
Reader = Annotated[Principal, require("complaints:read")]
On = Annotated[Day | None, Query(description="The day; today by UTC where none is named.")]
CsvImportOf = Annotated[CsvImport, resource("csv_import")]

router = APIRouter(tags=["complaints"])


@import_route(router, "complaints", COMPLAINT_COLUMNS, ImportReport)
async def import_complaints(csv_import: CsvImportOf, receiver: Receiver) -> Take[ImportReport]:
    """Complaints: complaint_no, received_at and resolved_at in local time, channel, category,
    anonymous (Y or N), region_code, resolution. A resolved one is followed up the ladder to there.
    """
    return csv_import.for_(receiver).complaints


class StandingView(BaseModel):
    """A filed complaint's case at the end of a day; `resolution` is empty while it is open,
    `due_on` null while a decree is missing."""

    reference: str
    case: UUID
    start_level: Level
    level: Level
    due_on: date | None
    escalations: int
    status: Literal["OPEN", "RESOLVED"]
    overdue: bool
    resolution: str


@router.get("/standings")
async def standings(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    context: Asked,
    on: On = None,
    region: RegionWithin = None,
) -> Page[StandingView]:
    """Cases of files as they stood at the end of a day, in order of their numbers there."""
    async with store.looking() as look:
        rows, following = paging.cut(
            await filed_cases(
                look.connection, reader.within(region), paging.after(str), paging.rows
            ),
            lambda row: row.reference,
        )
        found = await look.load(CASE, [CASE.stream(row.case) for row in rows])
    items: list[StandingView] = []
    for row in rows:
        standing = standing_on(found[CASE.stream(row.case)].state, on or context.at.date())
        if standing is not None:
            items.append(
                StandingView(
                    reference=row.reference,
                    case=UUID(row.case),
                    start_level=standing.start_level,
                    level=standing.level,
                    due_on=standing.due_on,
                    escalations=standing.escalations,
                    status=standing.status,
                    overdue=standing.overdue,
                    resolution=standing.resolution,
                )
            )
    return Page[StandingView](items=items, next=following)
