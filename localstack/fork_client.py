"""Client of the fork server: programs are forked from a process that has loaded their libraries."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from libs.chassis.catalogue import ROOT
from localstack.fork_server import MESSAGE_BYTES_MAX, Order
from localstack.process_specs import Child, command
from localstack.processes import dies_with_parent

FORK_SERVER: Final = "fork-server"
"""The step that everything needs that is forked."""

ANSWER_S_MAX: Final = 20.0  # loading takes a second; on a machine that is busy, several


class ForkServerFailed(Exception):
    """The fork server does not answer."""


class Forked:
    """A process that a fork server forked, with what one asks of a `subprocess.Popen`."""

    def __init__(self, pid: int, fork_server: ForkServer) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = fork_server

    def poll(self) -> int | None:
        """Its exit code (minus the signal that ended it); None while it runs."""
        if self.returncode is None:
            self._server.hear_what_came()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class ForkServer:
    """Runs programs by forking a process that has loaded their libraries.

    Start it in the thread that lives longest: Linux ends the fork server, and all that it forked,
    together with the thread that started it. One that died is started again by the next launch.
    """

    def __init__(self, environment: Mapping[str, str], directory: Path, log: Path) -> None:
        self.directory = directory
        self._environment, self._log = dict(environment), log
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._children: dict[int, Forked] = {}

    def start(self) -> None:
        """Begin to load, without waiting for it."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its, self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "localstack.fork_server", str(its.fileno())],
                env=self._environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[its.fileno()],
                preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one prctl
            )
        self._line = ours

    @property
    def pid(self) -> int:
        """The fork server's own process id; 0 before it was started."""
        return 0 if self._process is None else self._process.pid

    def warmed(self) -> None:
        """Return once it has loaded; whoever launches earlier waits in the launch."""
        self._hear(ANSWER_S_MAX)

    def launch(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        output: IO[bytes],
    ) -> Forked:
        """Run a module as `python -m` would, with exactly this environment.

        Raises `ForkServerFailed`; the next launch begins with another fork server.
        """
        if self._line is None:
            self.start()
        order = Order(module, tuple(arguments), dict(environment), str(self.directory))
        self._send(order, output)
        while "begun" not in (heard := self._hear(ANSWER_S_MAX)):
            pass
        return self._children.setdefault(heard["begun"], Forked(heard["begun"], self))

    def hear_what_came(self) -> None:
        """Note what the fork server has told of its children since."""
        with contextlib.suppress(BlockingIOError, ForkServerFailed):
            while True:
                self._hear(within_s=0)

    def close(self) -> None:
        """End the fork server; what it forked has ended before, or ends with it."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        for child in self._children.values():
            child.returncode = -signal.SIGKILL
        self._children.clear()

    # -- The line

    def _send(self, order: Order, output: IO[bytes]) -> None:
        try:
            socket.send_fds(self._open_line(), [order.encoded()], [output.fileno()])
        except OSError as error:
            raise self._died() from error

    def _hear(self, within_s: float) -> dict[str, int]:
        """The next message. Raises BlockingIOError if none came, ForkServerFailed if none can."""
        line = self._open_line()
        line.settimeout(within_s)
        try:
            content = line.recv(MESSAGE_BYTES_MAX)
        except BlockingIOError:
            raise
        except OSError as error:
            raise self._died() from error
        if not content:
            raise self._died()
        message: dict[str, int] = json.loads(content)
        if ended := self._children.pop(message.get("ended", 0), None):
            ended.returncode = message["code"]
        return message

    def _open_line(self) -> socket.socket:
        if self._line is None:
            raise ForkServerFailed("the fork server does not run")
        return self._line

    def _died(self) -> ForkServerFailed:
        """Whatever is wrong with it: one that cannot be asked is of no use, so it is ended."""
        self.close()
        return ForkServerFailed(f"the fork server does not answer; see {self._log}")


@contextlib.contextmanager
def fork_server_in(
    environment: Mapping[str, str], directory: Path, logs: Path
) -> Iterator[ForkServer | None]:
    """A fork server that loads already, None where a fork may not be all of a process (macOS)."""
    if sys.platform != "linux":
        yield None
        return
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    fork_server = ForkServer(environment, directory, logs / "fork-server.log")
    fork_server.start()
    try:
        yield fork_server
    finally:
        fork_server.close()


def program(
    name: str,
    argv: Sequence[str],
    fork_server: ForkServer | None,
    *,
    ready: Callable[[], Awaitable[bool]],
    environment: Mapping[str, str],
    needs: Sequence[str] = (),
) -> Child:
    """A child that runs `argv` in our root; `python -m` is forked if a fork server is there."""
    python, module = [sys.executable, "-m"], argv[2:3]
    if fork_server is None or list(argv[:2]) != python or not module:
        return command(name, argv, ready=ready, environment=environment, needs=needs, cwd=ROOT)

    def launch(output: IO[bytes]) -> Forked:
        return fork_server.launch(module[0], argv[3:], environment, output)

    return Child(name, launch, ready, [*needs, FORK_SERVER])
