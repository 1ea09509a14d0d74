"""A family that comes from a year that holds into one that cuts, on the real store."""

from __future__ import annotations

from itertools import islice

from tests.doors import sent
from tests.integration.conditionality.kit import Bench, families, months_of

[FAMILY] = islice(families(), 1)
LAST_OF_2024, FIRST_OF_2025, SECOND_OF_2025 = "2024-4", "2025-1", "2025-2"
YEAR_THAT_HOLDS, YEAR_THAT_CUTS = "2021-2024", "2025-2026"
ABSENT_TOO_OFTEN, PRESENT = 10, 0


async def cycle(bench: Bench, tahap: str, absent: int) -> None:
    """The pupil's months of a tahap, and the line by which they are judged."""
    await bench.school(FAMILY, absent, months=months_of(tahap))
    rule_set = YEAR_THAT_HOLDS if tahap == LAST_OF_2024 else YEAR_THAT_CUTS
    await bench.take(bench.line(FAMILY, tahap, rule_set=rule_set))


async def evaluated(bench: Bench) -> list[tuple[str, str, int, int]]:
    """(tahap, result, failures in a row, percent cut) as it was published."""
    return [
        (m.body["tahap"], m.body["result"], m.body["counter"], m.body["cut_percent"])
        for m in await sent(bench.store, "CycleEvaluated")
    ]


async def test_a_compliant_cycle_of_2025_releases_what_2024_holds(bench: Bench) -> None:
    await cycle(bench, LAST_OF_2024, ABSENT_TOO_OFTEN)
    await cycle(bench, FIRST_OF_2025, PRESENT)

    assert await bench.followed(FAMILY) == ["Suspended", "Released"]
    [released] = await sent(bench.store, "Released")
    assert (released.body["tahaps"], released.body["cycle"]) == ([LAST_OF_2024], FIRST_OF_2025)


async def test_a_failed_cycle_of_2025_is_cut_and_the_counter_goes_on(bench: Bench) -> None:
    await cycle(bench, LAST_OF_2024, ABSENT_TOO_OFTEN)
    await cycle(bench, FIRST_OF_2025, ABSENT_TOO_OFTEN)
    await cycle(bench, SECOND_OF_2025, ABSENT_TOO_OFTEN)

    assert await evaluated(bench) == [
        (LAST_OF_2024, "FAILED", 1, 0),
        (FIRST_OF_2025, "FAILED", 2, 10),
        (SECOND_OF_2025, "FAILED", 3, 10),
    ]
    assert await bench.followed(FAMILY) == ["Suspended", "InvestigationOpened"]
