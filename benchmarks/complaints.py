"""Complaints as the service takes them at its door, beside a bare endpoint with an INSERT.

`python -m benchmarks.complaints DATABASE PORT KEYS` serves the service itself, with all that it
does: tokens, keys, sealed words, receipts, its log and its leader's work.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Final

import msgspec
import psutil

from benchmarks.http import START_S, Caller, listening, requests, served
from benchmarks.judge import Ratio
from benchmarks.measure import Effort, Line, Way, in_turn
from benchmarks.report import Figure
from benchmarks.server import database
from benchmarks.web import SCOPE, UNLIMITED
from libs.chassis.app import serve
from libs.chassis.dev_issuer import Issuer
from libs.chassis.limits import Limits
from libs.chassis.settings import Settings
from libs.events.bus import embedded
from libs.events.store import migrate
from libs.privacy import migrate as key_migrate
from libs.privacy.migrate import KeyRoles
from libs.privacy.versions import KeyVersions
from localstack.ports import free_ports
from localstack.postgres.server import PostgresServer
from services.complaints.main import SERVICE
from simulators.synthetic_year.files import Year, complaints

NAME: Final = "complaints"
ROOT: Final = Path(__file__).parents[1]
MIGRATIONS: Final = ROOT / "services" / NAME / "migrations"
RUNTIME: Final = "complaints_runtime"
OTHERS: Final = ("keys_registry", "keys_payments", "keys_eraser")
CONNECTIONS: Final = 8
RATIO_MIN: Final = 0.05  # which is 200 a second where the bare endpoint answers 4,000
P99_RATIO_MIN: Final = 0.03  # which is 100 ms where the bare endpoint takes 3
ROUND_S: Final = 1.0
ROUNDS: Final = 7
YEAR: Final = Year(20_000, 2026, 61, ("61.03",))
LENGTH: Final = b"content-length: "


async def complaints_database(server: PostgresServer, name: str) -> str:
    """The address of a new database as complaints needs it, for its runtime's role."""
    url = database(server, name)
    for role in (RUNTIME, *OTHERS):
        server.run_sql(f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN OTHERS THEN NULL; END $$")
    await migrate.apply(url, [migrate.CORRIDOR, MIGRATIONS], {"RUNTIME_ROLE": RUNTIME})
    await key_migrate.apply(url, KeyRoles(*OTHERS, RUNTIME, []))
    await embedded.migrate(url)
    return url


class Timed(Caller):
    """A caller that notes how long each answer takes."""

    def __init__(self, posts: Iterator[bytes], until: float) -> None:
        super().__init__(posts, until)
        self.waits_s: list[float] = []
        self._asked_at = perf_counter()

    def answered(self, answer: bytes, wanted: bytes) -> None:
        """Ask again, and time that."""
        now = perf_counter()
        self.waits_s.append(now - self._asked_at)
        self._asked_at = now
        super().answered(answer, wanted)


class Complainer(Timed):
    """One connection that complains again as soon as a complaint is answered."""

    def data_received(self, data: bytes) -> None:
        """An answer is whole once as much of its body is there as its head says."""
        self._heard += data
        head, ended, body = self._heard.partition(b"\r\n\r\n")
        if ended and len(body) >= int(head.lower().partition(LENGTH)[2].split(b"\r\n")[0]):
            self.answered(self._heard, b"HTTP/1.1 201")


def posts(token: str) -> Iterator[bytes]:
    """Complaints of an invented year at the door, in words, each with a key of its own."""
    head = "POST /cases HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    head += f"Authorization: Bearer {token}\r\n"
    for turn in count():
        for number, row in enumerate(complaints(YEAR)):
            _, received, channel, category, anonymous, _, village, *_ = map(str, row)
            reporter = {"name": "Siti Aminah", "contact": "+62 812 0000 0000"}
            body = msgspec.json.encode(
                {
                    "category": category,
                    "channel": channel,
                    "region": village,
                    "received_on": min(received[:10], "2026-11-30"),
                    "anonymous": anonymous == "Y",
                    "text": "Less money came than last time, and nobody says why.",
                    **(reporter if anonymous == "N" else {}),
                }
            )
            own = f"Idempotency-Key: {turn}-{number}\r\nContent-Length: {len(body)}\r\n\r\n"
            yield f"{head}{own}".encode() + body


@contextmanager
def _service(url: str, port: int, keys: Path) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "benchmarks.complaints", url, str(port), str(keys)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(START_S)


async def figures(server: PostgresServer, effort: Effort) -> list[Figure]:
    """Complaints a second of one process, with what each waits, and of one core's second."""
    urls = database(server, "bare_complaints"), await complaints_database(server, NAME)
    with ExitStack() as stack:
        keys = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pkh-bench-")))
        issuer, ports = Issuer.open(keys), free_ports(2)
        stack.enter_context(served("bare", urls[0], ports[0], keys))
        process = stack.enter_context(_service(urls[1], ports[1], keys))
        await listening(ports)
        bare = requests(61, issuer.token("bench", [SCOPE], ["*"]))
        asked = posts(issuer.token("bench", ["complaints:receive"], ["*"]))
        a_core: list[float] = []
        waits: dict[str, list[float]] = {"bare": [], "ours": []}
        ways: dict[str, Way] = {
            "bare": _asking(ports[0], lambda until: Timed(bare, until), waits["bare"]),
            "ours": _of_a_core(
                process,
                _asking(ports[1], lambda until: Complainer(asked, until), waits["ours"]),
                a_core,
            ),
        }
        what = f"complaints accepted, {CONNECTIONS} connections"
        lines = [
            Line(what, "complaints/s", "ours"),
            Line(
                "  a bare FastAPI endpoint with an INSERT", "requests/s", "bare", "ours", RATIO_MIN
            ),
        ]
        found = await in_turn(ways, lines, ROUNDS, effort, warmup_rounds=1)
    faster = Ratio.of(waits["bare"], waits["ours"])
    return [
        *found,
        Figure("  in a second of one core of the service", "complaints/s", median(a_core)),
        Figure("  p99", "ms", median(waits["ours"])),
        Figure("  p99 of the bare endpoint", "ms", median(waits["bare"]), faster, P99_RATIO_MIN),
    ]


def _of_a_core(process: psutil.Process, asked: Way, a_core: list[float]) -> Way:
    """A way, and what it does in a second of the process's core."""

    async def way() -> float:
        began, core_s = perf_counter(), sum(process.cpu_times()[:2])
        rate = await asked()
        spent = sum(process.cpu_times()[:2]) - core_s
        a_core.append(rate * (perf_counter() - began) / spent)
        return rate

    return way


def _asking(port: int, caller: Callable[[float], Timed], p99s_ms: list[float]) -> Way:
    """Answers a second of CONNECTIONS together; notes what one in a hundred waits longer than."""

    async def way() -> float:
        loop, begin = asyncio.get_running_loop(), perf_counter()
        callers = [
            (await loop.create_connection(lambda: caller(begin + ROUND_S), "127.0.0.1", port))[1]
            for _ in range(CONNECTIONS)
        ]
        await asyncio.gather(*(caller.done for caller in callers))
        if refused := [caller.refused for caller in callers if caller.refused]:
            raise RuntimeError(f"refused: {refused[0][:600]!r}")
        waits_s = [wait for caller in callers for wait in caller.waits_s]
        p99s_ms.append(quantiles(waits_s, n=100, method="inclusive")[98] * 1_000)
        return len(waits_s) / (perf_counter() - begin)

    return way


def main(url: str, port: str, keys: str) -> None:
    """Serve complaints until told to stop."""
    as_runtime = f"{url}{'&' if '?' in url else '?'}role={RUNTIME}"
    settings = Settings(
        NAME,
        as_runtime,
        url,
        Issuer.trusted_in(Path(keys)),
        keys_url=as_runtime,
        kek=KeyVersions.of(os.urandom(32)),
        contracts_dir=ROOT / "contracts",
        limits=Limits(requests_a_second=UNLIMITED, requests_burst_max=UNLIMITED),
    )
    serve(SERVICE.application(settings), replace(settings, port=int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
