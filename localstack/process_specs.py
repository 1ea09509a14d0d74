"""Specs of a platform's parts: processes that are kept running, steps that are done once."""

from __future__ import annotations

import signal
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol, TypeAlias

import httpx

from localstack.processes import dies_with_parent

ANSWER_TIMEOUT_S: Final = 2.0


class Process(Protocol):
    """A process as the supervisor asks it; a `subprocess.Popen` answers all of it."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def returncode(self) -> int | None:
        """Its exit code as far as the last `poll` knew, minus the signal that ended it."""

    def poll(self) -> int | None:
        """Its exit code now, None while it runs; asking is also what reaps it."""

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""


STOP_DEADLINE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Child:
    """One process to be kept running.

    `launch` starts it, writing what it says to the file it is given, and must not block for long.
    `ready` answers whether it does its work. `prepare` runs once, in a thread, before the first
    launch. One that is not `restarted` may end by itself. It is asked to end with `stop_signal`,
    and killed when it has not after `stop_deadline_s` seconds.
    """

    name: str
    launch: Callable[[IO[bytes]], Process]
    ready: Callable[[], Awaitable[bool]]
    needs: Sequence[str] = ()
    prepare: Callable[[], None] | None = None
    restarted: bool = True
    stop_signal: signal.Signals = signal.SIGTERM
    stop_deadline_s: float = STOP_DEADLINE_S

    def may_have_ended(self, process: Process | None) -> bool:
        """True if it did its work once and for all, perhaps before anyone asked if it is ready."""
        return not self.restarted and process is not None and process.returncode == 0


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done once between processes, such as migrations."""

    name: str
    run: Callable[[], Awaitable[object]]
    needs: Sequence[str] = ()


ProcessSpec: TypeAlias = Child | Step


def command(
    name: str,
    argv: Sequence[str],
    *,
    ready: Callable[[], Awaitable[bool]],
    environment: Mapping[str, str] | None = None,
    needs: Sequence[str] = (),
    cwd: Path | None = None,
) -> Child:
    """A child that is a command; its environment is exactly `environment` (None: ours)."""

    def launch(output: IO[bytes]) -> Process:
        return subprocess.Popen(
            list(argv),
            env=None if environment is None else dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C in a terminal reaches us alone, so that we can stop them in order.
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one prctl
        )

    return Child(name, launch, ready, needs)


def answers(url: str, tls: ssl.SSLContext | None = None) -> Callable[[], Awaitable[bool]]:
    """A ready check: whether a GET of `url` is answered with success, over `tls` if any."""

    async def ready() -> bool:
        async with httpx.AsyncClient(
            verify=tls or False,  # over http there is nothing to verify
            trust_env=False,
            timeout=ANSWER_TIMEOUT_S,
        ) as client:
            try:
                return (await client.get(url)).is_success
            except httpx.HTTPError:
                return False

    return ready


async def at_once() -> bool:
    """A ready check for a process that nobody waits for."""
    return True
