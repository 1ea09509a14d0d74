"""Modules of the family sessions: which hold on a day, and which session of one is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from libs.events.domain.errors import DomainError


class ModuleUnknown(DomainError):
    """No module of this code has such a session on that day."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module as it holds on some days; `sessions` are the titles of its sessions, in order.

    `rank` is its place in a list of modules, `material` a reference by session, "" for none.
    """

    code: str
    title: str
    rank: int
    sessions: tuple[str, ...]
    material: tuple[str, ...]
    valid_from: date
    valid_to: date | None

    def holds(self, on: date) -> bool:
        """True on its days, both the first and the last included."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One session of a module: its number, and of how many; `rank` is the module's."""

    module: str
    number: int
    sessions: int
    rank: int


def lesson(modules: Sequence[Module], code: str, number: int, on: date) -> Lesson:
    """The session of a module as it holds on a day. Raises `ModuleUnknown`."""
    for module in modules:
        if module.code == code and module.holds(on) and 1 <= number <= len(module.sessions):
            return Lesson(code, number, len(module.sessions), module.rank)
    raise ModuleUnknown(session=number, on=on)
