"""Finds ports on the loopback interface for processes that will listen there for long."""

from __future__ import annotations

import contextlib
import random
import socket
from typing import Final

HOST: Final = "127.0.0.1"
# Below the range from which Linux takes the ports of outgoing connections: such a connection
# could take the port of a service between its death and its next start.
FIRST, LAST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; held together while they are chosen, so all differ."""
    chosen: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.SystemRandom().sample(range(FIRST, LAST), LAST - FIRST):
            if len(chosen) == count:
                break
            listener = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                listener.bind((HOST, port))
                chosen.append(port)
    return chosen
