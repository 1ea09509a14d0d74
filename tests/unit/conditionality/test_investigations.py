import pytest

from libs.events.domain.testing import given
from services.conditionality.domain.commitment import (
    BringFinding,
    Cleared,
    DecideFinding,
    FindingBrought,
    FindingRejected,
    Found,
    InvestigationOpened,
    InvestigationWithdrawn,
    Suspended,
    Terminated,
    commitment,
)
from services.conditionality.domain.commitment.corrections import SamePerson
from services.conditionality.domain.commitment.investigations import (
    FindingDecided,
    FindingWaits,
    NoSuchFinding,
    NotUnderInvestigation,
)
from services.conditionality.domain.commitment.sanctions import effect_id
from tests.unit.conditionality.kit import (
    FAMILY,
    approved,
    cycle,
    decided,
    effects,
    ended,
    found,
    history,
    rejected,
    released,
    suspended,
)

OUTCOMES: tuple[Found, ...] = ("CONFIRMED", "NOT_CONFIRMED")
THREE_FAILURES = history("fails", "fails", "fails")
CONFIRMED = (*THREE_FAILURES, *decided(found("CONFIRMED"), after=THREE_FAILURES))
NOT_CONFIRMED = (*THREE_FAILURES, *decided(found("NOT_CONFIRMED"), after=THREE_FAILURES))


# -- What was found -------------------------------------------------------------------------------


def test_a_finding_is_kept_and_nothing_follows_from_it_yet() -> None:
    then = given(commitment, *THREE_FAILURES).when(found("CONFIRMED"))

    then.then(FindingBrought(FAMILY, "2023-3", "CONFIRMED", "officer-1"))
    assert then.state.under_investigation
    assert then.state.held == ("2023-1", "2023-2", "2023-3")


def test_the_same_finding_again_changes_nothing() -> None:
    given(commitment, *CONFIRMED).when(found("CONFIRMED")).then_nothing()


@pytest.mark.parametrize(
    "another",
    [found("NOT_CONFIRMED"), BringFinding(FAMILY, "2023-3", "CONFIRMED", "officer-2")],
    ids=["of the same officer", "of another officer"],
)
def test_a_finding_that_waits_is_not_exchanged_for_another(another: BringFinding) -> None:
    given(commitment, *CONFIRMED).when(another).then_refused(FindingWaits)


def test_nothing_can_be_found_before_the_third_failure() -> None:
    given(commitment, *history("fails", "fails")).when(found("CONFIRMED", "2023-2")).then_refused(
        NotUnderInvestigation
    )


def test_a_finding_names_the_investigation_that_it_is_of() -> None:
    given(commitment, *THREE_FAILURES).when(found("CONFIRMED", "2023-2")).then_refused(
        NotUnderInvestigation
    )


def test_nothing_more_is_found_when_the_investigation_is_over() -> None:
    for outcome in OUTCOMES:
        past = ended(outcome, THREE_FAILURES)

        given(commitment, *past).when(found(outcome)).then_refused(NotUnderInvestigation)


# -- What another person decides ------------------------------------------------------------------


def test_a_confirmed_investigation_terminates_and_forfeits_all_that_is_held() -> None:
    then = given(commitment, *CONFIRMED).when(approved())

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
    then = given(commitment, *NOT_CONFIRMED).when(approved())

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
    cleared = ended("NOT_CONFIRMED", THREE_FAILURES)

    then = given(commitment, *cleared).when(cycle("2023-4", "fails"))

    assert effects(then.events) == [suspended("2023-4", counter=1)]
    assert then.state.held == ("2023-4",)


def test_a_cleared_family_that_fails_three_times_more_is_investigated_again() -> None:
    cleared = ended("NOT_CONFIRMED", THREE_FAILURES)

    events = decided(
        *(cycle(tahap, "fails") for tahap in ("2023-4", "2024-1", "2024-2")), after=cleared
    )

    assert [event.tahap for event in events if isinstance(event, InvestigationOpened)] == ["2024-2"]


def test_a_late_decision_takes_all_that_was_held_meanwhile() -> None:
    failed_on = history("fails", "fails", "fails", "fails")

    for outcome in OUTCOMES:
        event = ended(outcome, failed_on)[-1]

        assert isinstance(event, Terminated | Cleared)
        assert event.tahaps == ("2023-1", "2023-2", "2023-3", "2023-4")
        assert (event.cycle, event.investigation) == ("2023-4", "2023-3")


def test_a_late_clearing_starts_the_counter_anew_from_the_latest_cycle() -> None:
    failed_on = history("fails", "fails", "fails", "fails")
    cleared = ended("NOT_CONFIRMED", failed_on)

    then = given(commitment, *cleared).when(cycle("2024-1", "fails"))

    assert effects(then.events) == [suspended("2024-1", counter=1)]


def test_a_family_that_complied_meanwhile_can_still_be_terminated_but_forfeits_nothing() -> None:
    complied = history("fails", "fails", "fails", "complies")

    event = ended("CONFIRMED", complied)[-1]

    assert isinstance(event, Terminated)
    assert event.tahaps == ()


def test_a_rejected_finding_moves_nothing_and_the_investigation_goes_on() -> None:
    then = given(commitment, *CONFIRMED).when(rejected())

    then.then(FindingRejected(FAMILY, "2023-3", "CONFIRMED", "officer-1", "supervisor-1"))
    assert then.state.under_investigation
    assert then.state.held == ("2023-1", "2023-2", "2023-3")


def test_after_a_rejection_another_finding_may_be_brought_and_approved() -> None:
    past = (*CONFIRMED, *decided(rejected(), after=CONFIRMED))

    events = decided(found("NOT_CONFIRMED"), approved(), after=past)

    assert [type(event) for event in events] == [FindingBrought, Cleared]


@pytest.mark.parametrize("decision", [approved(), rejected()])
def test_who_found_may_not_decide(decision: DecideFinding) -> None:
    maker = DecideFinding(FAMILY, "2023-3", decision.decision, "officer-1")

    given(commitment, *CONFIRMED).when(maker).then_refused(SamePerson)


@pytest.mark.parametrize("decision", [approved(), rejected()])
def test_what_nobody_has_found_can_not_be_decided(decision: DecideFinding) -> None:
    given(commitment, *THREE_FAILURES).when(decision).then_refused(NoSuchFinding)


def test_there_is_nothing_to_decide_before_the_third_failure() -> None:
    given(commitment, *history("fails", "fails")).when(approved("2023-2")).then_refused(
        NotUnderInvestigation
    )


def test_a_decision_names_the_investigation_it_decides() -> None:
    given(commitment, *CONFIRMED).when(approved("2023-2")).then_refused(NotUnderInvestigation)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_same_decision_again_changes_nothing(outcome: Found) -> None:
    past = ended(outcome, THREE_FAILURES)

    given(commitment, *past).when(approved()).then_nothing()
    given(commitment, *CONFIRMED, *decided(rejected(), after=CONFIRMED)).when(
        rejected()
    ).then_nothing()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_decision_is_not_reversed_by_another(outcome: Found) -> None:
    refused = (*CONFIRMED, *decided(rejected(), after=CONFIRMED))

    given(commitment, *ended(outcome, THREE_FAILURES)).when(rejected()).then_refused(FindingDecided)
    given(commitment, *refused).when(approved()).then_refused(FindingDecided)


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
    withdrawn = (*CONFIRMED, *decided(cycle("2023-3", "complies"), after=CONFIRMED))

    given(commitment, *withdrawn).when(approved()).then_refused(NotUnderInvestigation)
    given(commitment, *withdrawn).when(found("CONFIRMED")).then_refused(NotUnderInvestigation)


def test_a_finding_that_waited_is_void_when_the_investigation_opens_again() -> None:
    come_back = decided(cycle("2023-3", "complies"), cycle("2023-3", "fails"), after=CONFIRMED)

    given(commitment, *CONFIRMED, *come_back).when(approved()).then_refused(NoSuchFinding)


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
    cleared = ended("NOT_CONFIRMED", THREE_FAILURES)

    events = decided(cycle("2023-3", "complies"), cycle("2023-3", "fails"), after=cleared)

    assert effects(events) == []
