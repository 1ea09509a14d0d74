"""One platform a directory at a time; what one that was killed has left running is ended first.

Linux tells the children of a dead parent to end, but they need a moment: a database server rolls
back and writes a checkpoint. Two servers on one directory would destroy it, so the second waits.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from localstack.processes import is_alive, kill_tree, wait_until
from localstack.supervisor import SupervisorFailed

ENDS_S_MAX: Final = 20.0

log = logging.getLogger(__name__)


@contextlib.contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Keep a second platform away from this directory while ours runs."""
    run = data_dir / "run"
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    # PostgreSQL's own user must pass through; everything below says who may enter.
    data_dir.chmod(0o711)
    with (run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SupervisorFailed(f"another platform runs on {data_dir}") from None
        # Of one that was killed; nothing of it answers.
        (run / "platform.json").unlink(missing_ok=True)
        yield


def end_stale_processes(data_dir: Path, ends_s_max: float = ENDS_S_MAX) -> None:
    """Return once no process of an earlier platform of this directory lives.

    Whoever holds the directory's lock may call this: then nobody else supervises them.
    """
    stale = stale_processes(data_dir)
    if wait_until(lambda: not any(map(is_alive, stale)), ends_s_max):
        return
    for process in filter(is_alive, stale):
        log.warning("an earlier platform's process %d did not end; killed", process.pid)
        kill_tree(process.pid)
    wait_until(lambda: not any(map(is_alive, stale)), ends_s_max)


def stale_processes(data_dir: Path) -> list[psutil.Process]:
    """The processes that an earlier platform's pids.json names and that are still its own."""
    try:
        pids: dict[str, int] = json.loads((data_dir / "run" / "pids.json").read_text())
    except (OSError, ValueError):
        return []
    found: list[psutil.Process] = []
    for pid in pids.values():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if is_alive(process) and _works_in(process, data_dir):
                found.append(process)
    return found


def _works_in(process: psutil.Process, data_dir: Path) -> bool:
    """True if a process has a file of the directory open, if only its log: a number that the
    system has given to somebody else since is not ours to end."""
    return any(Path(file.path).is_relative_to(data_dir) for file in process.open_files())
