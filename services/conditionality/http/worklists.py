"""Lists that people work through, over HTTP: cycles that were not met, corrections that wait."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from libs.chassis.bodies import TahapId
from libs.chassis.noting import Noted
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from services.conditionality.domain.duties import Result
from services.conditionality.http.facts import Reader
from services.conditionality.tables.worklists import (
    Unmet,
    WorklistFilter,
    unmet_cycles,
    waiting_corrections,
)

router = APIRouter(tags=["conditionality"])


class UnmetCycle(BaseModel):
    """A family's cycle whose latest revision failed or is unverified, and where the family is."""

    family: UUID
    tahap: str
    result: Unmet
    region: str


class WaitingCorrection(BaseModel):
    """A correction that waits for a second person; `result` is what the cycle would come to."""

    family: UUID
    tahap: str
    correction: int
    result: Result
    region: str


@router.get("/unmet-cycles")
async def families_unmet(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    tahap: TahapId,
    result: Unmet | None = None,
    region: RegionWithin = None,
) -> Page[UnmetCycle]:
    """The families whose cycle of a tahap failed or stayed unverified, in order of id."""
    wanted = WorklistFilter(tahap, result, reader.within(region))
    rows = await unmet_cycles(store, wanted, paging.after(UUID), paging.rows)
    found, following = paging.cut(rows, lambda row: row["family"])
    items = [UnmetCycle(**row) for row in found]
    return await noted(Page[UnmetCycle](items=items, next=following))


@router.get("/corrections")
async def corrections_waiting(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    tahap: TahapId | None = None,
    result: Result | None = None,
    region: RegionWithin = None,
) -> Page[WaitingCorrection]:
    """The corrections that late facts would bring and nobody has decided on, by family."""
    wanted = WorklistFilter(tahap, result, reader.within(region))
    rows = await waiting_corrections(store, wanted, paging.after(tuple[UUID, str]), paging.rows)
    found, following = paging.cut(rows, lambda row: (row["family"], row["tahap"]))
    items = [WaitingCorrection(**row) for row in found]
    return await noted(Page[WaitingCorrection](items=items, next=following))
