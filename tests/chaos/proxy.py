"""A line between a client and its server that can be cut when the answer is on its way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

CHUNK = 65_536


@dataclass
class Line:
    """Carries bytes both ways; every `cut_every`-th answer is swallowed and the line cut."""

    server_port: int
    cut_every: int = 0
    answers: int = 0
    cuts: int = 0
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until either side ends or the line is cut."""
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        ends = [writer]
        try:
            there, answering = await asyncio.open_connection("127.0.0.1", self.server_port)
            ends.append(answering)
            await _first(_carry(reader, answering), self._answer(there, writer))
        except (OSError, asyncio.CancelledError):
            pass  # the server is away, or the whole line is taken down
        finally:
            for end in ends:
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()
            self._serving.discard(serving)

    async def _answer(self, there: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while answer := await there.read(CHUNK):
            self.answers += 1
            # The request was carried over and done; only its answer is lost.
            if self.cut_every and self.answers % self.cut_every == 0:
                self.cuts += 1
                return
            client.write(answer)
            await client.drain()

    async def close(self) -> None:
        """Cut every line."""
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _first(*ways: Coroutine[Any, Any, None]) -> None:
    """Until one of the two ways has ended; the other is given up."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()


@contextlib.asynccontextmanager
async def line(port: int, server_port: int) -> AsyncIterator[Line]:
    """A line that clients reach at `port`."""
    found = Line(server_port)
    server = await asyncio.start_server(found.connect, "127.0.0.1", port)
    try:
        yield found
    finally:
        server.close()
        await found.close()
