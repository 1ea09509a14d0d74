"""A year during which processes are killed, and what is to be said of it afterwards."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cli.client.year import COMPLAINTS
from localstack.platform import BUSES, BusKind
from tests.chaos.canaries import found_in_clear
from tests.chaos.desk import Desk
from tests.chaos.faults import FILES, Fault, falling, faults
from tests.chaos.year import year
from tests.sample_years import EXAMPLES
from tests.tiers import NIGHTLY

SEEDS_A_NIGHT: Final = 20
KILLS_EACH: Final = 3 if NIGHTLY else 1
WHOLE_YEAR: Final = (1, 2, 3, 4)
# The third is the first that ends families by decision; the fourth has nothing of another kind.
BY_DAY: Final = (1, 2, 3)
SMALL_YEAR: Final = "kalbar-small"
YEAR_THAT_CUTS: Final = "kalbar-2025"
# A killed consumer's partitions wait for the end of its session, which is idle time to a test.
SHORT_SESSION: Final = {"PKH_BUS_SESSION_S": "2"}
TWICE: Final = {"relay": [sys.executable, "-m", "tests.chaos.doubling_relay"]}


@dataclass(frozen=True, slots=True)
class Life:
    """A sample year on `bus`; the seed says what is killed when, and whether messages come twice.

    By day a year on Kafka, which is the one that cuts, is lived for its first tahap alone.
    """

    bus: BusKind
    seed: int
    year: str = SMALL_YEAR

    @property
    def tahaps(self) -> Sequence[int]:
        """The numbers of the tahaps that are lived."""
        if NIGHTLY:
            return WHOLE_YEAR
        whole = (self.bus, self.year) == ("embedded", SMALL_YEAR)
        return BY_DAY if whole else BY_DAY[:1]

    @property
    def doubled(self) -> bool:
        """In every third life each message is sent twice, besides."""
        return self.seed % 3 == 2

    @property
    def faults(self) -> list[Fault]:
        """The kills and stops, by victim."""
        return faults(self.seed, self.bus, self.tahaps, KILLS_EACH)

    @property
    def story(self) -> str:
        """The command to live it again, and the faults in it."""
        settings = f"{'PKH_NIGHTLY=1 ' if NIGHTLY else ''}PKH_LIVES={self}"
        command = f"{settings} make test ARGS=tests/chaos/test_kills.py"
        twice = ["every message is sent twice"] if self.doubled else []
        return "\n  ".join([f"again by: {command}", *twice, *map(str, self.faults)])

    def __str__(self) -> str:
        return (
            f"{self.bus}-{self.seed}" if self.year == SMALL_YEAR else f"{self.bus}-{self.seed}-cuts"
        )


@dataclass(frozen=True, slots=True)
class Lived:
    """A year lived: its differences and findings, files with people in clear, deaths by process."""

    life: Life
    differences: Sequence[str]
    in_clear: Sequence[str]
    deaths: Counter[str]


def lives() -> list[Life]:
    """Those that PKH_LIVES names (embedded-3,kafka-1-cuts); at night twenty of each bus, and ten of
    the year that cuts; else one of each year and one on each bus.
    """
    if named := os.environ.get("PKH_LIVES"):
        years = (SMALL_YEAR, YEAR_THAT_CUTS)
        known = [Life(bus, n, year) for bus in BUSES for n in range(1_000) for year in years]
        return [life for life in known if str(life) in named.split(",")]
    if NIGHTLY:
        small = [Life(bus, seed) for bus in BUSES for seed in range(SEEDS_A_NIGHT)]
        cuts = [Life(b, n, YEAR_THAT_CUTS) for b in BUSES for n in range(SEEDS_A_NIGHT // 2)]
        return [*small, *cuts]
    return [Life("kafka", 5, YEAR_THAT_CUTS), Life("embedded", 2)]


async def lived(life: Life) -> Lived:
    """Live a year; an error says how to live it again."""
    try:
        directory, programs = EXAMPLES / life.year, TWICE if life.doubled else None

        def due(tahap: int) -> list[Fault]:
            return [fault for fault in life.faults if fault.tahap == tahap]

        while_files_come = partial(falling, due=due(FILES))
        async with year(directory, life.bus, programs, while_files_come) as running:
            desk = Desk(running.front, running.rows("families.csv")[0]["region_code"])
            for tahap in life.tahaps:
                async with falling(running.platform, due(tahap)):
                    closing = running.tahaps[tahap - 1].closing_date
                    await asyncio.gather(running.run(tahap), desk.day(closing))
            differences = await running.differences(*life.tahaps)
            return Lived(
                life,
                differences + await desk.differences(running.rows(COMPLAINTS)),
                await found_in_clear(running),
                running.platform.supervisor.restarts,
            )
    except Exception as error:
        error.add_note(life.story)
        raise
