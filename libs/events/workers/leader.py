"""One leader per job and database, held by an advisory lock that ends with its connection.

A leader that stands still (a paused machine, a frozen process) keeps its connection, and would
keep everybody else waiting. One that lives says something every few seconds; whoever waits ends
the session of one that has been silent for LEADER_SILENCE_S. The server's own idle timeout would
not do: it does not see a session whose notifications nobody takes any more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Any
from zlib import crc32

import asyncpg
import structlog

from libs.events.domain.errors import CorridorError, safe_text
from libs.events.store.faults import LOST
from libs.events.store.postgres import CHANNEL, Store
from libs.events.workers.backoff import THE_WORK, Backoff

LEADER_SILENCE_S = 15.0  # how long a leader may stand still before another takes over
BEATS = 5  # within that time
LEADER_POLL_S = 0.2  # how often a stand-by asks whether the leader is gone
STEP_POLL_S = 0.2, 0.8  # the first and the longest pause of idle work, underneath NOTIFY
STEP_RETRY_S = 0.5

_TAKE = "SELECT pg_try_advisory_lock($1)"
_HOLDING = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = $1::bigint::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_HELD = f"SELECT EXISTS ({_HOLDING})"
_END_SILENT = f"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid IN ({_HOLDING}) AND state = 'idle' AND now() - state_change > $2
"""  # noqa: S608

log = structlog.get_logger("leader")


class LeadershipLost(CorridorError):
    """The connection that held the leadership is gone."""


def _number(job: str) -> int:
    return crc32(job.encode()) & 0x7FFFFFFF


class Leadership:
    """`async with`: waits until this process leads `job` on `store`, gives it up at the end."""

    def __init__(
        self,
        store: Store,
        job: str,
        channel: str = CHANNEL,
        silence_s: float = LEADER_SILENCE_S,
    ) -> None:
        self._store, self._job, self._channel = store, job, channel
        self._silence_s = silence_s
        self._connection: Any = None
        self._beating: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Leadership:
        self._connection = await self._store.pool.acquire()
        try:
            silence = timedelta(seconds=self._silence_s)
            while not await self._connection.fetchval(_TAKE, _number(self._job)):
                await self._connection.execute(_END_SILENT, _number(self._job), silence)
                await asyncio.sleep(LEADER_POLL_S)
            await self._connection.add_listener(self._channel, self._heard)
            self._beating = asyncio.create_task(self._beat(), name=f"{self._job} leads")
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        await self._end()

    async def _end(self) -> None:
        """Terminating the session is what surely frees the lock, also after half a protocol."""
        with contextlib.suppress(Exception):
            self._connection.terminate()
        await self._store.pool.release(self._connection)

    async def _beat(self) -> None:
        """Keep the session from falling silent; ends with it, which `confirm` then tells."""
        with contextlib.suppress(*LOST, asyncpg.PostgresError):
            while True:
                await asyncio.sleep(self._silence_s / BEATS)
                await self._connection.execute("SELECT")

    def _heard(self, *_: object) -> None:
        self._news.set()

    async def confirm(self) -> None:
        """Raise `LeadershipLost` if the lock's connection is gone."""
        try:
            lost = self._connection.is_closed()
        except asyncpg.InterfaceError:  # closed, and given up by its pool
            lost = True
        if lost:
            raise LeadershipLost(job=self._job, store=self._store.source)

    @property
    def has_news(self) -> bool:
        """True if something was appended since the last wait."""
        return self._news.is_set()

    async def wait(self, at_most_s: float) -> bool:
        """Until something was appended, or the time is up; answers whether anything was."""
        # Not `wait_for`: in Python 3.11 it forgets a cancellation that comes together with news.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._news.wait()
        heard = self._news.is_set()
        self._news.clear()
        return heard


async def lead(store: Store, job: str, step: Callable[[], Awaitable[bool]]) -> None:
    """Run `step` again and again as the leader of `job`, until cancelled.

    A step does one transaction's worth of work and answers whether there was any; after a step
    that found none the next append is waited for, or a pause that doubles while nothing happens.
    A step that fails is begun again: what it committed stays, what it did not is undone, and that
    it fails is kept for all to see.
    """
    backoff = Backoff(store, job)
    first_s, longest_s = STEP_POLL_S
    while True:
        try:
            async with Leadership(store, job) as leadership:
                pause_s = first_s
                while True:
                    await leadership.confirm()
                    if await step() or await leadership.wait(pause_s):
                        pause_s = first_s
                    else:
                        pause_s = min(2 * pause_s, longest_s)
                    await backoff.succeeded(THE_WORK)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # a leader outlives every fault of its database
            log.warning("step failed", job=job, error=safe_text(error))
            if not isinstance(error, LeadershipLost):
                with contextlib.suppress(Exception):  # where even that fails, the store is away
                    await backoff.failed(THE_WORK, error)
            await asyncio.sleep(STEP_RETRY_S)


async def has_leader(pool: asyncpg.Pool[asyncpg.Record], job: str) -> bool:
    """True if somebody leads `job` on this database just now."""
    found = await pool.fetchval(_HELD, _number(job))
    return bool(found)
