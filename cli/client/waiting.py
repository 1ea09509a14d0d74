"""Waits on what the platform says of itself, never on time: it may take long while it moves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Final, TypeVar

from cli.client.http import Client
from cli.errors import Failed
from libs.events.store.watermarks import Positions

T = TypeVar("T")

POLL_S: Final = 0.1
PAUSES_A_LOOK: Final = 4  # looking takes at most a fifth of the time, however long a look takes
STILL_S_MAX: Final = 60.0

# What projection does not read, because it holds sealed fields, days of birth or tokens of cards.
NOT_PROJECTED: Final = frozenset(
    {"pkh.registry.roster.v1", "pkh.registry.family.v1", "pkh.registry.group.v1"}
)


async def while_it_moves(
    look: Callable[[], Awaitable[T]],
    done: Callable[[T], bool],
    describe: Callable[[T], str],
    still_s_max: float = STILL_S_MAX,
) -> T:
    """Look again and again until it is done; gives what was seen last.

    Raises `Failed` when what is seen has not changed for `still_s_max` seconds, with what
    `describe` says of it.
    """
    seen, took = await _timed(look)
    changed_at = time.monotonic()
    while not done(seen):
        await asyncio.sleep(max(POLL_S, PAUSES_A_LOOK * took))
        before = seen
        seen, took = await _timed(look)
        if seen != before:
            changed_at = time.monotonic()
        elif time.monotonic() - changed_at > still_s_max:
            raise Failed(f"Nothing has moved for {still_s_max:.0f} s: {describe(seen)}")
    return seen


async def _timed(look: Callable[[], Awaitable[T]]) -> tuple[T, float]:
    begun = time.monotonic()
    return await look(), time.monotonic() - begun


async def until_quiet(observer: Client, services: Collection[str]) -> Mapping[str, Positions]:
    """Wait until every service has relayed all of its log and consumed what the others relayed.

    Two looks that show the same make sure that nothing was on its way between them.
    """
    seen: list[Mapping[str, Positions]] = []

    async def look() -> Mapping[str, Positions]:
        found = await asyncio.gather(*(observer.positions(name) for name in services))
        seen.append(dict(zip(services, found, strict=True)))
        del seen[:-2]
        return seen[-1]

    def quiet(positions: Mapping[str, Positions]) -> bool:
        return seen[1:] == seen[:1] and is_settled(positions)

    return await while_it_moves(look, quiet, lambda found: "; ".join(_behind(found)))


async def until_told(observer: Client, publisher: str, reader: str) -> None:
    """Wait until a service has taken in all that another's log holds for it."""

    async def look() -> tuple[Positions, Positions]:
        return await observer.positions(publisher), await observer.positions(reader)

    def has_taken(found: tuple[Positions, Positions]) -> bool:
        upstream, downstream = found
        opened = bool(downstream.consumed) or not upstream.head
        return opened and upstream.relayed >= upstream.head and downstream.has_consumed(upstream)

    await while_it_moves(
        look, has_taken, lambda found: f"{reader} has taken {found[1].consumed} of {publisher}"
    )


def _behind(positions: Mapping[str, Positions]) -> Iterator[str]:
    """Where each service stands, as far as it tells why others wait."""
    for name, service in positions.items():
        parked = f", {service.parked} messages parked" if service.parked else ""
        yield f"{name} has relayed {service.relayed} of {service.head}{parked}"


def is_settled(positions: Mapping[str, Positions]) -> bool:
    """True if nothing that one service has written is still unknown to another that reads it."""
    publishers = {name: service for name, service in positions.items() if service.topics}
    return all(publisher.relayed >= publisher.head for publisher in publishers.values()) and all(
        reader.has_consumed(publisher) and _knows_its_topics(name, reader, publisher)
        for name, reader in positions.items()
        for publisher in publishers.values()
    )


def _knows_its_topics(name: str, reader: Positions, publisher: Positions) -> bool:
    # A topic that was never read from would not be waited for.
    return name != "projection" or publisher.topics.keys() - NOT_PROJECTED <= reader.consumed.keys()
