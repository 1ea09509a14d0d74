"""The lag of a group behind what the bus holds: in messages, and for how long."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from libs.events import telemetry
from libs.events.bus import Bus
from libs.events.telemetry.metrics import Sample

SIGHTINGS_MAX: Final = 240
"""Ends of one partition that are remembered; beyond that, later ones are not told apart."""


@dataclass(slots=True)
class Sightings:
    """One partition's ends, each with the moment at which it was first seen there."""

    ends: deque[tuple[int, float]] = field(default_factory=deque)

    def seconds_behind(self, end: int, committed: int, now: float) -> float:
        """For how many seconds the first message that is not consumed has been seen on the bus."""
        last_seen = self.ends[-1][0] if self.ends else committed
        if end > last_seen and len(self.ends) < SIGHTINGS_MAX:
            self.ends.append((end, now))
        while self.ends and self.ends[0][0] <= committed:
            self.ends.popleft()
        return now - self.ends[0][1] if self.ends else 0.0


class LagWatch:
    """Looks at one group's lag; it remembers what it saw, so that it can tell for how long."""

    def __init__(self, bus: Bus, group: str) -> None:
        self._bus, self._group = bus, group
        self._sightings: dict[tuple[str, int], Sightings] = {}

    async def look(self, subscriptions: Sequence[tuple[str, str]]) -> list[Sample]:
        """The lag of each (subscription, topic), partition by partition."""
        committed = await self._bus.committed(self._group)
        found: list[Sample] = []
        now = asyncio.get_running_loop().time()
        for subscription, topic in subscriptions:
            # Read after the offsets, so that it is never smaller than they are.
            for partition, end in (await self._bus.ends(topic)).items():
                done = committed.get((topic, partition), 0)
                sightings = self._sightings.setdefault((topic, partition), Sightings())
                seconds = sightings.seconds_behind(end, done, now)
                labels = (subscription, topic, str(partition))
                found += [
                    Sample(telemetry.CONSUMER_LAG_MESSAGES, max(0, end - done), labels),
                    Sample(telemetry.CONSUMER_LAG_SECONDS, seconds, labels),
                ]
        return found
