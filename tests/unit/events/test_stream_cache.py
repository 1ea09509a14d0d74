"""A process's memory of streams is bounded, and belongs to one life of a store."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libs.events.store.grouped_commands import GroupedCommand, Waiting
from libs.events.store.handle import Loaded
from libs.events.store.model import StreamType
from libs.events.store.stream_cache import StreamCache
from tests.purse import CONTEXT, KEPT, REPLAYED, Purse, PutIn


@pytest.fixture
def loop() -> Any:
    opened = asyncio.new_event_loop()
    yield opened
    opened.close()


def waiting(
    loop: asyncio.AbstractEventLoop, *names: str, kind: StreamType[Any, Any, Any] = KEPT
) -> list[Waiting]:
    commands = [
        GroupedCommand(kind, name, PutIn(1), CONTEXT, lambda outcome: outcome) for name in names
    ]
    return [Waiting(grouped, loop.create_future()) for grouped in commands]


def streams(*names: str) -> dict[str, Loaded[Purse]]:
    return {name: Loaded(1, Purse(5, 1), Purse(5, 1)) for name in names}


def read(kept: StreamCache, *names: str, epoch: str = "first") -> None:
    kept.read(epoch, dict.fromkeys(names, KEPT), streams(*names))


def test_streams_that_were_read_are_found(loop: asyncio.AbstractEventLoop) -> None:
    kept = StreamCache()
    read(kept, "a", "b")

    assert kept.find(waiting(loop, "a", "b", "a")) == streams("a", "b")


def test_where_one_is_missing_all_are_to_be_read(loop: asyncio.AbstractEventLoop) -> None:
    kept = StreamCache()
    read(kept, "a")

    assert kept.find(waiting(loop, "a", "b")) is None


def test_another_kind_of_stream_of_that_name_is_another_stream(
    loop: asyncio.AbstractEventLoop,
) -> None:
    kept = StreamCache()
    read(kept, "a")

    assert kept.find(waiting(loop, "a", kind=REPLAYED)) is None


def test_the_longest_untouched_goes_first(loop: asyncio.AbstractEventLoop) -> None:
    kept = StreamCache(streams_max=2)
    read(kept, "a", "b")
    read(kept, "a")
    read(kept, "c")

    assert kept.find(waiting(loop, "a", "c")) is not None
    assert kept.find(waiting(loop, "b")) is None


def test_of_another_life_of_the_store_nothing_stays(loop: asyncio.AbstractEventLoop) -> None:
    kept = StreamCache()
    read(kept, "a")
    read(kept, "b", epoch="second")

    assert kept.find(waiting(loop, "b")) is not None
    assert kept.find(waiting(loop, "a")) is None
