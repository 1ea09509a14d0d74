"""Which process is killed at which moment of a year: chosen by a seed, timed by what is done.

A moment is a place in a service's log: so many appends after the announcement of a tahap. Half of
the kills fall just after an append, the others within the next one, when all of it is written and
nothing committed. A kill whose moment does not come falls at the end of its tahap.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from libs.chassis.catalogue import catalogue
from libs.events.store.faults import LOST
from libs.events.store.postgres import CHANNEL
from localstack.platform import BusKind, Platform

LOOK_S: Final = 0.002  # between two looks whether somebody waits for the head
AGAIN_S: Final = 0.1  # between two attempts to reach a database that was killed

APPENDS: Final = {
    "registry": 3,
    "conditionality": 24,
    "payments": 24,
    "p2k2": 3,
    "complaints": 17,
}
"""About how many appends each makes in a tahap of the small year; few moments lie behind them."""
FILES: Final = 0
"""The tahap of a fault before the first one, while files of sessions and complaints come."""

# pg_stat_activity would show a transaction only the sessions that there were at its first look.
WAITED_FOR: Final = """
SELECT EXISTS (SELECT FROM pg_locks
               WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))
"""

PROCESSES: Final = (*catalogue().names, "relay", "postgres", "treasury", "bank")
"""On the embedded bus killing PostgreSQL kills the bus and every database at once."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kill in a tahap: once `store` has made `appends` of it, or within the next one."""

    tahap: int
    victim: str
    store: str
    appends: int
    within: bool

    def __str__(self) -> str:
        when = "within the append after" if self.within else "after"
        return f"tahap {self.tahap}: {self.victim} {when} {self.appends} of {self.store}"


def faults(seed: int, bus: BusKind, tahaps: Sequence[int], rounds: int) -> list[Fault]:
    """The kills of a year: each process in `rounds` of its tahaps; p2k2 and complaints while they
    get files, and complaints among its own cases besides.
    """
    chance = random.Random(f"{bus}{seed}")
    victims = [*PROCESSES, *(["kafka"] if bus == "kafka" else [])]
    # Sessions are one append, their attendance the next.
    while_files_come = [
        Fault(FILES, "p2k2", "p2k2", chance.randrange(2), within=True),
        Fault(FILES, "complaints", "complaints", 0, within=True),
    ]
    return [
        *while_files_come,
        *(
            _fault(chance, tahap, "complaints", "complaints")
            for tahap in sorted(chance.sample(tahaps, rounds))
        ),
        *(
            _fault(chance, tahap, victim)
            for victim in victims
            for tahap in sorted(chance.sample(tahaps, rounds))
        ),
    ]


def _fault(chance: random.Random, tahap: int, victim: str, store: str = "") -> Fault:
    store = store or chance.choices([*APPENDS], weights=[*APPENDS.values()])[0]
    return Fault(tahap, victim, store, chance.randrange(APPENDS[store]), chance.random() < 0.5)


# -- A log, and who may keep it from growing ------------------------------------------------------


class Log:
    """A service's log, as somebody sees it who may lock its head."""

    def __init__(self, platform: Platform, store: str) -> None:
        self._url = platform._environment.postgres.superuser_url(f"pkh_{store}")
        self._turn = asyncio.Lock()  # two who hold the head would take each other for a service
        self._begun = 0

    async def mark(self) -> None:
        """Count appends from here."""
        async with self._look() as connection:
            self._begun = await connection.fetchval("SELECT count(*) FROM blocks")

    async def reaches(self, appends: int) -> None:
        """Return once so many appends were made since the mark."""
        async with self._look() as connection:
            news = asyncio.Event()
            await connection.add_listener(CHANNEL, lambda *_: news.set())
            connection.add_termination_listener(lambda *_: news.set())
            while await connection.fetchval("SELECT count(*) FROM blocks") < self._begun + appends:
                await news.wait()
                news.clear()

    @asynccontextmanager
    async def within_an_append(self) -> AsyncIterator[None]:
        """While this lasts an append is written and cannot take the head to be committed."""
        async with self._turn, self._look() as connection:
            await connection.execute("BEGIN; SELECT FROM head FOR UPDATE")
            while not await connection.fetchval(WAITED_FOR):  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(LOOK_S)
            yield

    @asynccontextmanager
    async def _look(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self._url)
        try:
            yield connection
        finally:
            connection.terminate()


# -- Killing --------------------------------------------------------------------------------------


class Strike:
    """One fault as it falls."""

    def __init__(self, fault: Fault, platform: Platform, log: Log) -> None:
        self.fault = fault
        self._supervisor, self._log = platform.supervisor, log
        self._struck = False

    async def falls(self, over: asyncio.Event) -> None:
        """Kill at the moment, or when the tahap is `over`; return when the victim works again."""
        moment = asyncio.create_task(self._at_its_moment())
        end = asyncio.create_task(over.wait())
        await asyncio.wait([moment, end], return_when=asyncio.FIRST_COMPLETED)
        if not self._struck:
            moment.cancel()
            await asyncio.wait([moment])
            await self._kill()
        end.cancel()
        await asyncio.wait([moment, end])
        await self._supervisor.ready(self.fault.victim)

    async def _at_its_moment(self) -> None:
        while not self._struck:
            # Whatever was killed before us may have taken our sight away.
            with contextlib.suppress(asyncpg.PostgresError, *LOST):
                await self._log.reaches(self.fault.appends)
                async with self._within() if self.fault.within else contextlib.nullcontext():
                    await self._kill()
                return
            await asyncio.sleep(AGAIN_S)

    def _within(self) -> contextlib.AbstractAsyncContextManager[None]:
        return self._log.within_an_append()

    async def _kill(self) -> None:
        self._struck = True
        await self._supervisor.kill(self.fault.victim)


@asynccontextmanager
async def falling(platform: Platform, due: Sequence[Fault]) -> AsyncIterator[None]:
    """Have these faults fall meanwhile; at the end all have, and everything works again."""
    logs = {store: Log(platform, store) for store in APPENDS}
    for log in logs.values():
        await log.mark()
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for fault in due:
            group.create_task(Strike(fault, platform, logs[fault.store]).falls(over))
        yield
        over.set()
