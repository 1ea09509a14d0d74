"""Starts and stops clients of aiokafka: who gives up meanwhile is heard and leaves nothing open."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer

# A broker that answers at all answers a client's first question long before this.
FIRST_ANSWER_S: Final = 2.0


class Client(Protocol):
    """A consumer, a producer or an admin client of the library."""

    async def start(self) -> None: ...


async def start(client: Client) -> None:
    """Start a client; one whose caller is cancelled may still hear its first answer.

    The library (0.14) closes the connection of its first question only when that is answered or
    refused, and forgets it when it is cancelled in between: no `stop` finds that connection again.
    """
    (await _apart(client.start())).result()


async def stop(stopping: Coroutine[Any, Any, None]) -> None:
    """Let a client stop; a caller who is cancelled meanwhile hears it when that is done.

    The library cancels its own tasks and suppresses what comes back from them. A cancellation of
    the caller comes back the same way, and is lost: who was told to end would go on for ever. And
    what it does not suppress would end a caller whom nobody has told to end.
    """
    stopped = await _apart(stopping)
    if not stopped.cancelled():
        stopped.result()


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer and close its connections, whatever comes back from its tasks.

    The library (0.14) suppresses the cancellation of a fetch, but not of one that pauses after the
    broker went away: that ends its `stop` before it has come to the connections.
    """
    try:
        await consumer.stop()
    finally:
        await consumer._client.close()  # noqa: SLF001 - no other way to them


async def _apart(step: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Do it in a task of its own, which is not left before it has ended."""
    task = asyncio.create_task(step)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task}, timeout=FIRST_ANSWER_S)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        raise
    return task
