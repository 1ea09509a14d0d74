"""A port that was given to one platform is given to no other one before it listens there."""

from __future__ import annotations

import socket
import subprocess
import sys

from localstack.ports import HOST, free_ports

GIVEN_TWICE, LISTENED_ON = range(31_900, 31_910), range(31_910, 31_920)


def elsewhere(among: range) -> set[int]:
    """All that another process is given."""
    program = f"from localstack.ports import free_ports; print(*free_ports({len(among)}, {among}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {int(port) for port in done.stdout.split()}


def test_a_port_is_given_once_while_its_process_lives() -> None:
    before = elsewhere(GIVEN_TWICE)
    here = free_ports(4, GIVEN_TWICE)
    again = free_ports(2, GIVEN_TWICE)

    assert len({*here, *again}) == 6
    assert elsewhere(GIVEN_TWICE) == before - {*here, *again}
    assert {*here, *again} <= before  # a process that has ended holds none


def test_a_port_that_somebody_listens_on_is_not_given() -> None:
    with socket.socket() as listener:
        listener.bind((HOST, LISTENED_ON[0]))
        listener.listen()
        assert LISTENED_ON[0] not in free_ports(len(LISTENED_ON), LISTENED_ON)
