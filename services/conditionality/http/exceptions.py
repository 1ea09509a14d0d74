"""Exceptions from duties over HTTP: proposed by one person, decided by another, and changed so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import OUTSIDE, Principal, ensure_may_see, is_outside, require
from libs.chassis.bodies import Day, FamilyUnknown, Id, Strict
from libs.chassis.deciding import Deciding, DecidingOf, moved
from libs.chassis.etag import IfMatch, Seen, Unconditional, etag
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import resource
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Paging, StreamPage
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from libs.events.consumer.batch_bisection import load_by_halves
from libs.events.domain.errors import DomainError, NotFound
from libs.events.store.handle import Loaded, handle
from libs.events.store.model import Outcome
from libs.events.store.transaction import Transaction
from services.conditionality.contract import EXCEPTION
from services.conditionality.domain.commitment import Decision
from services.conditionality.domain.commitment.corrections import SamePerson
from services.conditionality.domain.duties import Excuse
from services.conditionality.domain.exceptions import (
    Command,
    DecideException,
    DutyException,
    EndsBeforeItBegins,
    Event,
    ExceptionCounted,
    ExceptionOver,
    ExceptionTerms,
    NothingInForce,
    NothingProposed,
    ProposeException,
    ReasonUnknown,
    TermTooLong,
)
from services.conditionality.http.facts import Reader
from services.conditionality.policy.files import Dated
from services.conditionality.tables.exceptions import (
    area_known,
    counted_to,
    exceptions_page,
    homes_of,
    keep_exception,
    lock_alone,
    place_of,
)
from services.conditionality.tables.regions import lives

Maker = Annotated[Principal, require("conditionality:investigate")]
Checker = Annotated[Principal, require("conditionality:approve")]
ExcusesOf = Annotated[Dated[Mapping[str, Excuse]], resource("excuses")]
Code = Annotated[str, Field(pattern="^[A-Z][A-Z_]{1,39}$", examples=["DISASTER"])]
Area = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$",
        examples=["61.03.01"],
        description="A dotted code, province to village.",
    ),
]
State = Literal["PROPOSED", "CHANGE_PROPOSED", "HOLDS", "WITHDRAWN", "REFUSED"]

router = APIRouter(prefix="/exceptions", tags=["conditionality"])


class ExceptionUnknown(NotFound):
    """There is no such exception, or it is of another region."""


class AreaUnknown(DomainError):
    """No family that this service knows lives in this area."""


class AreaOrFamily(DomainError):
    """An exception is either of an area or of a family."""


# -- What there is --------------------------------------------------------------------------------


class TermsView(BaseModel):
    """The terms of an exception: its reason and days, and whether it is of an area or a family."""

    reason: str
    first_day: date
    last_day: date
    region: str | None
    family: UUID | None


class ChangeView(BaseModel):
    """A proposal that waits for another person: other terms, or (null) none any more."""

    maker: str
    terms: TermsView | None


class ExceptionView(BaseModel):
    """An exception: the terms in force, and the proposal that waits.

    One whose last day has passed HOLDS for its own days.
    """

    exception: UUID
    state: State
    terms: TermsView | None
    proposed: ChangeView | None


@router.get("")
async def exceptions(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    state: Annotated[State | None, Query(description="All states else.")] = None,
    reason: Annotated[Code | None, Query()] = None,
    region: RegionWithin = None,
) -> StreamPage[ExceptionView]:
    """The exceptions of areas and families within the regions of the token, in order of id."""
    where = reader.within(region), state, reason
    rows = await exceptions_page(store, *where, paging.after(UUID), paging.rows)
    page, following = paging.cut(rows, lambda row: row)
    streams = {exception: _stream(exception) for exception in page}
    async with store.looking() as look:
        read = await load_by_halves(look, EXCEPTION, list(streams.values()))
        shown = await _seen(look, reader, [read[s].state for s in streams.values() if s in read])
    items = [_view(found) for found in shown]
    unreadable = [number for number, stream in streams.items() if stream not in read]
    answer = StreamPage[ExceptionView](items=items, next=following, unreadable=unreadable)
    return await noted(answer)


@router.get("/{exception}", responses=refuses(ExceptionUnknown) | UNCHANGED)
async def exception(
    exception: UUID, store: StoreOf, reader: Reader, noted: Noted, response: Response
) -> ExceptionView:
    """An exception as it stands; its ETag is what a step is asked to name."""
    async with store.looking() as look:
        found = await _found(look, exception, reader)
    response.headers["ETag"] = etag(found.version)
    return await noted(_view(found.state))


def _view(found: DutyException) -> ExceptionView:
    waits = found.proposed
    return ExceptionView(
        exception=UUID(found.exception),
        state=found.state,
        terms=_terms(found.terms),
        proposed=waits and ChangeView(maker=waits.maker, terms=_terms(waits.terms)),
    )


def _terms(terms: ExceptionTerms | None) -> TermsView | None:
    if terms is None:
        return None
    return TermsView(
        reason=terms.reason,
        first_day=terms.first_day,
        last_day=terms.last_day,
        region=terms.region or None,
        family=UUID(terms.family) if terms.family else None,
    )


# -- What two people do ---------------------------------------------------------------------------


class ExceptionProposal(Strict):
    """The terms of an exception; either `region` or `family` says of whom it is."""

    reason: Code
    first_day: Day
    last_day: Day
    region: Area | None = None
    family: Id | None = None


class EndProposal(Strict):
    """The day on which the exception is to hold for the last time."""

    last_day: Day


class DecisionOnException(Strict):
    """The decision on the proposal that waits: it holds or not."""

    decision: Decision


class Proposed(BaseModel):
    """The id of the exception that was proposed."""

    exception: UUID


_TERMS = (ReasonUnknown, EndsBeforeItBegins, TermTooLong)
_OF_WHOM = (AreaOrFamily, AreaUnknown, FamilyUnknown, OUTSIDE)
_CHANGED = (ExceptionUnknown, ExceptionOver, ExceptionCounted)


@router.post(
    "",
    status_code=201,
    response_model=Proposed,
    responses=refuses(*_TERMS, *_OF_WHOM),
    dependencies=[Unconditional],
)
async def propose_exception(
    body: ExceptionProposal, deciding: DecidingOf, excuses: ExcusesOf, maker: Maker
) -> Response:
    """Propose that duties do not count in an area or for a family; another person decides on it."""
    exception, terms = uuid4(), await _checked(body, deciding, maker)
    command = ProposeException(str(exception), terms, maker.subject, _in_force(excuses, terms))

    async def decided(unit: Transaction) -> Reply:
        outcome = await _handle(unit, exception, command)
        return Reply(201, {"exception": str(exception)}, {"ETag": etag(outcome.version)})

    return await deciding(decided)


@router.post(
    "/{exception}/correction", status_code=204, responses=refuses(*_CHANGED, *_TERMS, *_OF_WHOM)
)
async def correct_exception(
    exception: UUID,
    body: ExceptionProposal,
    deciding: DecidingOf,
    excuses: ExcusesOf,
    maker: Maker,
    seen: IfMatch,
) -> Response:
    """Propose other terms; of an exception that has counted, its end alone can be moved."""
    terms = await _checked(body, deciding, maker)
    made = maker.subject, _in_force(excuses, terms)
    change = partial(ProposeException, str(exception), terms, *made)
    return await _change(deciding, seen, exception, maker, lambda _state: change)


@router.post(
    "/{exception}/end", status_code=204, responses=refuses(*_CHANGED, *_TERMS, NothingInForce)
)
async def end_exception(
    exception: UUID,
    body: EndProposal,
    deciding: DecidingOf,
    excuses: ExcusesOf,
    maker: Maker,
    seen: IfMatch,
) -> Response:
    """Propose another last day; not before the last month of a cycle in which it has counted."""

    def change(state: DutyException) -> Callable[[str | None], Command]:
        if state.terms is None:
            raise NothingInForce(exception=exception)
        terms = replace(state.terms, last_day=body.last_day)
        made = maker.subject, _in_force(excuses, terms)
        return partial(ProposeException, str(exception), terms, *made)

    return await _change(deciding, seen, exception, maker, change)


@router.post("/{exception}/withdrawal", status_code=204, responses=refuses(*_CHANGED))
async def withdraw_exception(
    exception: UUID, deciding: DecidingOf, maker: Maker, seen: IfMatch
) -> Response:
    """Propose that the exception never held; not once it has counted."""
    change = partial(ProposeException, str(exception), None, maker.subject, {})
    return await _change(deciding, seen, exception, maker, lambda _state: change)


@router.post(
    "/{exception}/decision",
    status_code=204,
    responses=refuses(ExceptionUnknown, NothingProposed, SamePerson, ExceptionCounted),
)
async def decide_exception(
    exception: UUID,
    body: DecisionOnException,
    deciding: DecidingOf,
    checker: Checker,
    seen: IfMatch,
) -> Response:
    """Let the proposal hold or not; approved, the cycles that it bears on are judged again."""
    decision = partial(DecideException, body.decision, checker.subject)
    return await _change(deciding, seen, exception, checker, lambda _state: decision)


async def _checked(body: ExceptionProposal, deciding: Deciding, maker: Principal) -> ExceptionTerms:
    """The terms, of an area or a family that is known and theirs."""
    if (body.region is None) is (body.family is None):
        raise AreaOrFamily
    if body.family is not None:
        region = await lives(deciding.store, body.family, deciding.context.at.date())
        if not region or is_outside(maker, region):
            raise FamilyUnknown(family=body.family)
    else:
        ensure_may_see(maker, body.region or "")
        if not await area_known(deciding.store, body.region or ""):
            raise AreaUnknown(region=body.region)
    whose = body.region or "", str(body.family or "")
    return ExceptionTerms(body.reason, body.first_day, body.last_day, *whose)


def _in_force(excuses: Dated[Mapping[str, Excuse]], terms: ExceptionTerms) -> Mapping[str, Excuse]:
    return excuses.found(terms.first_day) or {}


async def _change(
    deciding: Deciding,
    seen: Seen,
    exception: UUID,
    asker: Principal,
    change: Callable[[DutyException], Callable[[str | None], Command]],
) -> Response:
    """Carry out a step; `change` answers from the state what to do once it is known whether the
    exception has counted."""

    async def decided(unit: Transaction) -> Reply:
        await lock_alone(unit)
        found = await _found(unit, exception, asker)
        await seen.ensure_stream(unit, EXCEPTION, _stream(exception))
        command = change(found.state)(await counted_to(unit, str(exception)))
        return moved(await _handle(unit, exception, command))

    return await deciding(decided)


async def _found(unit: Transaction, exception: UUID, asker: Principal) -> Loaded[DutyException]:
    region = await place_of(unit, exception)
    if region is None or is_outside(asker, region):
        raise ExceptionUnknown(exception=exception)
    found = (await unit.load(EXCEPTION, [_stream(exception)]))[_stream(exception)]
    if not await _seen(unit, asker, [found.state]):
        raise ExceptionUnknown(exception=exception)
    return found


async def _seen(
    unit: Transaction, asker: Principal, found: Sequence[DutyException]
) -> list[DutyException]:
    """Those whose proposal is of a place of the asker's too: it may be of another one than what is
    in force, and who sees only that neither decides on it nor learns of whom it is."""
    waits = [state.proposed.terms if state.proposed else None for state in found]
    homes = await homes_of(unit, [terms.family for terms in waits if terms and terms.family])
    return [
        state
        for state, terms in zip(found, waits, strict=True)
        if not (terms and is_outside(asker, terms.region or homes.get(terms.family, "")))
    ]


async def _handle(
    unit: Transaction, exception: UUID, command: Command
) -> Outcome[DutyException, Event]:
    outcome = await handle(unit, EXCEPTION, _stream(exception), command)
    await keep_exception(unit, outcome)
    return outcome


def _stream(exception: UUID) -> str:
    return f"exception-{exception}"
