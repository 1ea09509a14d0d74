"""Misbehaviour of a bank on demand, for tests of how the platform takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

from simulators.journal import Line

CREDITED = "CREDITED"


class Misbehaviour(StrEnum):
    """The kinds of README.md."""

    ACCEPT_DUPLICATES = "accept-duplicates"
    STRAY_LINE = "stray-line"
    CONTRADICT = "contradict"


def with_stray_line(lines: Iterable[Line], file_id: str) -> Iterator[Line]:
    """The lines, and one more for a reference that nobody asked for."""
    yield from lines
    yield Line(str(uuid5(NAMESPACE_URL, f"stray:{file_id}")), 1, CREDITED)


def with_contradiction(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, the first credited one now refused."""
    left = iter(lines)
    for line in left:
        if line.status == CREDITED:
            yield replace(line, status="ACCOUNT_CLOSED")
            break
        yield line
    yield from left
