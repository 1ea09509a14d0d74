"""Single commands and batches through UmaDB, an event store in Rust; its wheel has the server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import quantiles
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from benchmarks.domain import ACCOUNT, AMOUNT, CONTEXT, commands_for, recorded
from benchmarks.measure import Effort, Line, Way, in_turn
from benchmarks.report import Figure
from benchmarks.server import open_store
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.handle import handle_many
from libs.events.store.model import Outcome, encode
from libs.events.store.postgres import Store
from localstack.ports import free_ports
from localstack.postgres.server import PostgresServer
from localstack.processes import wait_until

LOCK: Final = Path(__file__).with_name("umadb.lock")
INSTALL_S: Final = 120
START_S: Final = 20.0
ROUND_S: Final = 1.0
ROUNDS: Final = 7
AT_ONCE: Final = (1, 16, 64)
BATCHES: Final = (100, 500)
NAME: Final = "  UmaDB"

Latencies = dict[str, list[float]]


async def figures(server: PostgresServer, effort: Effort) -> tuple[list[Figure], list[str]]:
    """Rates and latencies of both; a sentence where it cannot be measured."""
    try:
        _install()
    except subprocess.SubprocessError:
        return [], ["UmaDB was left out: no wheel of it fits this platform."]
    store = await open_store(server, "beside_umadb")
    with _served() as url:
        found = await _singles(store, url, effort) + await _batches(store, url, effort)
    await store.close()
    return found, [f"UmaDB {version('umadb')} by its Python client; its batches ask no condition."]


def _install() -> None:
    """Its wheel, where there is one: from source it would be built for many minutes."""
    wanted = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(LOCK)]
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*command, *wanted], check=True, timeout=INSTALL_S, capture_output=True)
    invalidate_caches()


@contextmanager
def _served() -> Iterator[str]:
    """The address of a server of its own, with an empty store."""
    [port] = free_ports(1)
    address = f"127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="pkh-bench-") as directory:
        program = Path(sys.executable).with_name("umadb")
        process = subprocess.Popen(
            [program, "--listen", address, "--db-path", f"{directory}/events.db"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if not wait_until(lambda: _answers(f"http://{address}"), START_S):
                raise TimeoutError("UmaDB's server did not start")
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(START_S)


def _answers(url: str) -> bool:
    umadb = import_module("umadb")
    try:
        return bool(umadb.Client(url).head() is None)
    except (umadb.TransportError, ConnectionError):
        return False


# -- One command a call ---------------------------------------------------------------------------


async def _singles(store: Store, url: str, effort: Effort) -> list[Figure]:
    found: list[Figure] = []
    for callers in AT_ONCE:
        taken: Latencies = {"ours": [], "theirs": []}
        ways = {
            "ours": _ours(store, callers, taken["ours"]),
            "theirs": _theirs(url, callers, taken["theirs"]),
        }
        what = f"{callers} commands at once" if callers > 1 else "one command at a time"
        found += await _beside(f"{what}, new streams", "commands/s", ways, taken, effort)
    return found


def _ours(store: Store, callers: int, taken: list[float]) -> Way:
    committer, random = GroupCommitter(store), Random(f"ours {callers}")

    async def caller(until: float) -> int:
        count = 0
        while (begin := perf_counter()) < until:
            [(stream_id, command)] = commands_for([_family(random)])
            await committer.append(GroupedCommand(ACCOUNT, stream_id, command, CONTEXT, _version))
            taken.append(perf_counter() - begin)
            count += 1
        return count

    async def way() -> float:
        begin = perf_counter()
        done = await asyncio.gather(*(caller(begin + ROUND_S) for _ in range(callers)))
        return sum(done) / (perf_counter() - begin)

    return way


def _version(outcome: Outcome[Any, Any]) -> int:
    return outcome.version


def _theirs(url: str, callers: int, taken: list[float]) -> Way:
    """Its client waits for each answer, so callers are threads with a client of their own."""
    umadb = import_module("umadb")
    random = Random(f"theirs {callers}")

    def append(client: Any) -> None:
        family = str(_family(random))
        new = umadb.Query([umadb.QueryItem(tags=[family])])
        client.append([_event(umadb, family)], umadb.AppendCondition(new))

    return _in_threads(url, callers, append, taken)


def _in_threads(url: str, callers: int, append: Callable[[Any], None], taken: list[float]) -> Way:
    umadb = import_module("umadb")
    clients = [umadb.Client(url) for _ in range(callers)]
    threads = ThreadPoolExecutor(callers)

    def caller(client: Any, until: float) -> int:
        count = 0
        while (begin := perf_counter()) < until:
            append(client)
            taken.append(perf_counter() - begin)
            count += 1
        return count

    async def way() -> float:
        loop, begin = asyncio.get_running_loop(), perf_counter()
        calls = (loop.run_in_executor(threads, caller, c, begin + ROUND_S) for c in clients)
        return sum(await asyncio.gather(*calls)) / (perf_counter() - begin)

    return way


# -- Many events a call ---------------------------------------------------------------------------


async def _batches(store: Store, url: str, effort: Effort) -> list[Figure]:
    found: list[Figure] = []
    for size in BATCHES:
        taken: Latencies = {"ours": [], "theirs": []}
        ways = {
            "ours": _our_batches(store, size, taken["ours"]),
            "theirs": _their_batches(url, size, taken["theirs"]),
        }
        found += await _beside(f"{size} events a batch", "batches/s", ways, taken, effort)
    return found


def _our_batches(store: Store, size: int, taken: list[float]) -> Way:
    random = Random(f"our batches {size}")

    async def way() -> float:
        first, count = perf_counter(), 0
        while (begin := perf_counter()) < first + ROUND_S:
            commands = commands_for(sorted(_family(random) for _ in range(size)))
            async with store.transaction(CONTEXT) as unit:
                await handle_many(unit, ACCOUNT, commands)
            taken.append(perf_counter() - begin)
            count += 1
        return count / (perf_counter() - first)

    return way


def _their_batches(url: str, size: int, taken: list[float]) -> Way:
    umadb = import_module("umadb")
    random = Random(f"their batches {size}")

    def append(client: Any) -> None:
        client.append([_event(umadb, str(_family(random))) for _ in range(size)])

    return _in_threads(url, 1, append, taken)


# -- Both -----------------------------------------------------------------------------------------


async def _beside(
    what: str, unit: str, ways: dict[str, Way], taken: Latencies, effort: Effort
) -> list[Figure]:
    lines = [Line(what, unit, "ours"), Line(NAME, unit, "theirs", "ours")]
    rates = await in_turn(ways, lines, ROUNDS, effort)
    ours, theirs = (_percentiles(taken[way]) for way in ("ours", "theirs"))
    return [
        *rates,
        *(Figure(f"  {name}", "ms", value) for name, value in ours.items()),
        *(Figure(f"{NAME}, {name}", "ms", value) for name, value in theirs.items()),
    ]


def _percentiles(seconds: list[float]) -> dict[str, float]:
    parts = quantiles(seconds, n=100, method="inclusive")
    return {"p50": parts[49] * 1_000, "p99": parts[98] * 1_000}


def _family(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)


def _event(umadb: Any, family: str) -> Any:
    return umadb.Event("Recorded", encode(recorded(family, AMOUNT)), [family])
