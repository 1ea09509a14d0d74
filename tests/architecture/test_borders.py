"""The borders between packages hold, and crossing one is noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, service_names


@dataclass(frozen=True, slots=True)
class Crossing:
    """A line that must not stand in a file, and the contract that refuses it."""

    file: str
    line: str
    contract: str

    def __str__(self) -> str:
        return f"{self.line} in {self.file}"

    @property
    def module(self) -> str:
        return self.file.removesuffix(".py").replace("/", ".")


ROOMS = (
    *("__init__", "domain", "explanation", "contract", "policy", "tables", "partners", "workers"),
    *("consumers", "http", "main"),
)
CROSSINGS = [
    Crossing(
        "services/planted/http.py", "import services.neighbour", "Services do not know each other"
    ),
    Crossing("services/planted/domain.py", "import asyncpg", "A domain does no input or output"),
    Crossing("services/planted/domain.py", "import os", "A domain does no input or output"),
    Crossing("services/planted/explanation.py", "import time", "A domain does no input or output"),
    Crossing("services/planted/helpers.py", "import os", "The rooms of a service"),
    *(
        Crossing(
            f"services/planted/{lower}.py",
            f"import services.planted.{upper}",
            "The rooms of a service",
        )
        for lower, upper in pairwise(
            ("domain", "contract", "tables", "partners", "workers", "http", "main")
        )
    ),
    Crossing(
        "services/planted/http.py", "import services.planted.consumers", "The rooms of a service"
    ),
    Crossing(
        "services/planted/contract.py", "import services.planted.policy", "The rooms of a service"
    ),
    Crossing("libs/events/domain/planted.py", "import time", "A domain does no input or output"),
    Crossing(
        "libs/events/store/planted.py",
        "import libs.events.consumer.subscription",
        "The rooms of the corridor",
    ),
    Crossing(
        "libs/events/relay/planted.py",
        "import libs.events.consumer.inbox",
        "The rooms of the corridor",
    ),
    Crossing(
        "cli/client/planted.py", "import services.planted", "The world outside talks HTTP and files"
    ),
    Crossing(
        "cli/client/planted.py", "import cli.commands.running", "The rooms of the command line"
    ),
    Crossing("localstack/planted.py", "import cli.errors", "The local platform knows no command"),
    Crossing("services/planted/main.py", "import localstack.platform", "A service knows nothing"),
    Crossing("simulators/planted.py", "import tools.contracts.generate", "The world outside"),
    Crossing("simulators/planted.py", "import services.planted", "The world outside"),
]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """The answer of import-linter to the packages under `root`."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root), "XDG_RUNTIME_DIR": str(root)},
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages and their contracts, with two empty services beside the real ones."""
    ignored = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for service in ("planted", "neighbour"):
        room = tmp_path / "services" / service
        room.mkdir()
        for name in ROOMS:
            (room / f"{name}.py").touch()
    return tmp_path


def test_every_border_holds() -> None:
    said = lint_imports(ROOT)

    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("crossing", CROSSINGS, ids=str)
def test_a_planted_crossing_is_caught_and_named(copy: Path, crossing: Crossing) -> None:
    with (copy / crossing.file).open("a") as file:
        file.write(f"{crossing.line}\n")

    said = lint_imports(copy)

    assert said.returncode == 1, said.stdout + said.stderr
    [broken] = [line for line in said.stdout.splitlines() if line.endswith("BROKEN")]
    assert broken.startswith(crossing.contract)
    assert crossing.module in said.stdout or crossing.module.rpartition(".")[2] in said.stdout


@pytest.mark.parametrize("service", service_names())
def test_a_real_service_that_imports_another_is_caught(copy: Path, service: str) -> None:
    (copy / "services" / service / "planted.py").write_text("import services.neighbour.contract\n")

    said = lint_imports(copy)

    assert said.returncode == 1, said.stdout + said.stderr
    assert f"services.{service}.planted -> services.neighbour.contract" in said.stdout


def test_no_library_escapes_the_rule_about_the_web_framework() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [rule] = [each for each in contracts["contracts"] if "web framework" in each["name"]]
    packages = {f"libs.{path.parent.name}" for path in (ROOT / "libs").glob("*/__init__.py")}

    assert set(rule["source_modules"]) == packages - {"libs.chassis"}
