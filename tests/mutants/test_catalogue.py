"""Every mutant fits the source as it is, so that none rots between two runs of all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.corridor import CORRIDOR, NOTHING_TO_BREAK, RULES
from tests.mutants.mutant import Mutant
from tests.mutants.tree import ROOT, broken


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_mutant_fits_the_source(mutant: Mutant) -> None:
    texts: dict[str, str] = {}
    for change in mutant.changes:
        text = texts.get(change.path) or (ROOT / change.path).read_text(encoding="utf-8")
        texts[change.path] = broken(text, change)
    for path, text in texts.items():
        if path.endswith(".py"):
            assert undefined_names(text, path) == []


def undefined_names(text: str, path: str) -> list[str]:
    """The findings in a source; one that cannot be read is a finding too."""
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = [ruff, "check", "--isolated", "--select", "F821", "--output-format", "concise"]
    found = subprocess.run(
        [*command, "--stdin-filename", path, "-"],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return [] if found.returncode == 0 else (found.stdout + found.stderr).splitlines()


def test_a_name_that_a_move_left_behind_is_found() -> None:
    assert undefined_names("def step():\n    return views.counted()\n", "step.py")
    assert undefined_names("def step(:\n", "step.py")
    assert undefined_names("def step():\n    return 0\n", "step.py") == []


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
