"""How fast a store's chain is verified: `python -m benchmarks.verifying [EVENTS]`."""

from __future__ import annotations

import asyncio
import resource
import sys
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Final

from benchmarks.append import Families
from benchmarks.domain import ACCOUNT, CONTEXT, commands_for
from benchmarks.server import open_store, own_postgres
from libs.events.handle import handle_many
from libs.events.store import Store
from libs.events.verify import verify

EVENTS: Final = 200_000
EVENTS_A_STREAM: Final = 20


@dataclass(frozen=True, slots=True)
class Verified:
    """One verification: how many events, how long by the clock and on our core, in seconds."""

    events: int
    seconds: float
    core_seconds: float
    findings: int


async def verified(store: Store, events: int) -> Verified:
    """Fill an empty store with at least so many events and verify all of it."""
    written = await _fill(store, events)
    begun, begun_core = perf_counter(), process_time()
    findings = [finding async for finding in verify(store.pool)]
    return Verified(written, perf_counter() - begun, process_time() - begun_core, len(findings))


async def _fill(store: Store, events: int) -> int:
    families, written = Families(seed=9), 0
    while written < events:
        commands = commands_for(families.fresh()) * EVENTS_A_STREAM
        async with store.transaction(CONTEXT) as transaction:
            await handle_many(transaction, ACCOUNT, commands)
        written += len(commands)
    return written


async def _main(events: int) -> int:
    with own_postgres() as server:
        store = await open_store(server, "verified")
        done = await verified(store, events)
        await store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{done.events:,} events verified in {done.seconds:.1f} s, {done.core_seconds:.1f} s of "
        f"one core: {done.events / done.seconds:,.0f} events/s, "
        f"{done.events / done.core_seconds:,.0f} a core; {done.findings} findings; {peak:,.0f} MiB"
    )
    return int(done.findings > 0)


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)))
