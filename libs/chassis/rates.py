"""Rates of requests: how often one client, or one address, may ask before it has to wait."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from libs.chassis.limits import Limits
from libs.events.telemetry.metrics import HTTP_REFUSALS

NAMES_MAX: Final = 10_000
"""Clients or addresses remembered; beyond, whoever asked longest ago is forgotten."""


@dataclass(slots=True)
class Buckets:
    """A bucket for each name: full it holds `burst` requests, and `a_second` flow in again."""

    a_second: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    names_max: int = NAMES_MAX
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, name: str) -> float:
        """Take one request; 0.0, or the seconds until there is one to take."""
        now = self.clock()
        left, at = self._buckets.pop(name, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.a_second)
        wait = max(0.0, (1 - left) / self.a_second)
        self._buckets[name] = (left if wait else left - 1, now)
        if len(self._buckets) > self.names_max:
            self._buckets.popitem(last=False)
        return wait


class TooManyRequests(Exception):
    """This is more than one client, or one address, may ask."""

    def __init__(self, reason: str, wait_s: float) -> None:
        super().__init__(reason)
        self.retry_after = ceil(wait_s)


class Rates:
    """The rates of one process: of clients, of strangers and of tokens that were refused."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once_max = limits.requests_at_once_max
        self._clients = Buckets(limits.requests_a_second, limits.requests_burst_max, clock)
        self._strangers = Buckets(limits.strangers_a_second, limits.strangers_burst_max, clock)
        self._refused = Buckets(
            limits.refused_tokens_a_second, limits.refused_tokens_burst_max, clock
        )
        self._at_once: Counter[str] = Counter()

    def stranger(self, address: str) -> None:
        """A request without a token to a path that needs none; raises `TooManyRequests`."""
        _within(self._strangers.take(address), "stranger")

    def refused_token(self, address: str) -> None:
        """A token that is not believed; raises `TooManyRequests`. Who has a good one is served
        from the same address all the same."""
        _within(self._refused.take(address), "token")

    @contextmanager
    def client(self, name: str) -> Iterator[None]:
        """A request of a client, from its token to its answer; raises `TooManyRequests`."""
        _within(self._clients.take(name), "client")
        _within(float(self._at_once[name] >= self._at_once_max), "at-once")
        self._at_once[name] += 1
        try:
            yield
        finally:
            self._at_once[name] -= 1
            if not self._at_once[name]:
                del self._at_once[name]


def _within(wait_s: float, reason: str) -> None:
    if wait_s:
        HTTP_REFUSALS.labels(reason).inc()
        raise TooManyRequests(reason, wait_s)
