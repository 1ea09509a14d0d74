"""Cases over HTTP: received whichever way they came in, read by the offices that see them."""

from __future__ import annotations

import base64
import secrets
from datetime import date
from typing import Annotated, Final
from uuid import UUID, uuid5

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import (
    OUTSIDE,
    Principal,
    ensure_may_see,
    is_outside,
    require,
    require_one_of,
)
from libs.chassis.bodies import Day, Id, Strict
from libs.chassis.deciding import Deciding
from libs.chassis.etag import Unconditional, etag
from libs.chassis.forms import VILLAGE, is_name
from libs.chassis.idempotency import AlreadyAnswered, Once, Reply
from libs.chassis.middleware import Asked, resource
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.problems import Refusal
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from libs.events.domain.errors import DomainError
from libs.events.domain.persons import same_person
from libs.events.store.handle import Loaded, handle
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.complaints.contract import CASE
from services.complaints.domain.case import Case, CaseUnknown, ReceiveCase
from services.complaints.domain.deadlines import (
    Level,
    Withheld,
    area_of,
    is_overdue,
    withheld,
)
from services.complaints.domain.erasing import CaseIsErased
from services.complaints.domain.handling import EntryKind
from services.complaints.domain.working_days import HolidaysUnknown
from services.complaints.http.words import (
    CaseKeysOf,
    WordsTooLong,
    WordsUnfit,
    ensure_words,
    pin_of,
    sealed_statement,
)
from services.complaints.policy import Policies
from services.complaints.tables import cases as rows
from services.complaints.tables.receipts import keep_receipt

Receiver = Annotated[Principal, require("complaints:receive")]
Reader = Annotated[Principal, require("complaints:read")]
NameReader = Annotated[Principal, require_one_of("complaints:read", "complaints:identify")]
PoliciesOf = Annotated[Policies, resource("policies")]
Code = Annotated[str, Field(pattern="^[A-Z][A-Z0-9_]{1,39}$")]
Village = Annotated[str, Field(pattern=f"^{VILLAGE.pattern}$")]
Words = Annotated[str, Field(description="Words of people; they are sealed, and hold no markup.")]
Subject = Annotated[str, Field(max_length=255, description="The subject of a member of staff.")]

CASES: Final = UUID("9d0b6c57-3f0e-5c0a-8a41-6f2f7f1f0c3b")
"""The space of the ids of cases that come in at the door, under who sent them and their key."""
RECEIPT_BYTES: Final = 10
IDENTIFY: Final = "complaints:identify"
AUDIT: Final = "platform:audit"

router = APIRouter(tags=["complaints"])


class ChannelUnknown(DomainError):
    """Complaints come in by no such channel on that day."""


class ComplaintCategoryUnknown(DomainError):
    """There is no such category of complaints on that day."""


class ReceivedInFuture(DomainError):
    """A complaint has not come in on a day that is still to come."""


class AnonymousNamesSomebody(DomainError):
    """An anonymous complaint names no reporter and no family."""


class SubjectMalformed(DomainError):
    """A member of staff is named as in a token, in plain characters."""


# -- Received -------------------------------------------------------------------------------------


class Complaint(Strict):
    """A complaint: about what and where, and the day on which it came in, today where left out.

    `about` names the member of staff who is complained about, who then has no part in the case.
    """

    category: Code
    channel: Code
    region: Village
    received_on: Day | None = None
    anonymous: bool = False
    confidential: bool = False
    family: Id | None = None
    name: Words = ""
    contact: Words = ""
    text: Words = ""
    about: Subject = ""


class Received(BaseModel):
    """The case that a complaint has become, and the number and PIN by which its reporter follows
    it; the PIN is told here alone."""

    case: UUID
    receipt: str
    pin: str


@router.post(
    "/cases",
    status_code=201,
    response_model=Received,
    responses=refuses(
        OUTSIDE,
        ChannelUnknown,
        ComplaintCategoryUnknown,
        ReceivedInFuture,
        AnonymousNamesSomebody,
        SubjectMalformed,
        WordsTooLong,
        WordsUnfit,
        HolidaysUnknown,
        CaseIsErased,
    ),
    dependencies=[Unconditional],
)
async def receive_case(
    body: Complaint,
    store: StoreOf,
    context: Asked,
    once: Once,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    receiver: Receiver,
) -> Response:
    """Receive a complaint of any channel as a case; sent again it is the same case.

    While the decree of holidays of a year of its term is still to come it has no due day.
    """
    ensure_may_see(receiver, body.region)
    today = policies.local_day(context.at, body.region)
    received_on = body.received_on or today
    _ensure_receivable(body, received_on, today, policies)
    start = policies.categories_on(received_on)[body.category].start
    due_on = policies.ladder.accepted(start, received_on).due_on
    case = str(uuid5(CASES, f"{once.client}\n{once.key}"))
    key = await keys.made(case)
    statement = sealed_statement(
        key,
        confidential=body.confidential,
        name=body.name,
        contact=body.contact,
        words=body.text,
        about=body.about,
    )
    command = ReceiveCase(
        case,
        body.category,
        body.channel,
        body.region,
        start,
        received_on,
        due_on,
        body.anonymous,
        str(body.family) if body.family else None,
        statement=statement,
    )

    async def decided(unit: Transaction) -> Reply:
        outcome = await handle(unit, CASE, CASE.stream(case), command)
        await rows.keep_cases(unit, [outcome])
        receipt = base64.b32encode(secrets.token_bytes(RECEIPT_BYTES)).decode()
        await keep_receipt(unit, receipt, case)
        return Reply(201, {"case": case, "receipt": receipt}, {"ETag": etag(outcome.version)})

    try:
        answer = await Deciding(store, context, once)(decided)
    except AlreadyAnswered as known:
        answer = known.reply.response()
        answer.headers["Idempotency-Replayed"] = "true"
    return _with_pin(answer, pin_of(key))


def _ensure_receivable(body: Complaint, received_on: date, today: date, policies: Policies) -> None:
    if received_on > today:
        raise ReceivedInFuture(on=received_on)
    if body.channel not in policies.channels_on(received_on):
        raise ChannelUnknown(channels=sorted(policies.channels_on(received_on)))
    if body.category not in policies.categories_on(received_on):
        raise ComplaintCategoryUnknown(categories=sorted(policies.categories_on(received_on)))
    if body.anonymous and (body.name or body.contact or body.family):
        raise AnonymousNamesSomebody()
    if body.about and not is_name(body.about):
        raise SubjectMalformed()
    ensure_words(policies.handling_on(received_on), body.name, body.contact, body.text)


def _with_pin(answer: Response, pin: str) -> Response:
    """The answer with the PIN, which is kept nowhere: the answer that is stored has none."""
    body = msgspec.json.decode(bytes(answer.body)) | {"pin": pin}
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return Response(msgspec.json.encode(body), answer.status_code, headers, "application/json")


# -- Seen -----------------------------------------------------------------------------------------


class CaseInList(BaseModel):
    """A case as it stands: at which level, and until when; overdue where that day is over.

    While it is `paused` its reporter is asked and has until `due_on`. `assigned` is the subject
    whose work it is. `linked` names the case that stands for it. `withheld` says why there is no
    `due_on`: the decree of holidays of a year of its term is missing.
    """

    case: UUID
    category: str
    channel: str
    region: str
    level: Level
    received_on: date
    due_on: date | None
    withheld: Withheld | None
    overdue: bool
    status: rows.Status
    paused: bool
    closed: bool
    assigned: str
    linked: UUID | None
    family: UUID | None


class CaseView(CaseInList):
    """A case with all that is known of it but names and words.

    They are `erased` for ever; before that an erasure may wait for somebody else than who proposed
    it.
    """

    anonymous: bool
    confidential: bool
    escalations: int
    resolution: str
    resolved_on: date | None
    rating: int | None
    erased: bool
    erasure_proposed_by: str


class EntryView(BaseModel):
    """Words on a case: the complaint (TEXT), a note, a question, its answer, a reply."""

    kind: EntryKind
    on: date
    words: str


class AttachmentView(BaseModel):
    """A file of the case, by reference."""

    reference: str
    media_type: str
    size: int


class WordsView(BaseModel):
    """Words on a case and its files; none where they are erased."""

    case: UUID
    erased: bool
    entries: list[EntryView]
    attachments: list[AttachmentView]


class ReporterView(BaseModel):
    """The reporter of a case; empty where nobody is named, or where it is erased."""

    case: UUID
    confidential: bool
    erased: bool
    name: str
    contact: str


@router.get("/cases")
async def list_cases(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    context: Asked,
    policies: PoliciesOf,
    region: RegionWithin = None,
    level: Level | None = None,
    status: rows.Status | None = None,
    due_by: Annotated[Day | None, Query(description="Due on this day or before.")] = None,
    assigned: Annotated[str | None, Query(max_length=255)] = None,
    withheld_for: Annotated[
        Withheld | None, Query(alias="withheld", description="Without a due day, for this reason.")
    ] = None,
) -> Page[CaseInList]:
    """Cases that offices of the reader's regions see, in the order in which they are due."""
    wanted = rows.CasesWanted(reader.regions, region, level, status, due_by, assigned, withheld_for)
    after = paging.after(tuple[date, str])
    found, following = paging.cut(
        await rows.cases(store, wanted, after, paging.rows),
        lambda row: (row.due_on or date.max, row.case),
    )
    items = [
        CaseInList(
            **row._asdict(),
            withheld=withheld(row.due_on),
            overdue=_overdue(row.status, row.due_on, policies.local_day(context.at, row.region)),
        )
        for row in found
    ]
    return await noted(Page[CaseInList](items=items, next=following))


@router.get("/cases/{case}", responses=refuses(CaseUnknown) | UNCHANGED)
async def case_of(
    case: UUID,
    store: StoreOf,
    reader: Reader,
    response: Response,
    noted: Noted,
    context: Asked,
    policies: PoliciesOf,
) -> CaseView:
    """One case that an office of the reader's regions sees; its ETag is what decisions name."""
    found = await visible(store, reader, str(case))
    state, received = found.state, found.state.complaint
    response.headers["ETag"] = etag(found.version)
    today = policies.local_day(context.at, received.region)
    due_on = rows.due_on(state)
    status = rows.status_of(state)
    resolved, statement = state.resolved, state.statement
    return await noted(
        CaseView(
            case=case,
            category=received.category,
            channel=received.channel,
            region=received.region,
            level=state.level or received.level,
            received_on=received.received_on,
            due_on=due_on,
            withheld=withheld(due_on),
            overdue=_overdue(status, due_on, resolved.on if resolved else today),
            status=status,
            paused=state.paused is not None,
            closed=state.closed_on is not None,
            assigned=state.assigned,
            linked=UUID(state.linked.to) if state.linked else None,
            family=UUID(received.family) if received.family else None,
            anonymous=received.anonymous,
            confidential=statement is not None and statement.confidential,
            escalations=max(0, len({turn.level for turn in state.turns}) - 1),
            resolution=resolved.resolution if resolved else "",
            resolved_on=resolved.on if resolved else None,
            rating=state.rating or None,
            erased=bool(state.erasure.done),
            erasure_proposed_by=state.erasure.proposed.by if state.erasure.proposed else "",
        )
    )


@router.get("/cases/{case}/words", responses=refuses(CaseUnknown))
async def words_of_case(
    case: UUID, store: StoreOf, reader: Reader, noted: Noted, keys: CaseKeysOf
) -> WordsView:
    """Words on a case, and its files; who reads them is on record."""
    state = (await visible(store, reader, str(case))).state
    sealer = await keys.opened(str(case), state)
    erased = sealer is None and bool(state.entries or state.attachments)
    view = WordsView(case=case, erased=erased, entries=[], attachments=[])
    if sealer is not None:
        view.entries = [
            EntryView(
                kind=entry.kind, on=entry.on, words=sealer.unseal(str(case), "words", entry.words)
            )
            for entry in state.entries
        ]
        view.attachments = [
            AttachmentView(
                reference=sealer.unseal(str(case), "reference", file.reference),
                media_type=file.media_type,
                size=file.size,
            )
            for file in state.attachments
        ]
    await noted.read(*_family(state))
    return view


@router.get(
    "/cases/{case}/reporter", responses=refuses(CaseUnknown, (403, "reporter-confidential"))
)
async def reporter_of_case(
    case: UUID, store: StoreOf, reader: NameReader, noted: Noted, keys: CaseKeysOf
) -> ReporterView:
    """The reporter of a case; who reads it is on record. A confidential one is shown to the regency
    and those above it, and to auditors."""
    state = (await visible(store, reader, str(case))).state
    statement = state.statement
    if statement is not None and statement.confidential:
        _ensure_may_identify(reader, state)
    sealer = await keys.opened(str(case), state)
    await noted.read(*_family(state))
    fields = {"name": "", "contact": ""}
    if statement is not None and sealer is not None:
        fields = {
            name: sealer.unseal(str(case), name, sealed) if sealed else ""
            for name, sealed in (("name", statement.name), ("contact", statement.contact))
        }
    return ReporterView(
        case=case,
        confidential=statement is not None and statement.confidential,
        erased=sealer is None and statement is not None and bool(statement.name),
        **fields,
    )


def _ensure_may_identify(reader: Principal, state: Case) -> None:
    regency = area_of("REGENCY", state.complaint.region)
    of_office = IDENTIFY in reader.scopes and reader.may_see(regency)
    if not (of_office or AUDIT in reader.scopes):
        raise Refusal(
            403,
            "reporter-confidential",
            "Who complained in confidence is told to the regency and above, and to auditors.",
        )


async def visible(store: Store, reader: Principal, case: str) -> Loaded[Case]:
    """A case that an office of the reader's regions sees; any other is unknown, and so is one that
    is about the reader."""
    stream = CASE.stream(case)
    return ensure_visible(reader, (await store.read(CASE, [stream])).get(stream))


def ensure_visible(reader: Principal, found: Loaded[Case] | None) -> Loaded[Case]:
    """The case, where the reader may see it; raises `CaseUnknown`.

    An office sees no case that began above it: complaints about its own people are such.
    """
    received = found.state.received if found else None
    if found is None or received is None:
        raise CaseUnknown()
    statement = found.state.statement
    about = statement.about if statement else ""
    if is_outside(reader, area_of(received.level, received.region)):
        raise CaseUnknown()
    if about and same_person(reader.subject, about):
        raise CaseUnknown()
    return found


def _family(state: Case) -> list[str]:
    return [state.received.family] if state.received and state.received.family else []


def _overdue(status: rows.Status, due_on: date | None, until: date) -> bool:
    return status != "LINKED" and due_on is not None and is_overdue(due_on, until)
