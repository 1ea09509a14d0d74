"""The three tiers of tests, by folder, with what they may take; and what only a night has time for.

A tier is what a test needs around it, so the folder says it and no test has to. The long tests of
a run come first: the last worker then ends with short ones, and none waits for the other.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

HERE: Final = Path(__file__).parent
NIGHTLY: Final = bool(os.environ.get("PKH_NIGHTLY"))
"""Tests run at their long setting."""

settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile("nightly", deadline=None, max_examples=5_000)
settings.load_profile("nightly" if NIGHTLY else "default")

SERVERS: Final = frozenset({"postgres", "kafka_bootstrap", "kafka_jars"})
"""Fixtures that start a server, or look for what starts one."""

OF_THE_SMALL_YEAR: Final = frozenset({"tests/e2e/test_demo.py", "tests/e2e/test_why.py"})
"""Files that look at what one run of the small year left behind."""

OF_THE_INTERFACES: Final = frozenset(
    f"tests/contract/test_{name}.py" for name in ("contracts", "openapi", "problems", "reads")
)
"""Files that have every service described: a process keeps its descriptions, which take seconds."""

TOGETHER: Final = {
    **dict.fromkeys(OF_THE_SMALL_YEAR, "the small year"),
    **dict.fromkeys(OF_THE_INTERFACES, "the interfaces"),
}
"""{file: what it shares with others, which run in the same process}."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Tests that need the same around them; `budget_s` is for two quiet cores."""

    name: str
    folders: tuple[str, ...]
    budget_s: int


TIERS: Final = (
    Tier("unit", ("unit", "contract", "architecture", "mutants"), 60),
    Tier("integration", ("integration",), 260),
    Tier("e2e", ("e2e", "chaos"), 160),
)
"""From what runs in a moment to what takes longest."""


@cache
def tier_of(path: Path) -> Tier:
    """The tier of a test file."""
    folder = path.relative_to(HERE).parts[0]
    return next(tier for tier in TIERS if folder in tier.folders)


def misplaced(path: Path, fixtures: Iterable[str]) -> bool:
    """A test of the unit tier that asks for a server."""
    return tier_of(path) is TIERS[0] and not SERVERS.isdisjoint(fixtures)


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests go to one worker, and files that share something go to the same."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return TOGETHER.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile | None:
    """Share the tests out by file, where that was asked for."""
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what waits for the night, refuse a server to a unit test, put long tests first."""
    for item in items:
        if not NIGHTLY and item.get_closest_marker("nightly"):
            item.add_marker(pytest.mark.skip(reason="at night"))
        if isinstance(item, pytest.Function) and misplaced(item.path, item.fixturenames):
            raise pytest.UsageError(f"{item.nodeid} needs a server: move it to tests/integration")
    items.sort(key=lambda item: -TIERS.index(tier_of(item.path)))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how much of each tier's budget was used. Nothing fails by time: machines differ."""
    taken: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                file = config.rootpath / report.nodeid.partition("::")[0]
                taken[tier_of(file).name] += report.duration
    workers = config.getoption("numprocesses", default=None) or 1
    for tier in TIERS:
        if tier.name in taken:
            used = taken[tier.name] / workers
            line = f"{tier.name}: {used:.0f} s on {workers} workers, of {tier.budget_s} s"
            over = used > tier.budget_s
            terminalreporter.write_line(f"{line}: OVER ITS BUDGET" if over else line, red=over)
