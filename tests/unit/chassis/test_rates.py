"""Rates: a burst is let through, more waits, and nobody else does."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from libs.chassis.limits import Limits
from libs.chassis.rates import Buckets, Rates, TooManyRequests


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_is_let_through_and_what_comes_behind_it_waits(clock: Clock) -> None:
    buckets = Buckets(a_second=2, burst=3, clock=clock)

    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0

    clock.now = 0.5
    assert [buckets.take("a") for _ in range(2)] == [0, 0.5]


def test_who_is_silent_gains_no_more_than_a_burst(clock: Clock) -> None:
    buckets = Buckets(a_second=2, burst=3, clock=clock)
    buckets.take("a")
    clock.now = 1_000

    assert [bool(buckets.take("a")) for _ in range(4)] == [False, False, False, True]


def test_so_many_names_are_kept_and_no_more(clock: Clock) -> None:
    buckets = Buckets(a_second=1, burst=1, clock=clock, names_max=2)
    for name in ("a", "b", "c"):
        buckets.take(name)

    assert len(buckets._buckets) == 2
    assert buckets.take("c") > 0


def test_so_many_requests_of_one_client_run_at_once(clock: Clock) -> None:
    rates = Rates(Limits(requests_at_once_max=1), clock)

    with rates.client("ana"):
        with pytest.raises(TooManyRequests) as refused, rates.client("ana"):
            pass
        with rates.client("ben"):
            pass
    with rates.client("ana"):
        pass

    assert refused.value.retry_after == 1


def test_a_token_that_is_refused_again_and_again_waits_by_its_address(clock: Clock) -> None:
    rates = Rates(Limits(refused_tokens_burst_max=2), clock)
    rates.refused_token("10.0.0.7")
    rates.refused_token("10.0.0.7")

    with pytest.raises(TooManyRequests):
        rates.refused_token("10.0.0.7")
    rates.refused_token("10.0.0.8")
    with rates.client("ana"):
        pass
