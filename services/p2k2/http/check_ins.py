"""Check-in at sessions over HTTP: tokens of a group's families, and which of them were scanned.

A token goes out as text, as a QR code, or with all of its session on a sheet to be printed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal
from libs.chassis.bodies import Id, Moment, Strict
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import Asked, resource
from libs.chassis.noting import Noted
from libs.chassis.openapi import refuses
from libs.chassis.service import StoreOf
from libs.events.store.model import Context
from libs.events.store.postgres import Store
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
from services.p2k2.http.check_in_codes import (
    MEDIA_TYPES,
    SHEET_POLICY,
    Code,
    Heading,
    PictureForm,
    picture,
    sheet,
)
from services.p2k2.http.check_in_tokens import TOKEN_CHARACTERS_MAX, CheckInTokens
from services.p2k2.http.sessions import (
    MARKS_MAX,
    RECORD,
    FamilyOfAnotherGroup,
    Number,
    PoliciesOf,
    Recorder,
    ensure_of_group,
    group_of_session,
    session_moved,
    session_within,
)
from services.p2k2.policy import Policies
from services.p2k2.tables.groups import not_erased

TokensOf = Annotated[CheckInTokens, resource("check_in_tokens")]
Listed = Annotated[
    bool, Query(description="To be scanned all day, and sent later; within minutes else.")
]
UNSTORED = {"Cache-Control": "no-store"}
NOT_ISSUED = (SessionUnknown, SessionIsCancelled, CheckInOutOfTime)

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
    group: str
    on: date
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


@dataclass(frozen=True, slots=True)
class Issuing:
    """Makes the tokens of a session, for whoever may record its attendance."""

    number: str
    store: Store
    policies: Policies
    tokens: CheckInTokens
    context: Context
    recorder: Principal

    async def __call__(self, *, listed: bool) -> CheckInList:
        """New tokens of those who belong to the session's group now. Raises `NOT_ISSUED`."""
        number, tokens = self.number, self.tokens
        async with self.store.looking() as look:
            row = await session_within(look, self.recorder, number, RECORD)
            if row.standing == "CANCELLED":
                raise SessionIsCancelled(session=number)
            sitting = row.sitting
            stream = GROUP.stream(sitting.group)
            found = (await look.load(GROUP, [stream])).get(stream)
            belong = found.state.families if found else ()
            families = sorted(await not_erased(look.connection, belong))
        minutes = self.policies.figures(sitting.on).check_in_minutes
        begins, ends = span = span_of(sitting.on, self.context.at, minutes, listed=listed)
        made = [
            FamilyToken(
                family=UUID(family),
                token=tokens.issue(Ticket(number, tokens.name(number, family), listed, span)),
            )
            for family in families
        ]
        return CheckInList(
            number=number,
            group=sitting.group,
            on=sitting.on,
            begins=begins,
            ends=ends,
            key=PublicKey(**tokens.public),
            tokens=made,
        )


async def issuing(
    number: Number,
    store: StoreOf,
    policies: PoliciesOf,
    tokens: TokensOf,
    context: Asked,
    recorder: Recorder,
) -> Issuing:
    """Tokens of the session that a request names."""
    return Issuing(number, store, policies, tokens, context, recorder)


IssuingOf = Annotated[Issuing, Depends(issuing)]


@router.get("/sessions/{number}/check-in-tokens", responses=refuses(*NOT_ISSUED))
async def check_in_tokens(issue: IssuingOf, noted: Noted, listed: Listed = False) -> CheckInList:
    """The tokens of the families that belong to the session's group."""
    return await noted(await issue(listed=listed))


@router.get(
    "/sessions/{number}/check-in-sheet",
    response_class=HTMLResponse,
    responses=refuses(*NOT_ISSUED),
)
async def check_in_sheet(issue: IssuingOf, noted: Noted) -> HTMLResponse:
    """A sheet to be printed, with a QR code for each family of the session's group; they are
    scanned on the session's day."""
    made = await issue(listed=True)
    codes = [Code(str(one.family), one.token) for one in made.tokens]
    page = await asyncio.to_thread(sheet, Heading(made.number, made.group, made.on), codes)
    await noted(made)
    return HTMLResponse(page, headers=UNSTORED | {"Content-Security-Policy": SHEET_POLICY})


@router.get(
    "/sessions/{number}/check-in-codes/{family}",
    response_class=Response,
    responses=refuses(*NOT_ISSUED, FamilyOfAnotherGroup)
    | {200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
)
async def check_in_code(
    family: UUID,
    issue: IssuingOf,
    noted: Noted,
    form: Annotated[PictureForm, Query(description="An SVG or a PNG.")] = "svg",
    listed: Listed = False,
) -> Response:
    """A family's token for the session as a QR code, to be shown and scanned."""
    made = await issue(listed=listed)
    token = next((one.token for one in made.tokens if one.family == family), None)
    if token is None:
        raise FamilyOfAnotherGroup(family=family, session=made.number)
    image = await asyncio.to_thread(picture, token, form)
    await noted.read(str(family))
    return Response(image, headers=UNSTORED, media_type=MEDIA_TYPES[form])


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
        sitting = (await session_within(unit, recorder, number, RECORD)).sitting
        days = policies.figures(sitting.on).check_in_days
        for scan in body.scans:
            who = tokens.name(number, str(scan.family))
            scanning = Scanning(number, who, sitting.on, scan.scanned_at, context.at)
            ensure_counts(tokens.read(scan.token), scanning, days)
        await ensure_of_group(unit, sitting, number, [scan.family for scan in scans])
        return await session_moved(unit, number, CheckIn(scans))

    return await deciding(decided)
