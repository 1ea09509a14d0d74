"""Families a second through the whole platform: a sample year, and ten copies of it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.copies import copy_year
from benchmarks.report import Figure

SAMPLE: Final = Path("examples/kalbar-2023")
COPIES: Final = 10
COPIES_RATIO_MIN: Final = 0.8
DEADLINE_S: Final = 3_600


class Run(msgspec.Struct, frozen=True):
    """What `pkh demo` tells of itself in run.json."""

    families: int
    tahap_seconds: dict[str, float]
    start_seconds: float
    pss_bytes: int
    differences: int

    @property
    def rate(self) -> float:
        """Families a second, over all tahaps of the run."""
        return self.families * len(self.tahap_seconds) / sum(self.tahap_seconds.values())


def figures() -> tuple[list[Figure], list[str]]:
    """Two tahaps of the sample year and of ten copies of it, one after the other.

    Raises CalledProcessError when a demo does not come to its end or to what is expected.
    """
    with tempfile.TemporaryDirectory(prefix="pkh-bench-") as directory:
        copied = Path(directory, "copies")
        copy_year(SAMPLE, COPIES, copied)
        sample = demo(SAMPLE, Path(directory, "out"))
        copies = demo(copied, Path(directory, "out-copies"))
    return describe(sample, copies)


def demo(year: Path, out: Path) -> Run:
    """Two tahaps of a year through a fresh platform."""
    pkh = Path(sys.executable).with_name("pkh")
    command = [str(pkh), "demo", str(year), "--out", str(out), "--tahap", "1-2"]
    subprocess.run(command, check=True, timeout=DEADLINE_S, stdout=subprocess.DEVNULL)
    return msgspec.json.decode((out / "run.json").read_bytes(), type=Run)


def describe(sample: Run, copies: Run) -> tuple[list[Figure], list[str]]:
    """Both runs as figures and a sentence."""
    figures = [
        Figure("two tahaps, the sample year, whole platform", "families/s", sample.rate),
        Figure(
            f"  {COPIES} copies of it",
            "families/s",
            copies.rate,
            copies.rate / sample.rate,
            COPIES_RATIO_MIN,
        ),
    ]
    memory = [run.pss_bytes / 2**20 for run in (sample, copies)]
    said = (
        f"The platform started in {sample.start_seconds:.1f} s and took {memory[0]:,.0f} MiB, "
        f"with {COPIES} copies {memory[1]:,.0f} MiB."
    )
    return figures, [said]
