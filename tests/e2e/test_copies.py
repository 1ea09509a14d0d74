"""A year of copies of the sample comes to as many times the sample, family by family."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.copies import copy_year
from tests.chaos.year import SMALL, year
from tests.tiers import NIGHTLY

# More families than the registry lists in one transaction; at night ten times the sample.
COPIES = 10 if NIGHTLY else 6
TAHAPS = (1, 2) if NIGHTLY else (1,)


async def test_copies_come_to_what_each_of_them_comes_to() -> None:
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as directory:
        copies = Path(directory) / "year"
        copy_year(SMALL, COPIES, copies)
        async with year(copies) as running:
            for tahap in TAHAPS:
                await running.run(tahap)
            assert await running.differences(*TAHAPS) == []
