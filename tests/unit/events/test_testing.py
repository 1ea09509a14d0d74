"""The test kit must fail when the sentence is not true."""

from dataclasses import dataclass

import pytest

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError
from libs.events.domain.testing import given


@dataclass(frozen=True)
class Counted:
    up_to: int


class TooHigh(DomainError):
    """Nobody counts beyond three."""


class Unrelated(DomainError):
    """Another rule."""


def _decide(command: int, state: int) -> list[Counted]:
    if command > 3:
        raise TooHigh(asked=command)
    return [Counted(command)] if command > state else []


def _evolve(state: int, event: Counted) -> int:
    if event.up_to < 0:
        raise LookupError("nobody folds this")
    return event.up_to


counter: Decider[int, int, Counted] = Decider(0, _decide, _evolve)
careless: Decider[int, int, Counted] = Decider(0, lambda _, __: [Counted(-1)], _evolve)


def test_true_sentences_pass() -> None:
    given(counter).when(2).then(Counted(2))
    given(counter, Counted(1), Counted(2)).when(2).then_nothing()
    given(counter).when(4).then_refused(TooHigh)


def test_the_state_after_is_there_to_look_at() -> None:
    assert given(counter, Counted(1)).when(3).state == 3


def test_other_events_than_said_fail() -> None:
    with pytest.raises(AssertionError, match="answered"):
        given(counter).when(2).then(Counted(1))
    with pytest.raises(AssertionError, match="answered"):
        given(counter).when(2).then_nothing()
    with pytest.raises(AssertionError, match="answered"):
        given(counter).when(2).then(Counted(2), Counted(2))


def test_a_refusal_where_none_was_said_fails() -> None:
    with pytest.raises(AssertionError, match="refused: Nobody counts beyond three"):
        given(counter).when(4).then_nothing()


def test_no_refusal_or_another_one_fails() -> None:
    with pytest.raises(AssertionError, match="answered"):
        given(counter).when(2).then_refused(TooHigh)
    with pytest.raises(AssertionError, match="TooHigh"):
        given(counter).when(4).then_refused(Unrelated)
    with pytest.raises(AssertionError, match="TooHigh"):
        given(counter).when(4).then_refused(DomainError)


def test_an_event_that_nobody_folds_shows() -> None:
    with pytest.raises(LookupError, match="nobody folds this"):
        given(careless).when(1)
