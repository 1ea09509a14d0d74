"""The store of one service: its connections, its appends, and what it says after a lost COMMIT."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any, ClassVar

import asyncpg

from libs.events.domain.decider import C, E, S
from libs.events.domain.errors import CorridorError
from libs.events.store.faults import LOST
from libs.events.store.handle import Loaded
from libs.events.store.model import Context, StreamType
from libs.events.store.sessions import SessionsShared, ensure_own_sessions
from libs.events.store.transaction import Opener, Transaction, nobody
from libs.events.telemetry import tracing
from libs.events.telemetry.metrics import APPEND_EVENTS, APPEND_SECONDS

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

    Pool = asyncpg.Pool[asyncpg.Record]

BLOCKS_RESERVED = 64  # block numbers taken from the sequence at a time
POOL_CONNECTIONS_MAX = 8
NOTES_CONNECTIONS_MAX = 2
COMMIT_DOUBT_S = 15  # how long to look for a block whose COMMIT was not answered
CHANNEL = "appended"
_FORGET_WIDE = """
DELETE FROM wide_message
WHERE ctid = ANY (ARRAY(SELECT ctid FROM wide_message LIMIT $1))
"""
OWN_TYPES_MAX = 16_383  # up to here a type's number is PostgreSQL's own, in every database alike


class CommitUnknown(CorridorError):
    """The connection was lost in COMMIT and the block could not be looked for."""


class StoreConnection(asyncpg.Connection):
    """A connection that asks for the form of PostgreSQL's own types once in a process.

    The driver asks on each connection, for every array but that of texts: a question that the
    server takes as long to plan as a hundred statements.
    """

    _answers: ClassVar[dict[frozenset[int], Any]] = {}

    async def _introspect_types(
        self,
        typeoids: Iterable[int],
        timeout: float | None,  # noqa: ASYNC109 - as the driver calls it
    ) -> Any:
        # The driver would turn off with `set_config` what is off here, and a role may not call it.
        self._server_caps: Any = self._server_caps._replace(jit=False)
        asked = frozenset(typeoids)
        if asked in self._answers:
            return self._answers[asked]
        answer = await super()._introspect_types(asked, timeout)  # type: ignore[misc]  # not in stubs
        if max(asked) <= OWN_TYPES_MAX:
            self._answers[asked] = answer
        return answer


class Store:
    """One service's database; `source` names the service on the bus.

    `notes` serves short writes beside an open transaction, which outlive it. It is a pool of its
    own: who holds one connection must never wait for another that all the others hold.
    """

    def __init__(self, pool: Pool, source: str, notes: Pool | None = None) -> None:
        self.pool = pool
        self.notes = notes or pool
        self.source = source
        self.opener: Opener = nobody
        """Set by the service whose events hold days that families' keys seal."""
        self.wide_until = date.max
        self._blocks: list[int] = []

    @classmethod
    async def connect(
        cls, url: str, source: str, schema: str = "public", *, statement_s: int = 0
    ) -> Store:
        """Open the pools of the runtime role that `url` names, on the tables of a schema.

        Waits of a session are limited, so that a frozen writer frees others, and where
        `statement_s` is not 0 each statement. Raises `SessionsShared` where a proxy pools the
        sessions.
        """
        settings = {
            "application_name": source,
            "search_path": schema,
            "lock_timeout": "10s",
            "statement_timeout": f"{statement_s}s",
            "idle_in_transaction_session_timeout": "10s",
            # Our statements are short: with workers, or compiled, they wait longer than that saves.
            "jit": "off",
            "max_parallel_workers_per_gather": "0",
        }
        options: Any = {
            "server_settings": settings,
            "reset": _no_reset,
            "connection_class": StoreConnection,
        }
        try:
            pool = await asyncpg.create_pool(
                url, min_size=1, max_size=POOL_CONNECTIONS_MAX, **options
            )
        except asyncpg.ProtocolViolationError as refused:
            if "startup parameter" in str(refused):  # how pgbouncer refuses a session's settings
                raise SessionsShared from None
            raise
        try:
            await ensure_own_sessions(pool)
        except BaseException:
            pool.terminate()
            raise
        notes = await asyncpg.create_pool(
            url, min_size=0, max_size=NOTES_CONNECTIONS_MAX, **options
        )
        return cls(pool, source, notes)

    async def close(self) -> None:
        """Close the pools, waiting for nobody longer than a second."""
        try:
            await asyncio.wait_for(asyncio.gather(self.pool.close(), self.notes.close()), 1)
        except TimeoutError:
            self.pool.terminate()
            self.notes.terminate()

    @asynccontextmanager
    async def transaction(self, context: Context) -> AsyncIterator[Transaction]:
        """One append. After a lost COMMIT the block is looked for before anything is said."""
        began, began_ns = perf_counter(), time_ns()
        async with self.pool.acquire() as connection:
            block = await self.block_number(connection)
            transaction = Transaction(connection, context, block, self.opener, self.wide_until)
            postgres = connection.transaction()
            await postgres.start()
            try:
                yield transaction
                await transaction.close_block()
            except BaseException:
                if not connection.is_closed():
                    await postgres.rollback()
                raise
            try:
                await postgres.commit()
            except LOST as doubt:
                await self._resolve(transaction, doubt)
        if transaction.count:
            APPEND_EVENTS.labels(self.source).observe(transaction.count)
            APPEND_SECONDS.labels(self.source).observe(perf_counter() - began)
            if tracing.collected():
                done = transaction.count, transaction.position or 0
                tracing.appended(self.source, began_ns, context.trace, *done)

    async def forget_wide(self, rows_max: int) -> int:
        """Forget what a wide topic told that has ended, so many messages; how many there were."""
        status = await self.pool.execute(_FORGET_WIDE, rows_max)
        return int(status.rsplit(" ", 1)[1])

    async def block_number(self, connection: Connection) -> int:
        """A number for a new block, which no other block has or ever gets."""
        if not self._blocks:
            rows = await connection.fetch(
                "SELECT nextval('block_numbers') FROM generate_series(1, $1)", BLOCKS_RESERVED
            )
            self._blocks = sorted((row[0] for row in rows), reverse=True)
        return self._blocks.pop()

    async def _resolve(self, transaction: Transaction, doubt: Exception) -> None:
        if transaction.position is None:
            raise doubt
        transaction.position = await self.position_of(transaction.block, doubt)

    async def position_of(self, block: int, doubt: Exception) -> int:
        """The position of a block's last event, after a commit that was not answered.

        Raises `doubt` where there is no such block, `CommitUnknown` where nobody can tell.
        """
        deadline = asyncio.get_running_loop().time() + COMMIT_DOUBT_S
        while asyncio.get_running_loop().time() < deadline:
            try:
                found = await self.pool.fetchval(
                    "SELECT first_position + count - 1 FROM blocks WHERE block = $1", block
                )
            except LOST:
                await asyncio.sleep(0.1)
                continue
            if found is None:
                raise doubt
            return int(found)
        raise CommitUnknown(block=block) from doubt

    async def head_at(self, position: int) -> bytes | None:
        """The chain's head after the block that ends at a position; None where none does."""
        row = await self.pool.fetchrow(
            """SELECT first_position + count - 1 AS last, head FROM blocks
               WHERE first_position <= $1 ORDER BY first_position DESC LIMIT 1""",
            position,
        )
        return row["head"] if row and row["last"] == position else None

    async def head(self) -> tuple[int, str]:
        """(position of the last event, epoch)."""
        row = await self.pool.fetchrow("SELECT position, epoch FROM head")
        if row is None:
            raise CorridorError(missing="head")
        return row["position"], row["epoch"]

    @asynccontextmanager
    async def looking(self, connection: Connection | None = None) -> AsyncIterator[Transaction]:
        """A read-only snapshot of the database (REPEATABLE READ), as a unit to load streams from.

        Who holds a connection already gives it: others may wait for the one that it would take.
        """
        if connection is None:
            async with self.pool.acquire() as own, self.looking(own) as reader:
                yield reader
            return
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield Transaction(connection, Context(datetime.now(UTC), self.source), 0, self.opener)

    async def read(
        self,
        kind: StreamType[C, S, E],
        stream_ids: Sequence[str],
        connection: Connection | None = None,
    ) -> dict[str, Loaded[S]]:
        """The streams that exist among `stream_ids`, outside of any append."""
        async with self.looking(connection) as reader:
            return await reader.load(kind, sorted(set(stream_ids)))


async def _no_reset(connection: Any) -> None:
    """Reset nothing on a connection between two uses: an open transaction is undone, no more.

    The usual reset is a round trip. Nothing that outlives a transaction is left on a connection
    that is given back: who locks or listens for a session (leader.py) ends that session.
    """
