"""Administrative holds over HTTP: one family's money kept back by two people, and let go by two."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal
from libs.chassis.bodies import Day, FamilyUnknown, Strict, TahapId
from libs.chassis.deciding import Deciding, DecidingOf, moved
from libs.chassis.etag import IfMatch, Seen, Unconditional, etag
from libs.chassis.idempotency import Reply
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Paging, StreamPage
from libs.chassis.regions import RegionWithin, require_family
from libs.chassis.service import StoreOf
from libs.events.consumer.batch_bisection import load_by_halves
from libs.events.domain.errors import NotFound
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.payments.contract import ADMINISTRATIVE_HOLD
from services.payments.domain.administrative_hold.decider import AdministrativeHold
from services.payments.domain.administrative_hold.messages import (
    ApproveHold,
    ApproveHoldEnd,
    Command,
    HoldKind,
    HoldTerms,
    ProposeHold,
    ProposeHoldEnd,
)
from services.payments.domain.shared.errors import (
    AlreadyDispatched,
    Malformed,
    NotHeld,
    NothingProposed,
    SamePerson,
)
from services.payments.http.orders import FamilyReader
from services.payments.http.tahap import Reader
from services.payments.tables import ledger
from services.payments.tables.holds import ensure_in_time, holds, keep, state_of

Maker = Annotated[Principal, require_family("payments:make")]
Checker = Annotated[Principal, require_family("payments:check")]
Code = Annotated[str, Field(pattern="^[A-Z][A-Z_]{1,39}$")]
Evidence = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9./_-]{2,63}$")]
HoldState = Literal["PROPOSED", "CHANGE_PROPOSED", "END_PROPOSED", "HELD", "ENDED"]

router = APIRouter(tags=["payments"])


class HoldUnknown(NotFound):
    """Nobody ever proposed to hold this family."""


_PROPOSED: Final = refuses(FamilyUnknown, Malformed)
_APPROVED: Final = refuses(
    *(FamilyUnknown, HoldUnknown, NothingProposed, SamePerson, AlreadyDispatched)
)
_END_PROPOSED: Final = refuses(FamilyUnknown, HoldUnknown, NotHeld, Malformed)
_ENDED: Final = refuses(FamilyUnknown, HoldUnknown, NothingProposed, SamePerson)


# -- What there is --------------------------------------------------------------------------------


class HoldTermsView(BaseModel):
    """On what terms a family is held, or to be held."""

    kind: HoldKind
    reason: str
    evidence: str
    from_tahap: str | None
    last_day: date | None


class ProposedView(BaseModel):
    """A proposal that waits for another person: new terms, or the end (`terms` is null)."""

    maker: str
    reason: str
    terms: HoldTermsView | None


class HoldView(BaseModel):
    """The administrative hold of a family: the terms in force, and what is proposed.

    A hold whose last day has passed is HELD until somebody ends it, and concerns nothing more.
    """

    family: UUID
    state: HoldState
    number: int
    terms: HoldTermsView | None
    proposed: ProposedView | None


@router.get("/holds")
async def families_held(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    state: Annotated[HoldState | None, Query(description="All states else.")] = None,
    region: RegionWithin = None,
    reason: Annotated[str | None, Query(pattern="^[A-Z][A-Z_]{1,39}$")] = None,
) -> StreamPage[HoldView]:
    """The families that are held, were held or are proposed to be, in order of id."""
    rows = await holds(store, reader.within(region), state, reason, paging.after(UUID), paging.rows)
    found, following = paging.cut(rows, lambda row: row)
    streams = {family: ADMINISTRATIVE_HOLD.stream(str(family)) for family in found}
    async with store.looking() as look:
        read = await load_by_halves(look, ADMINISTRATIVE_HOLD, list(streams.values()))
    items = [_view(read[stream].state) for stream in streams.values() if stream in read]
    unreadable = [family for family, stream in streams.items() if stream not in read]
    return await noted(StreamPage[HoldView](items=items, next=following, unreadable=unreadable))


@router.get("/families/{family}/holds", responses=refuses(FamilyUnknown, HoldUnknown) | UNCHANGED)
async def family_hold(
    family: UUID, store: StoreOf, reader: FamilyReader, response: Response
) -> HoldView:
    """The administrative hold of a family; its ETag is what an approval is asked to name."""
    stream = ADMINISTRATIVE_HOLD.stream(str(family))
    found = (await store.read(ADMINISTRATIVE_HOLD, [stream])).get(stream)
    if found is None:
        raise HoldUnknown(family=family)
    response.headers["ETag"] = etag(found.version)
    return _view(found.state)


def _view(hold: AdministrativeHold) -> HoldView:
    waits, proposed = hold.proposal, None
    if waits is not None:
        reason = waits.terms.reason
        proposed = ProposedView(maker=waits.maker, reason=reason, terms=_terms(waits.terms))
    elif hold.end is not None:
        proposed = ProposedView(maker=hold.end.maker, reason=hold.end.reason, terms=None)
    return HoldView(
        family=UUID(hold.family),
        state=state_of(hold),
        number=hold.number,
        terms=_terms(hold.terms) if hold.terms else None,
        proposed=proposed,
    )


def _terms(terms: HoldTerms) -> HoldTermsView:
    return HoldTermsView(
        kind=terms.kind,
        reason=terms.reason,
        evidence=terms.evidence,
        from_tahap=terms.from_tahap or None,
        last_day=terms.last_day,
    )


# -- What two people do ---------------------------------------------------------------------------


class HoldProposal(Strict):
    """On what terms to hold a family; `evidence` is a document's number, never what it says.

    An EXCLUSION has no last day: what is not sent because of it lapses with its tahap.
    """

    kind: Literal["HOLD", "EXCLUSION"] = "HOLD"
    reason: Code
    evidence: Evidence
    from_tahap: TahapId | None = None
    last_day: Day | None = None


class EndProposal(Strict):
    """The reason why the family is to be held no more, as a code."""

    reason: Code


@router.post(
    "/families/{family}/holds",
    status_code=204,
    responses=_PROPOSED,
    dependencies=[Unconditional],
)
async def propose_hold(
    family: UUID,
    body: HoldProposal,
    deciding: DecidingOf,
    maker: Maker,
) -> Response:
    """Propose to hold a family's money before it is sent, or to hold it on other terms."""
    terms = HoldTerms(
        HoldKind(body.kind), body.reason, body.evidence, body.from_tahap or "", body.last_day
    )
    command = ProposeHold(str(family), maker.subject, terms)
    return await _decide(deciding, None, family, command)


@router.post("/families/{family}/holds/approval", status_code=204, responses=_APPROVED)
async def approve_hold(
    family: UUID,
    deciding: DecidingOf,
    checker: Checker,
    seen: IfMatch,
) -> Response:
    """Hold the family as another person proposed; its money is deferred at whatever step it is."""
    command = ApproveHold(checker.subject)
    return await _decide(deciding, seen, family, command)


@router.post("/families/{family}/holds/end-proposal", status_code=204, responses=_END_PROPOSED)
async def propose_hold_end(
    family: UUID,
    body: EndProposal,
    deciding: DecidingOf,
    maker: Maker,
    seen: IfMatch,
) -> Response:
    """Propose that the family is held no more."""
    command = ProposeHoldEnd(maker.subject, body.reason)
    return await _decide(deciding, seen, family, command)


@router.post("/families/{family}/holds/end-approval", status_code=204, responses=_ENDED)
async def approve_hold_end(
    family: UUID,
    deciding: DecidingOf,
    checker: Checker,
    seen: IfMatch,
) -> Response:
    """End the hold as another person proposed; a supplementary run may pay what was deferred."""
    command = ApproveHoldEnd(checker.subject)
    return await _decide(deciding, seen, family, command)


async def _decide(
    deciding: Deciding, seen: Seen | None, family: UUID, command: Command
) -> Response:
    region = await ledger.lives(deciding.store, family, deciding.context.at.date()) or ""

    async def decided(unit: Transaction) -> Reply:
        if seen is not None:
            await _ensure_seen(unit, family, seen)
        outcome = await handle(
            unit, ADMINISTRATIVE_HOLD, ADMINISTRATIVE_HOLD.stream(str(family)), command
        )
        if isinstance(command, ApproveHold) and outcome.events and outcome.state.terms:
            await ensure_in_time(unit, str(family), outcome.state.terms)
        await keep(unit, outcome.state, region)
        return moved(outcome)

    return await deciding(decided)


async def _ensure_seen(unit: Transaction, family: UUID, seen: Seen) -> None:
    stream = ADMINISTRATIVE_HOLD.stream(str(family))
    await seen.ensure_stream(unit, ADMINISTRATIVE_HOLD, stream)
    if stream not in await unit.load(ADMINISTRATIVE_HOLD, [stream]):
        raise HoldUnknown(family=family)
