"""Prefetch: the next item is made while the one before it is worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def prefetch(source: AsyncGenerator[T, None]) -> AsyncIterator[AsyncIterator[T]]:
    """The values of `source`, in its order, with one always in the making.

    So the database is busy with the next chunk while we work on this one. At most two are in
    memory. An error of the source comes where its item would have come; leaving closes the source.
    """
    async with aclosing(source), aclosing(_prefetched(source)) as items:
        yield items


async def _prefetched(source: AsyncGenerator[T, None]) -> AsyncGenerator[T]:
    coming = _next(source)
    try:
        while (found := await coming) is not None:
            coming = _next(source)
            yield found[0]
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


def _next(source: AsyncGenerator[T, None]) -> asyncio.Task[tuple[T] | None]:
    """The next item as a tuple of one, since an item may be None; None at the end."""

    async def ask() -> tuple[T] | None:
        async for item in source:
            return (item,)
        return None

    return asyncio.create_task(ask())
