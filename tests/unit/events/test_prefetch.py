"""Reading ahead: one in the making, never two, and nothing left behind."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from libs.events.workers.prefetch import prefetch


class Source:
    """Numbers, and what became of whoever makes them."""

    def __init__(self, count: int, *, fails_at: int | None = None) -> None:
        self.count, self.fails_at = count, fails_at
        self.made: list[int] = []
        self.closed = False

    async def numbers(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self.count):
                await asyncio.sleep(0)
                if number == self.fails_at:
                    raise LookupError(number)
                self.made.append(number)
                yield number
        finally:
            self.closed = True


async def settled() -> None:
    """Let everybody go as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_everything_comes_in_order() -> None:
    source = Source(5)
    async with prefetch(source.numbers()) as numbers:
        assert [number async for number in numbers] == [0, 1, 2, 3, 4]
    assert source.closed


async def test_nothing_comes_of_nothing() -> None:
    async with prefetch(Source(0).numbers()) as numbers:
        assert [number async for number in numbers] == []


async def test_the_next_one_is_made_meanwhile_and_no_more() -> None:
    source = Source(5)
    async with prefetch(source.numbers()) as numbers:
        assert await anext(numbers) == 0
        await settled()
        assert source.made == [0, 1]


async def test_an_error_comes_where_its_item_would_have_come() -> None:
    source, seen = Source(3, fails_at=2), []
    with pytest.raises(LookupError):
        async with prefetch(source.numbers()) as numbers:
            async for number in numbers:
                seen.append(number)
                await settled()
    assert seen == [0, 1]
    assert source.closed


async def test_who_leaves_early_leaves_nothing_running() -> None:
    source = Source(5)
    async with prefetch(source.numbers()) as numbers:
        async for _ in numbers:
            break
    assert source.closed
    await settled()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_who_fails_leaves_nothing_running() -> None:
    source = Source(5)
    with pytest.raises(ZeroDivisionError):
        async with prefetch(source.numbers()) as numbers:
            async for _ in numbers:
                raise ZeroDivisionError
    assert source.closed
