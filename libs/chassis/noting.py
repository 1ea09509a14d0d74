"""Records of who reads families' data, each written before its answer goes out.

    @router.get("/purses")
    async def purses(store: StoreOf, reader: Reader, paging: Paging, noted: Noted) -> Page[Purse]:
        ...
        return await noted(Page[Purse](items=items, next=following))

A GET of one family (`require_family`) is noted by itself. A route that takes `Noted` and answers
without a record is answered for with 500: see `noted_first`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import asyncpg
from fastapi import Depends, Request
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.chassis.forms import ID
from libs.chassis.middleware import Asked
from libs.chassis.problems import BUSY_DATABASE, Refusal
from libs.chassis.reads import READS, Command, LookUp, LookUpLimitReached, NoteRead, stream_of
from libs.chassis.service import CommitterOf
from libs.events.store.faults import LOST
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.model import Context, Outcome
from libs.events.telemetry.metrics import LOOKED_UP_IDENTITIES

T = TypeVar("T")

NAMES_FAMILIES: Final = frozenset({"family", "families", "missing", "outstanding", "unreadable"})
"""The members of an answer that hold families' ids, wherever in it they stand."""
_NO_FILTERS: Final = frozenset({"cursor", "family", "limit"})
# What a caller made up may be anything, a person's number too, with points in it or without.
_FILTER: Final = re.compile(
    rf"{ID.pattern}|(?!.*[0-9]{{10}})(?!(?:.*[0-9]){{16}})[A-Za-z0-9_.:-]{{1,64}}"
)
_WITHHELD: Final = "*"
_UNNOTED: Final = "unnoted"
ANSWERED: Final = "told"
REFUSED: Final = "refused"
RETRY_AFTER_S: Final = 1


@dataclass(frozen=True, slots=True)
class Noting:
    """The record of one request's reading, in the log of the service that is asked."""

    request: Request
    committer: GroupCommitter
    context: Context

    async def __call__(self, answer: T) -> T:
        """The answer, once it is on record whose data it holds; one that names no family, and was
        not asked for by one, needs no record."""
        families = {*families_in(answer), *families_in(dict(self.request.query_params))}
        if families:
            await self.read(*families)
        self._done()
        return answer

    async def read(self, *families: str) -> None:
        """Note that data of these families go out."""
        asked = {**self.request.path_params, **self.request.query_params}
        filters = {
            name: value if _FILTER.fullmatch(value) else _WITHHELD
            for name, value in asked.items()
            if name not in _NO_FILTERS
        }
        await self._append(NoteRead(self._operation, filters, sorted(families)))

    async def look_up(self, purpose: str, asked: int, families: list[str], limit: int) -> None:
        """Note a look-up of identities; raises `LookUpLimitReached`, and then nothing is told."""
        command = LookUp(self._operation, purpose, asked, sorted(families), limit)
        try:
            await self._append(command)
        except LookUpLimitReached:
            LOOKED_UP_IDENTITIES.labels(purpose, REFUSED).inc(asked)
            raise
        LOOKED_UP_IDENTITIES.labels(purpose, ANSWERED).inc(asked)

    @property
    def _operation(self) -> str:
        return f"{self.request.method} {self.request.scope['route'].path}"

    async def _append(self, command: Command) -> None:
        stream = stream_of(self.context.actor, self.context.at.date())
        grouped = GroupedCommand(READS, stream, command, self.context, _nothing)
        with _or_no_answer():
            await self.committer.append(grouped)
        self._done()

    def _done(self) -> None:
        setattr(self.request.state, _UNNOTED, False)


def count_from_zero(purposes: Iterable[str]) -> None:
    """Show the counters of look-ups before the first, so that it is seen to be one more."""
    for purpose in purposes:
        for outcome in (ANSWERED, REFUSED):
            LOOKED_UP_IDENTITIES.labels(purpose, outcome)


def _nothing(_outcome: Outcome[Any, Any]) -> None:
    return None


@contextmanager
def _or_no_answer() -> Iterator[None]:
    """Where the log takes no record, nobody is told anything."""
    try:
        yield
    except (*LOST, *BUSY_DATABASE):
        raise  # tried again by its sender
    except (asyncpg.PostgresError, OSError):
        raise Refusal(
            503,
            "read-not-recorded",
            "Who reads is written down first, and that cannot be done now.",
            {"Retry-After": str(RETRY_AFTER_S)},
        ) from None


async def noting(request: Request, committer: CommitterOf, context: Asked) -> Noting:
    """The record that a request must leave before it is answered."""
    setattr(request.state, _UNNOTED, True)
    return Noting(request, committer, context)


Noted = Annotated[Noting, Depends(noting)]


def families_in(answer: object) -> Iterator[str]:
    """The ids of families that an answer names, some more than once."""
    match answer:
        case BaseModel():
            yield from _named(answer.__dict__)
        case Mapping():
            yield from _named(answer)
        case list() | tuple():
            for inner in answer:
                yield from families_in(inner)
        case _:
            pass  # a number, a text, a day


def _named(members: Mapping[str, object]) -> Iterator[str]:
    for name, value in members.items():
        if name in NAMES_FAMILIES:
            ids = value if isinstance(value, list | tuple) else (value,)
            yield from (text for text in map(str, ids) if ID.fullmatch(text))
        yield from families_in(value)


class NothingNoted(Exception):
    """A route that tells of families was about to answer without a record of it."""


def noted_first(app: ASGIApp) -> ASGIApp:
    """ASGI middleware: the last wall behind `Noted`; no answer goes out whose record was left out.

    The record says that an answer was given, so it comes first and may be of one that got lost.
    """

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            begins = message["type"] == "http.response.start"
            if begins and message["status"] < 300 and scope.get("state", {}).get(_UNNOTED):
                raise NothingNoted(scope["route"].path)
            await send(message)

        await app(scope, receive, sending)

    return answering
