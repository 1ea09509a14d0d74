import pytest

from libs.events.domain.testing import given
from services.conditionality.domain.access import Access
from services.conditionality.domain.commitment import (
    CycleEvaluated,
    Event,
    InvestigationOpened,
    Suspended,
    commitment,
)
from services.conditionality.domain.commitment.rules import FamilyTerminated
from services.conditionality.domain.commitment.sanctions import SanctionNotSupported, effect_id
from services.conditionality.domain.duties import CommitmentPolicy, Cut, Duty
from tests.unit.conditionality.kit import (
    FAMILY,
    MONTHS,
    POLICY,
    Came,
    cycle,
    decided,
    effects,
    history,
    released,
    suspended,
)

# -- One cycle ------------------------------------------------------------------------------------


def test_a_compliant_cycle_is_evaluated_and_nothing_follows() -> None:
    given(commitment).when(cycle("2023-1", "complies")).then(
        CycleEvaluated(
            tahap="2023-1",
            family=FAMILY,
            revision=1,
            roster_revision=1,
            facts_cut=5124,
            result="COMPLIANT",
            counter=0,
            duties=tuple(Duty(1, "SD", month, "PASSED", None) for month in MONTHS),
            access=(Access("EDUCATION", True),),
        )
    )


def test_a_failed_cycle_suspends_its_own_money() -> None:
    then = given(commitment).when(cycle("2023-1", "fails"))

    assert [type(event) for event in then.events] == [CycleEvaluated, Suspended]
    assert effects(then.events) == [suspended("2023-1", counter=1)]
    assert then.state.held == ("2023-1",)


def test_an_unverified_cycle_changes_nothing() -> None:
    then = given(commitment).when(cycle("2023-1", "is unverified"))

    assert effects(then.events) == []
    assert then.state.held == ()


def test_an_effect_has_the_same_id_however_often_it_is_computed() -> None:
    expected = effect_id(FAMILY, "2023-1", 1, "Suspended")

    for _ in range(2):
        [_, effect] = given(commitment).when(cycle("2023-1", "fails")).events
        assert isinstance(effect, Suspended)
        assert effect.effect == expected
    assert effect_id(FAMILY, "2023-1", 2, "Suspended") != expected


@pytest.mark.parametrize(
    "sanction",
    [Cut(percent=10, per="MONTH", failures_to_investigation=3), Cut(percent=10, per="CYCLE")],
)
def test_a_sanction_that_cannot_be_carried_out_is_refused(sanction: Cut) -> None:
    cuts = CommitmentPolicy("2014", 85, POLICY.duties, sanction)

    given(commitment).when(cycle("2014-1", "fails", policy=cuts)).then_refused(SanctionNotSupported)


# -- In a row -------------------------------------------------------------------------------------


def counters(*came: Came) -> list[int]:
    """The counters of cycles that came like this, one after another."""
    evaluated = (event for event in history(*came) if isinstance(event, CycleEvaluated))
    return [event.counter for event in evaluated]


def test_failures_in_a_row_are_counted() -> None:
    assert counters("fails", "fails") == [1, 2]


def test_a_compliant_cycle_sets_the_counter_to_nought() -> None:
    assert counters("fails", "fails", "complies", "fails") == [1, 2, 0, 1]


def test_an_unverified_cycle_leaves_the_counter_as_it_is() -> None:
    assert counters("fails", "is unverified", "fails") == [1, 1, 2]


def test_the_counter_goes_on_without_a_decision() -> None:
    assert counters("fails", "fails", "fails", "fails", "complies") == [1, 2, 3, 4, 0]


def test_a_compliant_cycle_releases_all_that_is_held() -> None:
    then = given(commitment, *history("fails", "fails")).when(cycle("2023-3", "complies"))

    assert effects(then.events) == [released("2023-1", "2023-2", cycle="2023-3")]
    assert then.state.held == ()


def test_an_unverified_cycle_releases_nothing() -> None:
    then = given(commitment, *history("fails")).when(cycle("2023-2", "is unverified"))

    assert effects(then.events) == []
    assert then.state.held == ("2023-1",)


def test_what_was_released_is_not_released_again() -> None:
    then = given(commitment, *history("fails", "complies")).when(cycle("2023-3", "complies"))

    assert effects(then.events) == []


def test_an_investigation_opens_when_the_counter_becomes_three() -> None:
    then = given(commitment, *history("fails", "fails")).when(cycle("2023-3", "fails"))

    assert effects(then.events) == [
        suspended("2023-3", counter=3),
        InvestigationOpened(
            family=FAMILY,
            tahap="2023-3",
            cycle="2023-3",
            revision=1,
            counter=3,
            effect=effect_id(FAMILY, "2023-3", 1, "InvestigationOpened"),
        ),
    ]
    assert then.state.under_investigation


def test_an_investigation_opens_across_an_unverified_cycle() -> None:
    then = given(commitment, *history("fails", "is unverified", "fails")).when(
        cycle("2023-4", "fails")
    )

    assert [type(effect) for effect in effects(then.events)] == [Suspended, InvestigationOpened]


def test_a_fourth_failure_opens_no_second_investigation() -> None:
    then = given(commitment, *history("fails", "fails", "fails")).when(cycle("2023-4", "fails"))

    assert effects(then.events) == [suspended("2023-4", counter=4)]


def test_compliance_during_an_investigation_releases_but_leaves_the_decision_open() -> None:
    then = given(commitment, *history("fails", "fails", "fails")).when(cycle("2023-4", "complies"))

    assert effects(then.events) == [released("2023-1", "2023-2", "2023-3", cycle="2023-4")]
    assert then.state.under_investigation


def test_three_more_failures_during_an_investigation_open_no_second_one() -> None:
    events = history("fails", "fails", "fails", "complies", "fails", "fails", "fails")

    assert sum(isinstance(event, InvestigationOpened) for event in events) == 1


def test_tahaps_count_in_their_order_not_in_that_of_their_letters() -> None:
    past = decided(cycle("2023-9", "complies"), cycle("2023-10", "fails"))

    then = given(commitment, *past).when(cycle("2023-11", "fails"))

    assert effects(then.events) == [suspended("2023-11", counter=2)]
    assert then.state.held == ("2023-10", "2023-11")


# -- Again ----------------------------------------------------------------------------------------


def test_the_same_line_again_changes_nothing() -> None:
    given(commitment, *history("fails")).when(cycle("2023-1", "fails")).then_nothing()


def test_an_earlier_cycle_again_changes_nothing() -> None:
    given(commitment, *history("fails", "complies")).when(cycle("2023-1", "fails")).then_nothing()


def test_a_line_of_an_older_roster_changes_nothing() -> None:
    newer = decided(cycle("2023-1", "fails", roster_revision=2))

    given(commitment, *newer).when(cycle("2023-1", "complies", roster_revision=1)).then_nothing()


def test_a_newer_roster_is_answered_even_with_the_same_result() -> None:
    then = given(commitment, *history("fails")).when(cycle("2023-1", "fails", roster_revision=2))

    [evaluated] = then.events
    assert isinstance(evaluated, CycleEvaluated)
    assert (evaluated.revision, evaluated.roster_revision, evaluated.counter) == (2, 2, 1)


# -- Corrected before the freeze ------------------------------------------------------------------


def revisions(events: tuple[Event, ...]) -> list[tuple[str, int, str, int]]:
    """(tahap, revision, result, counter) of what was evaluated."""
    return [
        (event.tahap, event.revision, event.result, event.counter)
        for event in events
        if isinstance(event, CycleEvaluated)
    ]


def test_a_failure_corrected_to_compliance_is_released() -> None:
    then = given(commitment, *history("fails")).when(cycle("2023-1", "complies"))

    assert revisions(then.events) == [("2023-1", 2, "COMPLIANT", 0)]
    assert effects(then.events) == [released("2023-1", cycle="2023-1", revision=2)]


def test_a_failure_corrected_to_unverified_is_released_alone() -> None:
    then = given(commitment, *history("fails", "fails")).when(cycle("2023-2", "is unverified"))

    assert revisions(then.events) == [("2023-2", 2, "UNVERIFIED", 1)]
    assert effects(then.events) == [released("2023-2", cycle="2023-2", revision=2)]
    assert then.state.held == ("2023-1",)


def test_a_compliance_corrected_to_failure_is_suspended() -> None:
    then = given(commitment, *history("complies")).when(cycle("2023-1", "fails"))

    assert revisions(then.events) == [("2023-1", 2, "FAILED", 1)]
    assert effects(then.events) == [suspended("2023-1", counter=1, revision=2)]


def test_a_result_that_goes_back_and_forth_has_new_effects_each_time() -> None:
    events = decided(
        cycle("2023-1", "fails"),
        cycle("2023-1", "complies"),
        cycle("2023-1", "fails"),
        cycle("2023-1", "complies"),
    )

    assert effects(events) == [
        suspended("2023-1", counter=1, revision=1),
        released("2023-1", cycle="2023-1", revision=2),
        suspended("2023-1", counter=1, revision=3),
        released("2023-1", cycle="2023-1", revision=4),
    ]


def test_a_correction_of_an_earlier_cycle_counts_again_from_there() -> None:
    then = given(commitment, *history("fails", "fails")).when(cycle("2023-1", "complies"))

    assert revisions(then.events) == [("2023-1", 2, "COMPLIANT", 0)]
    assert then.state.held == ("2023-2",)
    after = given(commitment, *history("fails", "fails"), *then.events)
    assert revisions(after.when(cycle("2023-3", "fails")).events) == [("2023-3", 1, "FAILED", 2)]


def test_compliance_of_an_earlier_cycle_does_not_release_what_failed_later() -> None:
    then = given(commitment, *history("fails", "fails", "fails")).when(cycle("2023-2", "complies"))

    assert effects(then.events)[0] == released("2023-1", "2023-2", cycle="2023-2", revision=2)
    assert then.state.held == ("2023-3",)


def test_money_once_released_stays_released() -> None:
    then = given(commitment, *history("fails", "complies")).when(cycle("2023-2", "fails"))

    assert revisions(then.events) == [("2023-2", 2, "FAILED", 2)]
    assert effects(then.events) == [suspended("2023-2", counter=2, revision=2)]
    assert then.state.held == ("2023-2",)


def test_a_cycle_that_a_later_one_has_made_good_is_not_suspended() -> None:
    then = given(commitment, *history("complies", "complies")).when(cycle("2023-1", "fails"))

    assert revisions(then.events) == [("2023-1", 2, "FAILED", 1)]
    assert effects(then.events) == []


def test_a_correction_can_make_three_failures_in_a_row() -> None:
    then = given(commitment, *history("complies", "fails", "fails")).when(cycle("2023-1", "fails"))

    opened = effects(then.events)[-1]
    assert isinstance(opened, InvestigationOpened)
    assert (opened.tahap, opened.cycle, opened.revision, opened.counter) == (
        "2023-3",
        "2023-1",
        2,
        3,
    )


# -- Terminated -----------------------------------------------------------------------------------


def test_a_terminated_family_has_no_further_cycles(terminated: tuple[Event, ...]) -> None:
    given(commitment, *terminated).when(cycle("2023-4", "complies")).then_refused(FamilyTerminated)


def test_a_line_that_terminated_a_family_is_quiet_when_it_comes_again(
    terminated: tuple[Event, ...],
) -> None:
    given(commitment, *terminated).when(cycle("2023-3", "fails")).then_nothing()
