from __future__ import annotations

import pytest

from services.conditionality.domain.commitment import (
    Cause,
    Cleared,
    CorrectionWithdrawn,
    CycleEvaluated,
    CycleWithdrawn,
    InvestigationWithdrawn,
    Suspended,
    WithdrawCycle,
    commitment,
)
from services.conditionality.domain.commitment.rules import FamilyTerminated
from services.conditionality.domain.commitment.sanctions import effect_id
from tests.unit.conditionality.kit import (
    FAMILY,
    POLICY,
    Came,
    approved,
    cycle,
    decided,
    effects,
    ended,
    found,
    history,
    suspended,
)


def withdraw(tahap: str, roster_revision: int = 1) -> WithdrawCycle:
    """The tahap of this cycle was cancelled."""
    return WithdrawCycle(FAMILY, tahap, roster_revision, POLICY)


def withdrawn(tahap: str, revision: int = 2) -> CycleWithdrawn:
    effect = effect_id(FAMILY, tahap, revision, "CycleWithdrawn")
    return CycleWithdrawn(tahap, FAMILY, revision, effect)


def test_a_cancelled_tahaps_cycle_is_withdrawn_once_and_holds_nothing() -> None:
    past = history("fails")
    events = decided(withdraw("2023-1"), after=past)

    assert events == (withdrawn("2023-1"),)
    assert commitment.fold((*past, *events)).held == ()
    assert decided(withdraw("2023-1"), after=(*past, *events)) == ()


def test_a_family_that_was_never_judged_has_nothing_to_withdraw() -> None:
    assert decided(withdraw("2023-1")) == ()
    assert decided(withdraw("2023-2"), after=history("fails")) == ()


@pytest.mark.parametrize(("came", "counter"), [(("fails", "fails"), 2), (("fails", "complies"), 2)])
def test_the_counter_goes_on_as_if_the_cycle_had_never_been(
    came: tuple[Came, Came], counter: int
) -> None:
    past = history(*came)
    again = decided(withdraw("2023-2"), cycle("2023-2", "fails", roster_revision=2), after=past)

    evaluated = next(event for event in again if isinstance(event, CycleEvaluated))
    assert (evaluated.revision, evaluated.counter) == (3, counter)


def test_a_cycle_that_is_judged_anew_holds_anew_under_another_effect() -> None:
    past = history("fails")
    again = decided(withdraw("2023-1"), cycle("2023-1", "fails", roster_revision=2), after=past)

    assert again[-1] == suspended("2023-1", counter=1, revision=3)
    assert isinstance(past[-1], Suspended)
    assert isinstance(again[-1], Suspended)
    assert again[-1].effect != past[-1].effect


def test_a_line_of_the_next_list_that_came_first_is_not_withdrawn() -> None:
    past = (*history("fails"), *decided(cycle("2023-1", "complies", roster_revision=2)))

    assert decided(withdraw("2023-1", roster_revision=1), after=past) == ()


def test_an_investigation_without_ground_is_withdrawn() -> None:
    events = decided(withdraw("2023-3"), after=history("fails", "fails", "fails"))

    assert [type(event) for event in events] == [CycleWithdrawn, InvestigationWithdrawn]


def test_a_waiting_correction_falls_with_its_cycle() -> None:
    late = cycle("2023-1", "complies", frozen=True, cause=Cause(9, ("school-1",)))
    past = (*history("fails"), *decided(late, after=history("fails")))

    events = decided(withdraw("2023-1"), after=past)

    assert events == (withdrawn("2023-1"), CorrectionWithdrawn("2023-1", FAMILY, 1))


def test_what_two_people_decided_of_an_investigation_stays() -> None:
    past = ended("CONFIRMED", history("fails", "fails", "fails"))
    events = decided(withdraw("2023-3"), after=past)

    assert events == (withdrawn("2023-3"),)
    with pytest.raises(FamilyTerminated):
        decided(cycle("2023-3", "complies", roster_revision=2), after=(*past, *events))


def test_a_decision_counts_from_the_latest_cycle_that_stands() -> None:
    past = history("fails", "fails", "fails", "is unverified")
    past = (*past, *decided(withdraw("2023-4"), after=past))

    [_, cleared] = decided(found("NOT_CONFIRMED"), approved(), after=past)

    assert isinstance(cleared, Cleared)
    assert (cleared.cycle, cleared.tahaps) == ("2023-3", ("2023-1", "2023-2", "2023-3"))


def test_money_that_a_withdrawn_cycle_released_stays_released() -> None:
    past = history("fails", "complies")
    state = commitment.fold((*past, *decided(withdraw("2023-2"), after=past)))

    assert effects(decided(withdraw("2023-2"), after=past)) == [withdrawn("2023-2")]
    assert (state.held, state.cycles[0].hold) == ((), "RELEASED")
