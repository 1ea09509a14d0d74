"""The borders between packages hold, and crossing one is noticed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
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
    misplaced: bool = False
    """The file has no room to stand in, whatever it imports."""

    def __str__(self) -> str:
        return f"{self.line} in {self.file}"

    @property
    def module(self) -> str:
        return self.file.removesuffix(".py").replace("/", ".")

    @property
    def finding(self) -> str:
        """The line by which a report names it."""
        imported = f" -> {self.line.removeprefix('import ')} (l."
        return f"- {self.module}{'' if self.misplaced else imported}"


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
    Crossing("services/planted/helpers.py", "import os", "The rooms of a service", misplaced=True),
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
    Crossing("console/planted.py", "import services.payments.http", "The console reads projection"),
    Crossing(
        "console/planted.py", "import services.projection.http", "The console reads projection"
    ),
    Crossing("services/projection/http/planted.py", "import console.page", "Nobody but projection"),
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


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """{contract: what is said of it} of a copy of the packages in which every crossing is planted.

    Two services without a line stand beside the real ones, and each real one imports another.
    """
    copy = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", copy)
    for service in ("planted", "neighbour"):
        for name in ROOMS:
            room = copy / "services" / service / f"{name}.py"
            room.parent.mkdir(exist_ok=True)
            room.touch()
    for crossing in (*CROSSINGS, *map(of_real, service_names())):
        with (copy / crossing.file).open("a") as file:
            file.write(f"{crossing.line}\n")
    linted = lint_imports(copy)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    # A contract that is broken has its name underlined.
    parts = re.split(r"^(.+)\n-{3,}\n", linted.stdout, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def of_real(service: str) -> Crossing:
    """A real service that imports another."""
    file = f"services/{service}/planted.py"
    return Crossing(file, "import services.neighbour.contract", CROSSINGS[0].contract)


def test_every_border_holds() -> None:
    said = lint_imports(ROOT)

    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("crossing", CROSSINGS, ids=str)
def test_a_planted_crossing_is_caught_and_named(
    report: Mapping[str, str], crossing: Crossing
) -> None:
    [found] = [text for contract, text in report.items() if contract.startswith(crossing.contract)]

    assert crossing.finding in re.sub(" +", " ", found)


@pytest.mark.parametrize("service", service_names())
def test_a_real_service_that_imports_another_is_caught(
    report: Mapping[str, str], service: str
) -> None:
    crossing = of_real(service)

    assert crossing.finding in re.sub(" +", " ", report[crossing.contract])


def test_no_library_escapes_the_rule_about_the_web_framework() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [rule] = [each for each in contracts["contracts"] if "web framework" in each["name"]]
    packages = {f"libs.{path.parent.name}" for path in (ROOT / "libs").glob("*/__init__.py")}

    assert set(rule["source_modules"]) == packages - {"libs.chassis"}
