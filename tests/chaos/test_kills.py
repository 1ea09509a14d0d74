"""Whatever is killed at whatever moment of a closing, the result is the same."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Sequence

import pytest

from cli.platform import BusKind
from tests.chaos.year import Year, year

NIGHTLY = bool(os.environ.get("PKH_NIGHTLY"))
SEEDS = range(20) if NIGHTLY else range(1)
A_TAHAP_S = 1.5  # about what a tahap of the small year takes; kills fall anywhere in it
SERVICES = ["registry", "conditionality", "payments"]
# The embedded bus lives in PostgreSQL: killing that kills the bus and every database at once.
OTHERS = ["projection", "relay", "postgres"]
VICTIMS = [[victim] for victim in SERVICES + OTHERS] if NIGHTLY else [SERVICES, OTHERS]

pytestmark = [pytest.mark.chaos, pytest.mark.slow]


async def kill_one_by_one(running: Year, victims: Sequence[str], chance: random.Random) -> None:
    """Kill each process once, at a random moment; the next when the one before works again."""
    for victim in victims:
        await asyncio.sleep(chance.uniform(0, A_TAHAP_S))
        await running.platform.supervisor.kill(victim)
        await running.platform.supervisor.ready(victim)


async def two_tahaps(victims: Sequence[str], seed: int, bus: BusKind) -> list[str]:
    """What is wrong after two tahaps during each of which every victim was killed."""
    chance = random.Random(f"{victims}{seed}")
    async with year(bus=bus) as running:
        for number in (1, 2):
            await asyncio.gather(running.run(number), kill_one_by_one(running, victims, chance))
        return await running.differences(1, 2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("victims", VICTIMS, ids="+".join)
async def test_a_process_killed_during_each_closing_changes_nothing(
    victims: Sequence[str], seed: int
) -> None:
    assert await two_tahaps(victims, seed, "embedded") == [], f"{victims}, seed {seed}"


@pytest.mark.kafka
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_broker_killed_during_each_closing_changes_nothing(seed: int) -> None:
    assert await two_tahaps(["kafka"], seed, "kafka") == [], f"seed {seed}"


async def test_every_message_delivered_twice_changes_nothing() -> None:
    programs = {"relay": [sys.executable, "-m", "tests.chaos.doubling_relay"]}
    async with year(programs=programs) as running:
        for number in (1, 2):
            await running.run(number)
        assert await running.differences(1, 2) == []
