"""Erasure of what was said on a case, by two people of the office that has it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from libs.chassis.bodies import Strict
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import IfMatch
from libs.chassis.openapi import refuses
from services.complaints.domain.case import CaseNotResolved, Command
from services.complaints.domain.erasing import (
    CaseIsErased,
    DecideErasure,
    ErasureBySamePerson,
    ErasureProposedAlready,
    NoErasureProposed,
    ProposeErasure,
)
from services.complaints.http.appeals import Decider
from services.complaints.http.cases import PoliciesOf
from services.complaints.http.handling import WORKED, stepped

router = APIRouter(tags=["complaints"])


class ErasureProposal(Strict):
    """The number of the document in which the reporter asks for it."""

    evidence: Annotated[
        str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9/_.-]{0,63}$", examples=["BA-17/2026"])
    ]


class ErasureDecision(Strict):
    """The decision: APPROVED destroys name, contact and words for ever."""

    decision: Literal["APPROVED", "REJECTED"]


@router.post(
    "/cases/{case}/erasure",
    status_code=204,
    responses=refuses(*WORKED, CaseNotResolved, CaseIsErased, ErasureProposedAlready),
)
async def propose_erasure(
    case: UUID,
    body: ErasureProposal,
    deciding: DecidingOf,
    policies: PoliciesOf,
    decider: Decider,
    seen: IfMatch,
) -> Response:
    """Propose to erase what was said on a case that has ended; another person decides."""

    def command(_today: date) -> Command:
        return ProposeErasure(body.evidence, decider.subject)

    return await stepped(deciding, policies, decider, case, seen, command)


@router.post(
    "/cases/{case}/erasure/decision",
    status_code=204,
    responses=refuses(
        *WORKED, CaseNotResolved, CaseIsErased, NoErasureProposed, ErasureBySamePerson
    ),
)
async def decide_erasure(
    case: UUID,
    body: ErasureDecision,
    deciding: DecidingOf,
    policies: PoliciesOf,
    decider: Decider,
    seen: IfMatch,
) -> Response:
    """Erase what was said on a case, or let it stay; never by the person who proposed it."""

    def command(_today: date) -> Command:
        return DecideErasure(body.decision == "APPROVED", decider.subject)

    return await stepped(deciding, policies, decider, case, seen, command)
