"""Sessions: who is signed in at which browser, and the token by which they are.

A browser has a random id in a cookie; the database has its digest, and the token sealed under a
key that the id is a part of. A session ends after IDLE without a request, and after ABSOLUTE
however much is asked, when somebody signs out, and when the identity provider gives no new token.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from console.sealing import NotOurs, Seal

if TYPE_CHECKING:
    from libs.events.store.postgres import Pool

IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=10)
TOUCHED: Final = timedelta(minutes=1)
"""The least time between two notes that a session is in use."""
RENEWED: Final = timedelta(seconds=30)
"""Before a token ends, so that no request begins with a good one and is refused elsewhere."""
ID_BYTES: Final = 32
_PURPOSE: Final = "session"

_OPEN: Final = """
INSERT INTO console_session (digest, opened_at, seen_at, sealed) VALUES ($1, $2, $2, $3)
"""
_FIND: Final = """
SELECT opened_at, seen_at, sealed FROM console_session
WHERE digest = $1 AND seen_at > $2::timestamptz - $3::interval
  AND opened_at > $2::timestamptz - $4::interval
"""
_SWEEP: Final = """
DELETE FROM console_session
WHERE seen_at <= $1::timestamptz - $2::interval OR opened_at <= $1::timestamptz - $3::interval
"""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of the identity provider: the access token, when it ends (seconds since 1970), and the
    one that gets a new one."""

    access: str = field(repr=False)
    ends_at: float
    refresh: str | None = field(default=None, repr=False)


NO_TOKENS: Final = Tokens("", 0.0)
"""Of a visit without a session."""

Renew = Callable[[str], Awaitable[Tokens | None]]
"""New tokens for a refresh token; None where the identity provider gives none."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that stands."""

    id: str = field(repr=False)
    tokens: Tokens = field(repr=False)
    ends_at: datetime | None = None
    """The end that comes however much is asked; None of a visit without a session."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of the service's database."""

    pool: Pool
    seal: Seal

    async def open(self, tokens: Tokens, now: datetime) -> Session:
        """A new session under a new id; those that have ended go."""
        opened = Session(
            base64.urlsafe_b64encode(secrets.token_bytes(ID_BYTES)).rstrip(b"=").decode(), tokens
        )
        await self.pool.execute(_SWEEP, now, IDLE, ABSOLUTE)
        await self.pool.execute(_OPEN, _digest(opened.id), now, self._sealed(opened))
        return opened

    async def find(self, session_id: str, now: datetime, renew: Renew) -> Session | None:
        """The session of a cookie, its token good for a while; None where there is none."""
        row = await self.pool.fetchrow(_FIND, _digest(session_id), now, IDLE, ABSOLUTE)
        found = self._opened(session_id, row["sealed"], row["opened_at"]) if row else None
        if row is None or found is None:
            return None
        if _is_ending(found, now):
            return await self._renewed(session_id, now, renew)
        if row["seen_at"] < now - TOUCHED:
            touch = "UPDATE console_session SET seen_at = $2 WHERE digest = $1"
            await self.pool.execute(touch, _digest(session_id), now)
        return found

    async def _renewed(self, session_id: str, now: datetime, renew: Renew) -> Session | None:
        """A refresh token is good for once, so of several requests at once one uses it."""
        async with self.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                f"{_FIND} FOR UPDATE", _digest(session_id), now, IDLE, ABSOLUTE
            )
            found = self._opened(session_id, row["sealed"], row["opened_at"]) if row else None
            if found is None or not _is_ending(found, now):
                return found
            tokens = await renew(found.tokens.refresh) if found.tokens.refresh else None
            if tokens is None:
                gone = "DELETE FROM console_session WHERE digest = $1"
                await connection.execute(gone, _digest(session_id))
                return None
            renewed = Session(session_id, tokens, found.ends_at)
            renewal = "UPDATE console_session SET seen_at = $2, sealed = $3 WHERE digest = $1"
            await connection.execute(renewal, _digest(session_id), now, self._sealed(renewed))
            return renewed

    async def end(self, session_id: str) -> None:
        """End a session at once."""
        await self.pool.execute(
            "DELETE FROM console_session WHERE digest = $1", _digest(session_id)
        )

    def _sealed(self, session: Session) -> bytes:
        return self.seal.seal(_PURPOSE, msgspec.json.encode(session.tokens), session.id)

    def _opened(self, session_id: str, sealed: bytes, opened_at: datetime) -> Session | None:
        try:
            plain = self.seal.opened(_PURPOSE, sealed, session_id)
        except NotOurs:  # sealed by a process whose key is gone
            return None
        ends_at = opened_at + ABSOLUTE
        return Session(session_id, msgspec.json.decode(plain, type=Tokens), ends_at)


def _digest(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()


def _is_ending(session: Session, now: datetime) -> bool:
    return session.tokens.ends_at < (now + RENEWED).timestamp()
