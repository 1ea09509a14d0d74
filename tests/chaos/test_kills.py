"""Whatever is killed at whatever moment of a year, the year comes to the same."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.faults import PROCESSES, faults
from tests.chaos.lives import KILLS_EACH, SHORT_SESSION, Life, Lived, lived, lives

LIVES = [
    pytest.param(life, id=str(life), marks=[pytest.mark.kafka] if life.bus == "kafka" else [])
    for life in lives()
]


@pytest.fixture(scope="module", params=LIVES)
def after(request: pytest.FixtureRequest) -> Lived:
    """A year, lived with its kills."""
    life: Life = request.param
    if life.bus == "kafka":
        request.getfixturevalue("kafka_jars")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SHORT_SESSION.items():
            patch.setenv(name, value)
        return asyncio.run(lived(life))


def test_a_year_of_kills_comes_to_what_it_must(after: Lived) -> None:
    assert after.differences == [], after.life.story


def test_a_year_of_kills_leaves_nobody_in_clear(after: Lived) -> None:
    assert after.in_clear == [], after.life.story


def test_everything_was_killed(after: Lived) -> None:
    for victim in {fault.victim for fault in after.life.faults}:
        assert after.deaths[victim] >= KILLS_EACH, after.life.story


def test_a_seed_is_the_same_year_each_time() -> None:
    assert faults(7, "kafka", (1, 2, 3, 4), 2) == faults(7, "kafka", (1, 2, 3, 4), 2)
    assert faults(7, "kafka", (1, 2, 3, 4), 2) != faults(8, "kafka", (1, 2, 3, 4), 2)
    assert {each.victim for each in faults(7, "kafka", (1,), 1)} == {*PROCESSES, "kafka"}
