"""Rights on a bus: who sends to which topics and reads which, the same on every bus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rights:
    """The topics that a role may send to, and those that it may read as a group.

    A role is one of the database on the embedded bus, a user on Kafka. It is in the group that is
    named here, or in one whose name goes on from it behind a hyphen.
    """

    role: str
    sends: Sequence[str] = ()
    reads: Sequence[str] = ()
    group: str = ""
