"""Starts a client of aiokafka so that a caller who gives up leaves no connection open."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

# A broker that answers at all answers a client's first question long before this.
GRACE_S: Final = 2.0


class Client(Protocol):
    """A consumer, a producer or an admin client of the library."""

    async def start(self) -> None: ...


async def start(client: Client) -> None:
    """Start a client; one whose caller is cancelled may still hear its first answer.

    The library (0.14) closes the connection of its first question only when that is answered or
    refused, and forgets it when it is cancelled in between: no `stop` finds that connection again.
    """
    starting = asyncio.create_task(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({starting}, timeout=GRACE_S)
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        raise
