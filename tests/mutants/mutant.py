"""A mutant is a safety rule, the smallest change that breaks it, and who must see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Text of one file that stands there exactly once, and what takes its place."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken rule: `red` is the test that must fail.

    `green` is one that must still pass: it shows that the mutant lives, and is wrong only where
    the rule matters.
    """

    name: str
    broken: str
    changes: tuple[Change, ...]
    red: str
    green: str
