"""Positions of a service: what it has written, relayed and consumed, for others to wait on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from libs.events.domain.errors import CorridorError
from libs.events.store.postgres import Store

WAIT_POLL_S = 0.05
WHOLE_LOG = ("", -1)  # the relay row that holds how far the whole log has been sent


@dataclass(frozen=True, slots=True)
class Positions:
    """`head` is the last event's position, `relayed` how far the bus has acknowledged the log,
    `topics` the last relayed position of each partition, `consumed` the last one taken from each
    partition of each topic that the service reads, `parked` how many messages wait for a person.
    """

    epoch: str
    head: int
    relayed: int
    topics: dict[str, dict[int, int]]
    consumed: dict[str, dict[int, int]]
    parked: int

    def has_consumed(self, upstream: Positions) -> bool:
        """True if everything that `upstream` had relayed has been taken in here.

        A topic counts as soon as the consumer of this service has opened its checkpoints.
        """
        return all(
            taken.get(partition, 0) >= position
            for topic, taken in self.consumed.items()
            for partition, position in upstream.topics.get(topic, {}).items()
        )


async def positions(store: Store) -> Positions:
    """The positions of one service, read in an order that never claims too much."""
    relay = await store.pool.fetch("SELECT topic, partition, position FROM relay")
    consumed = await store.pool.fetch(
        "SELECT topic, partition, min(position) AS position FROM consumed GROUP BY 1, 2"
    )
    parked = await store.pool.fetchval("SELECT count(*) FROM parked WHERE dropped_at IS NULL")
    head, epoch = await store.head()
    topics: dict[str, dict[int, int]] = {}
    relayed = 0
    for topic, partition, position in relay:
        if (topic, partition) == WHOLE_LOG:
            relayed = position
        else:
            topics.setdefault(topic, {})[partition] = position
    taken: dict[str, dict[int, int]] = {}
    for topic, partition, position in consumed:
        taken.setdefault(topic, {})[partition] = position
    return Positions(epoch, head, relayed, topics, taken, parked)


class WaitedTooLong(CorridorError):
    """The wait ended before its condition came true."""


async def until(condition: Callable[[], Awaitable[bool]], what: str, deadline_s: float) -> None:
    """Wait for a condition, asking again every WAIT_POLL_S. Raises `WaitedTooLong`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    while not await condition():
        if loop.time() > end:
            raise WaitedTooLong(what=what, deadline_s=deadline_s)
        await asyncio.sleep(WAIT_POLL_S)
