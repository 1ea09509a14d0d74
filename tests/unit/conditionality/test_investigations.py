from dataclasses import replace
from typing import Literal

import pytest

from libs.events.testing import given
from services.conditionality.domain.commitment import (
    Cleared,
    DecideInvestigation,
    Event,
    InvestigationOpened,
    InvestigationWithdrawn,
    Suspended,
    Terminated,
    commitment,
)
from services.conditionality.domain.commitment.corrections import SamePerson
from services.conditionality.domain.commitment.rules import NotUnderInvestigation
from services.conditionality.domain.commitment.sanctions import effect_id
from tests.unit.conditionality.kit import (
    FAMILY,
    cycle,
    decided,
    effects,
    history,
    released,
    suspended,
)

THREE_FAILURES = history("fails", "fails", "fails")
CONFIRMED = DecideInvestigation(FAMILY, "2023-3", "CONFIRMED", "officer-1", "supervisor-1")
NOT_CONFIRMED = replace(CONFIRMED, outcome="NOT_CONFIRMED")


def test_a_confirmed_investigation_terminates_and_forfeits_all_that_is_held() -> None:
    then = given(commitment, *THREE_FAILURES).when(CONFIRMED)

    then.then(
        Terminated(
            family=FAMILY,
            tahaps=("2023-1", "2023-2", "2023-3"),
            cycle="2023-3",
            revision=1,
            investigation="2023-3",
            maker="officer-1",
            checker="supervisor-1",
            effect=effect_id(FAMILY, "2023-3", 1, "Terminated"),
        )
    )
    assert then.state.terminated
    assert then.state.held == ()


def test_an_investigation_that_does_not_confirm_clears_and_releases_all_that_is_held() -> None:
    then = given(commitment, *THREE_FAILURES).when(NOT_CONFIRMED)

    then.then(
        Cleared(
            family=FAMILY,
            tahaps=("2023-1", "2023-2", "2023-3"),
            cycle="2023-3",
            revision=1,
            investigation="2023-3",
            maker="officer-1",
            checker="supervisor-1",
            effect=effect_id(FAMILY, "2023-3", 1, "Cleared"),
        )
    )
    assert not then.state.terminated
    assert not then.state.under_investigation
    assert then.state.held == ()


def test_a_cleared_family_starts_anew() -> None:
    cleared = (*THREE_FAILURES, *decided(NOT_CONFIRMED, after=THREE_FAILURES))

    then = given(commitment, *cleared).when(cycle("2023-4", "fails"))

    assert effects(then.events) == [suspended("2023-4", counter=1)]
    assert then.state.held == ("2023-4",)


def test_a_cleared_family_that_fails_three_times_more_is_investigated_again() -> None:
    cleared = (*THREE_FAILURES, *decided(NOT_CONFIRMED, after=THREE_FAILURES))

    events = decided(
        *(cycle(tahap, "fails") for tahap in ("2023-4", "2024-1", "2024-2")), after=cleared
    )

    assert [event.tahap for event in events if isinstance(event, InvestigationOpened)] == ["2024-2"]


def test_a_late_decision_takes_all_that_was_held_meanwhile() -> None:
    failed_on = history("fails", "fails", "fails", "fails")

    [terminated] = given(commitment, *failed_on).when(CONFIRMED).events
    [cleared] = given(commitment, *failed_on).when(NOT_CONFIRMED).events

    for event in (terminated, cleared):
        assert isinstance(event, Terminated | Cleared)
        assert event.tahaps == ("2023-1", "2023-2", "2023-3", "2023-4")
        assert (event.cycle, event.investigation) == ("2023-4", "2023-3")


def test_a_late_clearing_starts_the_counter_anew_from_the_latest_cycle() -> None:
    failed_on = history("fails", "fails", "fails", "fails")
    cleared = (*failed_on, *decided(NOT_CONFIRMED, after=failed_on))

    then = given(commitment, *cleared).when(cycle("2024-1", "fails"))

    assert effects(then.events) == [suspended("2024-1", counter=1)]


def test_a_family_that_complied_meanwhile_can_still_be_terminated_but_forfeits_nothing() -> None:
    complied = history("fails", "fails", "fails", "complies")

    [event] = given(commitment, *complied).when(CONFIRMED).events

    assert isinstance(event, Terminated)
    assert event.tahaps == ()


def test_who_found_may_not_decide() -> None:
    given(commitment, *THREE_FAILURES).when(
        replace(CONFIRMED, checker=CONFIRMED.maker)
    ).then_refused(SamePerson)


def test_there_is_nothing_to_decide_before_the_third_failure() -> None:
    given(commitment, *history("fails", "fails")).when(CONFIRMED).then_refused(
        NotUnderInvestigation
    )


def test_a_decision_names_the_investigation_it_decides() -> None:
    given(commitment, *THREE_FAILURES).when(replace(CONFIRMED, tahap="2023-2")).then_refused(
        NotUnderInvestigation
    )


@pytest.mark.parametrize("outcome", ["CONFIRMED", "NOT_CONFIRMED"])
def test_the_same_decision_again_changes_nothing(
    outcome: Literal["CONFIRMED", "NOT_CONFIRMED"],
) -> None:
    decision = replace(CONFIRMED, outcome=outcome)
    ended = (*THREE_FAILURES, *decided(decision, after=THREE_FAILURES))

    given(commitment, *ended).when(decision).then_nothing()


def test_a_decision_is_not_reversed_by_another(terminated: tuple[Event, ...]) -> None:
    cleared = (*THREE_FAILURES, *decided(NOT_CONFIRMED, after=THREE_FAILURES))

    given(commitment, *terminated).when(NOT_CONFIRMED).then_refused(NotUnderInvestigation)
    given(commitment, *cleared).when(CONFIRMED).then_refused(NotUnderInvestigation)


# -- When a correction moves the ground -----------------------------------------------------------


def test_an_investigation_whose_ground_a_correction_took_away_is_withdrawn() -> None:
    then = given(commitment, *THREE_FAILURES).when(cycle("2023-2", "complies"))

    assert effects(then.events) == [
        released("2023-1", "2023-2", cycle="2023-2", revision=2),
        InvestigationWithdrawn(
            family=FAMILY,
            tahap="2023-3",
            cycle="2023-2",
            revision=2,
            effect=effect_id(FAMILY, "2023-2", 2, "InvestigationWithdrawn"),
        ),
    ]
    assert not then.state.under_investigation


def test_a_withdrawn_investigation_can_not_be_decided() -> None:
    withdrawn = (*THREE_FAILURES, *decided(cycle("2023-3", "complies"), after=THREE_FAILURES))

    given(commitment, *withdrawn).when(CONFIRMED).then_refused(NotUnderInvestigation)


def test_an_investigation_stays_open_while_three_failures_in_a_row_remain() -> None:
    failed_on = history("fails", "fails", "fails", "fails")

    then = given(commitment, *failed_on).when(cycle("2023-1", "is unverified"))

    assert effects(then.events) == [released("2023-1", cycle="2023-1", revision=2)]
    assert then.state.under_investigation


def test_a_withdrawn_investigation_opens_again_when_the_failure_comes_back() -> None:
    withdrawn = (*THREE_FAILURES, *decided(cycle("2023-3", "complies"), after=THREE_FAILURES))

    then = given(commitment, *withdrawn).when(cycle("2023-3", "fails"))

    assert [type(effect) for effect in effects(then.events)] == [Suspended, InvestigationOpened]
    assert then.state.under_investigation


def test_what_was_cleared_is_not_investigated_again_for_a_correction() -> None:
    cleared = (*THREE_FAILURES, *decided(NOT_CONFIRMED, after=THREE_FAILURES))

    events = decided(cycle("2023-3", "complies"), cycle("2023-3", "fails"), after=cleared)

    assert effects(events) == []
