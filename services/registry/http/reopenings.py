"""Re-openings over HTTP: which wait, what is behind one, what another person decides on it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from libs.chassis.auth import Principal, require
from libs.chassis.bodies import FamilyUnknown, Strict, TahapId
from libs.chassis.deciding import DecidingOf, moved
from libs.chassis.etag import IfMatch, etag
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import Asked, resource
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Paging, StreamPage
from libs.chassis.regions import require_family
from libs.chassis.service import StoreOf
from libs.events.store.handle import Loaded, handle
from libs.events.store.transaction import Transaction
from services.registry.contract import FAMILY
from services.registry.domain.family import roster
from services.registry.domain.family.commands import DecideReopening
from services.registry.domain.family.errors import (
    ListNotFrozen,
    NoSuchReopening,
    NotInProgramme,
    PayeeShared,
    ReopeningDecided,
    SamePerson,
)
from services.registry.domain.family.events import Decision, FamilyReopened
from services.registry.domain.family.state import Family, Reopening
from services.registry.http.families import FamilyReader, Reader
from services.registry.tables.erasures import ensure_not_erased
from services.registry.workers import reviewer as reopening
from services.registry.workers.shared_payees import SharedPayees

Approver = Annotated[Principal, require("registry:approve")]
PayeesOf = Annotated[SharedPayees, resource("payees")]
FamilyApprover = Annotated[Principal, require_family("registry:approve")]

router = APIRouter(tags=["registry"])


# -- What there is --------------------------------------------------------------------------------


class LateFactView(BaseModel):
    """A fact that the list did not know; what came with the family's card has no dates."""

    fact: str
    effective_on: date | None
    reported_on: date | None
    recorded_by: str


class ListedMemberView(BaseModel):
    """A member by number, and the categories that they would be listed with at the closing."""

    member: int
    categories: list[str]


class ReopeningView(BaseModel):
    """A re-opening: the line of a family at a tahap that had found no category in it."""

    family: UUID
    tahap: str
    reopening: int
    standing: Literal["WAITING", "APPROVED", "REJECTED"]
    region: str
    late: list[LateFactView]
    members: list[ListedMemberView]
    payee_valid: bool
    bank: str | None


@router.get("/reopenings")
async def reopenings(
    store: StoreOf,
    context: Asked,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    tahap: Annotated[
        TahapId | None, Query(description="That they would re-open; all else.")
    ] = None,
) -> StreamPage[ReopeningView]:
    """The re-openings that nobody has decided yet, in order of family and tahap."""
    after = paging.after(tuple[UUID, str])
    rows = await reopening.waiting(store, tahap, reader.regions, after, paging.rows)
    found, following = paging.cut(rows, lambda row: row[:2])
    items = [
        _shown(state, proposal, context.at.date())
        for _, at, state in found
        if state is not None and (proposal := state.reopening(at)) is not None
    ]
    unreadable = sorted({UUID(family) for family, _, state in found if state is None})
    page = StreamPage[ReopeningView](items=items, next=following, unreadable=unreadable)
    return await noted(page)


@router.get(
    "/reopenings/{family}/{tahap}",
    responses=refuses(FamilyUnknown, NoSuchReopening) | UNCHANGED,
)
async def reopening_of(
    family: UUID,
    tahap: TahapId,
    store: StoreOf,
    context: Asked,
    reader: FamilyReader,
    response: Response,
) -> ReopeningView:
    """The latest proposal to re-open a tahap; its ETag is what a decision is asked to name."""
    async with store.looking() as look:
        found = await registered(look, family)
    proposal = found.state.reopening(tahap)
    if proposal is None:
        raise NoSuchReopening(tahap=tahap)
    response.headers["ETag"] = etag(found.version)
    return _shown(found.state, proposal, context.at.date())


async def registered(unit: Transaction, family: UUID) -> Loaded[Family]:
    """A family of the register; an erased one is unknown."""
    await ensure_not_erased(unit, str(family))
    stream = f"family-{family}"
    found = (await unit.load(FAMILY, [stream])).get(stream)
    if found is None or not found.state.family:
        raise FamilyUnknown(family=family)
    return found


def _shown(state: Family, proposal: Reopening, today: date) -> ReopeningView:
    return ReopeningView(
        family=UUID(state.family),
        tahap=proposal.tahap,
        reopening=proposal.number,
        standing=proposal.standing,
        region=roster.region(state, today),
        late=[
            LateFactView(
                fact=late.fact,
                effective_on=late.effective_on,
                reported_on=late.reported_on,
                recorded_by=late.recorded_by,
            )
            for late in proposal.late
        ],
        members=[
            ListedMemberView(member=member.member, categories=list(member.closing))
            for member in proposal.line.members
        ],
        payee_valid=proposal.line.payee_valid,
        bank=proposal.line.bank,
    )


# -- What another person does ---------------------------------------------------------------------


class ReopeningDecision(Strict):
    """The decision: the family is listed as its late facts say, or is not."""

    decision: Decision


@router.post(
    "/reopenings/{family}/{tahap}/decision",
    status_code=204,
    responses=refuses(
        FamilyUnknown,
        NoSuchReopening,
        SamePerson,
        ReopeningDecided,
        NotInProgramme,
        ListNotFrozen,
        PayeeShared,
    ),
)
async def decide_reopening(
    family: UUID,
    tahap: TahapId,
    body: ReopeningDecision,
    deciding: DecidingOf,
    payees: PayeesOf,
    approver: FamilyApprover,
    seen: IfMatch,
) -> Response:
    """Let a re-opening take effect, or not; never by a person who recorded one of its facts."""
    stream = f"family-{family}"

    async def decided(unit: Transaction) -> Reply:
        # Of two who share an account the second is decided on when the first is.
        await unit.hold([stream, f"listing-{tahap}"])
        found = await registered(unit, family)
        await seen.ensure_stream(unit, FAMILY, stream)
        listing = await reopening.listing_of(unit, tahap)
        command = DecideReopening(tahap, body.decision, approver.subject, listing.frozen)
        outcome = await handle(unit, FAMILY, stream, command)
        if any(isinstance(event, FamilyReopened) for event in outcome.events):
            await payees.ensure_unshared(unit, listing, found.state)
        await reopening.keep_open(unit, [outcome])
        return moved(outcome)

    return await deciding(decided)
