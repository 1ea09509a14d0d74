"""A line between a client and its server that can be cut when the answer is on its way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

CHUNK = 65_536


@dataclass
class Line:
    """Carries bytes both ways; every `cut_every`-th answer is swallowed and the line cut."""

    server_port: int
    cut_every: int = 0
    answers: int = 0
    cuts: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until either side ends or the line is cut."""
        try:
            there, answering = await asyncio.open_connection("127.0.0.1", self.server_port)
        except OSError:
            writer.close()
            return
        ends = {writer, answering}
        self._open |= ends
        both = [
            asyncio.create_task(_carry(reader, answering)),
            asyncio.create_task(self._answer(there, writer)),
        ]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        for end in ends:
            end.close()
        self._open -= ends

    async def _answer(self, there: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while answer := await there.read(CHUNK):
            self.answers += 1
            # The request was carried over and done; only its answer is lost.
            if self.cut_every and self.answers % self.cut_every == 0:
                self.cuts += 1
                return
            client.write(answer)
            await client.drain()

    def close(self) -> None:
        """Cut every line."""
        for end in self._open:
            end.close()


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
        found.close()
