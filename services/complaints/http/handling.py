"""Work on cases over HTTP: assigned, noted, asked, answered, resolved, closed, reopened, linked.

Who works on a case is of the office that has it: a district resolves nothing that the regency has.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, model_validator

from libs.chassis.auth import Principal, require
from libs.chassis.bodies import Id, Strict
from libs.chassis.deciding import Deciding, DecidingOf, moved
from libs.chassis.etag import IfMatch, Seen, Unconditional
from libs.chassis.forms import is_name
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import Asked
from libs.chassis.openapi import refuses
from libs.chassis.pagination import Page, Paging
from libs.events.domain.errors import DomainError
from libs.events.store.handle import Loaded, handle
from libs.events.store.model import Context
from libs.events.store.transaction import Transaction
from services.complaints.contract import CASE
from services.complaints.domain.case import (
    AttachmentNotAllowed,
    Case,
    CaseAboutThemselves,
    CaseIsLinked,
    CaseIsPaused,
    CaseIsResolved,
    CaseNotLinked,
    CaseNotPaused,
    CaseNotResolved,
    CaseResolvedDifferently,
    CaseUnknown,
    Command,
    LinkedToItself,
    ReopenedTooLate,
    ResolveCase,
)
from services.complaints.domain.deadlines import area_of
from services.complaints.domain.erasing import CaseIsErased
from services.complaints.domain.handling import (
    AnswerQuestion,
    AskReporter,
    AssignCase,
    AttachFile,
    Attachment,
    CloseCase,
    LinkCase,
    NoteCase,
    ReopenCase,
    UnlinkCase,
)
from services.complaints.domain.working_days import HolidaysUnknown
from services.complaints.http.cases import (
    Code,
    PoliciesOf,
    Reader,
    Subject,
    SubjectMalformed,
    Words,
    ensure_visible,
)
from services.complaints.http.words import (
    CaseKeysOf,
    WordsTooLong,
    WordsUnfit,
    ensure_words,
    seal,
)
from services.complaints.policy import Policies
from services.complaints.tables import cases as rows

Worker = Annotated[Principal, require("complaints:handle")]
Language = Literal["id", "en"]
MediaType = Annotated[str, Field(pattern="^[a-z]{1,20}/[a-z0-9.+-]{1,60}$")]

router = APIRouter(tags=["complaints"])


class CaseAtAnotherOffice(DomainError):
    """Another office has this case now."""


class TemplateUnknown(DomainError):
    """There is no such template for answers on that day."""


class StandsForOthers(DomainError):
    """Other cases are linked to this one; it is not linked itself."""


# -- Sent -----------------------------------------------------------------------------------------


class Assignment(Strict):
    """The subject whose work it is."""

    to: Subject


class Note(Strict):
    """Words of staff, which the reporter does not see."""

    words: Annotated[Words, Field(min_length=1)]


class Answer(Strict):
    """Words to the reporter: a template's, words of one's own behind it, or both."""

    template: Code | None = None
    language: Language = "id"
    words: Words = ""


class Question(Answer):
    """A question to the reporter."""

    @model_validator(mode="after")
    def _of_words(self) -> Question:
        if not (self.template or self.words):
            raise ValueError("a question has words")
        return self


class Resolution(Answer):
    """The end of a case: upheld, rejected, or passed on outside, and what the reporter is told."""

    resolution: Literal["UPHELD", "REJECTED", "REFERRED"]


class NewAttachment(Strict):
    """A file by its reference where it is kept; its media type and size in bytes."""

    reference: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9/_.-]{0,199}$")]
    media_type: MediaType
    size: Annotated[int, Field(ge=1, le=10**12)]


class Link(Strict):
    """The case that stands for this one."""

    to: Id


class Template(BaseModel):
    """A text for answers, in Indonesian and in English."""

    code: str
    id: str
    en: str


WORKED = (CaseUnknown, CaseAtAnotherOffice, CaseAboutThemselves)
WORDS = (WordsTooLong, WordsUnfit, CaseIsErased)
WORDED = (*WORDS, TemplateUnknown)


# -- Steps ----------------------------------------------------------------------------------------


@router.post(
    "/cases/{case}/assignment",
    status_code=204,
    responses=refuses(*WORKED, SubjectMalformed, CaseIsResolved, CaseIsLinked),
)
async def assign_case(
    case: UUID, body: Assignment, deciding: DecidingOf, worker: Worker, seen: IfMatch
) -> Response:
    """Make a case somebody's work; never that of whom it is about."""
    if not is_name(body.to):
        raise SubjectMalformed()

    async def assigned(unit: Transaction) -> Reply:
        await _held(unit, worker, case, seen)
        return await _decided(unit, case, AssignCase(body.to, worker.subject))

    return await deciding(assigned)


@router.post(
    "/cases/{case}/notes",
    status_code=204,
    responses=refuses(*WORKED, *WORDS),
    dependencies=[Unconditional],
)
async def note_case(
    case: UUID,
    body: Note,
    deciding: DecidingOf,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    worker: Worker,
) -> Response:
    """Add a note that the reporter does not see."""
    ensure_words(policies.handling_on(deciding.context.at.date()), body.words)

    async def noted(unit: Transaction) -> Reply:
        state = await _held(unit, worker, case)
        words = await keys.sealed(str(case), body.words)
        command = NoteCase(_today(policies, state, deciding.context), words, worker.subject)
        return await _decided(unit, case, command)

    return await deciding(noted)


@router.post(
    "/cases/{case}/attachments",
    status_code=204,
    responses=refuses(*WORKED, AttachmentNotAllowed, CaseIsErased),
    dependencies=[Unconditional],
)
async def attach_file(
    case: UUID,
    body: NewAttachment,
    deciding: DecidingOf,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    worker: Worker,
) -> Response:
    """Add a file by its reference; its type and size must be on the list."""

    async def attached(unit: Transaction) -> Reply:
        today = _today(policies, await _held(unit, worker, case), deciding.context)
        reference = seal(await keys.made(str(case)), "reference", body.reference)
        attachment = Attachment(reference, body.media_type, body.size)
        allowed = policies.handling_on(today).attachments
        return await _decided(unit, case, AttachFile(today, attachment, allowed, worker.subject))

    return await deciding(attached)


@router.post(
    "/cases/{case}/question",
    status_code=204,
    responses=refuses(
        *WORKED, *WORDED, CaseIsResolved, CaseIsLinked, CaseIsPaused, HolidaysUnknown
    ),
)
async def ask_reporter(
    case: UUID,
    body: Question,
    deciding: DecidingOf,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    worker: Worker,
    seen: IfMatch,
) -> Response:
    """Ask the reporter something; the case waits for so many working days, and its term too."""

    async def asked(unit: Transaction) -> Reply:
        today = _today(policies, await _held(unit, worker, case, seen), deciding.context)
        until = policies.ladder.working.after(today, policies.handling_on(today).answer)
        words = await keys.sealed(str(case), _text(body, policies, deciding.context))
        return await _decided(unit, case, AskReporter(today, until, words, worker.subject))

    return await deciding(asked)


@router.post(
    "/cases/{case}/answer",
    status_code=204,
    responses=refuses(*WORKED, *WORDS, CaseIsResolved, CaseIsLinked, CaseNotPaused),
    dependencies=[Unconditional],
)
async def answer_for_reporter(
    case: UUID,
    body: Note,
    deciding: DecidingOf,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    worker: Worker,
) -> Response:
    """Write down what the reporter has answered to a question; the term runs on."""
    ensure_words(policies.handling_on(deciding.context.at.date()), body.words)

    async def answered(unit: Transaction) -> Reply:
        today = _today(policies, await _held(unit, worker, case), deciding.context)
        words = await keys.sealed(str(case), body.words)
        command = AnswerQuestion(today, words, policies.ladder, worker.subject)
        return await _decided(unit, case, command)

    return await deciding(answered)


@router.post(
    "/cases/{case}/resolution",
    status_code=204,
    responses=refuses(*WORKED, *WORDED, CaseIsLinked, CaseResolvedDifferently),
)
async def resolve_case(
    case: UUID,
    body: Resolution,
    deciding: DecidingOf,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    worker: Worker,
    seen: IfMatch,
) -> Response:
    """Resolve a case, and with it those for which it stands."""

    async def resolved(unit: Transaction) -> Reply:
        today = _today(policies, await _held(unit, worker, case, seen), deciding.context)
        text, by = _text(body, policies, deciding.context), worker.subject
        reply = await keys.sealed(str(case), text)
        answer = await _decided(unit, case, ResolveCase(today, body.resolution, reply, by))
        for other in await rows.beside(unit, str(case)):
            reply = ""
            with suppress(CaseIsErased):
                reply = await keys.sealed(other, text)
            command = ResolveCase(today, body.resolution, reply, by, str(case))
            await _decided(unit, UUID(other), command)
        return answer

    return await deciding(resolved)


@router.post("/cases/{case}/closing", status_code=204, responses=refuses(*WORKED, CaseNotResolved))
async def close_case(
    case: UUID,
    deciding: DecidingOf,
    policies: PoliciesOf,
    worker: Worker,
    seen: IfMatch,
) -> Response:
    """Close a resolved case."""

    def command(today: date) -> Command:
        return CloseCase(today, worker.subject)

    return await stepped(deciding, policies, worker, case, seen, command)


@router.post(
    "/cases/{case}/reopening",
    status_code=204,
    responses=refuses(*WORKED, CaseNotResolved, ReopenedTooLate, HolidaysUnknown, CaseIsErased),
)
async def reopen_case(
    case: UUID,
    deciding: DecidingOf,
    policies: PoliciesOf,
    worker: Worker,
    seen: IfMatch,
) -> Response:
    """Open a resolved case again, within the term for it, at the level that had resolved it."""

    def command(today: date) -> Command:
        days = policies.handling_on(today).reopening
        return ReopenCase(today, days, policies.ladder, worker.subject)

    return await stepped(deciding, policies, worker, case, seen, command)


@router.post(
    "/cases/{case}/link",
    status_code=204,
    responses=refuses(*WORKED, CaseIsResolved, CaseIsLinked, LinkedToItself, StandsForOthers),
)
async def link_case(
    case: UUID,
    body: Link,
    deciding: DecidingOf,
    policies: PoliciesOf,
    worker: Worker,
    seen: IfMatch,
) -> Response:
    """Have another open case stand for this one: it is resolved with it."""

    async def linked(unit: Transaction) -> Reply:
        state = await _held(unit, worker, case, seen)
        other = (await _load(unit, worker, body.to)).state
        if other.resolved is not None:
            raise CaseIsResolved(case=body.to)
        if other.linked is not None:
            raise CaseIsLinked(case=body.to, to=other.linked.to)
        if await rows.beside(unit, str(case)):
            raise StandsForOthers(case=case)
        command = LinkCase(str(body.to), _today(policies, state, deciding.context), worker.subject)
        return await _decided(unit, case, command)

    return await deciding(linked)


@router.post(
    "/cases/{case}/unlinking",
    status_code=204,
    responses=refuses(*WORKED, CaseNotLinked, CaseIsResolved, HolidaysUnknown),
)
async def unlink_case(
    case: UUID,
    deciding: DecidingOf,
    policies: PoliciesOf,
    worker: Worker,
    seen: IfMatch,
) -> Response:
    """Have a case handled by itself again, in the working days that were left."""

    def command(today: date) -> Command:
        return UnlinkCase(today, policies.ladder, worker.subject)

    return await stepped(deciding, policies, worker, case, seen, command)


@router.get("/answer-templates")
async def answer_templates(
    policies: PoliciesOf, context: Asked, paging: Paging, _reader: Reader
) -> Page[Template]:
    """The texts for answers that hold today, in order of their codes."""
    after = paging.after(str) or ""
    texts = sorted(policies.templates_on(context.at.date()).items())
    items, following = paging.cut(
        [Template(code=code, id=text.id, en=text.en) for code, text in texts if code > after],
        lambda template: template.code,
    )
    return Page[Template](items=list(items), next=following)


# -- Their parts ----------------------------------------------------------------------------------


async def stepped(
    deciding: Deciding,
    policies: Policies,
    worker: Principal,
    case: UUID,
    seen: Seen,
    command: Callable[[date], Command],
) -> Response:
    """Do what the worker asks, on the day that it is in the case's province."""

    async def decided(unit: Transaction) -> Reply:
        state = await _held(unit, worker, case, seen)
        return await _decided(unit, case, command(_today(policies, state, deciding.context)))

    return await deciding(decided)


async def _load(unit: Transaction, worker: Principal, case: UUID) -> Loaded[Case]:
    """A case that the worker sees, which nobody else moves until the end."""
    stream = CASE.stream(str(case))
    await unit.hold([stream])
    return ensure_visible(worker, (await unit.load(CASE, [stream])).get(stream))


async def _held(unit: Transaction, worker: Principal, case: UUID, seen: Seen | None = None) -> Case:
    """A case that the worker's office has now, held until the end."""
    found = await _load(unit, worker, case)
    state = found.state
    if state.level is None or not worker.may_see(area_of(state.level, state.complaint.region)):
        raise CaseAtAnotherOffice(level=state.level)
    if seen is not None:
        seen.ensure(found.version)
    return state


async def _decided(unit: Transaction, case: UUID, command: Command) -> Reply:
    outcome = await handle(unit, CASE, CASE.stream(str(case)), command)
    await rows.keep_cases(unit, [outcome])
    return moved(outcome)


def _today(policies: Policies, state: Case, context: Context) -> date:
    """The day on the calendars of the case's province."""
    return policies.local_day(context.at, state.complaint.region)


def _text(body: Answer, policies: Policies, context: Context) -> str:
    """The words of an answer: the template's, then its sender's own. Raises `TemplateUnknown`."""
    today = context.at.date()
    ensure_words(policies.handling_on(today), body.words)
    if body.template is None:
        return body.words
    template = policies.templates_on(today).get(body.template)
    if template is None:
        raise TemplateUnknown(templates=sorted(policies.templates_on(today)))
    return "\n".join(filter(None, (getattr(template, body.language), body.words)))
