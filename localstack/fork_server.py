"""Fork server: a process that has loaded what all Python programs of a platform load.

`python -m localstack.fork_server FD` loads the libraries once, then forks a child for every order
that comes through the socket FD. The child goes on as `python -m MODULE ARGS` would, in about a
third of the time and with most of its memory shared. It ends when the socket does, and its
children with it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from typing import Final

from localstack.processes import dies_with_parent

WARM: Final = ("libs.chassis.description", "libs.chassis.relay", "httpx")
"""The modules that every service loads; a service's own modules stay its own."""

MESSAGE_BYTES_MAX: Final = 128 * 1024
ORPHANED: Final = 1  # the exit code of a child whose fork server died while it was being forked


@dataclass(frozen=True, slots=True)
class Order:
    """A program to run: a module, its arguments, its whole environment, where it works."""

    module: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    directory: str

    def encoded(self) -> bytes:
        """As it goes through the socket, in one piece."""
        return json.dumps(asdict(self)).encode()


def serve(line: socket.socket) -> Order:
    """Fork a child for each order; returns in the children, each with its own."""
    news = _news_of_children()
    line.send(json.dumps({"warm": True}).encode())
    while True:
        ready, _, _ = select.select([line, news], [], [])
        if news in ready:
            news.recv(MESSAGE_BYTES_MAX)
            _tell_ends(line)
        if line not in ready:
            continue
        content, files, _, _ = socket.recv_fds(line, MESSAGE_BYTES_MAX, 1)
        if not content:
            sys.exit()
        parent, child = os.getpid(), os.fork()
        if not child:
            line.close()
            news.close()
            return _become(Order(**json.loads(content)), files[0], parent)
        os.close(files[0])
        line.send(json.dumps({"begun": child}).encode())


def _news_of_children() -> socket.socket:
    """A socket that has something to read whenever a child has ended."""
    news, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.detach(), warn_on_full_buffer=False)
    # Only a handled signal is told; what it does is done in the loop.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return news


def _tell_ends(line: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        code = os.waitstatus_to_exitcode(status)
        line.send(json.dumps({"ended": pid, "code": code}).encode())


def _become(order: Order, output: int, parent: int) -> Order:
    """Turn a fresh fork into what the order says, as if it had been started on its own."""
    os.close(signal.set_wakeup_fd(-1))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    dies_with_parent(signal.SIGKILL)()
    if os.getppid() != parent:
        os._exit(ORPHANED)
    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    os.environ.clear()
    os.environ.update(order.environment)
    os.chdir(order.directory)
    sys.argv = [order.module, *order.arguments]
    return order


def main() -> None:
    """Load, then fork until the socket closes; in a child, run what was ordered."""
    line = socket.socket(fileno=int(sys.argv[1]))
    for module in WARM:
        importlib.import_module(module)
    if threading.active_count() > 1:
        raise RuntimeError("a library has begun a thread, which no fork would have")
    gc.collect()
    gc.freeze()  # what is shared stays shared: the collector does not write to it
    order = serve(line)
    runpy.run_module(order.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
