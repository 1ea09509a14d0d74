"""GET /metrics on a port of its own: what a process has measured, and what its looks find now.

The port is not the one that callers reach, so that it needs no token: nothing personal is shown,
but how a programme stands is nobody's business outside of the operations' network.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from libs.events import telemetry
from libs.events.telemetry.metrics import Sample, families

REQUEST_S_MAX: Final = 5.0
LOOK_S_MAX: Final = 5.0
SELDOM: Final = 20.0  # a costly look rests for so many times as long as it took
UNFIT: Final = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
"""Errors that end a connection without an answer: it went away, it is silent, it speaks no HTTP."""

Look = Callable[[], Awaitable[Sequence[Sample]]]
"""Takes samples at the moment of the scrape; what it raises costs its own samples alone."""

log = structlog.get_logger("metrics")


class _Found(Collector):
    """Families that were found already, as the text's writer wants them."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = list(found)

    def collect(self) -> Iterator[Metric]:
        """The finding."""
        yield from self._found


async def exposition(looks: Sequence[Look], process: Collector = REGISTRY) -> bytes:
    """Everything that is known now, in Prometheus' text format."""
    found = await asyncio.gather(*map(_looked, looks))
    samples = [sample for looked in found for sample in looked or ()]
    return generate_latest(process) + generate_latest(_Found(families(samples)))


async def _looked(look: Look) -> Sequence[Sample] | None:
    try:
        async with asyncio.timeout(LOOK_S_MAX):
            return await look()
    except Exception as error:  # whatever ails one look, the others are still shown
        log.warning("a look failed", exc_info=error)
        return None


def reaching(metric: telemetry.Metric, name: str, look: Look) -> Look:
    """A look that also says, as `metric` of `name`, whether what it looks at was reached."""

    async def looked() -> Sequence[Sample]:
        found = await _looked(look)
        return [*(found or ()), Sample(metric, found is not None, (name,))]

    return looked


class Seldom:
    """A look that costs: taken in the background, and no oftener than its cost allows.

    Whatever it takes, it is busy for at most one part in SELDOM of the time; meanwhile the last
    samples are shown, and until the first look is over it is waited for.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._looking: asyncio.Task[Sequence[Sample]] | None = None
        self._last_samples: Sequence[Sample] = ()
        self._due = 0.0

    async def __call__(self) -> Sequence[Sample]:
        """The last samples. Raises what the last look ended with."""
        now = asyncio.get_running_loop().time()
        if self._looking is None or (self._looking.done() and now >= self._due):
            self._looking = asyncio.create_task(self._again())
        if self._looking.done() or not self._last_samples:
            self._last_samples = await asyncio.shield(self._looking)
        return self._last_samples

    async def _again(self) -> Sequence[Sample]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await self._look()
        finally:
            self._due = loop.time() + SELDOM * (loop.time() - began)


@asynccontextmanager
async def shown(host: str, port: int, looks: Sequence[Look]) -> AsyncIterator[None]:
    """Answer GET /metrics at host and port meanwhile; with port 0 nothing is shown."""
    if port == 0:
        yield
        return

    callers: set[asyncio.Task[object]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            callers.add(task)
            task.add_done_callback(callers.discard)
        with contextlib.closing(writer), contextlib.suppress(*UNFIT):
            async with asyncio.timeout(REQUEST_S_MAX):
                request = await reader.readuntil(b"\r\n\r\n")
            writer.write(await _answered(request.split(b" ", 2)[:2], looks))
            async with asyncio.timeout(REQUEST_S_MAX):
                await writer.drain()

    async with await asyncio.start_server(answer, host, port):
        yield
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)


async def _answered(asked: Sequence[bytes], looks: Sequence[Look]) -> bytes:
    if asked != [b"GET", b"/metrics"]:
        return _response("404 Not Found", "text/plain", b"GET /metrics\n")
    return _response("200 OK", CONTENT_TYPE_PLAIN_0_0_4, await exposition(looks))


def _response(status: str, content_type: str, body: bytes) -> bytes:
    head = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body
