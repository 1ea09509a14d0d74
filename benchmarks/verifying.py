"""Verification of a store's chain, in events a second: `-m benchmarks.verifying [EVENTS]`."""

from __future__ import annotations

import asyncio
import hashlib
import resource
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Final, TypeAlias

import asyncpg
import psutil

from benchmarks.append import Families
from benchmarks.domain import ACCOUNT, CONTEXT, commands_for
from benchmarks.measure import Effort, Line, in_turn
from benchmarks.report import Figure
from benchmarks.server import open_store, own_postgres
from libs.events.store.handle import handle_many
from libs.events.store.postgres import Store
from libs.events.store.verify import verify
from localstack.postgres.server import PostgresServer

EVENTS: Final = 500_000
EVENTS_A_STREAM: Final = 20
QUICK_EVENTS: Final = 50_000
ROUNDS: Final = 7
RATIO_MIN: Final = 0.3
HASHED: Final = (
    *("block", "stream_id", "version", "type", "schema_version", "data", "metadata"),
    *("topic", "key", "message", "occurred_at"),
)
LINES: Final = (
    Line("verify: in a second of one core, ours or the server's", "events/s", "verify"),
    Line("  the same columns by COPY, hashed as one", "events/s", "copy", "verify", RATIO_MIN),
)

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class Worked:
    """One look: how many events, and seconds by the clock, of our core and the server's."""

    events: int
    seconds: float
    our_core_s: float
    server_core_s: float
    findings: int

    @property
    def a_core(self) -> float:
        """Events in a second of one core, whoever used it."""
        return self.events / (self.our_core_s + self.server_core_s)


async def figures(server: PostgresServer, effort: Effort) -> list[Figure]:
    """The rate that one core would reach, were our part and the server's its own; a bare COPY."""
    store = await open_store(server, "verified")
    await _fill(store, QUICK_EVENTS if effort.quick else EVENTS)
    await store.close()
    async with asyncpg.create_pool(
        server.superuser_url("verified"), min_size=1, max_size=1
    ) as pool:

        async def verifying() -> float:
            done = await measured(pool, _verify)
            if done.findings:
                raise AssertionError(f"{done.findings} findings in a store that nobody touched")
            return done.a_core

        async def copying() -> float:
            return (await measured(pool, _copy)).a_core

        ways = {"verify": verifying, "copy": copying}
        return await in_turn(ways, LINES, ROUNDS, effort, warmup_rounds=1)


async def verified(server: PostgresServer, events: int) -> Worked:
    """Fill a new store with at least so many events and verify all of it, as `pkh verify` does."""
    store = await open_store(server, "verified")
    await _fill(store, events)
    await store.close()
    url = server.superuser_url("verified")
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        return await measured(pool, _verify)


async def measured(pool: Pool, work: Callable[[Pool], Awaitable[int]]) -> Worked:
    """Time of our core and of the server's that a look through all events takes."""
    backend = psutil.Process(await pool.fetchval("SELECT pg_backend_pid()"))
    events = await pool.fetchval("SELECT position FROM head")
    begun, ours, servers = perf_counter(), process_time(), _core_s(backend)
    findings = await work(pool)
    return Worked(
        events,
        perf_counter() - begun,
        process_time() - ours,
        _core_s(backend) - servers,
        findings,
    )


async def _verify(pool: Pool) -> int:
    return len([finding async for finding in verify(pool)])


async def _copy(pool: Pool) -> int:
    """The columns that are hashed, as the bare driver copies them out; one hash over everything."""
    whole = hashlib.sha256()

    async def take(chunk: bytes) -> None:
        whole.update(chunk)

    async with pool.acquire() as connection:
        await connection.copy_from_query(f"SELECT {', '.join(HASHED)} FROM events", output=take)
    return 0


def _core_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _fill(store: Store, events: int) -> int:
    """Streams of 20 events each, in blocks of 500."""
    families, written = Families(seed=9), 0
    while written < events:
        commands = commands_for(families.fresh())
        for _ in range(EVENTS_A_STREAM):
            async with store.transaction(CONTEXT) as transaction:
                await handle_many(transaction, ACCOUNT, commands)
            written += len(commands)
    return written


async def _main(events: int) -> int:
    with own_postgres() as server:
        done = await verified(server, events)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{done.events:,} events verified in {done.seconds:.1f} s by the clock, with "
        f"{done.our_core_s:.1f} s of our core and {done.server_core_s:.1f} s of the server's: "
        f"{done.events / done.seconds:,.0f} events/s by the clock, {done.a_core:,.0f} a core; "
        f"{done.findings} findings; {peak:,.0f} MiB"
    )
    return int(done.findings > 0)


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)))
