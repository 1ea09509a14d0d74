"""Terminations that cases ask to be taken back: what is asked, what another person decides."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from libs.chassis.bodies import FamilyUnknown, Strict, TahapId
from libs.chassis.deciding import DecidingOf, moved
from libs.chassis.etag import IfMatch, etag
from libs.chassis.idempotency import Reply
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.registry.contract import FAMILY
from services.registry.domain.family.commands import DecideTakeBack
from services.registry.domain.family.errors import NoSuchTakeBack, SamePerson, TakeBackDecided
from services.registry.domain.family.events import Decision
from services.registry.http.families import FamilyReader, Reader
from services.registry.http.reopenings import FamilyApprover, registered
from services.registry.tables.take_backs import keep_take_backs, waiting_take_backs

router = APIRouter(tags=["registry"])


class TakeBackRow(BaseModel):
    """An order that waits: `asked_by` have said yes to it and do not decide; `tahap` is the one
    with which the family was terminated, `region` where it lives and where it is decided."""

    family: UUID
    case: UUID
    order: UUID
    tahap: str
    region: str
    asked_by: list[str]


@router.get("/take-backs")
async def take_backs_waiting(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    tahap: Annotated[
        TahapId | None, Query(description="With which the families were terminated; all else.")
    ] = None,
    region: RegionWithin = None,
) -> Page[TakeBackRow]:
    """The orders to take a termination back that nobody has decided yet, in order of family."""
    where, after = reader.within(region), paging.after(UUID)
    async with store.looking() as unit:
        rows = await waiting_take_backs(unit, tahap, where, after, paging.rows)
    found, following = paging.cut(rows, lambda row: row.family)
    items = [TakeBackRow(**row._asdict()) for row in found]
    return await noted(Page[TakeBackRow](items=items, next=following))


class TakeBackView(BaseModel):
    """A case's order to take a family's termination back, and where it stands."""

    family: UUID
    case: UUID
    order: UUID
    asked_by: list[str]
    standing: Literal["WAITING", "APPROVED", "REJECTED"]


class TakeBackDecision(Strict):
    """The decision: the family is in the programme again, or its termination stays."""

    decision: Decision


@router.get("/take-backs/{family}", responses=refuses(FamilyUnknown, NoSuchTakeBack) | UNCHANGED)
async def take_back_of(
    family: UUID, store: StoreOf, reader: FamilyReader, response: Response
) -> TakeBackView:
    """The latest order to take the termination back; its ETag is what a decision names."""
    async with store.looking() as look:
        found = await registered(look, family)
    asked = found.state.take_back
    if asked is None:
        raise NoSuchTakeBack(family=family)
    response.headers["ETag"] = etag(found.version)
    return TakeBackView(
        family=family,
        case=UUID(asked.case),
        order=UUID(asked.order),
        asked_by=list(asked.asked_by),
        standing=asked.standing,
    )


@router.post(
    "/take-backs/{family}/decision",
    status_code=204,
    responses=refuses(FamilyUnknown, NoSuchTakeBack, SamePerson, TakeBackDecided),
)
async def decide_take_back(
    family: UUID,
    body: TakeBackDecision,
    deciding: DecidingOf,
    approver: FamilyApprover,
    seen: IfMatch,
) -> Response:
    """Take a termination back, or let it stay; never by a person who asked for it."""
    stream = f"family-{family}"

    async def decided(unit: Transaction) -> Reply:
        await registered(unit, family)
        await seen.ensure_stream(unit, FAMILY, stream)
        command = DecideTakeBack(body.decision, approver.subject)
        outcome = await handle(unit, FAMILY, stream, command)
        await keep_take_backs(unit, outcome)
        return moved(outcome)

    return await deciding(decided)
