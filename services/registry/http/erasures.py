"""Erasures over HTTP: two people erase one family, for good, once no money of it is under way."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal, require
from libs.chassis.bodies import FamilyUnknown, Strict
from libs.chassis.deciding import Deciding, DecidingOf
from libs.chassis.etag import IfMatch, Seen, Unconditional, etag
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import resource
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.problems import Refusal
from libs.chassis.regions import RegionWithin, require_family
from libs.chassis.service import StoreOf
from libs.events.domain.errors import NotFound
from libs.events.store.transaction import Transaction
from services.registry.contract import ERASURE, FAMILY
from services.registry.domain.erasure import (
    ApproveErasure,
    Command,
    Erased,
    Erasure,
    ErasureApproved,
    MoneyUnderWay,
    NotAsked,
    ProposeErasure,
)
from services.registry.domain.evidence import EvidenceMalformed
from services.registry.domain.family import roster
from services.registry.domain.family.errors import SamePerson
from services.registry.domain.listing.decider import NothingProposed
from services.registry.partners.payments import Payments, PaymentsSilent
from services.registry.tables.erasures import Standing, erasures, standing_of, step

Eraser = Annotated[Principal, require("registry:erase")]
FamilyEraser = Annotated[Principal, require_family("registry:erase")]
PaymentsOf = Annotated[Payments, resource("payments")]
RETRY_AFTER_S: Final = 1

router = APIRouter(tags=["registry"])


class ErasureUnknown(NotFound):
    """No erasure of this family was ever proposed."""


# -- What there is --------------------------------------------------------------------------------


class ErasureView(BaseModel):
    """The erasure of a family, and nothing of the family itself.

    APPROVED: the family has left, and its key is destroyed once its money is settled.
    """

    family: UUID
    state: Standing
    ground: str
    maker: str
    checker: str | None


@router.get("/erasures")
async def families_erased(
    store: StoreOf,
    eraser: Eraser,
    paging: Paging,
    noted: Noted,
    state: Annotated[
        Literal["PROPOSED", "APPROVED", "ERASED"] | None, Query(description="All states else.")
    ] = None,
    region: RegionWithin = None,
) -> Page[ErasureView]:
    """The families that are erased or are proposed to be, in order of id."""
    where = eraser.within(region)
    rows = await erasures(store, where, state, paging.after(UUID), paging.rows)
    found, following = paging.cut(rows, lambda row: row)
    read = await store.read(ERASURE, [ERASURE.stream(str(family)) for family in found])
    items = [_view(family, read[ERASURE.stream(str(family))].state) for family in found]
    return await noted(Page[ErasureView](items=items, next=following))


@router.get("/erasures/{family}", responses=refuses(FamilyUnknown, ErasureUnknown) | UNCHANGED)
async def erasure_of(
    family: UUID, store: StoreOf, eraser: FamilyEraser, response: Response
) -> ErasureView:
    """The erasure of a family; its ETag is what an approval is asked to name."""
    stream = ERASURE.stream(str(family))
    async with store.looking() as look:
        await _region(look, family)
        found = (await look.load(ERASURE, [stream])).get(stream)
    if found is None:
        raise ErasureUnknown(family=family)
    response.headers["ETag"] = etag(found.version)
    return _view(family, found.state)


def _view(family: UUID, erasure: Erasure) -> ErasureView:
    state = standing_of(erasure)
    if isinstance(erasure, NotAsked) or state is None:
        raise ErasureUnknown(family=family)
    last = erasure.approved if isinstance(erasure, Erased) else erasure
    checker = last.checker if isinstance(last, ErasureApproved) else None
    people = last.maker, checker
    return ErasureView(
        family=family, state=state, ground=last.ground, maker=people[0], checker=people[1]
    )


async def _region(unit: Transaction, family: UUID) -> str:
    """Where a registered family lives today."""
    stream = f"family-{family}"
    found = (await unit.load(FAMILY, [stream])).get(stream)
    if found is None or not found.state.family:
        raise FamilyUnknown(family=family)
    return roster.region(found.state, unit.context.at.date())


# -- What two people do ---------------------------------------------------------------------------


class ErasureProposal(Strict):
    """On which legal ground a family is to be erased.

    `ground` is a code, such as SUBJECT_REQUEST; `evidence` a document's number, never what it says.
    """

    ground: Annotated[str, Field(pattern="^[A-Z][A-Z_]{1,39}$")]
    evidence: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9./_-]{2,63}$")]


@router.post(
    "/erasures/{family}",
    status_code=204,
    responses=refuses(FamilyUnknown, EvidenceMalformed),
    dependencies=[Unconditional],
)
async def propose_erasure(
    family: UUID, body: ErasureProposal, deciding: DecidingOf, eraser: FamilyEraser
) -> Response:
    """Propose to erase a family; nothing follows until another person approves."""
    command = ProposeErasure(str(family), body.ground, body.evidence, eraser.subject)
    return await _decide(deciding, None, family, command)


@router.post(
    "/erasures/{family}/approval",
    status_code=204,
    responses=refuses(
        *(FamilyUnknown, NothingProposed, SamePerson, MoneyUnderWay),
        (503, "service-silent"),
    ),
)
async def approve_erasure(
    family: UUID, deciding: DecidingOf, eraser: FamilyEraser, payments: PaymentsOf, seen: IfMatch
) -> Response:
    """Erase the family that another person proposed to erase. Nobody can take that back.

    Refused while money of the family is under way, and where payments does not say whether any is.
    """
    command = ApproveErasure(eraser.subject, await _under_way(payments, str(family)))
    return await _decide(deciding, seen, family, command)


async def _under_way(payments: Payments, family: str) -> tuple[tuple[str, str], ...]:
    """(tahap, why) of the family's money; asked before the transaction, which waits for nobody."""
    try:
        money = await payments.money_of(family)
    except PaymentsSilent:
        raise Refusal(
            503,
            "service-silent",
            "payments does not answer, and nobody is erased whose money may be under way.",
            {"Retry-After": str(RETRY_AFTER_S)},
            {"service": "payments"},
        ) from None
    return tuple((payment.tahap, payment.why) for payment in money.under_way)


async def _decide(
    deciding: Deciding, seen: Seen | None, family: UUID, command: Command
) -> Response:
    async def decided(unit: Transaction) -> Reply:
        region = await _region(unit, family)
        if seen is not None:
            await seen.ensure_stream(unit, ERASURE, ERASURE.stream(str(family)))
        version = await step(unit, str(family), region, command)
        return Reply(204, None, {"ETag": etag(version)})

    return await deciding(decided)
