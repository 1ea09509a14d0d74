"""A demo that is killed, in loading and within a tahap, goes on and comes to the same year."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from cli.client.http import Client, connected
from cli.client.jobs import Page, job_of
from cli.errors import Failed
from tests.chaos.year import ROOT, SMALL
from tests.servers import eventually

DEADLINE_S = 120.0
OTHER = ROOT / "examples" / "kalbar-2023"

Moment = Callable[[Client], Awaitable[bool]]


def demo(directory: Path, year: Path = SMALL) -> list[str]:
    places = [str(year), "--out", str(directory / "out"), "--data", str(directory / "data")]
    return [sys.executable, "-m", "cli.main", "demo", *places, "--tahap", "1"]


def started(directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "said").open("ab") as said:
        return subprocess.Popen(demo(directory), cwd=ROOT, stdout=said, stderr=said)


async def killed_at(moment: Moment, directory: Path) -> None:
    """Begin the demo, or go on with it, and kill it as soon as a moment has come."""
    # Of the one before; nothing answers where it points to.
    (directory / "data" / "run" / "platform.json").unlink(missing_ok=True)
    running = started(directory)

    async def has_come() -> bool:
        assert running.poll() is None, (directory / "said").read_text()
        try:
            async with connected(directory / "data") as front:
                return await moment(front.client("watcher", "platform:read"))
        except Failed:
            return False  # it has not begun yet

    try:
        await eventually(has_come, DEADLINE_S, moment.__name__)
    finally:
        running.kill()
        running.wait()


async def loading(watcher: Client) -> bool:
    return bool((await watcher.get("registry", "/jobs", Page)).items)


async def paying(watcher: Client) -> bool:
    return await job_of(watcher, "payments", "tahap-2023-1") is not None


async def test_a_demo_that_is_killed_twice_comes_to_what_is_expected() -> None:
    # Not below pytest's own directory, which PostgreSQL's user may not pass.
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as temporary:
        directory = Path(temporary)

        await killed_at(loading, directory)
        await killed_at(paying, directory)
        result = await finished(demo(directory))
        other = await finished(demo(directory, OTHER))

    assert result.returncode == 0, result.stdout
    assert "Goes on with the run" in result.stdout
    assert result.stdout.count("taken before") == 8
    assert "0 differences · verified" in result.stdout
    assert (other.returncode, "another year's files" in other.stdout) == (2, True)


async def finished(command: list[str]) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
