"""Reports of proofs over HTTP: `pkh verify` and `pkh witness` tell how they ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal, require_nation
from libs.chassis.bodies import Strict
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import Once, Reply
from libs.chassis.middleware import Asked
from libs.chassis.pagination import Page, Paging
from libs.chassis.service import StoreOf
from libs.events.store.transaction import Transaction
from services.projection.tables import proofs as tables
from services.projection.tables.proofs import LAST, ProofKind

Observer = Annotated[Principal, require_nation("platform:read")]
Prover = Annotated[Principal, require_nation("platform:prove")]
FINDINGS_MAX: Final = 2**31 - 1

router = APIRouter(tags=["operations"])


class ProofEnded(Strict):
    """The end of a proof: of which kind it was, and how many faults it found."""

    kind: Annotated[ProofKind, Field(examples=["VERIFICATION"])]
    findings: Annotated[int, Field(ge=0, le=FINDINGS_MAX, examples=[0])]


class ProofReported(BaseModel):
    """A report: a verification, or a witness's look, as its sender told of it."""

    kind: Annotated[ProofKind, Field(examples=["VERIFICATION"])]
    reported_at: datetime
    reported_by: str
    findings: Annotated[int, Field(examples=[0])]


@router.post("/proof-reports", status_code=204, dependencies=[Unconditional])
async def report(
    body: ProofEnded, deciding: DecidingOf, prover: Prover, _once: Once, context: Asked
) -> Response:
    """Report how a verification or a witness's look ended; a finding is told to operations."""

    async def decided(unit: Transaction) -> Reply:
        await tables.add(unit, body.kind, context.at, prover.subject, body.findings)
        return Reply(204)

    return await deciding(decided)


@router.get("/proof-reports")
async def reports(store: StoreOf, _observer: Observer, paging: Paging) -> Page[ProofReported]:
    """The reports, the newest first."""
    before = paging.after(int) or LAST
    rows = await tables.page(store, before, paging.rows)
    found, following = paging.cut(rows, lambda row: row.number)
    items = [
        ProofReported(
            kind=row.kind,
            reported_at=row.reported_at,
            reported_by=row.reported_by,
            findings=row.findings,
        )
        for row in found
    ]
    return Page[ProofReported](items=items, next=following)
