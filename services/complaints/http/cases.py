"""Cases over HTTP: received whichever way they came in, read within their region."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import OUTSIDE, Principal, ensure_may_see, is_outside, require
from libs.chassis.bodies import Day, Id, Strict
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import Unconditional, etag
from libs.chassis.forms import VILLAGE
from libs.chassis.idempotency import Reply
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.service import StoreOf
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.complaints.contract import CASE
from services.complaints.domain.case import CaseUnknown, ReceiveCase
from services.complaints.domain.deadlines import Level

Receiver = Annotated[Principal, require("complaints:receive")]
Reader = Annotated[Principal, require("complaints:read")]
Code = Annotated[str, Field(pattern="^[A-Z][A-Z_]{1,39}$")]
Village = Annotated[str, Field(pattern=f"^{VILLAGE.pattern}$")]

EXAMPLES: Final[Mapping[str, object]] = {
    "category": "AMOUNT_WRONG",
    "channel": "CALL_CENTER",
    "code": "CATEGORY_UNKNOWN",
    "column": "category",
    "file": "complaints.csv",
    "on": "2023-12-31",
    "reference": "C000001",
    "resolution": "UPHELD",
    "region": "61.03.01.2026",
}

router = APIRouter(tags=["complaints"])


class Complaint(Strict):
    """A complaint: what it is about and where, and the day on which it came in."""

    category: Code
    channel: Code
    region: Village
    received_on: Day
    anonymous: bool = False
    family: Id | None = None


class Received(BaseModel):
    """The case that a complaint has become."""

    case: UUID


class CaseView(BaseModel):
    """A case as it stands."""

    case: UUID
    category: str
    channel: str
    region: str
    level: Level
    received_on: date
    due_on: date | None
    anonymous: bool
    family: UUID | None


@router.post(
    "/cases",
    status_code=201,
    response_model=Received,
    responses=refuses(OUTSIDE),
    dependencies=[Unconditional],
)
async def receive_case(body: Complaint, deciding: DecidingOf, receiver: Receiver) -> Response:
    """Receive a complaint of any channel as a case; sent again it is the same case."""
    ensure_may_see(receiver, body.region)
    case = str(uuid4())
    command = ReceiveCase(
        case,
        body.category,
        body.channel,
        body.region,
        "DISTRICT",
        body.received_on,
        None,
        body.anonymous,
        str(body.family) if body.family else None,
    )

    async def decided(unit: Transaction) -> Reply:
        outcome = await handle(unit, CASE, CASE.stream(case), command)
        return Reply(201, {"case": case}, {"ETag": etag(outcome.version)})

    return await deciding(decided)


@router.get("/cases/{case}", responses=refuses(CaseUnknown) | UNCHANGED)
async def case_of(
    case: UUID, store: StoreOf, reader: Reader, response: Response, noted: Noted
) -> CaseView:
    """One case of the reader's regions."""
    stream = CASE.stream(str(case))
    found = (await store.read(CASE, [stream])).get(stream)
    received = found.state.received if found else None
    if found is None or received is None or is_outside(reader, received.region):
        raise CaseUnknown()
    response.headers["ETag"] = etag(found.version)
    return await noted(
        CaseView(
            case=case,
            category=received.category,
            channel=received.channel,
            region=received.region,
            level=received.level,
            received_on=received.received_on,
            due_on=received.due_on,
            anonymous=received.anonymous,
            family=UUID(received.family) if received.family else None,
        )
    )
