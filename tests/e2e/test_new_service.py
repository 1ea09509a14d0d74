"""A service that `make service` lays: it runs beside the others, and goes without a trace."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.client.http import Connected, Refused, connected
from tests.compose.__main__ import copy_tree
from tests.doors import YEAR
from tests.servers import eventually

HERE = "tests/e2e/test_new_service.py"  # it would lay the same service once more
NAME, TITLE = "purses", "Purses of families"
PLUMBING_LINES_MAX = 72
START_S = 60.0
STOP_S = 30
OWN = (
    f"services/{NAME}/domain/",
    f"services/{NAME}/http/",
    "tests/",
    "contracts/openapi/",
    "contracts/asyncapi.yaml",
    f"contracts/pkh.{NAME}.case.v1/",
)
"""A service itself: its rules, its door with the forms that are sent there, its tests."""


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    """A copy of the tree, committed, with a service laid in it."""
    # Not below pytest's own directory, which PostgreSQL's user may not pass.
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as temporary:
        Path(temporary).chmod(0o711)
        tree = Path(temporary) / "tree"
        copy_tree(tree)
        run(tree, "git", "init", "--quiet")
        (tree / ".venv").symlink_to(sys.prefix)
        (tree / ".git" / "info" / "exclude").write_text("/.venv\n")
        commit(tree)
        run(tree, sys.executable, "-m", "tools.service", NAME, TITLE)
        yield tree


def run(tree: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def commit(tree: Path) -> None:
    run(tree, "git", "add", "--all")
    named = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
    run(tree, "git", *named, "commit", "--quiet", "--message", "As it was")


def added(tree: Path) -> dict[str, list[str]]:
    """{file: lines with something in them that it gained}."""
    run(tree, "git", "add", "--all")
    found: dict[str, list[str]] = {}
    for line in run(tree, "git", "diff", "--staged", "--unified=0").splitlines():
        if line.startswith("+++ "):
            lines = found.setdefault(line.removeprefix("+++ b/"), [])
        elif line.startswith("+") and line[1:].strip():
            lines.append(line[1:])
    return found


def test_a_service_takes_few_lines_beside_its_rules_its_door_and_its_tests(tree: Path) -> None:
    plumbing = {path: lines for path, lines in added(tree).items() if not path.startswith(OWN)}
    counts = {path: len(lines) for path, lines in plumbing.items()}

    assert {"deploy/services.toml", "docker-compose.yml"} <= counts.keys()
    assert sum(counts.values()) <= PLUMBING_LINES_MAX, counts


async def test_it_runs_is_heard_by_projection_and_comes_back_when_it_is_killed(tree: Path) -> None:
    async with platform(tree) as (front, pids):
        family, region = await registered(front)
        await front.client("clerk", f"{NAME}:record").post(
            NAME, f"/families/{family}/cases", {"kind": "DATA_WRONG", "region": region}
        )
        before = pids()[NAME]
        os.kill(before, signal.SIGKILL)
        await eventually(lambda: pids().get(NAME, before) != before, START_S)
        await front.client("clerk", f"{NAME}:record").post(
            NAME, f"/families/{family}/cases", {"kind": "CARD_LOST", "region": region}
        )

        kinds = [each["body"]["kind"] for each in await cases_in_timeline(front, family, 2)]

    assert kinds == ["DATA_WRONG", "CARD_LOST"]


def begun(tree: Path, data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "cli.main", "up", "--data", str(data)]
    with (tree.parent / "up.log").open("wb") as log:
        return subprocess.Popen(command, cwd=tree, stdout=log, stderr=log)


@asynccontextmanager
async def platform(tree: Path) -> AsyncIterator[tuple[Connected, Any]]:
    """The platform of the copy, and what tells its processes' ids by name."""
    data = tree / "var"
    process = begun(tree, data)
    try:
        await eventually((data / "run" / "platform.json").exists, START_S)
        async with connected(data) as front:
            yield front, lambda: json.loads((data / "run" / "pids.json").read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, STOP_S)


async def registered(front: Connected) -> tuple[str, str]:
    """The id of a family of the small year, and where it lives."""
    clerk = front.client("clerk", "registry:import", "registry:identify")
    for kind in ("families", "members"):
        await clerk.upload("registry", f"/imports/{kind}", YEAR / f"{kind}.csv")
    with (YEAR / "families.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    answer = await clerk.post(
        "registry", "/identities/by-card", {"no_kk": row["no_kk"], "purpose": "COMPLAINT"}
    )
    return answer.read(dict[str, str])["family"], row["region_code"]


async def cases_in_timeline(front: Connected, family: str, count: int) -> Sequence[dict[str, Any]]:
    """The opened cases that projection has kept of a family, once there are so many."""
    reader = front.client("reader", "projection:read")
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        try:
            page = await reader.get("projection", f"/families/{family}/timeline", dict[str, Any])
        except Refused:  # nothing of the family has come yet
            return False
        found[:] = [each for each in page["items"] if each["type"] == "CaseOpened"]
        return len(found) >= count

    await eventually(there, START_S)
    return found


def test_its_own_tests_are_green(tree: Path) -> None:
    own = [f"tests/{tier}/{NAME}" for tier in ("unit", "integration")]
    run(tree, sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *own)


@pytest.mark.nightly
@pytest.mark.parametrize("target", ["check", f"test ARGS=--ignore={HERE}", f"demo DATA={YEAR}"])
def test_everything_is_green_with_it(
    tree: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PKH_NIGHTLY")  # the copy is tested as by day
    monkeypatch.setenv("PYTHONPATH", str(tree))  # or `pkh` of this tree's `.venv` runs this tree
    run(tree, "make", "READY=", *target.split())


def test_it_goes_without_a_trace(tree: Path) -> None:
    run(tree, sys.executable, "-m", "tools.service", "--remove", NAME)

    run(tree, "git", "add", "--all")
    assert run(tree, "git", "status", "--porcelain") == ""
