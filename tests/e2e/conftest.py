"""The whole small year is run once, for all who look at what it left behind."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.demos import YEAR, Demo, demo


@pytest.fixture(scope="session")
def directory() -> Iterator[Path]:
    # Not below pytest's own directory, which PostgreSQL's user may not pass.
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as temporary:
        yield Path(temporary)


@pytest.fixture(scope="session")
def small_year(directory: Path) -> Demo:
    """The small sample year, all four tahaps of it."""
    (directory / "small").mkdir()
    return demo(YEAR, directory / "small")
