"""A family's commitment over HTTP, and what a second person decides on late facts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from libs.chassis.bodies import FamilyUnknown
from libs.chassis.deciding import Deciding, DecidingOf, moved
from libs.chassis.etag import IfMatch, etag
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import resource
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.service import StoreOf
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.conditionality.contract import COMMITMENT
from services.conditionality.domain.commitment import (
    ApproveCorrection,
    CorrectionProposed,
    RejectCorrection,
)
from services.conditionality.domain.commitment import Command as CommitmentCommand
from services.conditionality.domain.commitment.corrections import NoSuchCorrection, SamePerson
from services.conditionality.domain.duties import CommitmentPolicy
from services.conditionality.http.facts import FamilyApprover, FamilyReader
from services.conditionality.tables.regions import commitment_of
from services.conditionality.tables.roster import rule_set_of
from services.conditionality.tables.worklists import keep_worklists
from services.conditionality.workers.judging import RuleSetPolicies, policy_of

PoliciesOf = Annotated[RuleSetPolicies, resource("policies")]
REFUSALS = refuses(FamilyUnknown, NoSuchCorrection, SamePerson)

router = APIRouter(tags=["conditionality"])


class CycleState(BaseModel):
    """The latest revision of one cycle; `cut_percent` is what it lowers the benefit by."""

    tahap: str
    revision: int
    result: str
    hold: str
    cut_percent: int


class Correction(BaseModel):
    """A change that late facts would bring, waiting for somebody who did not record them.

    `cut_percent` is what the corrected cycle would lower the benefit by, `cut_percent_before` what
    the standing one does. Money of a frozen list does not follow a correction by itself.
    """

    correction: int
    tahap: str
    result: str
    cut_percent: int
    cut_percent_before: int


class CommitmentView(BaseModel):
    """The standing of a family's commitment."""

    family: UUID
    cycles: list[CycleState]
    corrections: list[Correction]


@router.get("/commitments/{family}", responses=refuses(FamilyUnknown) | UNCHANGED)
async def commitment(family: UUID, store: StoreOf, reader: FamilyReader, response: Response) -> Any:
    """A family's cycles, and the corrections that wait for a decision."""
    async with store.looking() as look:
        found = await commitment_of(look, family)
    state = found.state
    response.headers["ETag"] = etag(found.version)
    return CommitmentView(
        family=family,
        cycles=[
            CycleState(
                tahap=cycle.tahap,
                revision=cycle.revision,
                result=cycle.result,
                hold=cycle.hold,
                cut_percent=cycle.cut_percent,
            )
            for cycle in state.cycles
        ],
        corrections=[_waiting(c.proposed) for c in state.corrections if not c.rejected],
    )


def _waiting(proposed: CorrectionProposed) -> Correction:
    return Correction(
        correction=proposed.correction,
        tahap=proposed.tahap,
        result=proposed.result,
        cut_percent=proposed.cut_percent,
        cut_percent_before=proposed.cut_percent_before,
    )


@router.post(
    "/commitments/{family}/corrections/{correction}/approval",
    status_code=204,
    responses=REFUSALS,
)
async def approve_correction(
    family: UUID,
    correction: int,
    policies: PoliciesOf,
    deciding: DecidingOf,
    approver: FamilyApprover,
    seen: IfMatch,
) -> Response:
    """Let a proposed correction count; its approver is none of those who recorded its facts."""

    async def approval(unit: Transaction) -> CommitmentCommand:
        policy = await _policy(unit, policies, family, correction)
        return ApproveCorrection(str(family), correction, approver.subject, policy)

    return await _decide(deciding, seen, family, approval)


@router.post(
    "/commitments/{family}/corrections/{correction}/rejection",
    status_code=204,
    responses=REFUSALS,
)
async def reject_correction(
    family: UUID,
    correction: int,
    policies: PoliciesOf,
    deciding: DecidingOf,
    approver: FamilyApprover,
    seen: IfMatch,
) -> Response:
    """Let a proposed correction not count."""

    async def rejection(unit: Transaction) -> CommitmentCommand:
        policy = await _policy(unit, policies, family, correction)
        return RejectCorrection(str(family), correction, approver.subject, policy)

    return await _decide(deciding, seen, family, rejection)


async def _decide(
    deciding: Deciding,
    seen: IfMatch,
    family: UUID,
    command: Callable[[Transaction], Awaitable[CommitmentCommand]],
) -> Response:
    async def decided(unit: Transaction) -> Reply:
        await commitment_of(unit, family)
        await seen.ensure_stream(unit, COMMITMENT, f"commitment-{family}")
        outcome = await handle(unit, COMMITMENT, f"commitment-{family}", await command(unit))
        await keep_worklists(unit, [outcome])
        return moved(outcome)

    return await deciding(decided)


async def _policy(
    unit: Transaction, policies: RuleSetPolicies, family: UUID, correction: int
) -> CommitmentPolicy:
    """The policy of a waiting correction, read again now that its stream is locked."""
    stream_id = f"commitment-{family}"
    found = await unit.load(COMMITMENT, [stream_id])
    for stored in found[stream_id].state.corrections:
        if stored.proposed.correction == correction and not stored.rejected:
            rule_set = await rule_set_of(unit, stored.proposed.tahap, str(family))
            return policy_of(policies, rule_set)
    raise NoSuchCorrection(correction=correction)
