"""A connection is a session of its own or not, asked of pools behind proxies and without one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import asyncpg
import pytest

from libs.events.store.sessions import SessionsShared, ensure_own_sessions


@dataclass
class Connection:
    """A client's connection: the process that was announced, and those that will answer."""

    announced: int
    answering: Iterator[int]
    refused: type[Exception] | None = None

    def get_server_pid(self) -> int:
        return self.announced

    async def fetchval(self, _query: str) -> int:
        if self.refused is not None:
            raise self.refused
        return next(self.answering)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield


@dataclass
class Pool:
    """Gives its connections one after the other."""

    connections: list[Connection]
    given: Iterator[int] = field(default_factory=count)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        yield self.connections[next(self.given)]


async def test_postgresql_itself_gives_each_connection_a_process() -> None:
    await ensure_own_sessions(Pool([Connection(7, iter([7, 7])), Connection(8, iter([8]))]))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Connection(100, iter([7, 7])), Connection(101, iter([8]))),
        (Connection(7, iter([7, 9])), Connection(8, iter([8]))),
        (Connection(7, iter([7, 8])), Connection(7, iter([7]))),
        (Connection(7, iter([7, 7])), Connection(8, iter([9]))),
        (Connection(7, iter([7]), asyncpg.InvalidSQLStatementNameError), Connection(8, iter([8]))),
        (
            Connection(7, iter([7, 7])),
            Connection(8, iter([8]), asyncpg.DuplicatePreparedStatementError),
        ),
    ],
    ids=["announced by the proxy", "moved", "the same", "moved inside", "not there", "there twice"],
)
async def test_a_proxy_that_shares_sessions_is_refused(
    first: Connection, second: Connection
) -> None:
    with pytest.raises(SessionsShared, match="connect to PostgreSQL itself"):
        await ensure_own_sessions(Pool([first, second]))
