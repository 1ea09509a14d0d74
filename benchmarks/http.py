"""Single commands over HTTP, by 1, 8 and 32 connections, beside a bare endpoint with an INSERT."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final, cast
from uuid import UUID

from benchmarks.measure import Effort, Line, Way, in_turn
from benchmarks.report import Figure
from benchmarks.server import corridor_database, database
from benchmarks.web import PATH, SCOPE
from libs.chassis.dev_issuer import Issuer
from localstack.ports import free_ports
from localstack.postgres.server import PostgresServer

WAYS: Final = ("bare", "corridor", "service")
CONNECTIONS: Final = {1: 0.5, 8: 0.8, 32: 0.8}  # and the least ratio at each
ROUND_S: Final = 0.7
ROUNDS: Final = 9
FAMILIES: Final = 2_000
START_S: Final = 30.0
LOOK_S: Final = 0.05


class Caller(asyncio.Protocol):
    """One connection that sends the next request as soon as the last one is answered."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self._requests, self._until = requests, until
        self._transport: asyncio.Transport | None = None
        self._heard = b""
        self.answers = 0
        self.refused = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by its methods
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        """Every answer is a 204, which has no body: it ends with its headers."""
        self._heard += data
        if not self._heard.endswith(b"\r\n\r\n"):
            return
        self.answered(self._heard, b"HTTP/1.1 204")

    def answered(self, answer: bytes, wanted: bytes) -> None:
        """Ask again, if the answer is the wanted one and there is time."""
        if not answer.startswith(wanted):
            self.refused = answer
        self._heard = b""
        self.answers += 1
        assert self._transport is not None
        if self.refused or perf_counter() >= self._until:
            self._transport.close()
        else:
            self._transport.write(next(self._requests))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if not self.done.done():
            self.done.set_result(None)


def requests(seed: int, token: str) -> Iterator[bytes]:
    """POSTs for families in no order, each with a key of its own."""
    random = Random(seed)
    families = [UUID(int=random.getrandbits(128), version=4) for _ in range(FAMILIES)]
    head = f"POST {PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    head += f"Authorization: Bearer {token}\r\n"
    for number in count():
        body = f'{{"family":"{random.choice(families)}","amount":225000}}'
        own = f"Idempotency-Key: {seed}-{number}\r\nContent-Length: {len(body)}\r\n\r\n"
        yield f"{head}{own}{body}".encode()


async def _rate(port: int, connections: int, posts: Iterator[bytes]) -> float:
    """Answers a second of so many connections together."""
    loop = asyncio.get_running_loop()
    begin = perf_counter()
    callers = [
        (await loop.create_connection(lambda: Caller(posts, begin + ROUND_S), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(caller.done for caller in callers))
    if refused := [caller.refused for caller in callers if caller.refused]:
        raise RuntimeError(f"refused: {refused[0][:300]!r}")
    return sum(caller.answers for caller in callers) / (perf_counter() - begin)


@contextmanager
def served(way: str, url: str, port: int, keys: Path) -> Iterator[int]:
    """A way's server as a process, at a port."""
    command = [sys.executable, "-m", "benchmarks.web", way, url, str(port), str(keys)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(START_S)


async def listening(ports: Sequence[int]) -> None:
    """Return once all of them are listened at."""
    async with asyncio.timeout(START_S):
        for port in ports:
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(LOOK_S)
                    continue
                writer.close()
                break


async def figures(server: PostgresServer, effort: Effort) -> list[Figure]:
    """Requests a second of each server, the servers in turn."""
    urls = [database(server, "web_bare")]
    urls += [await corridor_database(server, f"web_{way}") for way in WAYS[1:]]
    with ExitStack() as stack:
        keys = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pkh-bench-")))
        posts = requests(61, Issuer.open(keys).token("bench", [SCOPE], ["*"]))
        ports = [
            stack.enter_context(served(way, url, port, keys))
            for way, url, port in zip(WAYS, urls, free_ports(len(WAYS)), strict=True)
        ]
        await listening(ports)
        found: list[Figure] = []
        for connections, ratio_min in CONNECTIONS.items():
            ways = {
                way: _asking(port, connections, posts)
                for way, port in zip(WAYS, ports, strict=True)
            }
            lines = _lines(connections, ratio_min)
            found += await in_turn(ways, lines, ROUNDS, effort, warmup_rounds=1)
        return found


def _asking(port: int, connections: int, posts: Iterator[bytes]) -> Way:
    async def way() -> float:
        return await _rate(port, connections, posts)

    return way


def _lines(connections: int, ratio_min: float) -> list[Line]:
    what = f"HTTP, single commands, {connections} connection{'s' if connections > 1 else ''}"
    unit = "requests/s"
    bare = "  a bare FastAPI endpoint with an INSERT"
    return [
        Line(what, unit, "corridor"),
        Line(bare, unit, "bare", "corridor", ratio_min),
        Line("  a whole service: tokens, keys, logs", unit, "service"),
        Line("  the bare endpoint again, beside that", unit, "bare", "service"),
    ]
