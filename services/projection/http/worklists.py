"""Work lists over HTTP: filtered, sorted, page by page, and whole as a file for a spreadsheet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from libs.chassis.bodies import TahapId
from libs.chassis.csv_download import download
from libs.chassis.noting import Noted, Noting
from libs.chassis.openapi import CSV, refuses
from libs.chassis.pagination import ITEMS_MAX, Page, Paging
from libs.chassis.reading import Reading, ReadingOf
from libs.chassis.regions import RegionWithin
from libs.events.domain.errors import DomainError
from services.projection.http.figures import PlaceUnknown
from services.projection.http.read_models import Code, Reader
from services.projection.policy.areas import name_of, names
from services.projection.tables import worklists as tables
from services.projection.tables.worklists import LISTS, ListName, Rank, SortName, Work, WorkWanted

router = APIRouter(tags=["projection"])

COLUMNS: Final = (
    *("family", "region", "name", "tahap", "reason", "since", "due_on", "rupiah", "times"),
    "reference",
)


class TahapMissing(DomainError):
    """This list is of one tahap, which has to be named."""


class WorkItem(BaseModel):
    """A row of a work list; `reference` is the list's own, `times` what the list counts."""

    family: UUID | None
    region: str
    name: str
    tahap: str
    reason: str
    since: date | None
    due_on: date | None
    rupiah: int | None
    times: int
    reference: str


class WorkListKnown(BaseModel):
    """A work list: what stands on it, what ends a row of it, and whether it is of one tahap."""

    list: str
    about: str
    ended_by: str
    of_a_tahap: bool


@router.get("/work-lists")
async def lists(_reader: Reader, paging: Paging) -> Page[WorkListKnown]:
    """The work lists that there are, in order of their names."""
    after = paging.after(str) or ""
    found, following = paging.cut(sorted(name for name in LISTS if name > after), str)
    items = [
        WorkListKnown(
            list=name,
            about=LISTS[name].about,
            ended_by=LISTS[name].ended_by,
            of_a_tahap=LISTS[name].of_a_tahap,
        )
        for name in found
    ]
    return Page[WorkListKnown](items=items, next=following)


def work_wanted(
    reader: Reader,
    name: Annotated[ListName, Path(alias="list")],
    tahap: Annotated[TahapId | None, Query()] = None,
    area: RegionWithin = None,
    reason: Code = None,
    sort: Annotated[SortName, Query(description="A minus puts the greatest first.")] = "id",
) -> WorkWanted:
    """Filters of a list, within the token's regions."""
    if area is not None and area not in names():
        raise PlaceUnknown(area=area)
    if LISTS[name].of_a_tahap and tahap is None:
        raise TahapMissing(list=name)
    return WorkWanted(name, reader.within(area), tahap, reason, sort)


Wanted = Annotated[WorkWanted, Depends(work_wanted)]


@router.get("/work-lists/{list}", responses=refuses(PlaceUnknown, TahapMissing))
async def work(reading: ReadingOf, wanted: Wanted, paging: Paging, noted: Noted) -> Page[WorkItem]:
    """The rows of a work list, in the order asked for."""
    rows = await tables.work(reading, wanted, paging.after(tuple[int, str]), paging.rows)
    found, following = paging.cut(rows, _rank)
    return await noted(Page[WorkItem](items=[_answered(row) for row in found], next=following))


@router.get(
    "/work-lists/{list}/file",
    response_class=StreamingResponse,
    responses={
        200: {"content": {CSV: {"schema": {"type": "string", "format": "binary"}}}},
        **refuses(PlaceUnknown, TahapMissing),
    },
)
async def file(reading: ReadingOf, wanted: Wanted, noted: Noted) -> StreamingResponse:
    """A work list whole, as CSV; each part of it is on record before it goes out.

    A cell that a spreadsheet would take for a formula begins with an apostrophe, and is text.
    """
    first = await noted(await _page(reading, wanted, None))
    return download(f"{wanted.name}.csv", COLUMNS, _pages(reading, wanted, noted, first))


async def _page(reading: Reading, wanted: WorkWanted, after: Rank | None) -> list[dict[str, Any]]:
    return [asdict(row) for row in await tables.work(reading, wanted, after, ITEMS_MAX)]


async def _pages(
    reading: Reading, wanted: WorkWanted, noted: Noting, page: list[dict[str, Any]]
) -> AsyncIterator[list[list[object]]]:
    while page:
        yield [_cells(row) for row in page]
        if len(page) < ITEMS_MAX:
            break
        after = page[-1]["rank"], page[-1]["id"]
        page = await noted(await _page(reading, wanted, after))


def _cells(row: Mapping[str, Any]) -> list[object]:
    named = {**row, "name": name_of(row["region"])}
    return [named[column] for column in COLUMNS]


def _answered(row: Work) -> WorkItem:
    return WorkItem(
        family=UUID(row.family) if row.family else None,
        region=row.region,
        name=name_of(row.region),
        tahap=row.tahap,
        reason=row.reason,
        since=row.since,
        due_on=row.due_on,
        rupiah=row.rupiah,
        times=row.times,
        reference=row.reference,
    )


def _rank(row: Work) -> Rank:
    return row.rank, row.id
