"""The decider: a stream's rules as two pure functions, from a state and a command to events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Decider(Generic[C, S, E]):
    """A stream's first state, its decisions and its fold, which are its whole behaviour.

    `decide` answers the events that a command causes in a state: none when there is nothing to
    do, so that a retry is harmless; it raises a `DomainError` when a rule refuses. `evolve` folds
    one event into the state. Neither does I/O nor reads a clock, a random source or a policy
    that the command or the event does not carry.
    """

    initial: S
    decide: Callable[[C, S], Sequence[E]]
    evolve: Callable[[S, E], S]

    def fold(self, events: Sequence[E], state: S | None = None) -> S:
        """The state after `events`, from `state` or from the beginning."""
        current = self.initial if state is None else state
        for event in events:
            current = self.evolve(current, event)
        return current
