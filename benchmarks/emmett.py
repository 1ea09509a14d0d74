"""The same work through npm's @event-driven-io/emmett-postgresql, where Node is present."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import msgspec

from benchmarks.append import STREAMS, Families
from benchmarks.domain import ACCOUNT, CONTEXT, commands_for
from benchmarks.judge import Ratio
from benchmarks.measure import Effort
from benchmarks.report import Figure
from benchmarks.server import database, open_store
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.handle import handle_many
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from localstack.postgres.server import PostgresServer

HERE: Final = Path(__file__).with_name("emmett")
INSTALL_S: Final = 300
DEADLINE_S: Final = 120
SECONDS: Final = 2.0
AT_ONCE: Final = 16


class Rates(msgspec.Struct, frozen=True):
    """The figures of measure.mjs and ours at the same, each a second."""

    single: float
    sixteen: float
    batch: float
    load: float


async def figures(server: PostgresServer, _effort: Effort) -> tuple[list[Figure], list[str]]:
    """Four figures of the peer with ours beside them; a sentence where it cannot be measured."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return [], ["emmett-postgresql was not measured: Node and npm are not installed."]
    try:
        _install()
    except subprocess.SubprocessError:
        return [], ["emmett-postgresql was not measured: npm could not install it."]
    ours = await _ours(await open_store(server, "single"))
    done = await asyncio.to_thread(
        subprocess.run,
        ["node", str(HERE / "measure.mjs"), database(server, "emmett")],
        check=True,
        timeout=DEADLINE_S,
        capture_output=True,
    )
    theirs = msgspec.json.decode(done.stdout, type=Rates)
    return [
        *_beside("one command at a time, new streams", "commands/s", ours.single, theirs.single),
        *_beside(f"{AT_ONCE} at once, new streams", "commands/s", ours.sixteen, theirs.sixteen),
        *_beside("500 events at once", "events/s", ours.batch, theirs.batch),
        *_beside("load and append, 20 past events", "commands/s", ours.load, theirs.load),
    ], []


def _beside(what: str, unit: str, ours: float, theirs: float) -> list[Figure]:
    ratio = Ratio.of([ours], [theirs])
    return [Figure(what, unit, ours), Figure("  emmett-postgresql", unit, theirs, ratio)]


def _install() -> None:
    if not (HERE / "node_modules").is_dir():
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=HERE, check=True, timeout=INSTALL_S, capture_output=True)


async def _ours(store: Store) -> Rates:
    random, families = Random(71), Families(72, 1).batch(0)

    def drawn() -> UUID:
        return UUID(int=random.getrandbits(128), version=4)

    committer = GroupCommitter(store)

    async def one(family: UUID) -> None:
        [(stream_id, command)] = commands_for([family])
        await committer.append(GroupedCommand(ACCOUNT, stream_id, command, CONTEXT, _version))

    async def single() -> None:
        await one(drawn())

    async def load() -> None:
        await one(random.choice(families))

    async def batch(families: list[UUID]) -> None:
        async with store.transaction(CONTEXT) as unit:
            await handle_many(unit, ACCOUNT, commands_for(families))

    async def fresh() -> None:
        await batch(sorted(drawn() for _ in range(STREAMS)))

    try:
        for _ in range(20):
            await batch(families)
        return Rates(
            await _rate(single),
            await _rate(single, AT_ONCE),
            await _rate(fresh) * STREAMS,
            await _rate(load),
        )
    finally:
        await store.close()


def _version(outcome: Outcome[Any, Any]) -> int:
    return outcome.version


async def _rate(work: Callable[[], Awaitable[None]], callers: int = 1) -> float:
    """The rate a second at which so many callers do it together."""
    await work()
    begin, count = perf_counter(), 0

    async def caller() -> None:
        nonlocal count
        while perf_counter() - begin < SECONDS:
            await work()
            count += 1

    await asyncio.gather(*(caller() for _ in range(callers)))
    return count / (perf_counter() - begin)
