"""Requests to partners in flight, so that one who hangs holds up nobody else.

A step waits for a new request for PATIENCE_S. One that takes longer goes on by itself, and later
steps only look whether it has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")

PATIENCE_S: Final = 2.0


class InFlight:
    """Requests by name; at most one of a name at a time."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    async def ended(self, name: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """The answer to a request, which is made where none of the name is in flight.

        None while it goes on. Raises what it ended with.
        """
        task = self._tasks.get(name)
        if task is None:
            task = self._tasks[name] = asyncio.create_task(ask(), name=name)
            await asyncio.wait({task}, timeout=self._patience_s)
        if not task.done():
            return None
        del self._tasks[name]
        return cast(T, task.result())

    async def aclose(self) -> None:
        """End all requests; whoever leads next makes them again under the same ids."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
