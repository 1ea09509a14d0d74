"""A platform begins when nothing of a killed one lives, and ends nobody else's process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from localstack.processes import wait_until
from localstack.stale_processes import end_stale_processes, stale_processes
from localstack.supervisor import READY_DEADLINE_S

WAITS = "import signal; print('up', flush=True); signal.pause()"
ENDS_WHEN_TOLD = "import sys; print('up', flush=True); sys.stdin.read()"


@contextmanager
def running(program: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes its log as a platform's child does, and says there that it is up."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=said
        )
    try:
        assert wait_until(lambda: log.read_bytes() == b"up\n", READY_DEADLINE_S)
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()


def named(data_dir: Path, *pids: int) -> None:
    (data_dir / "run").mkdir(exist_ok=True)
    pids_file = data_dir / "run" / "pids.json"
    pids_file.write_text(json.dumps({f"service-{n}": pid for n, pid in enumerate(pids)}))


def test_a_process_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with running(WAITS, tmp_path / "logs" / "registry.log") as process:
        named(tmp_path, process.pid)

        end_stale_processes(tmp_path, ends_s_max=0.1)

        assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
        assert stale_processes(tmp_path) == []


def test_a_process_that_is_about_to_end_is_waited_for(tmp_path: Path) -> None:
    with running(ENDS_WHEN_TOLD, tmp_path / "logs" / "postgres.log") as process:
        named(tmp_path, process.pid)
        assert [each.pid for each in stale_processes(tmp_path)] == [process.pid]
        assert process.stdin is not None
        process.stdin.close()

        end_stale_processes(tmp_path)

        assert process.wait(READY_DEADLINE_S) == 0


def test_a_number_that_belongs_to_somebody_else_by_now_is_left_alone(tmp_path: Path) -> None:
    mine, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    mine.mkdir()
    with running(WAITS, elsewhere / "logs" / "registry.log") as process:
        named(mine, process.pid)

        end_stale_processes(mine, ends_s_max=0.1)

        assert process.poll() is None


@pytest.mark.parametrize("text", [None, "", "{}", '{"registry": 4194305}'])
def test_where_nothing_is_left_nobody_is_waited_for(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "run").mkdir()
    if text is not None:
        (tmp_path / "run" / "pids.json").write_text(text)

    end_stale_processes(tmp_path, ends_s_max=0)

    assert stale_processes(tmp_path) == []
