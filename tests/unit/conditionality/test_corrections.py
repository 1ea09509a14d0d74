from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.conditionality.domain.access import Access
from services.conditionality.domain.commitment import (
    ApproveCorrection,
    Cause,
    CorrectionApproved,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
    CycleEvaluated,
    Event,
    InvestigationOpened,
    RejectCorrection,
    commitment,
)
from services.conditionality.domain.commitment.corrections import NoSuchCorrection, SamePerson
from services.conditionality.domain.duties import Duty
from tests.unit.conditionality.kit import (
    FAMILY,
    MONTHS,
    POLICY,
    Came,
    cycle,
    decided,
    effects,
    ended,
    history,
    released,
    suspended,
)

LATE_FACT = Cause(fact=6120, recorded_by=("school-feed",))
LATER_FACT = Cause(fact=6300, recorded_by=("operator-7",))
APPROVE = ApproveCorrection(FAMILY, correction=1, approver="supervisor-1", policy=POLICY)
REJECT = RejectCorrection(FAMILY, correction=1, approver="supervisor-1", policy=POLICY)


def late(tahap: str, came: Came, cause: Cause = LATE_FACT) -> tuple[Event, ...]:
    """The events that late facts leave on a frozen cycle of a family that had failed it."""
    failed = history("fails")
    return (*failed, *decided(cycle(tahap, came, frozen=True, cause=cause), after=failed))


# -- Proposed -------------------------------------------------------------------------------------


def test_a_change_after_the_freeze_is_proposed_and_nothing_follows() -> None:
    then = given(commitment, *history("fails")).when(
        cycle("2023-1", "complies", frozen=True, cause=LATE_FACT)
    )

    then.then(
        CorrectionProposed(
            tahap="2023-1",
            family=FAMILY,
            correction=1,
            revision=2,
            roster_revision=1,
            facts_cut=5124,
            result="COMPLIANT",
            counter=0,
            duties=tuple(Duty(1, "SD", month, "PASSED", None) for month in MONTHS),
            fact=6120,
            recorded_by=("school-feed",),
            access=(Access("EDUCATION", True),),
        )
    )
    assert then.state.held == ("2023-1",)


def test_the_same_result_after_the_freeze_is_quiet() -> None:
    given(commitment, *history("fails")).when(
        cycle("2023-1", "fails", frozen=True, cause=LATE_FACT)
    ).then_nothing()


def test_the_same_proposal_again_is_quiet() -> None:
    given(commitment, *late("2023-1", "complies")).when(
        cycle("2023-1", "complies", frozen=True, cause=LATE_FACT)
    ).then_nothing()


def test_a_newer_fact_with_the_same_outcome_proposes_nothing_new() -> None:
    given(commitment, *late("2023-1", "complies")).when(
        cycle("2023-1", "complies", frozen=True, cause=LATER_FACT)
    ).then_nothing()


def test_a_roster_line_that_comes_again_and_meets_newer_facts_proposes_nothing() -> None:
    given(commitment, *history("fails")).when(
        cycle("2023-1", "complies", frozen=True)
    ).then_nothing()


def test_a_deferred_family_is_evaluated_after_the_freeze_as_if_before() -> None:
    then = given(commitment).when(cycle("2023-1", "fails", frozen=True))

    assert effects(then.events) == [suspended("2023-1", counter=1)]


def test_a_newer_proposal_takes_the_place_of_the_earlier_and_keeps_its_recorders() -> None:
    then = given(commitment, *late("2023-1", "complies")).when(
        cycle("2023-1", "is unverified", frozen=True, cause=LATER_FACT)
    )

    [proposed] = then.events
    assert isinstance(proposed, CorrectionProposed)
    assert (proposed.correction, proposed.revision, proposed.result) == (2, 2, "UNVERIFIED")
    assert proposed.recorded_by == ("operator-7", "school-feed")
    again = given(commitment, *late("2023-1", "complies"), proposed)
    again.when(APPROVE).then_refused(NoSuchCorrection)


def test_facts_that_say_again_what_the_cycle_says_withdraw_the_proposal() -> None:
    then = given(commitment, *late("2023-1", "complies")).when(
        cycle("2023-1", "fails", frozen=True, cause=LATER_FACT)
    )

    then.then(CorrectionWithdrawn("2023-1", FAMILY, correction=1))
    withdrawn = given(commitment, *late("2023-1", "complies"), *then.events)
    withdrawn.when(APPROVE).then_refused(NoSuchCorrection)


def test_proposals_for_two_tahaps_wait_side_by_side() -> None:
    failed = history("fails", "fails")

    events = decided(
        cycle("2023-1", "complies", frozen=True, cause=LATE_FACT),
        cycle("2023-2", "complies", frozen=True, cause=LATE_FACT),
        after=failed,
    )

    proposed = [event for event in events if isinstance(event, CorrectionProposed)]
    assert [(event.correction, event.tahap) for event in proposed] == [(1, "2023-1"), (2, "2023-2")]
    both = given(commitment, *failed, *events)
    assert both.when(APPROVE).events[0] == CorrectionApproved("2023-1", FAMILY, 1, "supervisor-1")
    assert both.when(replace(APPROVE, correction=2)).events[0] == CorrectionApproved(
        "2023-2", FAMILY, 2, "supervisor-1"
    )


# -- Approved -------------------------------------------------------------------------------------


def test_an_approved_compliance_counts_and_releases() -> None:
    then = given(commitment, *late("2023-1", "complies")).when(APPROVE)

    approved, evaluated, effect = then.events
    assert approved == CorrectionApproved("2023-1", FAMILY, 1, "supervisor-1")
    assert isinstance(evaluated, CycleEvaluated)
    assert (evaluated.revision, evaluated.result, evaluated.counter) == (2, "COMPLIANT", 0)
    assert effect == released("2023-1", cycle="2023-1", revision=2)
    assert then.state.held == ()


def test_an_approved_failure_counts_and_suspends() -> None:
    complied = history("complies")
    proposed = decided(cycle("2023-1", "fails", frozen=True, cause=LATE_FACT), after=complied)

    then = given(commitment, *complied, *proposed).when(APPROVE)

    assert then.events[2:] == (suspended("2023-1", counter=1, revision=2),)


def test_an_approved_failure_can_be_the_third_in_a_row() -> None:
    past = history("complies", "fails", "fails")
    proposed = decided(cycle("2023-1", "fails", frozen=True, cause=LATE_FACT), after=past)

    then = given(commitment, *past, *proposed).when(APPROVE)

    assert isinstance(then.events[-1], InvestigationOpened)
    assert then.state.under_investigation


def test_an_approval_counts_from_the_cycles_as_they_stand_by_then() -> None:
    proposed = late("2023-1", "complies")
    meanwhile = decided(cycle("2023-2", "fails"), after=proposed)

    then = given(commitment, *proposed, *meanwhile).when(APPROVE)

    assert then.events[2] == released("2023-1", cycle="2023-1", revision=2)
    assert then.state.held == ("2023-2",)
    after = decided(cycle("2023-3", "fails"), after=(*proposed, *meanwhile, *then.events))
    assert isinstance(after[0], CycleEvaluated)
    assert after[0].counter == 2


def test_who_recorded_the_fact_may_neither_approve_nor_reject() -> None:
    proposed = given(commitment, *late("2023-1", "complies"))

    proposed.when(replace(APPROVE, approver="school-feed")).then_refused(SamePerson)
    proposed.when(replace(REJECT, approver="school-feed")).then_refused(SamePerson)


def test_an_approved_correction_can_not_be_approved_again() -> None:
    proposed = late("2023-1", "complies")
    approved = (*proposed, *decided(APPROVE, after=proposed))

    given(commitment, *approved).when(APPROVE).then_refused(NoSuchCorrection)
    given(commitment, *approved).when(REJECT).then_refused(NoSuchCorrection)


@pytest.mark.parametrize("number", [0, 2])
def test_a_correction_that_was_never_proposed_can_not_be_decided(number: int) -> None:
    proposed = given(commitment, *late("2023-1", "complies"))

    proposed.when(replace(APPROVE, correction=number)).then_refused(NoSuchCorrection)
    proposed.when(replace(REJECT, correction=number)).then_refused(NoSuchCorrection)


# -- Rejected -------------------------------------------------------------------------------------


def test_a_rejected_correction_leaves_the_cycle_as_it_is() -> None:
    then = given(commitment, *late("2023-1", "complies")).when(REJECT)

    then.then(CorrectionRejected("2023-1", FAMILY, 1, "supervisor-1"))
    assert then.state.held == ("2023-1",)
    rejected = given(commitment, *late("2023-1", "complies"), *then.events)
    rejected.when(APPROVE).then_refused(NoSuchCorrection)


def test_what_was_rejected_is_not_proposed_again_by_the_same_facts() -> None:
    proposed = late("2023-1", "complies")
    rejected = (*proposed, *decided(REJECT, after=proposed))

    given(commitment, *rejected).when(
        cycle("2023-1", "complies", frozen=True, cause=LATE_FACT)
    ).then_nothing()
    given(commitment, *rejected).when(
        cycle("2023-1", "fails", frozen=True, cause=LATER_FACT)
    ).then_nothing()


def test_a_newer_fact_proposes_again_what_was_rejected() -> None:
    proposed = late("2023-1", "complies")
    rejected = (*proposed, *decided(REJECT, after=proposed))

    [again] = (
        given(commitment, *rejected)
        .when(cycle("2023-1", "complies", frozen=True, cause=LATER_FACT))
        .events
    )

    assert isinstance(again, CorrectionProposed)
    assert (again.correction, again.fact) == (2, 6300)


# -- Of a terminated family -----------------------------------------------------------------------


def test_late_facts_on_a_terminated_family_are_proposed_even_before_the_freeze(
    terminated: tuple[Event, ...],
) -> None:
    then = given(commitment, *terminated).when(cycle("2023-3", "complies", cause=LATE_FACT))

    assert [type(event) for event in then.events] == [CorrectionProposed]
    assert then.state.terminated


def test_an_approved_correction_of_a_terminated_family_moves_no_money(
    terminated: tuple[Event, ...],
) -> None:
    proposed = decided(cycle("2023-3", "complies", cause=LATE_FACT), after=terminated)

    then = given(commitment, *terminated, *proposed).when(APPROVE)

    assert [type(event) for event in then.events] == [CorrectionApproved, CycleEvaluated]
    assert then.state.terminated


def test_an_approved_failure_of_a_terminated_family_suspends_nothing() -> None:
    failed = history("is unverified", "fails", "fails", "fails")
    past = ended("CONFIRMED", failed, tahap="2023-4")
    proposed = decided(cycle("2023-1", "fails", cause=LATE_FACT), after=past)

    then = given(commitment, *past, *proposed).when(APPROVE)

    assert [type(event) for event in then.events] == [CorrectionApproved, CycleEvaluated]
    assert then.state.held == ()
