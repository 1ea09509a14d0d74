"""A POST that is sent twice happens once: its answer is kept in the transaction that it caused.

A route asks for `DecidingOf` (deciding.py), takes a file (imports.py) or hands `Once` to the
group committer. Who reads the database may read what is kept: no reply holds personal data.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from fastapi import Depends, Header, Request, Response

from libs.chassis.etag import stamp
from libs.chassis.problems import Refusal

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]

KEY_FORM: Final = re.compile(r"[!-~]{1,128}")

# A key that another transaction is about to answer is not waited for: a waiting INSERT would hold
# up everybody whose commands are appended in the same transaction. The lock ends with it.
_CLAIM = """
WITH ours AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtextextended($1 || E'\\n' || $2, 0)) AS free
), claimed AS (
    INSERT INTO idempotency (client, key, fingerprint) SELECT $1, $2, $3 FROM ours WHERE free
    ON CONFLICT (client, key) DO NOTHING RETURNING true
)
SELECT free, EXISTS (SELECT FROM claimed) AS claimed FROM ours
"""
# What was answered is committed, so the head is at or behind nothing that the answer speaks of.
_FIND = """
SELECT fingerprint, status, answer, (SELECT position FROM head) AS position
FROM idempotency WHERE client = $1 AND key = $2
"""
_KEEP = "UPDATE idempotency SET status = $3, answer = $4 WHERE client = $1 AND key = $2"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that can be given again: status, JSON body and the headers that belong to it."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, position: int | None = None) -> Response:
        """The reply as it is sent; `position` is that of the transaction it speaks of."""
        content = b"" if self.body is None else msgspec.json.encode(self.body)
        response = Response(content, self.status, dict(self.headers), "application/json")
        stamp(response, position=position)
        return response


class AlreadyAnswered(Exception):
    """This was done before; `reply` is what was answered then. The application sends it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


async def claim(connection: Connection, client: str, key: str, fingerprint: str) -> Reply | None:
    """Take a client's key for this transaction, or give the reply that it has already.

    Raises a 422 `Refusal` when the key was used for another request, and 409 while another
    transaction is answering it.
    """
    row = await connection.fetchrow(_CLAIM, client, key, fingerprint)
    if row is not None and row["claimed"]:
        return None
    if row is not None and row["free"]:
        found = await connection.fetchrow(_FIND, client, key)
        if found is not None:
            return _stored_reply(fingerprint, *found)
    raise in_flight()


def _stored_reply(
    wanted: str, fingerprint: str, status: int | None, answer: str, position: int
) -> Reply:
    """The reply that a key has; a `Refusal` where it has none, or that of another request."""
    if fingerprint != wanted:
        raise Refusal(
            422, "idempotency-key-reused", "This Idempotency-Key belongs to another request."
        )
    if status is None:
        raise in_flight()
    reply = msgspec.json.decode(answer, type=Reply)
    return replace(reply, headers={**reply.headers, "Position": str(position)})


def in_flight() -> Refusal:
    """The refusal while the same request is being answered."""
    return Refusal(
        409,
        "idempotency-key-in-flight",
        "The same request is being answered.",
        {"Retry-After": "1"},
    )


async def store(connection: Connection, client: str, key: str, reply: Reply) -> None:
    """Keep the reply to a claimed key; it stands when the transaction does."""
    await connection.execute(_KEEP, client, key, reply.status, msgspec.json.encode(reply).decode())


@dataclass(slots=True)
class OnceOnly:
    """A request's idempotency key, and what tells the request from every other one.

    Of a streamed body the fingerprint grows while the body is read through `following`, so that
    it is complete, and the key can be claimed, only afterwards.
    """

    client: str
    key: str
    digest: Any

    @property
    def fingerprint(self) -> str:
        """Method, address and body so far as 64 hex digits."""
        return str(self.digest.hexdigest())

    async def following(self, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The chunks of a streamed body, taken into the fingerprint as they pass."""
        async for chunk in body:
            self.digest.update(chunk)
            yield chunk

    async def claim(self, connection: Connection) -> None:
        """`claim` this request's key; raises `AlreadyAnswered` where a reply is stored."""
        reply = await claim(connection, self.client, self.key, self.fingerprint)
        if reply is not None:
            raise AlreadyAnswered(reply)

    async def keep(self, connection: Connection, reply: Reply) -> None:
        """`store` the reply to this request."""
        await store(connection, self.client, self.key, reply)

    def stored(self, reply: Reply) -> tuple[int, str]:
        """The part of a reply that `keep` writes."""
        return reply.status, msgspec.json.encode(reply).decode()

    def taken(self, fingerprint: str, status: int | None, answer: str, position: int) -> Exception:
        """The answer where this key stands already: `AlreadyAnswered`, or a `Refusal`."""
        try:
            return AlreadyAnswered(
                _stored_reply(self.fingerprint, fingerprint, status, answer, position)
            )
        except Refusal as refusal:
            return refusal


Given = Annotated[str | None, Header(alias="Idempotency-Key")]


async def streamed(request: Request, given: Given = None) -> OnceOnly:
    """The key of a request whose body the handler streams; 400 where it is missing."""
    if given is None or not KEY_FORM.fullmatch(given):
        raise Refusal(
            400,
            "idempotency-key-missing",
            "Send an Idempotency-Key of 1 to 128 characters, best a random UUID.",
        )
    principal = getattr(request.state, "principal", None)
    address = f"{request.method} {request.url.path}?{request.url.query}\n"
    client = principal.subject if principal else ""
    return OnceOnly(client, given, hashlib.sha256(address.encode()))


async def whole(request: Request, given: Given = None) -> OnceOnly:
    """As `streamed`, with the body already in the fingerprint."""
    once = await streamed(request, given)
    once.digest.update(await request.body())
    return once


async def reads_only() -> None:
    """Declares a POST that changes nothing, such as a search; it needs no Idempotency-Key."""


Once = Annotated[OnceOnly, Depends(whole)]
OnceStreamed = Annotated[OnceOnly, Depends(streamed)]
ReadsOnly = Depends(reads_only)


def makes_idempotent(dependency: object) -> bool:
    """True if a dependency gives a POST its answer to being sent twice."""
    return dependency in (whole, streamed, reads_only)


async def answered_before(_request: Request, answered: AlreadyAnswered) -> Response:
    """The exception handler that sends a stored reply again, and says so."""
    response = answered.reply.response()
    response.headers["Idempotency-Replayed"] = "true"
    return response
