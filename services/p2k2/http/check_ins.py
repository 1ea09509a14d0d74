"""Check-in at sessions over HTTP: tokens of a group's families, and which of them were scanned."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.bodies import Id, Moment, Strict
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import Asked, resource
from libs.chassis.noting import Noted
from libs.chassis.openapi import refuses
from libs.chassis.service import StoreOf
from libs.events.store.transaction import Transaction
from services.p2k2.contract import GROUP
from services.p2k2.domain.check_in import (
    CheckInForged,
    CheckInOfAnotherFamily,
    CheckInOfAnotherSession,
    CheckInOutOfTime,
    Scanning,
    Ticket,
    ensure_counts,
    span_of,
)
from services.p2k2.domain.session import (
    CheckedInAlready,
    CheckIn,
    Scan,
    SessionIsCancelled,
    SessionNotHeld,
    SessionUnknown,
)
from services.p2k2.http.check_in_tokens import TOKEN_CHARACTERS_MAX, CheckInTokens
from services.p2k2.http.sessions import (
    MARKS_MAX,
    FamilyOfAnotherGroup,
    Number,
    PoliciesOf,
    Recorder,
    ensure_of_group,
    group_of_session,
    session_moved,
    session_within,
)
from services.p2k2.tables.groups import not_erased

TokensOf = Annotated[CheckInTokens, resource("check_in_tokens")]

router = APIRouter(tags=["p2k2"])


class PublicKey(BaseModel):
    """The key that proves the tokens of a list where there is no network, as a JWK (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str


class FamilyToken(BaseModel):
    """A family's token for the session, to be shown as a QR code; it names nobody."""

    family: UUID
    token: str


class CheckInList(BaseModel):
    """The tokens of a session; they are scanned from `begins` until before `ends`."""

    number: str
    begins: datetime
    ends: datetime
    key: PublicKey
    tokens: list[FamilyToken]


class TokenScan(Strict):
    """A family's token as it was scanned, and when, by the clock of who scanned it."""

    family: Id
    token: Annotated[str, Field(min_length=1, max_length=TOKEN_CHARACTERS_MAX)]
    scanned_at: Moment


class TokenScans(Strict):
    """The tokens that were scanned at a session."""

    scans: Annotated[list[TokenScan], Field(min_length=1, max_length=MARKS_MAX)]


@router.get(
    "/sessions/{number}/check-in-tokens",
    responses=refuses(SessionUnknown, SessionIsCancelled, CheckInOutOfTime),
)
async def check_in_tokens(
    number: Number,
    store: StoreOf,
    policies: PoliciesOf,
    tokens: TokensOf,
    context: Asked,
    recorder: Recorder,
    noted: Noted,
    listed: Annotated[
        bool, Query(description="To be scanned all day, and sent later; within minutes else.")
    ] = False,
) -> CheckInList:
    """The tokens of the families that belong to the session's group."""
    async with store.looking() as look:
        row = await session_within(look, recorder, number)
        if row.standing == "CANCELLED":
            raise SessionIsCancelled(session=number)
        stream = GROUP.stream(row.sitting.group)
        found = (await look.load(GROUP, [stream])).get(stream)
        families = sorted(await not_erased(look.connection, found.state.families if found else ()))
    on = row.sitting.on
    span = span_of(on, context.at, policies.figures(on).check_in_minutes, listed=listed)
    made = [
        FamilyToken(
            family=UUID(family),
            token=tokens.issue(Ticket(number, tokens.name(number, family), listed, span)),
        )
        for family in families
    ]
    begins, ends = span
    key = PublicKey(**tokens.public)
    return await noted(CheckInList(number=number, begins=begins, ends=ends, key=key, tokens=made))


@router.post(
    "/sessions/{number}/check-ins",
    status_code=204,
    responses=refuses(
        *(SessionUnknown, SessionIsCancelled, SessionNotHeld, FamilyOfAnotherGroup),
        *(CheckInForged, CheckInOfAnotherSession, CheckInOfAnotherFamily, CheckInOutOfTime),
        CheckedInAlready,
    ),
    dependencies=[Unconditional],
)
async def check_in(
    number: Number,
    body: TokenScans,
    deciding: DecidingOf,
    policies: PoliciesOf,
    tokens: TokensOf,
    context: Asked,
    recorder: Recorder,
) -> Response:
    """Say whose tokens were scanned at a held session: they were present. All or none is taken."""
    scans = tuple(Scan(str(scan.family), scan.scanned_at.isoformat()) for scan in body.scans)

    async def decided(unit: Transaction) -> Reply:
        await group_of_session(unit, recorder, number)
        sitting = (await session_within(unit, recorder, number)).sitting
        days = policies.figures(sitting.on).check_in_days
        for scan in body.scans:
            who = tokens.name(number, str(scan.family))
            scanning = Scanning(number, who, sitting.on, scan.scanned_at, context.at)
            ensure_counts(tokens.read(scan.token), scanning, days)
        await ensure_of_group(unit, sitting, number, [scan.family for scan in scans])
        return await session_moved(unit, number, CheckIn(scans))

    return await deciding(decided)
