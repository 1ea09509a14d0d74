"""Versions at the HTTP edge: ETag, If-Match and If-None-Match; Position is the log's.

    @router.post("/purses/{purse}/coins", status_code=204)
    async def put_in(purse: str, deciding: DecidingOf, ..., seen: IfMatch) -> Response:
        async def decided(unit: Transaction) -> Reply:
            await seen.ensure_stream(unit, PURSE, f"purse-{purse}")
            outcome = await handle(unit, PURSE, f"purse-{purse}", command)
            return Reply(204, None, {"ETag": etag(outcome.version)})

        return await deciding(decided)

A tag is what a decision rests on, then, where a thing also moves by itself, a dot and a digest of
all that was shown: If-None-Match asks for the whole, If-Match only for what stands before the dot,
so that progress makes nobody look again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.chassis.problems import Refusal
from libs.events.domain.decider import C, E, S
from libs.events.store.model import StreamType
from libs.events.store.transaction import Transaction

_TAG: Final = re.compile(r'"([0-9A-Za-z_-]{1,64})(?:\.[0-9a-f]{1,64})?"')
_SHOWN_CHARACTERS: Final = 16
_OF_A_BODY: Final = (b"content-length", b"content-type")


def etag(version: int | str, shown: str | None = None) -> str:
    """The strong entity tag of a version; `shown` is the whole body where it has more to it."""
    if shown is None:
        return f'"{version}"'
    return f'"{version}.{hashlib.sha256(shown.encode()).hexdigest()[:_SHOWN_CHARACTERS]}"'


def stamp(response: Response, *, version: int | None = None, position: int | None = None) -> None:
    """Say which version of the thing this is, and the position that holds all it rests on.

    Whoever waits until a service has consumed that position sees there what was done here.
    """
    if version is not None:
        response.headers["ETag"] = etag(version)
    if position is not None:
        response.headers["Position"] = str(position)


# -- If-Match -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """The version that a caller saw before deciding."""

    version: str

    def ensure(self, current: int | str) -> None:
        """Raises 412 with the current ETag when another version stands.

        Whoever calls this holds what the version is of until the end of the transaction.
        """
        if self.version != str(current):
            raise Refusal(
                412,
                "version-stale",
                "What you saw has changed since; look at it again.",
                {"ETag": etag(current)},
            )

    async def ensure_stream(
        self, unit: Transaction, kind: StreamType[C, S, E], stream_id: str
    ) -> None:
        """`ensure` for a thing whose version is that of its stream, which nobody moves until we
        commit. A stream that does not exist is left to the command to refuse."""
        await unit.hold([stream_id])
        found = await unit.load(kind, [stream_id])
        if stream_id in found:
            self.ensure(found[stream_id].version)


async def seen_tag(
    if_match: Annotated[
        str | None, Header(alias="If-Match", description="The ETag of what you decide on.")
    ] = None,
) -> Seen:
    """The version that If-Match names; 428 where it is missing, 400 where it is no tag of ours."""
    if if_match is None:
        raise Refusal(428, "if-match-missing", "Send the ETag of what you saw as If-Match.")
    tag = _TAG.fullmatch(if_match.strip())
    if tag is None:
        raise Refusal(400, "if-match-malformed", 'If-Match holds one ETag, such as "3".')
    return Seen(tag[1])


async def unconditional() -> None:
    """Declares a POST that rests on nothing anybody saw: it makes something new, reports a fact,
    or asks for what may be asked for at any time. It needs no If-Match."""


IfMatch = Annotated[Seen, Depends(seen_tag)]
Unconditional = Depends(unconditional)


def is_guarded(dependency: object) -> bool:
    """True if a dependency says on what version a POST rests, or that it rests on none."""
    return dependency in (seen_tag, unconditional)


# -- If-None-Match --------------------------------------------------------------------------------


def unchanged(app: ASGIApp) -> ASGIApp:
    """ASGI middleware: what a reader has already is answered by 304 without a body."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return await app(scope, receive, send)
        cached = _cached_tags(Headers(scope=scope))
        if not cached:
            return await app(scope, receive, send)
        same = False

        async def sending(message: Message) -> None:
            nonlocal same
            if message["type"] == "http.response.start":
                same = _is_cached(message, cached)
                if same:
                    _without_body(message)
            elif same:
                message = {"type": "http.response.body"}
            await send(message)

        return await app(scope, receive, sending)

    return answering


def _cached_tags(headers: Headers) -> frozenset[str]:
    sent = ",".join(headers.getlist("if-none-match"))
    return frozenset(tag.strip().removeprefix("W/") for tag in sent.split(",") if tag.strip())


def _is_cached(start: MutableMapping[str, Any], cached: frozenset[str]) -> bool:
    tag = Headers(raw=start["headers"]).get("etag")
    return start["status"] == 200 and tag is not None and bool(cached & {tag, "*"})


def _without_body(start: MutableMapping[str, Any]) -> None:
    start["status"] = 304
    start["headers"] = [
        header for header in start["headers"] if header[0].lower() not in _OF_A_BODY
    ]
