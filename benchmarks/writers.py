"""Two processes that append at once, beside two that write the same rows by the bare driver."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Final

import asyncpg

from benchmarks.append import BATCHES, STREAMS, Append, Bare, Families
from benchmarks.measure import WARMUP_ROUNDS, Contender, Effort, Line, Way, in_turn
from benchmarks.report import Figure
from benchmarks.server import corridor_database
from libs.events.store.postgres import Store
from localstack.postgres.server import PostgresServer

WRITERS: Final = 2
APPENDS: Final = 4  # of each writer in a round
ROUNDS: Final = 15
RATIO_MIN: Final = 0.6
DEADLINE_S: Final = 60.0
WAYS: Final = ("library", "bare")
LINES: Final = (
    Line("append: two writers at once", "events/s", "library"),
    Line("  two bare writers of the same rows", "events/s", "bare", "library", RATIO_MIN),
)


def writer(orders: Connection, library: str, bare: str, seed: int) -> None:
    """The body of a writer's process: does what it is told and says when it is done."""
    asyncio.run(_write(orders, library, bare, seed))


async def _write(orders: Connection, library: str, bare: str, seed: int) -> None:
    store = await Store.connect(library, "writer")
    connection = await asyncpg.connect(bare)
    appends = [Append(store, Families(seed)) for _ in range(APPENDS)]
    ways: dict[str, Sequence[Contender]] = {
        "library": appends,
        "bare": [Bare(append, connection) for append in appends],
    }
    orders.send("ready")
    while (order := orders.recv()) is not None:
        step, way, turn = order
        for at, contender in enumerate(ways[way]):
            await (contender.prepare(turn * APPENDS + at) if step == "prepare" else contender.run())
        orders.send("done")
    await connection.close()
    await store.close()


@contextmanager
def writers(library: str, bare: str) -> Iterator[list[Connection]]:
    """The processes, by the ends through which they are told what to do."""
    spawning = multiprocessing.get_context("spawn")
    ends: list[Connection] = []
    processes = []
    for seed in range(WRITERS):
        ours, theirs = spawning.Pipe()
        process = spawning.Process(target=writer, args=(theirs, library, bare, 51 + seed))
        process.start()
        ends.append(ours)
        processes.append(process)
    try:
        _all_said(ends)
        yield ends
        for end in ends:
            end.send(None)
    finally:
        for process in processes:
            process.join(DEADLINE_S)
            process.kill()


def _all_said(ends: Sequence[Connection]) -> None:
    for end in ends:
        if not end.poll(DEADLINE_S):
            raise TimeoutError("a writer has not answered")
        end.recv()


def _tell(ends: Sequence[Connection], step: str, way: str, turn: int) -> float:
    """Let all do a step at once; the seconds until the last one was done."""
    begin = perf_counter()
    for end in ends:
        end.send((step, way, turn))
    _all_said(ends)
    return perf_counter() - begin


async def figures(server: PostgresServer, effort: Effort) -> list[Figure]:
    """Events a second of two writers together."""
    library = await corridor_database(server, "two_writers")
    bare = await corridor_database(server, "two_bare")
    with writers(library, bare) as ends:
        ways = {way: _rounds(ends, way) for way in WAYS}
        warmup = BATCHES // APPENDS + WARMUP_ROUNDS
        return await in_turn(ways, LINES, ROUNDS, effort, warmup)


def _rounds(ends: Sequence[Connection], name: str) -> Way:
    turns = count()

    async def way() -> float:
        turn = next(turns)
        _tell(ends, "prepare", name, turn)
        return WRITERS * APPENDS * STREAMS / _tell(ends, "run", name, turn)

    return way
