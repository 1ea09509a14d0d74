"""Finds ports on the loopback interface for processes that will listen there for long."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import tempfile
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
# Below the range from which Linux takes the ports of outgoing connections: such a connection
# could take the port of a service between its death and its next start.
PORTS: Final = range(20_000, 32_000)


def free_ports(count: int, among: range = PORTS) -> list[int]:
    """Ports that nobody listens on now and nobody else is given while this process lives.

    Whoever asks starts its listeners seconds later; another platform that starts meanwhile could
    be given the same port.
    """
    chosen: list[int] = []
    claims = Path(tempfile.gettempdir(), f"pkh-ports-{os.getuid()}")
    claims.mkdir(mode=0o700, exist_ok=True)
    for port in random.SystemRandom().sample(among, len(among)):
        if len(chosen) == count:
            break
        if _is_free(port) and _claim(claims / str(port)):
            chosen.append(port)
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket() as listener, contextlib.suppress(OSError):
        listener.bind((HOST, port))
        return True
    return False


def _claim(path: Path) -> bool:
    """Lock a file until this process ends; False where another has it."""
    claim = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        flock(claim, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        os.close(claim)
        return False
    return True
