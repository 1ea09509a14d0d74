"""Child processes as the operating system has them: die with me, die now, how big."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import psutil

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
KILL_DEADLINE_S: Final = 10.0
POLL_S: Final = 0.005

# Loaded here and not in the child: between fork and exec a child may not load anything.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def dies_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel send `with_signal` to the child when its parent dies.

    The parent is the thread that forks, so fork in a thread that lives as long as the child.
    Does nothing where the kernel is not Linux.
    """

    def tell_the_kernel() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(with_signal))

    return tell_the_kernel


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, in place of process 1."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def wait_until(condition: Callable[[], bool], deadline_s: float) -> bool:
    """True if `condition` came true within `deadline_s`; looks again every few milliseconds."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)  # noqa: TID251 - the pause between two looks, bounded by the deadline
    return True


def reap_orphans(ours: Collection[int], seen_dead: Collection[int]) -> set[int]:
    """Reap adopted children that were dead already at the last look; answers who is dead now.

    `ours` are the children that somebody else waits for. The look before makes sure of the
    others: a command that is run and waited for is dead for a moment only.
    """
    dead = {
        child.pid
        for child in psutil.Process().children()
        if child.pid not in ours and not is_alive(child)
    }
    for pid in dead.intersection(seen_dead):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return dead


def kill_tree(pid: int) -> None:
    """Kill a process and all below it at one stroke, and wait until those below are gone.

    The process itself is left for its parent to wait() for.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        # Stopped first, so that it neither starts another child nor tidies up after one.
        root.suspend()
        below = root.children(recursive=True)
        for process in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        root.kill()
        wait_until(lambda: not any(map(is_alive, below)), KILL_DEADLINE_S)


def pss_bytes(pid: int) -> int:
    """Memory of a process in bytes, each shared page divided by the number of its users.

    So the sum over a family of processes counts shared memory once. 0 for a process that has
    ended or is not ours to read, and where the kernel is not Linux.
    """
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def pss_bytes_of_tree(pid: int) -> int:
    """The sum of `pss_bytes` over all descendants of a process, itself not included."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return sum(pss_bytes(child.pid) for child in psutil.Process(pid).children(recursive=True))
    return 0


def is_alive(process: psutil.Process) -> bool:
    """True if a process runs; one that is dead and not waited for does not."""
    # A zombie counts as dead: it holds no memory, file or lock, and process 1 of a container may
    # never reap it.
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
