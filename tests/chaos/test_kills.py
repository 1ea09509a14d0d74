"""Whatever is killed at whatever moment of a closing, the result is the same."""

from __future__ import annotations

import asyncio
import os
import random
import sys

import pytest

from cli.platform import BusKind
from tests.chaos.year import Year, year

SEEDS = range(20) if os.environ.get("PKH_NIGHTLY") else range(1)
A_TAHAP_S = 1.5  # about what a tahap of the small year takes; kills fall anywhere in it
VICTIMS = ["registry", "conditionality", "payments", "projection", "relay", "postgres"]

pytestmark = [pytest.mark.chaos, pytest.mark.slow]


async def run_and_kill(running: Year, number: int, victim: str, chance: random.Random) -> None:
    """A tahap during which one process is killed, once, at a random moment."""
    tahap = asyncio.create_task(running.run(number))
    await asyncio.sleep(chance.uniform(0, A_TAHAP_S))
    await running.platform.supervisor.kill(victim)
    await running.platform.supervisor.ready(victim)
    await tahap


async def two_tahaps(victim: str, seed: int, bus: BusKind) -> list[str]:
    chance = random.Random(f"{victim}{seed}")
    async with year(bus=bus) as running:
        for number in (1, 2):
            await run_and_kill(running, number, victim, chance)
        return await running.differences(1, 2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("victim", VICTIMS)
async def test_a_process_killed_during_each_closing_changes_nothing(victim: str, seed: int) -> None:
    # The embedded bus lives in PostgreSQL: killing that kills the bus and every database at once.
    assert await two_tahaps(victim, seed, "embedded") == [], f"{victim}, seed {seed}"


@pytest.mark.kafka
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_broker_killed_during_each_closing_changes_nothing(seed: int) -> None:
    assert await two_tahaps("kafka", seed, "kafka") == [], f"seed {seed}"


async def test_every_message_delivered_twice_changes_nothing() -> None:
    programs = {"relay": [sys.executable, "-m", "tests.chaos.doubling_relay"]}
    async with year(programs=programs) as running:
        for number in (1, 2):
            await running.run(number)
        assert await running.differences(1, 2) == []
