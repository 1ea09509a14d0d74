"""Takes the time of several contenders in turn, so that whatever disturbs one disturbs all."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import Protocol

WARMUP_ROUNDS = 3


class Contender(Protocol):
    """One way to do the work of a round."""

    async def prepare(self, turn: int) -> None:
        """Make ready what is not measured; `turn` counts the rounds from 0, warm-up included."""

    async def run(self) -> None:
        """The work that is measured."""


async def seconds_a_round(contenders: Sequence[Contender], rounds: int) -> list[float]:
    """The median time of each contender over `rounds` rounds of A, B, ..., A, B, ..."""
    taken: list[list[float]] = [[] for _ in contenders]
    gc.collect()
    gc.freeze()  # what lives as long as the run is not looked through again and again
    for turn in range(WARMUP_ROUNDS + rounds):
        for contender, times in zip(contenders, taken, strict=True):
            await contender.prepare(turn)
            gc.collect()  # nobody pays for another's garbage
            begin = perf_counter()
            await contender.run()
            times.append(perf_counter() - begin)
    return [median(times[WARMUP_ROUNDS:]) for times in taken]
