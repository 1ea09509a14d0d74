"""Arrears over HTTP: what families are owed since a correction, and why no run has paid it."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.bodies import TahapId
from libs.chassis.noting import Noted
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from services.payments.domain.payment.messages import ArrearReason
from services.payments.http.tahap import Reader
from services.payments.tables import arrears

router = APIRouter(tags=["payments"])


class ArrearRow(BaseModel):
    """Rupiah that were cut of a payment and would not be cut by revision `evaluation` of its cycle.

    `case` is the complaint by which the cycle was decided again, null where late facts did it;
    `reason` says why no run has paid it.
    """

    payment: UUID
    tahap: str
    family: UUID
    region: str
    amount: int
    cut_percent: int
    evaluation: int
    case: UUID | None
    reason: ArrearReason
    since: date


@router.get("/arrears")
async def arrears_owed(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    tahap: Annotated[TahapId | None, Query(description="Whose money it is; all else.")] = None,
    region: RegionWithin = None,
) -> Page[ArrearRow]:
    """The arrears of families since their cycle was decided otherwise, in order of payment."""
    where, after = reader.within(region), paging.after(UUID)
    async with store.looking() as unit:
        rows = await arrears.arrears(unit, tahap, where, after, paging.rows)
    found, following = paging.cut(rows, lambda row: row.payment)
    return await noted(Page[ArrearRow](items=[_shown(row) for row in found], next=following))


def _shown(row: arrears.Arrear) -> ArrearRow:
    named = row._asdict()
    case = named.pop("case_id")
    return ArrearRow(**named, case=UUID(case) if case else None)
