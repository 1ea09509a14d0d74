"""docs/developer.md as somebody follows it: a first change, in a copy of the repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, tracked_files
from tests.guides.console import Shell, commands, matches


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of a clone, and the libraries that `make` would install."""
    for path in tracked_files():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tmp_path / path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def test_the_first_change_goes_as_it_is_told(clone: Path) -> None:
    with Shell(clone, {}) as shell:
        for command in commands((ROOT / "docs" / "developer.md").read_text()):
            code, printed = shell.run(command.text)
            output = "\n".join([f"line {command.line}: {command.text}", *printed])
            assert code == 0, output
            assert matches(command.shown, printed), output
