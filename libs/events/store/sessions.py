"""A connection is a session of its own: found out at start, before anything rests on it.

A proxy that pools transactions (pgbouncer's `pool_mode = transaction`, most managed ones) hands
each transaction to whichever session is free. Leaders hold a lock of a session, appends wait within
limits and listen on channels of a session: behind such a proxy two relays lead, and nobody is told.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

import asyncpg

from libs.events.domain.errors import CorridorError

_WHO: Final = "SELECT pg_backend_pid()"
# A statement that was prepared in one session is not there, or is there already, in another.
_MISPLACED: Final = (
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.DuplicatePreparedStatementError,
)


class SessionsShared(CorridorError):
    """A proxy between a service and its database shares sessions: connect to PostgreSQL itself."""


class Session(Protocol):
    """The questions that are asked of a connection."""

    def get_server_pid(self) -> int:
        """The process that was announced when the connection was made."""

    async def fetchval(self, query: str) -> Any:
        """The first value of an answer."""

    def transaction(self) -> Any:
        """A transaction of this connection."""


class Sessions(Protocol):
    """A pool of connections."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        """One that nobody else has."""


async def ensure_own_sessions(pool: Sessions) -> None:
    """Raises `SessionsShared` unless each of two connections has a server process for itself.

    One asks outside of a transaction, before and while the other is inside of one: a proxy has
    to move it then, or has announced a process that never answers.
    """
    async with pool.acquire() as outside, pool.acquire() as inside:
        try:
            before = await outside.fetchval(_WHO)
            async with inside.transaction():
                other = await inside.fetchval(_WHO)
                meanwhile = await outside.fetchval(_WHO)
        except _MISPLACED:
            raise SessionsShared from None
        expected = outside.get_server_pid(), inside.get_server_pid(), outside.get_server_pid()
        if (before, other, meanwhile) != expected or before == other:
            raise SessionsShared
