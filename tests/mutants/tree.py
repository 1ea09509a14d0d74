"""A copy of the project to break, and what its tests say there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tests.mutants.mutant import Change

ROOT: Final = Path(__file__).parents[2]
NOT_COPIED: Final = (".*", "__pycache__", "*.egg-info", "benchmarks", "var", "out")
RUN_DEADLINE_S: Final = 90.0
TEST_DEADLINE_S: Final = 10.0  # and so much more for each test of a run


class Stale(Exception):
    """A change does not fit the source any more; names the mutant's file and how often it fits."""


def broken(text: str, change: Change) -> str:
    """The text with the change; raises `Stale` unless its old text stands there exactly once."""
    found = text.count(change.old)
    if found != 1:
        first_line = change.old.strip().splitlines()[0]
        raise Stale(f"{change.path} has {found} times: {first_line}")
    return text.replace(change.old, change.new)


@dataclass(frozen=True, slots=True)
class Tree:
    """The copy, and the environment in which its tests run."""

    root: Path
    environment: Mapping[str, str]

    @classmethod
    def copy(cls, to: Path, database_url: str) -> Tree:
        """The working tree as it stands; its tests use the given PostgreSQL."""
        root = to / "tree"
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
        # A file that is changed twice in a second would be read from its compiled predecessor.
        settings = {"DATABASE_URL": database_url, "PYTHONDONTWRITEBYTECODE": "1"}
        return cls(root, os.environ | settings)

    @contextmanager
    def changed(self, changes: Iterable[Change]) -> Iterator[None]:
        """The tree with these changes, until the end of the block."""
        kept: dict[Path, str] = {}
        try:
            for change in changes:
                path = self.root / change.path
                text = path.read_text(encoding="utf-8")
                kept.setdefault(path, text)
                path.write_text(broken(text, change), encoding="utf-8")
            yield
        finally:
            for path, text in kept.items():
                path.write_text(text, encoding="utf-8")

    def verdicts(self, tests: Sequence[str]) -> dict[str, str]:
        """The result of each test: passed, failed, or why there is neither."""
        report = self.root / "report.xml"
        report.unlink(missing_ok=True)
        deadline_s = RUN_DEADLINE_S + TEST_DEADLINE_S * len(tests)
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
        try:
            subprocess.run(
                [*argv, f"--junitxml={report}"],
                cwd=self.root,
                env=self.environment,
                capture_output=True,
                timeout=deadline_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return dict.fromkeys(tests, f"no end in {deadline_s:.0f} s")
        found = _reported(report) if report.exists() else {}
        return {test: found.get(test.rsplit("::", 1)[1], "not run") for test in tests}


def _reported(report: Path) -> dict[str, str]:
    cases = ElementTree.parse(report).iter("testcase")
    return {case.attrib["name"]: _verdict(case) for case in cases}


def _verdict(case: ElementTree.Element) -> str:
    # A test whose servers do not come up has shown nothing, so an error is no failure.
    for child in case:
        if child.tag in ("error", "skipped"):
            return child.tag
    return "passed" if case.find("failure") is None else "failed"
