"""Families a second through the whole platform: a sample year, and ten copies of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.copies import copy_year
from benchmarks.measure import Effort, Line, Way, in_turn
from benchmarks.report import Figure

SAMPLE: Final = Path("examples/kalbar-2023")
COPIES: Final = 10
COPIES_RATIO_MIN: Final = 0.8
ROUNDS: Final = 3
DEADLINE_S: Final = 3_600


class Run(msgspec.Struct, frozen=True):
    """The figures of `pkh demo` in run.json."""

    families: int
    tahap_seconds: dict[str, float]
    start_seconds: float
    pss_bytes: int
    differences: int

    @property
    def rate(self) -> float:
        """Families a second, over all tahaps of the run."""
        return self.families * len(self.tahap_seconds) / sum(self.tahap_seconds.values())


async def figures(effort: Effort) -> tuple[list[Figure], list[str]]:
    """Two tahaps of the sample year and of ten copies of it, in turn.

    Raises CalledProcessError when a demo does not come to its end or to what is expected.
    """
    with tempfile.TemporaryDirectory(prefix="pkh-bench-") as directory:
        copied = Path(directory, "copies")
        copy_year(SAMPLE, COPIES, copied)
        runs: dict[str, list[Run]] = {"sample": [], "copies": []}
        ways = {
            "sample": _demos(SAMPLE, Path(directory, "out"), runs["sample"]),
            "copies": _demos(copied, Path(directory, "out-copies"), runs["copies"]),
        }
        found = await in_turn(ways, LINES, ROUNDS, effort)
    return found, [describe(runs["sample"][-1], runs["copies"][-1])]


LINES: Final = (
    Line(f"two tahaps, {COPIES} copies of the sample year", "families/s", "copies"),
    Line("  the sample year alone", "families/s", "sample", "copies", COPIES_RATIO_MIN),
)


def _demos(year: Path, out: Path, runs: list[Run]) -> Way:
    async def way() -> float:
        runs.append(await asyncio.to_thread(demo, year, out))
        return runs[-1].rate

    return way


def demo(year: Path, out: Path) -> Run:
    """Two tahaps of a year through a fresh platform."""
    pkh = Path(sys.executable).with_name("pkh")
    command = [str(pkh), "demo", str(year), "--out", str(out), "--tahap", "1-2"]
    subprocess.run(command, check=True, timeout=DEADLINE_S, stdout=subprocess.DEVNULL)
    return msgspec.json.decode((out / "run.json").read_bytes(), type=Run)


def describe(sample: Run, copies: Run) -> str:
    """A sentence on the platform's start and memory, in both sizes."""
    memory = [run.pss_bytes / 2**20 for run in (sample, copies)]
    return (
        f"The platform started in {sample.start_seconds:.1f} s and took {memory[0]:,.0f} MiB, "
        f"with {COPIES} copies {memory[1]:,.0f} MiB."
    )
