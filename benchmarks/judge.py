"""Judges a ratio of two rates by its own spread, and a run by what others did meanwhile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median, quantiles
from time import perf_counter
from typing import Final, Self

import psutil

NOTCH: Final = 1.57
"""Times the distance of the quartiles over the root of the count: a median lies so near to the
sample's, about 19 times in 20 (McGill, Tukey and Larsen, Variations of Box Plots, 1978)."""

CORES_BUSY_MAX: Final = 0.2
"""More than so many cores at work for others, and a limit that is missed is not held against us."""


class Verdict(StrEnum):
    """The verdict on a limit."""

    OK = "ok"
    MISSED = "MISSED"
    NOISY = "too noisy to judge"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Our rate as a multiple of another: the median of pairs; it may lie from `low` to `high`."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, ours: Sequence[float], others: Sequence[float]) -> Self:
        """From rates that were taken in turn; a single pair says nothing of its spread."""
        pairs = [a / b for a, b in zip(ours, others, strict=True)]
        middle = median(pairs)
        if len(pairs) == 1:
            return cls(middle, 0.0, math.inf)
        lower, _, upper = quantiles(pairs, n=4, method="inclusive")
        reach = NOTCH * (upper - lower) / math.sqrt(len(pairs))
        return cls(middle, middle - reach, middle + reach)

    def __str__(self) -> str:
        reach = self.high - self.median
        return f"{self.median:.2f}" + (f" ±{reach:.2f}" if math.isfinite(reach) else "")

    def judged(self, least: float) -> Verdict:
        """Ok or missed where all of it lies on one side of the limit."""
        if self.low >= least:
            return Verdict.OK
        return Verdict.MISSED if self.high < least else Verdict.NOISY


def machine_core_s() -> float:
    """Seconds that cores of this machine have worked, for whomever."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - _counted_twice(times)


def _counted_twice(times: object) -> float:
    """On Linux the time of guests stands within user's and nice's too."""
    return sum(getattr(times, name, 0.0) for name in ("guest", "guest_nice"))


def own_core_s() -> float:
    """Seconds that cores have worked for this process and its children."""
    me = psutil.Process()
    total = 0.0
    for process in [me, *me.children(recursive=True)]:
        try:
            total += sum(process.cpu_times()[:4])  # its own, and that of children it waited for
        except psutil.NoSuchProcess:
            continue
    return total


@dataclass(slots=True)
class Neighbours:
    """Cores of the machine that others kept busy since this was made."""

    _began: float = field(default_factory=perf_counter)
    _all_s: float = field(default_factory=machine_core_s)
    _ours_s: float = field(default_factory=own_core_s)

    def cores(self) -> float:
        """Cores that neither we nor our children used, and none was idle."""
        spent = machine_core_s() - self._all_s - (own_core_s() - self._ours_s)
        return max(0.0, spent / (perf_counter() - self._began))
