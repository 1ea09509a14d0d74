"""Appeals against what followed from a cycle: it waits, and then goes on or is set right."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.domain.testing import given
from services.conditionality.domain.commitment import (
    Against,
    AnswerOrder,
    AppealDecisionRefused,
    AppealEnded,
    AppealNotPaused,
    AppealPaused,
    AppealUpheld,
    ApproveCorrection,
    Cause,
    Cleared,
    Command,
    Commitment,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
    DecideAppeal,
    Event,
    FindingApproved,
    InvestigationOpened,
    InvestigationWithdrawn,
    NoteAppeal,
    OrderAnswered,
    OrderReevaluation,
    Reinstate,
    Reinstated,
    RejectCorrection,
    Released,
    Suspended,
    Terminated,
    WithdrawCycle,
    commitment,
)
from services.conditionality.domain.commitment.corrections import SamePerson
from services.conditionality.domain.commitment.events import OrderOutcome
from services.conditionality.domain.commitment.investigations import FindingDecided, FindingWaits
from services.conditionality.domain.commitment.sanctions import effect_id
from services.conditionality.domain.duties import AppealLimits, CommitmentPolicy
from tests.unit.conditionality.kit import (
    CUTS,
    FAMILY,
    POLICY,
    Came,
    approved,
    cycle,
    decided,
    effects,
    found,
    history,
    released,
    suspended,
)

CASE, ORDER = "case-1", "order-1"
ASKED = Cause(fact=5001, recorded_by=("officer-9", "school-feed"))


def appeal(
    tahap: str, against: Against = "HOLD", *, case: str = CASE, pauses: bool = True
) -> NoteAppeal:
    return NoteAppeal(FAMILY, case, tahap, against, pauses)


def decision(outcome: Literal["UPHELD", "REJECTED", "WITHDRAWN"], case: str = CASE) -> DecideAppeal:
    return DecideAppeal(FAMILY, case, outcome, POLICY)


def order(
    tahap: str, came: Came = "fails", *, name: str = ORDER, case: str = CASE
) -> OrderReevaluation:
    return OrderReevaluation(name, case, cycle(tahap, came, frozen=True, cause=ASKED))


def correct(approver: str = "supervisor-1", *, number: int = 1) -> ApproveCorrection:
    return ApproveCorrection(FAMILY, number, approver, POLICY)


def answered(order: str, case: str, outcome: OrderOutcome, reason: str = "") -> OrderAnswered:
    return OrderAnswered(FAMILY, order, case, outcome, reason)


def after(*commands: Command, past: Iterable[Event] = ()) -> tuple[Event, ...]:
    """The past, and what these commands leave behind it."""
    return (*past, *decided(*commands, after=past))


def opened(tahap: str, counter: int = 3) -> InvestigationOpened:
    effect = effect_id(FAMILY, tahap, 1, "InvestigationOpened")
    return InvestigationOpened(FAMILY, tahap, tahap, 1, counter, effect)


APPEALED = after(appeal("2023-1"), past=history("fails"))
UPHELD = after(decision("UPHELD"), order("2023-1"), past=APPEALED)
WAITING = after(
    appeal("2023-3", "TERMINATION"),
    found("CONFIRMED"),
    approved(),
    past=history("fails", "fails", "fails"),
)
"""A termination on which two people have decided, and that waits for an appeal."""


# -- Opened ---------------------------------------------------------------------------------------


def test_an_appeal_pauses_what_it_is_against() -> None:
    then = given(commitment, *history("fails")).when(appeal("2023-1"))

    then.then(AppealPaused(FAMILY, CASE, "2023-1", "HOLD"))
    assert then.state.paused == {"2023-1"}
    assert then.state.held == ("2023-1",)


def test_an_appeal_against_a_cut_pauses_it() -> None:
    past = decided(cycle("2025-1", "fails", policy=CUTS))

    then = given(commitment, *past).when(appeal("2025-1", "CUT"))

    then.then(AppealPaused(FAMILY, CASE, "2025-1", "CUT"))


def test_the_same_appeal_again_changes_nothing() -> None:
    for past in (APPEALED, after(decision("REJECTED"), past=APPEALED)):
        given(commitment, *past).when(appeal("2023-1")).then_nothing()


def test_an_appeal_pauses_nothing_where_the_rules_do_not_say_so() -> None:
    then = given(commitment, *history("fails")).when(appeal("2023-1", pauses=False))

    then.then(AppealNotPaused(FAMILY, CASE, "2023-1", "HOLD", "NOT_BY_POLICY"))
    assert not then.state.pausing


@pytest.mark.parametrize(
    ("came", "tahap", "against", "because"),
    [
        (("fails",), "2023-2", "HOLD", "NO_SUCH_CYCLE"),
        (("complies",), "2023-1", "HOLD", "NO_EFFECT"),
        (("fails", "complies"), "2023-1", "HOLD", "NO_EFFECT"),
        (("fails",), "2023-1", "CUT", "NO_EFFECT"),
        (("fails", "fails"), "2023-2", "TERMINATION", "NO_EFFECT"),
    ],
)
def test_an_appeal_against_what_did_not_come_pauses_nothing_and_says_so(
    came: tuple[Came, ...], tahap: str, against: Against, because: str
) -> None:
    [answer] = given(commitment, *history(*came)).when(appeal(tahap, against)).events

    assert isinstance(answer, AppealNotPaused)
    assert answer.reason == because


def test_after_the_money_was_returned_an_appeal_pauses_nothing_and_says_so(
    terminated: tuple[Event, ...],
) -> None:
    for against in ("HOLD", "TERMINATION"):
        then = given(commitment, *terminated).when(appeal("2023-3", against))

        then.then(AppealNotPaused(FAMILY, CASE, "2023-3", against, "RETURNED"))


# -- While it is open -----------------------------------------------------------------------------


def test_an_appealed_cycle_does_not_add_to_the_counter() -> None:
    events = decided(cycle("2023-2", "fails"), cycle("2023-3", "fails"), after=APPEALED)

    assert effects(events) == [suspended("2023-2", counter=1), suspended("2023-3", counter=2)]


def test_held_money_of_an_appealed_cycle_is_not_released_by_a_later_one() -> None:
    past = after(cycle("2023-2", "fails"), past=APPEALED)

    then = given(commitment, *past).when(cycle("2023-3", "complies"))

    assert effects(then.events) == [released("2023-2", cycle="2023-3")]
    assert then.state.held == ("2023-1",)


def test_a_termination_waits_while_an_appeal_is_open() -> None:
    past = after(appeal("2023-1"), found("CONFIRMED"), past=history("fails", "fails", "fails"))

    then = given(commitment, *past).when(approved())

    then.then(FindingApproved(FAMILY, "2023-3", "CONFIRMED", "officer-1", "supervisor-1"))
    assert not then.state.terminated
    assert then.state.held == ("2023-1", "2023-2", "2023-3")


def test_a_decision_that_waits_is_neither_exchanged_nor_reversed() -> None:
    given(commitment, *WAITING).when(approved()).then_nothing()
    given(commitment, *WAITING).when(found("NOT_CONFIRMED")).then_refused(FindingWaits)
    contrary = replace(approved(), decision="REJECTED")
    given(commitment, *WAITING).when(contrary).then_refused(FindingDecided)


@pytest.mark.parametrize("came", ["complies", "fails", "is unverified"])
def test_while_a_termination_waits_the_family_is_judged_and_its_new_money_held(came: Came) -> None:
    then = given(commitment, *WAITING).when(cycle("2023-4", came))

    [held] = effects(then.events)
    assert isinstance(held, Suspended)
    assert then.state.held == ("2023-1", "2023-2", "2023-3", "2023-4")


def test_an_investigation_is_not_withdrawn_because_an_appeal_pauses_its_ground() -> None:
    past = after(appeal("2023-2"), past=history("fails", "fails", "fails"))

    then = given(commitment, *past).when(cycle("2023-4", "complies"))

    assert then.state.under_investigation
    assert effects(then.events) == [released("2023-1", "2023-3", cycle="2023-4")]


# -- Rejected, withdrawn --------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["REJECTED", "WITHDRAWN"])
def test_what_was_paused_goes_on_at_the_end_of_the_appeal(
    outcome: Literal["REJECTED", "WITHDRAWN"],
) -> None:
    past = after(cycle("2023-2", "fails"), cycle("2023-3", "fails"), past=APPEALED)

    then = given(commitment, *past).when(decision(outcome))

    then.then(opened("2023-3"), AppealEnded(FAMILY, CASE, "2023-1", "HOLD", outcome))
    assert not then.state.pausing


def test_money_that_a_later_cycle_would_have_released_is_released_by_it() -> None:
    past = after(cycle("2023-2", "complies"), cycle("2023-3", "fails"), past=APPEALED)

    then = given(commitment, *past).when(decision("REJECTED"))

    assert then.events[:-1] == (released("2023-1", cycle="2023-2"),)
    assert then.state.held == ("2023-3",)


def test_a_termination_that_waited_is_carried_out_with_all_that_is_held() -> None:
    past = after(cycle("2023-4", "complies"), past=WAITING)

    then = given(commitment, *past).when(decision("REJECTED"))

    [terminated, _] = then.events
    assert isinstance(terminated, Terminated)
    assert terminated.tahaps == ("2023-1", "2023-2", "2023-3", "2023-4")
    assert (terminated.maker, terminated.checker) == ("officer-1", "supervisor-1")


def test_a_finding_that_did_not_confirm_waits_and_clears_then() -> None:
    past = after(
        appeal("2023-1"),
        found("NOT_CONFIRMED"),
        approved(),
        past=history("fails", "fails", "fails"),
    )

    assert isinstance(past[-1], FindingApproved)
    then = given(commitment, *past).when(decision("REJECTED"))

    assert isinstance(then.events[0], Cleared)
    assert then.state.held == ()


def test_one_of_two_appeals_that_ends_lets_nothing_go_on() -> None:
    past = after(appeal("2023-2", case="case-2"), past=WAITING)

    then = given(commitment, *past).when(decision("REJECTED"))

    then.then(AppealEnded(FAMILY, CASE, "2023-3", "TERMINATION", "REJECTED"))
    assert then.state.termination_waits


def test_a_decision_of_no_known_appeal_and_one_that_comes_again_are_quiet() -> None:
    given(commitment, *history("fails")).when(decision("UPHELD")).then_nothing()
    for outcome in ("UPHELD", "REJECTED"):
        past = after(decision("REJECTED"), past=APPEALED)
        given(commitment, *past).when(decision(outcome)).then_nothing()


# -- Upheld ---------------------------------------------------------------------------------------


def test_an_upheld_appeal_goes_on_pausing_until_its_cycle_is_decided_again() -> None:
    then = given(commitment, *APPEALED).when(decision("UPHELD"))

    then.then(AppealUpheld(FAMILY, CASE, "2023-1", "HOLD"))
    assert then.state.paused == {"2023-1"}


def test_an_order_of_an_upheld_appeal_proposes_the_cycle_as_met() -> None:
    past = after(decision("UPHELD"), past=APPEALED)

    then = given(commitment, *past).when(order("2023-1"))

    [proposed, answer] = then.events
    assert isinstance(proposed, CorrectionProposed)
    assert (proposed.result, proposed.counter, proposed.order, proposed.case) == (
        "COMPLIANT",
        0,
        ORDER,
        CASE,
    )
    assert {(duty.outcome, duty.reason) for duty in proposed.duties} == {("PASSED", None)}
    assert answer == OrderAnswered(FAMILY, ORDER, CASE, "PROPOSED")
    assert then.state.held == ("2023-1",)


def test_the_same_order_again_is_quiet() -> None:
    given(commitment, *UPHELD).when(order("2023-1")).then_nothing()


@pytest.mark.parametrize("person", ASKED.recorded_by)
def test_neither_who_asked_nor_who_recorded_a_fact_approves_what_was_ordered(person: str) -> None:
    given(commitment, *UPHELD).when(correct(person.upper())).then_refused(SamePerson)


def test_an_approved_correction_releases_the_money_and_ends_the_appeal() -> None:
    past = after(cycle("2023-2", "fails"), past=UPHELD)

    then = given(commitment, *past).when(correct())

    assert then.events[2:] == (
        released("2023-1", cycle="2023-1", revision=2),
        OrderAnswered(FAMILY, ORDER, CASE, "DONE"),
        AppealEnded(FAMILY, CASE, "2023-1", "HOLD", "UPHELD"),
    )
    assert then.state.held == ("2023-2",)
    assert not then.state.pausing


def test_a_termination_that_waited_is_dropped_when_its_ground_is_corrected() -> None:
    past = after(cycle("2023-4", "complies"), decision("UPHELD"), order("2023-3"), past=WAITING)

    then = given(commitment, *past).when(correct())

    kinds = [type(event) for event in then.events]
    assert kinds.index(InvestigationWithdrawn) < kinds.index(AppealEnded)
    assert not any(isinstance(event, Terminated) for event in then.events)
    assert {t for e in then.events if isinstance(e, Released) for t in e.tahaps} == {
        *("2023-1", "2023-2", "2023-3", "2023-4")
    }
    assert then.state.held == ()


def test_a_correction_that_is_not_approved_lets_what_was_paused_go_on() -> None:
    past = after(cycle("2023-2", "complies"), past=UPHELD)

    then = given(commitment, *past).when(RejectCorrection(FAMILY, 1, "supervisor-1", POLICY))

    then.then(
        CorrectionRejected("2023-1", FAMILY, 1, "supervisor-1"),
        OrderAnswered(FAMILY, ORDER, CASE, "REFUSED", "NOT_APPROVED"),
        released("2023-1", cycle="2023-2"),
        AppealEnded(FAMILY, CASE, "2023-1", "HOLD", "REFUSED"),
    )


def test_facts_that_come_again_change_nothing_of_what_was_ordered() -> None:
    late = Cause(fact=6120, recorded_by=("school-feed",))

    given(commitment, *UPHELD).when(
        cycle("2023-1", "fails", frozen=True, cause=late)
    ).then_nothing()
    corrected = after(correct(), past=UPHELD)
    given(commitment, *corrected).when(
        cycle("2023-1", "fails", frozen=True, cause=late)
    ).then_nothing()


def test_a_cancelled_tahap_ends_what_was_ordered_of_it() -> None:
    then = given(commitment, *UPHELD).when(WithdrawCycle(FAMILY, "2023-1", 1, POLICY))

    assert then.events[1:] == (
        CorrectionWithdrawn("2023-1", FAMILY, 1),
        OrderAnswered(FAMILY, ORDER, CASE, "REFUSED", "TAHAP_CANCELLED"),
        AppealEnded(FAMILY, CASE, "2023-1", "HOLD", "REFUSED"),
    )


def test_upheld_after_the_return_the_cycle_is_set_right_and_nothing_follows(
    terminated: tuple[Event, ...],
) -> None:
    past = after(
        appeal("2023-3", "TERMINATION"), decision("UPHELD"), order("2023-3"), past=terminated
    )

    then = given(commitment, *past).when(correct())

    assert [type(event).__name__ for event in then.events] == [
        "CorrectionApproved",
        "CycleEvaluated",
        "OrderAnswered",
        "AppealEnded",
    ]
    assert then.state.terminated


# -- Orders without an appeal ---------------------------------------------------------------------


def test_an_order_without_an_appeal_proposes_what_is_recorded() -> None:
    [proposed, answer] = (
        given(commitment, *history("fails")).when(order("2023-1", "complies")).events
    )

    assert isinstance(proposed, CorrectionProposed)
    assert {duty.reason for duty in proposed.duties} == {None}
    assert answer == OrderAnswered(FAMILY, ORDER, CASE, "PROPOSED")


@pytest.mark.parametrize(
    ("past", "tahap", "reason"),
    [
        (history("fails"), "2023-1", "NOTHING_CHANGED"),
        (history("fails"), "2023-2", "NO_SUCH_CYCLE"),
        (after(order("2023-1", "complies"), past=history("fails")), "2023-1", "CORRECTION_WAITS"),
    ],
    ids=["nothing changed", "no such cycle", "correction waits"],
)
def test_an_order_that_nothing_follows_from_is_refused_by_name(
    past: tuple[Event, ...], tahap: str, reason: str
) -> None:
    came: Came = "is unverified" if reason == "CORRECTION_WAITS" else "fails"

    then = given(commitment, *past).when(order(tahap, came, name="order-2"))

    then.then(OrderAnswered(FAMILY, "order-2", CASE, "REFUSED", reason))


def test_an_order_that_cannot_be_carried_out_ends_its_upheld_appeal() -> None:
    past = after(decision("UPHELD"), past=APPEALED)
    answer = AnswerOrder(FAMILY, ORDER, CASE, "NO_SUCH_CYCLE", tahap="2023-1")

    then = given(commitment, *past).when(answer)

    then.then(
        OrderAnswered(FAMILY, ORDER, CASE, "REFUSED", "NO_SUCH_CYCLE"),
        AppealEnded(FAMILY, CASE, "2023-1", "HOLD", "REFUSED"),
    )
    given(commitment, *past, *then.events).when(answer).then_nothing()


@pytest.mark.parametrize("policy", [POLICY, None], ids=["with its line", "without"])
def test_a_decision_that_waits_is_carried_out_when_the_order_of_its_appeal_cannot_be(
    policy: CommitmentPolicy | None,
) -> None:
    past = after(decision("UPHELD"), past=WAITING)

    then = given(commitment, *past).when(
        AnswerOrder(FAMILY, ORDER, CASE, "NO_SUCH_CYCLE", policy, "2023-3")
    )

    refused, terminated, ended = then.events
    assert (type(refused), type(ended)) == (OrderAnswered, AppealEnded)
    assert isinstance(terminated, Terminated)
    assert terminated.tahaps == ("2023-1", "2023-2", "2023-3")


def test_a_decision_that_waits_is_carried_out_when_an_appeal_without_its_line_ends() -> None:
    then = given(commitment, *WAITING).when(replace(decision("REJECTED"), policy=None))

    assert isinstance(then.events[0], Terminated)


def test_facts_that_come_while_an_order_waits_are_decided_with_it() -> None:
    past = after(order("2023-1", "complies"), past=history("fails"))
    late = Cause(fact=6120, recorded_by=("school-feed",))

    [proposed] = (
        given(commitment, *past)
        .when(cycle("2023-1", "is unverified", frozen=True, cause=late))
        .events
    )
    assert isinstance(proposed, CorrectionProposed)
    assert (proposed.correction, proposed.order) == (2, ORDER)

    [gone, answer] = (
        given(commitment, *past, proposed)
        .when(cycle("2023-1", "fails", frozen=True, cause=late))
        .events
    )
    assert isinstance(gone, CorrectionWithdrawn)
    assert answer == OrderAnswered(FAMILY, ORDER, CASE, "REFUSED", "NOTHING_CHANGED")


# -- Several cases on one cycle --------------------------------------------------------------------

SECOND = "case-2"
OF_SECOND = order("2023-1", "is unverified", name="order-2", case=SECOND)
"""Another case asks for the cycle to be judged by what is recorded."""
WHILE_ORDERED = after(decision("UPHELD"), OF_SECOND, past=APPEALED)
"""The first case's appeal is upheld; its order comes behind that of the second case."""


def test_an_order_of_another_case_is_judged_by_what_is_recorded_and_ends_no_upheld_appeal() -> None:
    [proposed, answer] = WHILE_ORDERED[-2:]

    assert isinstance(proposed, CorrectionProposed)
    assert (proposed.result, proposed.case) == ("UNVERIFIED", SECOND)
    assert answer == answered("order-2", SECOND, "PROPOSED")
    assert commitment.fold(WHILE_ORDERED).paused == {"2023-1"}


def test_the_order_of_an_upheld_appeal_takes_the_place_of_one_that_only_asks() -> None:
    then = given(commitment, *WHILE_ORDERED).when(order("2023-1"))

    [gone, proposed, answer] = then.events
    assert gone == answered("order-2", SECOND, "REFUSED", "SUPERSEDED")
    assert isinstance(proposed, CorrectionProposed)
    assert (proposed.result, proposed.order, proposed.correction) == ("COMPLIANT", ORDER, 2)
    assert answer == answered(ORDER, CASE, "PROPOSED")
    ends = given(commitment, *WHILE_ORDERED, *then.events).when(correct(number=2)).events
    assert ends[-2:] == (
        answered(ORDER, CASE, "DONE"),
        AppealEnded(FAMILY, CASE, "2023-1", "HOLD", "UPHELD"),
    )


@pytest.mark.parametrize("outcome", ["DONE", "REFUSED"])
def test_what_becomes_of_another_case_s_order_ends_no_upheld_appeal(outcome: str) -> None:
    decide = correct() if outcome == "DONE" else RejectCorrection(FAMILY, 1, "boss", POLICY)

    then = given(commitment, *WHILE_ORDERED).when(decide)

    assert [e.outcome for e in then.events if isinstance(e, OrderAnswered)] == [outcome]
    assert not any(isinstance(event, AppealEnded) for event in then.events)
    found = then.state.appeal(CASE)
    assert found
    assert found.standing == "UPHELD"


def test_an_order_that_comes_while_an_upheld_one_waits_is_refused_and_ends_nothing() -> None:
    then = given(commitment, *UPHELD).when(OF_SECOND)

    then.then(answered("order-2", SECOND, "REFUSED", "CORRECTION_WAITS"))
    assert then.state.paused == {"2023-1"}


def test_an_order_of_the_case_for_another_cycle_ends_nothing() -> None:
    past = after(decision("UPHELD"), past=after(cycle("2023-2", "fails"), past=APPEALED))

    then = given(commitment, *past).when(order("2023-2", name="order-2"))

    then.then(answered("order-2", CASE, "REFUSED", "NOTHING_CHANGED"))
    elsewhere = AnswerOrder(FAMILY, "order-3", CASE, "NO_SUCH_CYCLE", POLICY, "2024-1")
    assert len(given(commitment, *past, *then.events).when(elsewhere).events) == 1


def test_an_upheld_appeal_whose_cycle_came_right_meanwhile_is_done() -> None:
    past = after(OF_SECOND, appeal("2023-1"), past=history("fails"))
    other = after(decision("UPHELD"), correct(), past=past)
    right = after(
        cycle("2023-1", "complies", frozen=True, cause=Cause(7000, ("school-feed",))),
        correct(number=2),
        past=other,
    )

    then = given(commitment, *right).when(order("2023-1", "complies"))

    then.then(
        answered(ORDER, CASE, "DONE", "NOTHING_CHANGED"),
        AppealEnded(FAMILY, CASE, "2023-1", "HOLD", "UPHELD"),
    )


@pytest.mark.parametrize("approved", [True, False])
def test_orders_of_two_upheld_appeals_are_decided_together(approved: bool) -> None:
    failed = after(
        appeal("2023-3"),
        appeal("2023-3", "TERMINATION", case=SECOND),
        decision("UPHELD"),
        decision("UPHELD", SECOND),
        past=history("fails", "fails", "fails"),
    )
    second = replace(order("2023-3", name="order-2", case=SECOND))
    asked = Cause(fact=5001, recorded_by=("officer-5",))
    second = replace(second, evaluate=replace(second.evaluate, cause=asked))
    past = after(order("2023-3"), second, past=failed)
    assert isinstance(past[-2], CorrectionProposed)
    assert past[-1] == answered("order-2", SECOND, "PROPOSED")
    for person in ("officer-5", "officer-9"):
        given(commitment, *past).when(correct(person, number=2)).then_refused(SamePerson)

    decide = correct(number=2) if approved else RejectCorrection(FAMILY, 2, "supervisor-1", POLICY)
    then = given(commitment, *past).when(decide)

    outcomes = [(e.case, e.outcome) for e in then.events if isinstance(e, AppealEnded)]
    ended = "UPHELD" if approved else "REFUSED"
    assert outcomes == [(CASE, ended), (SECOND, ended)]
    answers = [(e.order, e.outcome) for e in then.events if isinstance(e, OrderAnswered)]
    done = "DONE" if approved else "REFUSED"
    assert answers == [(ORDER, done), ("order-2", done)]


# -- Whose appeals there are, and how many ---------------------------------------------------------


def test_an_appeal_of_somebody_outside_the_family_s_regions_is_refused() -> None:
    for tahap in ("2023-1", "2024-1"):
        outside = replace(appeal(tahap), inside=False)

        then = given(commitment, *history("fails")).when(outside)

        then.then(AppealNotPaused(FAMILY, CASE, tahap, "HOLD", "OUTSIDE_REGIONS"))
    past = (*history("fails"), *then.events)
    given(commitment, *past).when(decision("UPHELD")).then_nothing()
    given(commitment, *past).when(appeal("2023-1", case=SECOND)).then(
        AppealPaused(FAMILY, SECOND, "2023-1", "HOLD")
    )


def test_a_decision_of_somebody_outside_the_family_s_regions_is_none() -> None:
    for outcome in ("UPHELD", "REJECTED"):
        then = given(commitment, *APPEALED).when(replace(decision(outcome), inside=False))

        then.then(AppealDecisionRefused(FAMILY, CASE, "2023-1", "HOLD", 1, "OUTSIDE_REGIONS"))
        assert then.state.paused == {"2023-1"}
        again = replace(decision("REJECTED"), decision=2)
        [ended, *_] = given(commitment, *APPEALED, *then.events).when(again).events
        assert isinstance(ended, AppealEnded)


@pytest.mark.parametrize("upheld", [False, True])
def test_a_second_case_does_not_appeal_while_the_first_waits(upheld: bool) -> None:
    past = UPHELD if upheld else APPEALED
    second = appeal("2023-1", case=SECOND)

    then = given(commitment, *past).when(second)

    then.then(AppealNotPaused(FAMILY, SECOND, "2023-1", "HOLD", "ANOTHER_IS_OPEN"))
    orders = after(order("2023-1", case=SECOND, name="order-2"), past=(*APPEALED, *then.events))
    assert orders[-1] == answered("order-2", SECOND, "REFUSED", "NOTHING_CHANGED")


@pytest.mark.parametrize("outcome", ["REJECTED", "WITHDRAWN"])
def test_a_cycle_is_appealed_against_as_often_as_the_rules_let_it(
    outcome: Literal["REJECTED", "WITHDRAWN"],
) -> None:
    past = history("fails")
    for case in (CASE, SECOND):
        past = after(appeal("2023-1", case=case), decision(outcome, case), past=past)

    third = given(commitment, *past).when(appeal("2023-1", case="case-3"))

    third.then(AppealNotPaused(FAMILY, "case-3", "2023-1", "HOLD", "APPEALED_TOO_OFTEN"))
    assert not third.state.pausing
    wider = replace(appeal("2023-1", case="case-3"), limits=AppealLimits(1, 3))
    assert given(commitment, *past).when(wider).state.paused == {"2023-1"}


def test_an_appeal_that_came_before_its_cycle_takes_no_place_of_a_later_one() -> None:
    past = after(
        appeal("2023-1", case="early"), cycle("2023-1", "fails"), appeal("2023-1"), past=()
    )

    assert isinstance(past[-1], AppealPaused)


# -- A termination that was taken back ------------------------------------------------------------


def test_a_reinstated_family_is_judged_again_and_its_failures_counted_anew(
    terminated: tuple[Event, ...],
) -> None:
    then = given(commitment, *terminated).when(Reinstate(FAMILY))

    then.then(Reinstated(FAMILY, "2023-3"))
    assert not then.state.terminated
    past = (*terminated, *then.events)
    failed = decided(cycle("2023-4", "fails"), after=past)
    assert effects(failed) == [suspended("2023-4", counter=1)]
    complied = decided(cycle("2024-1", "complies"), after=(*past, *failed))
    assert effects(complied) == [released("2023-4", cycle="2024-1")]
    given(commitment, *past).when(Reinstate(FAMILY)).then_nothing()


def test_a_family_that_was_not_terminated_is_not_reinstated() -> None:
    given(commitment, *history("fails")).when(Reinstate(FAMILY)).then_nothing()


# -- An appeal that came to nothing ---------------------------------------------------------------


Said = set[tuple[str, str, str]]


def _said(events: Iterable[Event]) -> Said:
    """Each effect on a tahap's money, by its name and id: what payments makes of these events."""
    return {
        (type(event).__name__, tahap, event.effect)
        for event in events
        if isinstance(event, Suspended | Released | Terminated | Cleared)
        for tahap in ((event.tahap,) if isinstance(event, Suspended) else event.tahaps)
    }


def _bare(state: Commitment) -> Commitment:
    opened = state.investigation
    # Where the appeal kept failures from being counted, the investigation opens at a later one.
    return replace(state, appeals=(), investigation=replace(opened, tahap="") if opened else None)


@settings(max_examples=300, deadline=None)
@for_any(
    before=st.lists(st.sampled_from(("complies", "fails", "is unverified")), max_size=3),
    behind=st.lists(st.sampled_from(("complies", "fails", "is unverified")), max_size=4),
    tahap=st.integers(1, 4),
    against=st.sampled_from(("HOLD", "TERMINATION")),
    outcome=st.sampled_from(("REJECTED", "WITHDRAWN")),
)
def test_an_appeal_that_came_to_nothing_leaves_what_none_would_have_left(
    before: list[Came],
    behind: list[Came],
    tahap: int,
    against: Against,
    outcome: Literal["REJECTED", "WITHDRAWN"],
) -> None:
    cycles = [
        cycle(f"2023-{number}", came) for number, came in enumerate([*before, "fails", *behind], 1)
    ]
    first = len(before) + 1
    none = decided(*cycles)

    with_appeal = decided(
        *cycles[:first],
        appeal(f"2023-{min(tahap, first)}", against),
        *cycles[first:],
        decision(outcome),
    )

    assert _bare(commitment.fold(with_appeal)) == _bare(commitment.fold(none))
    assert _said(with_appeal) == _said(none)
