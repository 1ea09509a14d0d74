"""Figures of charts: how wide each part is. Templates draw them; what is drawn is also said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 1_000
LEAST: Final = 4
"""Units of width, of a thousand: a part that is there is seen, however small its share."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar: its tone (a class of console.css), its name, and what it says."""

    tone: str
    name: str
    says: str
    amount: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A part with its place, in thousandths of the bar."""

    part: Part
    start: int
    width: int


def stacked(parts: Sequence[Part]) -> list[Placed]:
    """The parts one after another, together as wide as the bar; empty ones are left out."""
    there = [part for part in parts if part.amount > 0]
    whole = sum(part.amount for part in there)
    if not whole:
        return []
    room = WIDTH - LEAST * len(there)
    placed, start = [], 0
    for number, part in enumerate(there):
        last = number == len(there) - 1
        width = WIDTH - start if last else LEAST + part.amount * room // whole
        placed.append(Placed(part, start, width))
        start += width
    return placed


def share(part: int, whole: int) -> int:
    """A share in thousandths, at most all of it."""
    return min(WIDTH, part * WIDTH // whole) if whole > 0 else 0
