"""`pkh` for a document's commands, forked from a process that has loaded it: a command in a tenth
of the processor time that an interpreter takes to start. What it does and prints is the same."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from typer.main import get_command

from cli.main import app
from localstack.processes import wait_until

ORDER_BYTES_MAX: Final = 128 * 1024
START_S_MAX: Final = 60
STANDARD: Final = (0, 1, 2)
PKH: Final = get_command(app)
# Of the standard library alone, and little of it.
CLIENT: Final = """
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
order = json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(line, [order], [0, 1, 2])
line.shutdown(socket.SHUT_WR)
sys.exit(int(line.recv(8) or b"1"))
"""


@contextmanager
def warm_pkh(directory: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The line that gives a shell such a `pkh`; `environment` is the shell's own."""
    at = directory / "pkh.socket"
    command = [sys.executable, "-m", "tests.guides.warm_pkh", str(at)]
    pipe = subprocess.PIPE  # as in the shell, what is printed goes to no terminal
    server = subprocess.Popen(command, env={**os.environ, **environment}, stdout=pipe)
    try:
        assert wait_until(lambda: at.exists() or server.poll() is not None, START_S_MAX)
        client = shlex.join([sys.executable, "-I", "-S", "-c", CLIENT, str(at)])
        yield f'pkh() {{ {client} "$@"; }}'
    finally:
        server.kill()
        server.communicate()


def _serve(at: str) -> None:
    """Fork for each order; returns in the children."""
    listening = socket.socket(socket.AF_UNIX)
    # Bound under another name: who finds it can connect.
    listening.bind(f"{at}.new")
    listening.listen()
    os.rename(f"{at}.new", at)
    loaded = Path(f"{at}.loaded")
    while True:
        line, _ = listening.accept()
        _load(loaded)
        with contextlib.suppress(ChildProcessError):  # who has told its code may still be there
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        if not os.fork():
            listening.close()
            _become(line, loaded)
        line.close()


def _load(loaded: Path) -> None:
    """Load what a child had to load, for those that come: it takes longer than most commands."""
    if loaded.exists():
        for name in loaded.read_text().split():
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        loaded.unlink()


def _become(line: socket.socket, loaded: Path) -> None:
    """Do what was ordered, as if started on its own, and tell the exit code."""
    before = {*sys.modules}
    content, files, _, _ = socket.recv_fds(line, ORDER_BYTES_MAX, len(STANDARD))
    arguments, directory, variables = json.loads(content)
    for number, file in zip(STANDARD, files, strict=True):
        os.dup2(file, number)
        os.close(file)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["pkh", *arguments]
    code = 1
    try:
        PKH()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        loaded.write_text("\n".join(sys.modules.keys() - before))
        line.send(str(code).encode())
        os._exit(code)


def main() -> None:
    """Load, then fork until killed."""
    assert threading.active_count() == 1, "a fork would lack a thread"
    gc.collect()
    gc.freeze()
    _serve(sys.argv[1])


if __name__ == "__main__":
    main()
