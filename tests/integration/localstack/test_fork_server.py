import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from localstack.fork_client import Forked, Stem, StemFailed, growing
from tests.servers import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked elsewhere")

ROOT = Path(__file__).parents[3]


@pytest.fixture
def stem(tmp_path: Path) -> Iterator[Stem]:
    with growing({**os.environ, "MINE": "the stem's"}, ROOT, tmp_path / "logs") as grown:
        assert grown is not None
        yield grown


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "said"


def run(stem: Stem, said: Path, *arguments: str) -> Forked:
    with said.open("ab") as file:
        return stem.launch(
            "tests.integration.localstack.forked_program", arguments, {"MINE": "its"}, file
        )


async def told(said: Path) -> Any:
    """The things that a program has found around it."""
    return json.loads(await eventually(said.read_text))


async def test_a_forked_program_is_what_it_would_be_on_its_own(stem: Stem, said: Path) -> None:
    run(stem, said, "stay", "here")

    assert await told(said) == {
        "arguments": ["stay", "here"],
        "environment": {"MINE": "its"},
        "leads its session": True,
        "warm": True,
    }


async def test_how_it_ended_is_known(stem: Stem, said: Path) -> None:
    ends, stays = run(stem, said, "3"), run(stem, said, "stay")
    await eventually(lambda: ends.poll() is not None)
    assert stays.poll() is None

    stays.send_signal(signal.SIGTERM)
    await eventually(lambda: stays.poll() is not None)

    assert (ends.returncode, stays.returncode) == (3, -signal.SIGTERM)


async def test_all_end_with_the_stem_and_the_next_program_has_another(
    stem: Stem, said: Path
) -> None:
    orphan = run(stem, said, "stay")
    [grown] = [child for child in psutil.Process().children() if child.pid == stem.pid]
    grown.kill()
    await eventually(lambda: orphan.poll() is not None)
    await eventually(lambda: not psutil.pid_exists(orphan.pid))

    try:
        next_one = run(stem, said, "stay")
    except StemFailed:  # it died while we spoke to it; the supervisor, too, tries again
        next_one = run(stem, said, "stay")
    assert next_one.poll() is None


async def test_nothing_is_left_when_it_is_closed(tmp_path: Path, said: Path) -> None:
    with growing(os.environ, ROOT, tmp_path) as stem:
        assert stem is not None
        child = run(stem, said, "stay")
        pids = [child.pid, stem.pid]

    await eventually(lambda: not any(map(psutil.pid_exists, pids)))
