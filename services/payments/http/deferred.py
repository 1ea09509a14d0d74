"""Deferred families over HTTP: a tahap was frozen without them, and nobody has paid them yet."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.bodies import TahapId, TahapUnknown
from libs.chassis.noting import Noted
from libs.chassis.openapi import refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from services.payments.contract import TAHAP
from services.payments.http.deferred_answers import deferred_families
from services.payments.http.tahap import Reader

router = APIRouter(tags=["payments"])


class DeferredFamily(BaseModel):
    """A family that waits for a supplementary run, where it lives, and the code of why it waits.

    `answer` is the treasury's later word about an account that it had said nothing of in time.
    """

    family: UUID
    region: str
    reason: str
    answer: str | None


@router.get("/tahap/{tahap}/deferred", responses=refuses(TahapUnknown))
async def families_deferred(
    tahap: TahapId,
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    reason: Annotated[str | None, Query(pattern="^[A-Z][A-Z_]{1,39}$")] = None,
    region: RegionWithin = None,
) -> Page[DeferredFamily]:
    """The deferred families of a tahap that no open or frozen list has, in order of id."""
    stream = TAHAP.stream(tahap)
    found = (await store.read(TAHAP, [stream])).get(stream)
    if found is None:
        raise TahapUnknown(tahap=tahap)
    wanted = reader.within(region), reason
    rows = await deferred_families(store, found.state, *wanted, paging.after(UUID), paging.rows)
    shown, following = paging.cut(rows, lambda row: row["family"])
    items = [DeferredFamily(**row) for row in shown]
    return await noted(Page[DeferredFamily](items=items, next=following))
