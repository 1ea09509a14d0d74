"""Tests of a decider that read as a sentence: given what happened, when asked, then this follows.

given(family, registered).when(register).then_nothing()
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from libs.events.domain.decider import C, Decider, E, S
from libs.events.domain.errors import DomainError


@dataclass(frozen=True, slots=True)
class Given(Generic[C, S, E]):
    """A stream with a past."""

    decider: Decider[C, S, E]
    state: S

    def when(self, command: C) -> Then[S, E]:
        """Ask the decider; what it answers is folded too, so an event that nobody folds shows."""
        try:
            events = tuple(self.decider.decide(command, self.state))
        except DomainError as refusal:
            return Then((), self.state, refusal)
        return Then(events, self.decider.fold(events, self.state), None)


@dataclass(frozen=True, slots=True)
class Then(Generic[S, E]):
    """The outcome of a command: its events and the state after them, or the refusal."""

    answered: tuple[E, ...]
    state: S
    refusal: DomainError | None

    @property
    def events(self) -> tuple[E, ...]:
        """The events, where the command was not refused."""
        _ensure(self.refusal is None, f"refused: {self.refusal}")
        return self.answered

    def then(self, *expected: E) -> Then[S, E]:
        """Exactly these events, in this order."""
        _ensure(self.events == expected, f"answered {self.events}, not {expected}")
        return self

    def then_nothing(self) -> Then[S, E]:
        """No event and no refusal: there was nothing to do."""
        return self.then()

    def then_refused(self, error: type[DomainError]) -> Then[S, E]:
        """Refused by exactly this rule."""
        _ensure(type(self.refusal) is error, f"answered {self.answered}, refused: {self.refusal!r}")
        return self


def given(decider: Decider[C, S, E], *events: E) -> Given[C, S, E]:
    """A stream to which these events have happened."""
    return Given(decider, decider.fold(events))


def _ensure(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
