"""Investigations over HTTP: which are open, what one person found, what another decides on it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from libs.chassis.auth import Principal
from libs.chassis.bodies import FamilyUnknown, Strict, TahapId, TahapUnknown
from libs.chassis.deciding import Deciding, DecidingOf, moved
from libs.chassis.etag import IfMatch, etag
from libs.chassis.idempotency import Reply
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Paging, StreamPage
from libs.chassis.regions import RegionWithin, require_family
from libs.chassis.service import StoreOf
from libs.events.domain.errors import NotFound
from libs.events.store.handle import Loaded, handle
from libs.events.store.transaction import Transaction
from services.conditionality.contract import COMMITMENT, EVALUATION
from services.conditionality.domain.commitment import (
    BringFinding,
    Commitment,
    DecideFinding,
    Decision,
    Found,
    Investigation,
)
from services.conditionality.domain.commitment.corrections import SamePerson
from services.conditionality.domain.commitment.investigations import (
    FindingDecided,
    FindingWaits,
    NoSuchFinding,
    NotUnderInvestigation,
)
from services.conditionality.http.facts import FamilyApprover, FamilyReader, Reader
from services.conditionality.tables.investigations import InvestigationFilter, under_investigation
from services.conditionality.tables.regions import commitment_of
from services.conditionality.tables.worklists import keep_worklists

Investigator = Annotated[Principal, require_family("conditionality:investigate")]

router = APIRouter(tags=["conditionality"])


class InvestigationUnknown(NotFound):
    """The family's latest investigation did not open at this tahap, or there was none."""


# -- What there is --------------------------------------------------------------------------------


class FindingView(BaseModel):
    """An investigation's finding, by whom, and what another person decided on it."""

    outcome: Found
    maker: str
    decision: Decision | Literal["WAITING"]
    checker: str


class InvestigationView(BaseModel):
    """A family's investigation, by the tahap at which it opened.

    `held` names the tahaps whose money is held now: what a decision moves.
    """

    family: UUID
    tahap: str
    outcome: Literal["OPEN", "WITHDRAWN", "CONFIRMED", "NOT_CONFIRMED", "TAKEN_BACK"]
    finding: FindingView | None
    held: list[str]


@router.get("/investigations", responses=refuses(TahapUnknown))
async def investigations(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    tahap: Annotated[TahapId | None, Query(description="At which they opened; all else.")] = None,
    finding: Annotated[
        Literal["WAITING", "NONE"] | None,
        Query(description="Whether a finding waits for a second person."),
    ] = None,
    region: RegionWithin = None,
) -> StreamPage[InvestigationView]:
    """The families under investigation, for whom nobody has decided yet, in order of id."""
    if tahap is not None and not await store.read(EVALUATION, [f"evaluation-{tahap}"]):
        raise TahapUnknown(tahap=tahap)
    waits = None if finding is None else finding == "WAITING"
    wanted = InvestigationFilter(tahap, waits, reader.within(region))
    rows = await under_investigation(store, wanted, paging.after(UUID), paging.rows)
    found, following = paging.cut(rows, lambda row: row[0])
    items = [
        _shown(UUID(family), state.investigation, state)
        for family, state in found
        if state is not None and state.investigation is not None
    ]
    unreadable = [UUID(family) for family, state in found if state is None]
    page = StreamPage[InvestigationView](items=items, next=following, unreadable=unreadable)
    return await noted(page)


@router.get(
    "/investigations/{family}/{tahap}",
    responses=refuses(FamilyUnknown, TahapUnknown, InvestigationUnknown) | UNCHANGED,
)
async def investigation(
    family: UUID, tahap: TahapId, store: StoreOf, reader: FamilyReader, response: Response
) -> InvestigationView:
    """The investigation that opened at a tahap; its ETag is what a decision is asked to name."""
    async with store.looking() as look:
        found = _of_tahap(tahap, await commitment_of(look, family))
    investigation = found.state.investigation
    if investigation is None or investigation.tahap != tahap:
        raise InvestigationUnknown(family=family, tahap=tahap)
    response.headers["ETag"] = etag(found.version)
    return _shown(family, investigation, found.state)


def _of_tahap(tahap: str, found: Loaded[Commitment]) -> Loaded[Commitment]:
    if found.state.cycle(tahap) is None:
        raise TahapUnknown(tahap=tahap)
    return found


def _shown(family: UUID, investigation: Investigation, state: Commitment) -> InvestigationView:
    found = investigation.finding
    return InvestigationView(
        family=family,
        tahap=investigation.tahap,
        outcome=investigation.outcome,
        finding=found
        and FindingView(
            outcome=found.outcome,
            maker=found.maker,
            decision=found.decision,
            checker=found.checker,
        ),
        held=list(state.held),
    )


# -- What two people do ---------------------------------------------------------------------------


class FindingReport(Strict):
    """The finding: CONFIRMED failures end the family's participation."""

    outcome: Found


class DecisionReport(Strict):
    """A decision on the finding that waits: it stands or not."""

    decision: Decision


@router.post(
    "/investigations/{family}/{tahap}/finding",
    status_code=204,
    responses=refuses(FamilyUnknown, TahapUnknown, NotUnderInvestigation, FindingWaits),
)
async def bring_finding(
    family: UUID,
    tahap: TahapId,
    body: FindingReport,
    deciding: DecidingOf,
    investigator: Investigator,
    seen: IfMatch,
) -> Response:
    """Say what the investigation found; another person decides whether that stands."""
    command = BringFinding(str(family), tahap, body.outcome, investigator.subject)
    return await _answer(deciding, seen, command)


@router.post(
    "/investigations/{family}/{tahap}/decision",
    status_code=204,
    responses=refuses(
        FamilyUnknown,
        TahapUnknown,
        NotUnderInvestigation,
        NoSuchFinding,
        SamePerson,
        FindingDecided,
    ),
)
async def decide_finding(
    family: UUID,
    tahap: TahapId,
    body: DecisionReport,
    deciding: DecidingOf,
    approver: FamilyApprover,
    seen: IfMatch,
) -> Response:
    """Let the finding take effect, or not; never by the person who brought it."""
    command = DecideFinding(str(family), tahap, body.decision, approver.subject)
    return await _answer(deciding, seen, command)


async def _answer(
    deciding: Deciding, seen: IfMatch, command: BringFinding | DecideFinding
) -> Response:
    family, stream_id = UUID(command.family), f"commitment-{command.family}"

    async def decided(unit: Transaction) -> Reply:
        _of_tahap(command.tahap, await commitment_of(unit, family))
        await seen.ensure_stream(unit, COMMITMENT, stream_id)
        outcome = await handle(unit, COMMITMENT, stream_id, command)
        await keep_worklists(unit, [outcome])
        return moved(outcome)

    return await deciding(decided)
