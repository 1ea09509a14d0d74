"""Cases as their reporters follow them: by a receipt number and its PIN, without an account.

An unknown number and a wrong PIN are one answer, given in the same time. Guesses are counted for
every number, whether anybody has it or not, so neither that answer nor the lock tells of one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal, require
from libs.chassis.bodies import Strict
from libs.chassis.deciding import Deciding, DecidingOf
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import ReadsOnly, Reply
from libs.chassis.middleware import Asked
from libs.chassis.openapi import refuses
from libs.chassis.service import StoreOf
from libs.events.domain.errors import DomainError, NotFound
from libs.events.store.handle import handle
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.complaints.contract import CASE
from services.complaints.domain.case import (
    Case,
    CaseIsLinked,
    CaseIsResolved,
    CaseNotClosed,
    CaseNotPaused,
    CaseNotResolved,
    Command,
    ReopenedTooLate,
)
from services.complaints.domain.deadlines import Level, Withheld, withheld
from services.complaints.domain.erasing import CaseIsErased, EraseCase
from services.complaints.domain.handling import AnswerQuestion, EntryKind, RateCase, ReopenCase
from services.complaints.domain.working_days import HolidaysUnknown
from services.complaints.http.cases import PoliciesOf, Words
from services.complaints.http.words import (
    CaseKeys,
    CaseKeysOf,
    WordsTooLong,
    WordsUnfit,
    ensure_words,
)
from services.complaints.policy import Policies
from services.complaints.tables import cases as rows
from services.complaints.tables.receipts import case_of_receipt, guessed, guessed_right

Follower = Annotated[Principal, require("complaints:follow")]
SHOWN: tuple[EntryKind, ...] = ("QUESTION", "ANSWER", "REPLY")
"""The words that a reporter is shown: none of staff among themselves."""

router = APIRouter(tags=["complaints"])


class ReceiptUnknown(NotFound):
    """There is no case of this number and PIN."""


class PinLocked(DomainError):
    """Too many PINs were guessed for this number; it is locked for some hours."""


class Receipt(Strict):
    """The number and PIN that a reporter was told."""

    receipt: Annotated[str, Field(pattern="^[A-Z2-7]{16}$", examples=["MZXW6YTBOI5DANBR"])]
    pin: Annotated[str, Field(pattern="^[0-9]{6}$", examples=["271828"])]


class AnswerByReporter(Receipt):
    """The words of a reporter who was asked."""

    words: Annotated[Words, Field(min_length=1)]


class Rating(Receipt):
    """A rating of the handling of a case: 1 (bad) to 5 (good)."""

    rating: Annotated[int, Field(ge=1, le=5)]


class Shown(BaseModel):
    """A question, an answer or a reply."""

    kind: EntryKind
    on: date
    words: str


class Followed(BaseModel):
    """A case as its reporter sees it: who has it, until when, and what was asked and answered.

    `withheld` says why there is no due day.
    """

    status: Literal["OPEN", "WAITS_FOR_YOU", "RESOLVED", "CLOSED"]
    level: Level
    received_on: date
    due_on: date | None
    withheld: Withheld | None
    resolution: str
    entries: list[Shown]


FOUND = (ReceiptUnknown, PinLocked)


@router.post("/followed-cases", responses=refuses(*FOUND), dependencies=[ReadsOnly, Unconditional])
async def follow_case(
    body: Receipt,
    store: StoreOf,
    policies: PoliciesOf,
    context: Asked,
    keys: CaseKeysOf,
    _follower: Follower,
) -> Followed:
    """Show a case to whoever has its receipt number and PIN."""
    case = await _found(body, store, policies, context.at.date(), keys)
    stream = CASE.stream(case)
    state = (await store.read(CASE, [stream]))[stream].state
    received, sealer = state.complaint, await keys.opened(case, state)
    if sealer is None:
        raise ReceiptUnknown()
    return Followed(
        status=_status(state),
        level=state.level or received.level,
        received_on=received.received_on,
        due_on=rows.due_on(state),
        withheld=withheld(rows.due_on(state)),
        resolution=state.resolved.resolution if state.resolved else "",
        entries=[
            Shown(kind=entry.kind, on=entry.on, words=sealer.unseal(case, "words", entry.words))
            for entry in state.entries
            if entry.kind in SHOWN
        ],
    )


@router.post(
    "/followed-cases/answer",
    status_code=204,
    responses=refuses(
        *FOUND, WordsTooLong, WordsUnfit, CaseIsResolved, CaseIsLinked, CaseNotPaused, CaseIsErased
    ),
    dependencies=[Unconditional],
)
async def answer_question(
    body: AnswerByReporter,
    deciding: DecidingOf,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    _follower: Follower,
) -> Response:
    """Answer what the reporter was asked; the level's term runs on."""
    ensure_words(policies.handling_on(deciding.context.at.date()), body.words)
    case = await _found(body, deciding.store, policies, deciding.context.at.date(), keys)
    words = await keys.sealed(case, body.words)

    def command(today: date) -> Command:
        return AnswerQuestion(today, words, policies.ladder, "")

    return await _step(deciding, policies, case, command)


@router.post(
    "/followed-cases/reopening",
    status_code=204,
    responses=refuses(*FOUND, CaseNotResolved, ReopenedTooLate, HolidaysUnknown, CaseIsErased),
    dependencies=[Unconditional],
)
async def reopen_followed(
    body: Receipt,
    deciding: DecidingOf,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    _follower: Follower,
) -> Response:
    """Open a resolved case again, within the term for it."""
    case = await _found(body, deciding.store, policies, deciding.context.at.date(), keys)

    def command(today: date) -> Command:
        return ReopenCase(today, policies.handling_on(today).reopening, policies.ladder, "")

    return await _step(deciding, policies, case, command)


@router.post(
    "/followed-cases/rating",
    status_code=204,
    responses=refuses(*FOUND, CaseNotClosed),
    dependencies=[Unconditional],
)
async def rate_case(
    body: Rating,
    deciding: DecidingOf,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    _follower: Follower,
) -> Response:
    """Say how well a closed case was handled."""
    case = await _found(body, deciding.store, policies, deciding.context.at.date(), keys)
    return await _step(deciding, policies, case, lambda today: RateCase(today, body.rating))


@router.post(
    "/followed-cases/erasure",
    status_code=204,
    responses=refuses(*FOUND, CaseNotResolved),
    dependencies=[Unconditional],
)
async def erase_followed(
    body: Receipt,
    deciding: DecidingOf,
    policies: PoliciesOf,
    keys: CaseKeysOf,
    _follower: Follower,
) -> Response:
    """Have name, contact and words of a case that has ended erased for ever; nobody follows it any
    more."""
    case = await _found(body, deciding.store, policies, deciding.context.at.date(), keys)
    return await _step(deciding, policies, case, lambda _today: EraseCase("REPORTER"))


async def _found(
    body: Receipt, store: Store, policies: Policies, today: date, keys: CaseKeys
) -> str:
    """The case of a number and its PIN. Raises `ReceiptUnknown`, and `PinLocked`."""
    figures = policies.handling_on(today)
    if await guessed(store, body.receipt, figures.lock) > figures.guesses:
        raise PinLocked(hours=figures.lock)
    case = await case_of_receipt(store, body.receipt)
    if not await keys.is_pin(case, body.pin) or case is None:
        raise ReceiptUnknown()
    await guessed_right(store, body.receipt)
    return case


async def _step(
    deciding: Deciding, policies: Policies, case: str, command: Callable[[date], Command]
) -> Response:
    """Do what the reporter asks, on the day that it is in the case's province."""
    stream = CASE.stream(case)

    async def decided(unit: Transaction) -> Reply:
        await unit.hold([stream])
        region = (await unit.load(CASE, [stream]))[stream].state.complaint.region
        today = policies.local_day(deciding.context.at, region)
        outcome = await handle(unit, CASE, stream, command(today))
        await rows.keep_cases(unit, [outcome])
        return Reply(204)

    return await deciding(decided)


def _status(case: Case) -> Literal["OPEN", "WAITS_FOR_YOU", "RESOLVED", "CLOSED"]:
    if case.resolved is not None:
        return "RESOLVED" if case.closed_on is None else "CLOSED"
    return "OPEN" if case.paused is None else "WAITS_FOR_YOU"
