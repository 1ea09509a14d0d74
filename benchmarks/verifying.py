"""How fast a store's chain is verified: `python -m benchmarks.verifying [EVENTS]`."""

from __future__ import annotations

import asyncio
import resource
import sys
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Final

import asyncpg
import psutil

from benchmarks.append import Families
from benchmarks.domain import ACCOUNT, CONTEXT, commands_for
from benchmarks.report import Figure
from benchmarks.server import open_store, own_postgres
from cli.postgres_server import PostgresServer
from libs.events.handle import handle_many
from libs.events.store import Store
from libs.events.verify import verify

EVENTS: Final = 500_000
EVENTS_A_STREAM: Final = 20
EVENTS_A_CORE_S: Final = 150_000


@dataclass(frozen=True, slots=True)
class Verified:
    """One verification: how many events, and seconds by the clock, of our core and the server's."""

    events: int
    seconds: float
    our_core_s: float
    server_core_s: float
    findings: int

    @property
    def a_core(self) -> float:
        """Events in a second of one core, whoever used it."""
        return self.events / (self.our_core_s + self.server_core_s)


async def figures(server: PostgresServer, events: int = EVENTS) -> list[Figure]:
    """The rate that one core would reach if it did our work and the server's, and the clock's."""
    done = await verified(server, events)
    if done.findings:
        raise AssertionError(f"{done.findings} findings in a store that nobody touched")
    what = f"verify: {done.events:,} events, in a second of one core"
    by_server = f"{done.server_core_s / (done.our_core_s + done.server_core_s):.0%}"
    return [
        Figure(what, "events/s", done.a_core, least=EVENTS_A_CORE_S),
        Figure(
            f"  by the clock; {by_server} of the work is the server's",
            "events/s",
            done.events / done.seconds,
        ),
    ]


async def verified(server: PostgresServer, events: int) -> Verified:
    """Fill a new store with at least so many events and verify all of it, as `pkh verify` does."""
    store = await open_store(server, "verified")
    written = await _fill(store, events)
    await store.close()
    url = server.superuser_url("verified")
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        backend = psutil.Process(await pool.fetchval("SELECT pg_backend_pid()"))
        begun, ours, servers = perf_counter(), process_time(), _core_s(backend)
        findings = [finding async for finding in verify(pool)]
        return Verified(
            written,
            perf_counter() - begun,
            process_time() - ours,
            _core_s(backend) - servers,
            len(findings),
        )


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
