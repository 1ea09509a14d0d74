"""Takes the rates of several ways in turn, so that whatever disturbs one disturbs all."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median
from time import perf_counter
from typing import Final, Protocol, TypeAlias

from benchmarks.judge import Ratio, Verdict
from benchmarks.report import Figure

WARMUP_ROUNDS: Final = 3
ROUNDS_MIN: Final = 3
QUICK: Final = 6
"""A quick run takes so many times fewer rounds, and no second look."""

LOOKS_MAX: Final = 3
"""So often the rounds of a part are taken, where its limits cannot be judged by fewer."""


@dataclass(frozen=True, slots=True)
class Effort:
    """The time that a run may take to be sure."""

    quick: bool = False

    def rounds(self, usual: int) -> int:
        """Rounds in place of the usual ones."""
        return max(ROUNDS_MIN, usual // QUICK) if self.quick else usual

    @property
    def looks(self) -> int:
        """The most times that the rounds are taken."""
        return 1 if self.quick else LOOKS_MAX


Way: TypeAlias = Callable[[], Awaitable[float]]
"""One round of a way to do the work; answers its rate, a second."""


@dataclass(frozen=True, slots=True)
class Line:
    """A way's figures for a table: its rate, and how that of `ours` stands to it.

    `ours` must reach at least `least` times this way's rate.
    """

    what: str
    unit: str
    way: str
    ours: str = ""
    least: float | None = None


Taken: TypeAlias = Mapping[str, list[float]]


async def in_turn(
    ways: Mapping[str, Way],
    lines: Sequence[Line],
    rounds: int,
    effort: Effort,
    warmup_rounds: int = 0,
) -> list[Figure]:
    """The median rate of each way over rounds of A, B, ..., A, B, ..., as the lines want it.

    All rounds are taken again, and counted together, while a limit cannot be judged.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    gc.freeze()  # what lives as long as the run is not looked through again and again
    for _ in range(warmup_rounds):
        for way in ways.values():
            await way()
    for _ in range(effort.looks):
        for _ in range(effort.rounds(rounds)):
            for name, way in ways.items():
                taken[name].append(await way())
        figures = [_figure(line, taken) for line in lines]
        if all(figure.verdict is not Verdict.NOISY for figure in figures):
            break
    return figures


def _figure(line: Line, taken: Taken) -> Figure:
    ratio = Ratio.of(taken[line.ours], taken[line.way]) if line.ours else None
    return Figure(line.what, line.unit, median(taken[line.way]), ratio, line.least)


class Contender(Protocol):
    """One way to do the work of a round, of which a part is not measured."""

    async def prepare(self, turn: int) -> None:
        """Make ready what is not measured; `turn` counts the rounds from 0, warm-up included."""

    async def run(self) -> None:
        """The work that is measured."""


def timed(contender: Contender, work: int) -> Way:
    """A contender as a way whose rounds do so much `work`."""
    turns = count()

    async def way() -> float:
        await contender.prepare(next(turns))
        gc.collect()  # nobody pays for another's garbage
        begin = perf_counter()
        await contender.run()
        return work / (perf_counter() - begin)

    return way
