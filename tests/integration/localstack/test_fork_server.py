import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from localstack.fork_client import Forked, ForkServer, ForkServerFailed, fork_server_in
from tests.servers import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked elsewhere")

ROOT = Path(__file__).parents[3]


@pytest.fixture
def fork_server(tmp_path: Path) -> Iterator[ForkServer]:
    with fork_server_in(
        {**os.environ, "MINE": "the fork server's"}, ROOT, tmp_path / "logs"
    ) as grown:
        assert grown is not None
        yield grown


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "said"


def run(fork_server: ForkServer, said: Path, *arguments: str) -> Forked:
    with said.open("ab") as file:
        return fork_server.launch(
            "tests.integration.localstack.forked_program", arguments, {"MINE": "its"}, file
        )


async def reported(said: Path) -> Any:
    """The things that a program has found around it."""
    return json.loads(await eventually(said.read_text))


async def test_a_forked_program_is_what_it_would_be_on_its_own(
    fork_server: ForkServer, said: Path
) -> None:
    run(fork_server, said, "stay", "here")

    assert await reported(said) == {
        "arguments": ["stay", "here"],
        "environment": {"MINE": "its"},
        "leads its session": True,
        "warm": True,
    }


async def test_how_it_ended_is_known(fork_server: ForkServer, said: Path) -> None:
    ends, stays = run(fork_server, said, "3"), run(fork_server, said, "stay")
    await eventually(lambda: ends.poll() is not None)
    assert stays.poll() is None

    stays.send_signal(signal.SIGTERM)
    await eventually(lambda: stays.poll() is not None)

    assert (ends.returncode, stays.returncode) == (3, -signal.SIGTERM)


async def test_all_end_with_the_stem_and_the_next_program_has_another(
    fork_server: ForkServer, said: Path
) -> None:
    orphan = run(fork_server, said, "stay")
    [grown] = [child for child in psutil.Process().children() if child.pid == fork_server.pid]
    grown.kill()
    await eventually(lambda: orphan.poll() is not None)
    await eventually(lambda: not psutil.pid_exists(orphan.pid))

    try:
        next_one = run(fork_server, said, "stay")
    except ForkServerFailed:  # it died while we spoke to it; the supervisor, too, tries again
        next_one = run(fork_server, said, "stay")
    assert next_one.poll() is None


async def test_nothing_is_left_when_it_is_closed(tmp_path: Path, said: Path) -> None:
    with fork_server_in(os.environ, ROOT, tmp_path) as fork_server:
        assert fork_server is not None
        child = run(fork_server, said, "stay")
        pids = [child.pid, fork_server.pid]

    await eventually(lambda: not any(map(psutil.pid_exists, pids)))
