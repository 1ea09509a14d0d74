"""A tahap's list over HTTP: how far it is, and how many families two people let it withhold."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal, require_nation
from libs.chassis.bodies import Strict, TahapId, TahapUnknown
from libs.chassis.deciding import Deciding, DecidingOf
from libs.chassis.etag import IfMatch, Seen, etag
from libs.chassis.idempotency import Reply
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.service import StoreOf
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.registry.contract import LISTING
from services.registry.domain.listing.decider import (
    ListingClosedBefore,
    NothingProposed,
    SamePerson,
)
from services.registry.domain.listing.messages import ApproveWithheld, Command, ProposeWithheld
from services.registry.domain.listing.state import Listing

Reader = Annotated[Principal, require_nation("registry:read")]
Approver = Annotated[Principal, require_nation("registry:approve")]
FAMILIES_MAX = 100_000_000

router = APIRouter(tags=["registry"])


class WithheldProposal(BaseModel):
    """The number of families that somebody proposes to accept, and who does."""

    most: int
    maker: str


class RosterView(BaseModel):
    """A tahap's list: what it has come to so far, in families.

    `mendable` of the withheld ones are so for a reason that need not be their own: beyond
    `withheld_max` of them the list rests.
    """

    tahap: str
    revision: int
    standing: Literal["OPEN", "CLOSED", "CANCELLED"]
    listed: int
    graduated: int
    pending: int
    withheld: int
    mendable: int
    withheld_max: int
    proposal: WithheldProposal | None


class Accepted(Strict):
    """The number of families that may be withheld although their reason could be mended."""

    most: Annotated[int, Field(ge=1, le=FAMILIES_MAX)]


@router.get("/lists/{tahap}", responses=refuses(TahapUnknown) | UNCHANGED)
async def list_of(tahap: TahapId, store: StoreOf, reader: Reader, response: Response) -> RosterView:
    """The latest list of a tahap as it stands."""
    async with store.looking() as look:
        state = await _listing(look, tahap)
    view = RosterView(
        tahap=state.tahap,
        revision=state.revision,
        standing="CANCELLED" if state.cancelled else "CLOSED" if state.closed else "OPEN",
        listed=state.listed,
        graduated=state.graduated,
        pending=state.pending,
        withheld=len(state.withheld) + state.withheld_more,
        mendable=state.mendable,
        withheld_max=state.withheld_max,
        proposal=WithheldProposal(most=state.proposal.most, maker=state.proposal.maker)
        if state.proposal
        else None,
    )
    response.headers["ETag"] = etag(_version(state), view.model_dump_json())
    return view


@router.post(
    "/lists/{tahap}/withheld-proposal",
    status_code=204,
    responses=refuses(TahapUnknown, ListingClosedBefore),
)
async def propose_withheld(
    tahap: TahapId, body: Accepted, deciding: DecidingOf, approver: Approver, seen: IfMatch
) -> Response:
    """Propose that a list goes on with more withheld families, for another person to approve."""
    command = ProposeWithheld(body.most, approver.subject)
    return await _decide(deciding, seen, tahap, command)


@router.post(
    "/lists/{tahap}/withheld-approval",
    status_code=204,
    responses=refuses(TahapUnknown, ListingClosedBefore, NothingProposed, SamePerson),
)
async def approve_withheld(
    tahap: TahapId, body: Accepted, deciding: DecidingOf, approver: Approver, seen: IfMatch
) -> Response:
    """Have a list go on with as many withheld families as another person proposed."""
    command = ApproveWithheld(body.most, approver.subject)
    return await _decide(deciding, seen, tahap, command)


async def _decide(deciding: Deciding, seen: Seen, tahap: str, command: Command) -> Response:
    async def decided(unit: Transaction) -> Reply:
        await unit.hold([f"listing-{tahap}"])
        seen.ensure(_version(await _listing(unit, tahap)))
        outcome = await handle(unit, LISTING, f"listing-{tahap}", command)
        return Reply(204, None, {"ETag": etag(_version(outcome.state))})

    return await deciding(decided)


async def _listing(unit: Transaction, tahap: str) -> Listing:
    found = await unit.load(LISTING, [f"listing-{tahap}"])
    if not found:
        raise TahapUnknown(tahap=tahap)
    return found[f"listing-{tahap}"].state


def _version(state: Listing) -> str:
    """The version of what is decided; that the list goes on makes nobody look again."""
    waits = state.proposal.most if state.proposal else 0
    return f"{state.revision}-{state.withheld_max}-{waits}"
