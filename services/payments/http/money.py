"""Money of one family that is under way: what the registry asks before it erases a family."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from libs.chassis.auth import Principal, require_nation
from libs.chassis.noting import Noted
from libs.chassis.service import StoreOf
from services.payments.tables.erased_families import Why, is_stopped, under_way

Asker = Annotated[Principal, require_nation("payments:money")]

router = APIRouter(tags=["payments"])


class MoneyUnderWay(BaseModel):
    """A payment that is not settled: with a bank, credited and blocked, or not booked yet."""

    tahap: str
    kind: str
    why: Why


class MoneyView(BaseModel):
    """Where a family's money is; `stopped`: it is being erased, and nothing more is sent to it."""

    family: UUID
    stopped: bool
    under_way: list[MoneyUnderWay]


@router.get("/families/{family}/money")
async def money_of_family(family: UUID, store: StoreOf, asker: Asker, noted: Noted) -> MoneyView:
    """Money of a family that is under way; nothing of one that this service does not know."""
    async with store.looking() as look:
        stopped = await is_stopped(look, str(family))
        found = await under_way(look, str(family))
    shown = [MoneyUnderWay(tahap=money.tahap, kind=money.kind, why=money.why) for money in found]
    return await noted(MoneyView(family=family, stopped=stopped, under_way=shown))
