"""Rule sets that cut the benefit of a failed cycle instead of holding it; and the year between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.conditionality.domain.commitment import (
    ApproveCorrection,
    Cause,
    Cleared,
    CorrectionProposed,
    CycleEvaluated,
    Event,
    Found,
    InvestigationOpened,
    InvestigationWithdrawn,
    Released,
    Suspended,
    Terminated,
    commitment,
)
from services.conditionality.domain.duties import Cut
from services.conditionality.domain.evaluation.messages import Terms
from tests.unit.conditionality.kit import (
    CUTS,
    FAMILY,
    POLICY,
    Came,
    cycle,
    decided,
    effects,
    ended,
    released,
)


def in_2024(*came: Came) -> tuple[Event, ...]:
    """A family whose last cycles of 2024 came like this; its failures are held."""
    first = 5 - len(came)
    return decided(*(cycle(f"2024-{n}", how) for n, how in enumerate(came, first)))


def in_2025(*came: Came, after: tuple[Event, ...] = ()) -> tuple[Event, ...]:
    """The events that the cycles 2025-1, 2025-2 ... leave behind that came like this."""
    commands = (cycle(f"2025-{n}", how, policy=CUTS) for n, how in enumerate(came, 1))
    return decided(*commands, after=after)


def evaluations(events: tuple[Event, ...]) -> list[tuple[str, int, int]]:
    """(tahap, counter, percent cut) of each evaluation."""
    return [
        (event.tahap, event.counter, event.cut_percent)
        for event in events
        if isinstance(event, CycleEvaluated)
    ]


def test_a_failed_cycle_orders_a_cut_and_holds_nothing() -> None:
    then = given(commitment).when(cycle("2025-1", "fails", policy=CUTS))

    assert evaluations(tuple(then.events)) == [("2025-1", 1, 10)]
    assert effects(then.events) == []
    assert then.state.held == ()


@pytest.mark.parametrize("came", ["complies", "is unverified"])
def test_a_cycle_that_did_not_fail_cuts_nothing(came: Came) -> None:
    assert [percent for _, _, percent in evaluations(in_2025(came))] == [0]


def test_a_failure_of_a_rule_set_that_holds_cuts_nothing() -> None:
    assert [percent for _, _, percent in evaluations(in_2024("fails"))] == [0]


def test_a_compliant_cycle_after_cuts_gives_nothing_back_and_clears_the_counter() -> None:
    events = in_2025("fails", "complies", "fails")

    assert evaluations(events) == [("2025-1", 1, 10), ("2025-2", 0, 0), ("2025-3", 1, 10)]
    assert effects(events) == []


def test_the_third_failure_in_a_row_opens_an_investigation_and_is_cut_too() -> None:
    events = in_2025("fails", "is unverified", "fails", "fails")

    assert evaluations(events)[-1] == ("2025-4", 3, 10)
    [opened] = effects(events)
    assert isinstance(opened, InvestigationOpened)
    assert (opened.tahap, opened.counter) == ("2025-4", 3)


@pytest.mark.parametrize(("found", "kind"), [("CONFIRMED", Terminated), ("NOT_CONFIRMED", Cleared)])
def test_an_investigation_of_cuts_ends_and_moves_no_money(
    found: Found, kind: type[Terminated | Cleared]
) -> None:
    after = ended(found, in_2025("fails", "fails", "fails"), "2025-3")

    last = after[-1]
    assert isinstance(last, kind)
    assert last.tahaps == ()


def test_a_cleared_family_counts_its_failures_anew() -> None:
    cleared = ended("NOT_CONFIRMED", in_2025("fails", "fails", "fails"), "2025-3")

    [evaluated] = decided(cycle("2025-4", "fails", policy=CUTS), after=cleared)

    assert isinstance(evaluated, CycleEvaluated)
    assert (evaluated.counter, evaluated.cut_percent) == (1, 10)


# -- Corrections ----------------------------------------------------------------------------------


def test_a_cycle_corrected_before_the_freeze_is_cut_no_more() -> None:
    failed = in_2025("fails")

    then = decided(cycle("2025-1", "complies", policy=CUTS), after=failed)

    assert [(e.revision, e.cut_percent) for e in then if isinstance(e, CycleEvaluated)] == [(2, 0)]
    assert effects(then) == []


def test_a_correction_after_the_freeze_says_what_it_would_change_of_the_cut() -> None:
    cause = Cause(fact=5_200, recorded_by=("school-1",))
    late = cycle("2025-1", "complies", policy=CUTS, frozen=True, cause=cause)

    [proposed] = decided(late, after=in_2025("fails"))

    assert isinstance(proposed, CorrectionProposed)
    assert (proposed.result, proposed.cut_percent_before, proposed.cut_percent) == (
        "COMPLIANT",
        10,
        0,
    )


@pytest.mark.parametrize(
    ("before", "late", "percent"), [("fails", "complies", 0), ("complies", "fails", 10)]
)
def test_an_approved_correction_changes_what_the_cycle_cuts_and_moves_nothing(
    before: Came, late: Came, percent: int
) -> None:
    cause = Cause(fact=5_200, recorded_by=("school-1",))
    proposed = decided(
        cycle("2025-1", late, policy=CUTS, frozen=True, cause=cause), after=in_2025(before)
    )
    past = (*in_2025(before), *proposed)

    _, evaluated = decided(ApproveCorrection(FAMILY, 1, "supervisor-1", CUTS), after=past)

    assert isinstance(evaluated, CycleEvaluated)
    assert (evaluated.revision, evaluated.cut_percent) == (2, percent)


def test_a_correction_that_breaks_the_row_withdraws_the_investigation() -> None:
    past = in_2025("fails", "fails", "fails")

    events = decided(cycle("2025-2", "complies", policy=CUTS), after=past)

    assert [type(event) for event in effects(events)] == [InvestigationWithdrawn]


# -- From a year that holds to a year that cuts ----------------------------------------------------


def test_a_compliant_cycle_of_2025_releases_what_2024_holds() -> None:
    past = in_2024("fails")

    events = in_2025("complies", after=past)

    assert effects(events) == [released("2024-4", cycle="2025-1")]


def test_a_failed_cycle_of_2025_leaves_held_what_2024_holds() -> None:
    past = in_2024("fails")

    events = in_2025("fails", after=past)

    assert effects(events) == []
    assert commitment.fold((*past, *events)).held == ("2024-4",)


def test_the_counter_goes_on_from_2024_to_2025() -> None:
    past = in_2024("fails", "fails")

    events = in_2025("fails", after=past)

    assert evaluations(events) == [("2025-1", 3, 10)]
    assert [type(event) for event in effects(events)] == [InvestigationOpened]


def test_an_investigation_that_confirms_in_2025_forfeits_what_2024_holds() -> None:
    past = in_2024("fails", "fails")
    opened = (*past, *in_2025("fails", after=past))

    after = ended("CONFIRMED", opened, "2025-1")

    last = after[-1]
    assert isinstance(last, Terminated)
    assert last.tahaps == ("2024-3", "2024-4")


def test_a_late_failure_of_2024_is_held_until_2025_complies() -> None:
    past = (*in_2024("complies"), *in_2025("fails", after=in_2024("complies")))

    late = decided(cycle("2024-4", "fails"), after=past)
    [suspended] = effects(late)

    assert isinstance(suspended, Suspended)
    assert suspended.tahap == "2024-4"
    [evaluated, back] = decided(cycle("2025-2", "complies", policy=CUTS), after=(*past, *late))
    assert isinstance(evaluated, CycleEvaluated)
    assert isinstance(back, Released)
    assert back.tahaps == ("2024-4",)


# -- What is told of it ---------------------------------------------------------------------------


def test_the_terms_of_a_tahap_say_the_cut_and_the_number_of_failures() -> None:
    terms = Terms.of(CUTS)

    assert (terms.cut_percent, terms.failures_to_investigation) == (10, 3)
    assert Terms.of(POLICY).cut_percent is None


def test_a_policy_of_another_share_cuts_by_it() -> None:
    fifth = replace(CUTS, sanction=Cut(20, "CYCLE", failures_to_investigation=3))

    [evaluated] = decided(cycle("2025-1", "fails", policy=fifth))

    assert isinstance(evaluated, CycleEvaluated)
    assert evaluated.cut_percent == 20
