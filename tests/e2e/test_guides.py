"""The guides as somebody reads them: every command that they show, in order, on one platform."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from localstack.processes import wait_until
from tests.guides.console import Command, Shell, commands, matches
from tests.guides.warm_pkh import warm_pkh

ROOT = Path(__file__).parents[2]
ENTRIES = (".venv", "contracts", "docs", "examples")
STAYS = "pkh up "
DEADLINE_S = 60
VARIABLES = {"COLUMNS": "120"}


@pytest.fixture
def clone() -> Iterator[Path]:
    """A directory that looks like a clone to whoever types commands in it."""
    # Not below pytest's own directory, which PostgreSQL's user may not pass.
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as temporary:
        Path(temporary).chmod(0o711)  # PostgreSQL's own user passes through it
        for each in ENTRIES:
            (Path(temporary) / each).symlink_to(ROOT / each)
        yield Path(temporary)


def test_the_commands_for_operators_and_integrators_do_what_they_show(clone: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl, which the guides use")
    shown = [
        (name, command)
        for name in ("operator.md", "integrator.md")
        for command in commands((ROOT / "docs" / name).read_text())
    ]
    stays: list[subprocess.Popen[bytes]] = []
    try:
        with warm_pkh(clone, VARIABLES) as pkh, Shell(clone, VARIABLES) as shell:
            shell.run(pkh)
            for name, command in shown:
                if command.text.startswith(STAYS):
                    stays.append(_begun(clone, command))
                    _said(clone, stays[-1], command)
                else:
                    _run(shell, name, command)
    finally:
        for each in stays:
            each.send_signal(signal.SIGTERM)
            each.wait(DEADLINE_S)


def _begun(clone: Path, command: Command) -> subprocess.Popen[bytes]:
    """A command that a reader has in another terminal."""
    with (clone / "said").open("wb") as said:
        return subprocess.Popen(
            ["bash", "-c", f". .venv/bin/activate; exec {command.text}"],
            cwd=clone,
            stdout=said,
            stderr=subprocess.STDOUT,
        )


def _said(clone: Path, running: subprocess.Popen[bytes], command: Command) -> None:
    """Wait until it has said what is shown."""
    said = clone / "said"

    def came() -> bool:
        return matches(command.shown, said.read_text().splitlines())

    wait_until(lambda: came() or running.poll() is not None, DEADLINE_S)
    assert came(), said.read_text()


def _run(shell: Shell, name: str, command: Command) -> None:
    code, printed = shell.run(command.text)
    where = f"{name}, line {command.line}: {command.text}"
    output = "\n".join(printed)
    assert code == 0, f"{where}\n{output}"
    assert matches(command.shown, printed), f"{where}\n{output}"
