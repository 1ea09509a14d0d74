"""Starts the platform's processes in the order they need, keeps them running, stops them all.

    async with Supervisor([postgres, provision, registry], Path("var")) as platform:
        ...  # everything answers; a process that dies is started again

A node is a process (`Child`) or something to be done once (`Step`); it begins as soon as the
others it needs are ready. Children die with the supervisor, however it dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from localstack.process_specs import Child, Process, ProcessSpec, Step
from localstack.processes import adopt_orphans, kill_tree, pss_bytes_of_tree, reap_orphans

READY_DEADLINE_S: Final = 60.0
READY_POLL_S: Final = 0.05
ENDED_POLL_S: Final = 0.1
REAP_EVERY_S: Final = 1.0
# A child that dies is started again after a pause that doubles, until it has lived for a while.
PAUSE_FIRST_S: Final = 0.1
PAUSE_LONGEST_S: Final = 5.0
LIVED_S: Final = 10.0
STARTS_MAX: Final = 3  # attempts to become ready the first time
LOG_BYTES_MAX: Final = 50_000_000  # kept of a child's log, and as much again of an older one
LOG_TAIL_BYTES: Final = 2_000

T = TypeVar("T")

log = logging.getLogger(__name__)


class SupervisorFailed(Exception):
    """A part of the platform did not start."""


@dataclass
class _Supervised:
    """One process or step, and how far the supervisor is with it."""

    spec: ProcessSpec
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    process: Process | None = None

    @property
    def alive(self) -> bool:
        """True if its process lives; asking is also what reaps a dead one."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps the processes of one platform under `data_dir`: logs/NAME.log and run/pids.json.

    `restarts` counts the deaths of each child after which it was started again. One that
    `adopts_orphans` reaps what a killed child leaves behind, as process 1 of a container may not.
    """

    def __init__(
        self, specs: Sequence[ProcessSpec], data_dir: Path, *, adopts_orphans: bool = False
    ) -> None:
        self._supervised = {spec.name: _Supervised(spec) for spec in specs}
        self._dependents = _dependents(specs)
        self._logs, self._run = data_dir / "logs", data_dir / "run"
        self._tasks: list[asyncio.Task[None]] = []
        self._adopts_orphans = adopts_orphans
        self.restarts: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        """Start everything and return when all of it is ready.

        Raises SupervisorFailed, with the end of its log, for a part that does not become ready;
        everything else is stopped then.
        """
        for directory in (self._logs, self._run):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            await self._start_all()
        except BaseException:
            await self._stop_all()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop_all()

    # -- What one may ask

    def pids(self) -> dict[str, int]:
        """The process id of every child that lives now."""
        return {
            name: supervised.process.pid
            for name, supervised in self._supervised.items()
            if supervised.process is not None and supervised.alive
        }

    def pss_bytes(self) -> int:
        """The memory of all descendants in bytes, shared pages counted once."""
        return pss_bytes_of_tree(os.getpid())

    async def kill(self, name: str) -> None:
        """Kill a child and everything below it, as a fault would; it starts again by itself."""
        supervised = self._supervised[name]
        supervised.ready.clear()
        await self._kill(supervised)

    async def ready(self, name: str, deadline_s: float = READY_DEADLINE_S) -> None:
        """Return when a child does its work, for example again after it was killed."""
        async with asyncio.timeout(deadline_s):
            await self._supervised[name].ready.wait()

    # -- Starting and keeping

    async def _start_all(self) -> None:
        begun = time.monotonic()
        if self._adopts_orphans:
            adopt_orphans()
            self._tasks.append(asyncio.create_task(self._reap_orphans()))
        try:
            async with asyncio.TaskGroup() as starting:
                for supervised in self._supervised.values():
                    starting.create_task(self._start(supervised), name=supervised.spec.name)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        log.info("the platform was ready after %.1f s", time.monotonic() - begun)

    async def _start(self, supervised: _Supervised) -> None:
        spec = supervised.spec
        for needed in spec.needs:
            await self._supervised[needed].ready.wait()
        try:
            await (spec.run() if isinstance(spec, Step) else self._start_child(supervised, spec))
        except Exception as error:
            raise SupervisorFailed(f"{spec.name} does not start; {error}") from error
        supervised.ready.set()
        if isinstance(spec, Child):
            self._tasks.append(asyncio.create_task(self._keep(supervised, spec)))

    async def _start_child(self, supervised: _Supervised, child: Child) -> None:
        if child.prepare is not None:
            await asyncio.to_thread(child.prepare)
        for _ in range(STARTS_MAX):
            self._launch(supervised, child)
            if await self._becomes_ready(supervised, child):
                return
            await asyncio.sleep(PAUSE_FIRST_S)
        raise SupervisorFailed(self._end_of_log(child))

    async def _keep(self, supervised: _Supervised, child: Child) -> None:
        """Start a child again whenever it has died, for ever."""
        pause_s = PAUSE_FIRST_S
        while child.restarted:
            begun = time.monotonic()
            await _ended(supervised.process)
            supervised.ready.clear()
            self.restarts[child.name] += 1
            if time.monotonic() - begun > LIVED_S:
                pause_s = PAUSE_FIRST_S
            log.warning(
                "%s died, %s; starts again in %.1f s", child.name, _end(supervised), pause_s
            )
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_LONGEST_S)
            try:
                self._launch(supervised, child)
            except Exception as error:  # noqa: BLE001 - it is tried again, whatever it was
                log.warning("%s cannot be launched: %r", child.name, error)
                continue
            if await self._becomes_ready(supervised, child):
                supervised.ready.set()

    def _launch(self, supervised: _Supervised, child: Child) -> None:
        path = self._logs / f"{child.name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as output:
            supervised.process = child.launch(output)
        self._write_pids()

    async def _becomes_ready(self, supervised: _Supervised, child: Child) -> bool:
        """True if a launched child does its work in time; one that takes too long is killed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_DEADLINE_S):
                while supervised.alive or child.may_have_ended(supervised.process):
                    if await _is_ready(child):
                        return True
                    await asyncio.sleep(READY_POLL_S)
                return False
        await self._kill(supervised)
        return False

    async def _reap_orphans(self) -> None:
        dead: set[int] = set()
        while True:
            dead = reap_orphans(self.pids().values(), dead)
            await asyncio.sleep(REAP_EVERY_S)

    # -- Stopping

    async def _stop_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(self._stop(supervised) for supervised in self._supervised.values()))
        self._write_pids()

    async def _stop(self, supervised: _Supervised) -> None:
        """Stop one node once everything that needs it has stopped."""
        for dependent in self._dependents[supervised.spec.name]:
            await self._supervised[dependent].stopped.wait()
        if (
            isinstance(supervised.spec, Child)
            and supervised.process is not None
            and supervised.alive
        ):
            deadline_s = supervised.spec.stop_deadline_s
            supervised.process.send_signal(supervised.spec.stop_signal)
            try:
                await asyncio.wait_for(_ended(supervised.process), deadline_s)
            except TimeoutError:
                log.warning("%s did not stop in %.0f s; killed", supervised.spec.name, deadline_s)
                await self._kill(supervised)
        supervised.stopped.set()

    async def _kill(self, supervised: _Supervised) -> None:
        if (process := supervised.process) is not None:
            await asyncio.to_thread(kill_tree, process.pid)
            await _ended(process)  # and not the one that may be launched in its place meanwhile

    # -- What is left on disk

    def _write_pids(self) -> None:
        path = self._run / "pids.json"
        path.with_suffix(".new").write_text(json.dumps(self.pids(), indent=2))
        path.with_suffix(".new").replace(path)

    def _end_of_log(self, child: Child) -> str:
        path = self._logs / f"{child.name}.log"
        end = path.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()
        return f"the end of {path}:\n{end}"


async def foreground(
    platform: AbstractAsyncContextManager[T], announce: Callable[[T], Awaitable[object]]
) -> None:
    """Keep a platform until SIGINT or SIGTERM, then stop it in order.

    `announce` is told when it is ready. A second signal gives up the order: everything is killed.
    """

    async def keep() -> None:
        async with platform as ready:
            await announce(ready)
            await asyncio.Event().wait()

    keeping = asyncio.create_task(keep())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, keeping.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await keeping


def _dependents(specs: Sequence[ProcessSpec]) -> dict[str, list[str]]:
    """By name, which others need it; refuses names that are unknown, and circles."""
    order = TopologicalSorter({spec.name: spec.needs for spec in specs})
    names = {spec.name for spec in specs}
    if unknown := set(order.static_order()) - names:
        raise SupervisorFailed(f"needed, but not there: {', '.join(sorted(unknown))}")
    return {name: [spec.name for spec in specs if name in spec.needs] for name in names}


async def _ended(process: Process | None) -> None:
    while process is not None and process.poll() is None:  # noqa: ASYNC110 - it is no event
        await asyncio.sleep(ENDED_POLL_S)


async def _is_ready(child: Child) -> bool:
    try:
        return await child.ready()
    except Exception as error:  # noqa: BLE001 - what cannot be asked yet is not ready yet
        log.debug("%s cannot be asked: %r", child.name, error)
        return False


def _end(supervised: _Supervised) -> str:
    code = supervised.process.returncode if supervised.process is not None else None
    return f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
