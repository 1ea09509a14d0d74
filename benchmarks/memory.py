"""100,000 streams handled in chunks by a process of its own: how much memory that takes."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from time import perf_counter
from typing import Final

from benchmarks.append import STREAMS, Families, Handle
from benchmarks.measure import Effort
from benchmarks.report import Figure
from benchmarks.server import corridor_database
from libs.events.store.postgres import Store
from localstack.postgres.server import PostgresServer

STREAMS_ALL: Final = 100_000
MEGABYTES_MAX: Final = 300
DEADLINE_S: Final = 600


async def figures(server: PostgresServer, _effort: Effort) -> list[Figure]:
    """The largest resident memory of the process, and how fast it was."""
    url = await corridor_database(server, "chunks")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "benchmarks.memory", url],
        check=True,
        timeout=DEADLINE_S,
        capture_output=True,
        text=True,
    )
    rate, megabytes = map(float, done.stdout.split())
    return [
        Figure(f"handle_many over {STREAMS_ALL:,} streams in chunks", "streams/s", rate),
        Figure("  the process's memory at most", "MB", megabytes, most=MEGABYTES_MAX),
    ]


async def _chunks(url: str) -> float:
    store = await Store.connect(url, "chunks")
    handle = Handle(store, Families(seed=41), new=True)
    begin = perf_counter()
    for turn in range(STREAMS_ALL // STREAMS):
        await handle.prepare(turn)
        await handle.run()
    taken = perf_counter() - begin
    await store.close()
    return STREAMS_ALL / taken


if __name__ == "__main__":
    rate = asyncio.run(_chunks(sys.argv[1]))
    print(rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000)
