"""Every mutant fits the source as it is, so that none rots between two runs of all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.corridor import CORRIDOR, NOTHING_TO_BREAK, RULES
from tests.mutants.mutant import Mutant
from tests.mutants.tree import ROOT, Stale, broken


def broken_texts(mutant: Mutant) -> dict[str, str]:
    """By path, what a mutant makes of the source; raises `Stale` where it does not fit."""
    texts: dict[str, str] = {}
    for change in mutant.changes:
        text = texts.get(change.path) or (ROOT / change.path).read_text(encoding="utf-8")
        texts[change.path] = broken(text, change)
    return texts


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sequence[str]]:
    """By mutant, the names that nobody defines: a check of all of them takes as long as of one."""
    everywhere = tmp_path_factory.mktemp("broken")
    for mutant in MUTANTS:
        with suppress(Stale):  # which the mutant's own test tells of
            for path, text in broken_texts(mutant).items():
                if path.endswith(".py"):
                    lay(everywhere / mutant.name / path, text)
    found: dict[str, list[str]] = {mutant.name: [] for mutant in MUTANTS}
    for line in undefined_names(everywhere):
        found[Path(line).parts[0]].append(line)
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_mutant_fits_the_source(mutant: Mutant, findings: Mapping[str, Sequence[str]]) -> None:
    assert broken_texts(mutant)
    assert findings[mutant.name] == []


def lay(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def undefined_names(directory: Path) -> list[str]:
    """The findings in the sources below a directory, by path; one that cannot be read is one."""
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = [ruff, "check", "--isolated", "--no-cache", "--quiet", "--select", "F821"]
    sources = sorted(str(path.relative_to(directory)) for path in directory.rglob("*.py"))
    found = subprocess.run(
        [*command, "--output-format", "concise", *sources],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode in (0, 1), found.stderr
    return found.stdout.splitlines()


def test_a_name_that_a_move_left_behind_is_found(tmp_path: Path) -> None:
    lay(tmp_path / "moved" / "step.py", "def step():\n    return views.counted()\n")
    lay(tmp_path / "torn" / "step.py", "def step(:\n")
    lay(tmp_path / "whole" / "step.py", "def step():\n    return 0\n")

    assert {Path(line).parts[0] for line in undefined_names(tmp_path)} == {"moved", "torn"}


def test_what_sees_a_mutant_runs_by_day_too(request: pytest.FixtureRequest) -> None:
    named = {test for mutant in MUTANTS for test in (mutant.red, mutant.green)}
    here = {item.nodeid for item in request.session.items if not item.get_closest_marker("nightly")}
    if named <= here:  # a run of all tests has collected them
        return
    by_day = {name: value for name, value in os.environ.items() if name != "PKH_NIGHTLY"}
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "not nightly"]

    collected = subprocess.run(
        [*collect, *sorted({test.partition("::")[0] for test in named})],
        cwd=ROOT,
        env=by_day,
        capture_output=True,
        text=True,
        check=False,
    )

    assert named <= set(collected.stdout.splitlines()), collected.stdout[-2_000:]


def test_mutants_have_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_every_rule_of_the_corridor_is_broken_by_a_mutant_or_has_nothing_to_break() -> None:
    assert {mutant.broken.partition(":")[0] for mutant in CORRIDOR} == RULES - NOTHING_TO_BREAK
