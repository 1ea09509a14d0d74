"""Appeals and orders of a case: opened, decided by another person, answered by a service."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.domain.testing import given
from services.complaints.domain.remedy import (
    AnswerNoted,
    AppealAlreadyDecided,
    AppealDecided,
    AppealDiffers,
    AppealOpened,
    AppealRefused,
    AskFor,
    Command,
    DecideAppeal,
    EndNoted,
    Event,
    NoSuchAppeal,
    NoteAnswer,
    NoteEnd,
    NotePause,
    NoteRefusal,
    OpenAppeal,
    OrderRequested,
    PauseNoted,
    RefusalNoted,
    SamePerson,
    remedy,
)

CASE, FAMILY = "case-1", "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
RECEIVED, ON = date(2023, 4, 20), date(2023, 5, 20)
HERE = ("61.03",)
OPEN = OpenAppeal(CASE, FAMILY, "2023-1", "HOLD", RECEIVED, "officer-1", HERE)
UPHOLD = DecideAppeal(CASE, "UPHELD", "officer-2", ON, HERE)
ASK = AskFor(CASE, "REEVALUATE_CYCLE", FAMILY, "2023-1", "officer-1", ON, HERE)


def past(*commands: Command) -> Sequence[Event]:
    state, events = remedy.initial, list[Event]()
    for command in commands:
        new = remedy.decide(command, state)
        state = remedy.fold(new, state)
        events += new
    return events


def order_of(*commands: Command) -> OrderRequested:
    [order] = (event for event in past(*commands) if isinstance(event, OrderRequested))
    return order


def test_an_appeal_is_opened_once() -> None:
    given(remedy).when(OPEN).then(
        AppealOpened(CASE, FAMILY, "2023-1", "HOLD", RECEIVED, "officer-1", HERE)
    )
    given(remedy, *past(OPEN)).when(replace(OPEN, person="officer-3")).then_nothing()
    given(remedy, *past(OPEN)).when(replace(OPEN, tahap="2023-2")).then_refused(AppealDiffers)


def test_an_upheld_appeal_orders_its_cycle_to_be_decided_again() -> None:
    [decided, order] = given(remedy, *past(OPEN)).when(UPHOLD).events

    by = ON, "officer-2", HERE
    assert decided == AppealDecided(CASE, FAMILY, "2023-1", "HOLD", "UPHELD", *by)
    assert isinstance(order, OrderRequested)
    assert (order.ordered, order.tahap, order.asked_by) == (
        "REEVALUATE_CYCLE",
        "2023-1",
        ("officer-1", "officer-2"),
    )


def test_a_rejected_appeal_orders_nothing() -> None:
    for outcome in ("REJECTED", "WITHDRAWN"):
        decision = replace(UPHOLD, outcome=outcome)

        given(remedy, *past(OPEN)).when(decision).then(
            AppealDecided(CASE, FAMILY, "2023-1", "HOLD", outcome, ON, "officer-2", HERE)
        )


def test_an_appeal_is_decided_by_another_person_than_who_opened_it() -> None:
    for person in ("officer-1", "OFFICER-1 "):
        given(remedy, *past(OPEN)).when(replace(UPHOLD, person=person)).then_refused(SamePerson)


def test_a_decision_is_not_reversed() -> None:
    given(remedy, *past(OPEN, UPHOLD)).when(UPHOLD).then_nothing()
    other = replace(UPHOLD, outcome="REJECTED")
    given(remedy, *past(OPEN, UPHOLD)).when(other).then_refused(AppealAlreadyDecided)


def test_nothing_is_decided_that_was_not_opened() -> None:
    given(remedy).when(UPHOLD).then_refused(NoSuchAppeal)


def test_an_order_waits_for_its_answer_and_is_not_asked_twice_meanwhile() -> None:
    order = order_of(ASK)
    proposed = NoteAnswer(CASE, order.order, "conditionality", "PROPOSED")

    given(remedy, *past(ASK)).when(ASK).then_nothing()
    given(remedy, *past(ASK, proposed)).when(ASK).then_nothing()
    refused = replace(proposed, outcome="REFUSED", reason="NOTHING_CHANGED")
    [again] = given(remedy, *past(ASK, refused)).when(ASK).events
    assert isinstance(again, OrderRequested)
    assert again.order != order.order


@pytest.mark.parametrize("ordered", ["RECHECK_ACCOUNT", "REPAIR_PAYMENT", "UPDATE_DATA"])
def test_an_order_that_no_service_carries_out_is_answered_so(ordered: Any) -> None:
    [order, answer] = given(remedy).when(replace(ASK, ordered=ordered, tahap=None)).events

    assert isinstance(order, OrderRequested)
    assert answer == AnswerNoted(CASE, order.order, "NOT_YET_SUPPORTED")


def test_an_answer_stands_on_its_order_once() -> None:
    done = NoteAnswer(CASE, order_of(ASK).order, "conditionality", "DONE")

    then = given(remedy, *past(ASK)).when(done)

    then.then(AnswerNoted(CASE, done.order, "DONE"))
    assert [order.outcome for order in then.state.orders] == ["DONE"]
    given(remedy, *past(ASK, done)).when(done).then_nothing()


def test_an_answer_to_nothing_or_of_another_service_is_none() -> None:
    done = NoteAnswer(CASE, order_of(ASK).order, "conditionality", "DONE")

    given(remedy).when(done).then_nothing()
    given(remedy, *past(ASK)).when(replace(done, service="registry")).then_nothing()


def test_what_conditionality_says_of_the_pause_stands_on_the_appeal_once() -> None:
    paused, ended = NotePause(CASE), NoteEnd(CASE, "REJECTED")

    given(remedy, *past(OPEN)).when(paused).then(PauseNoted(CASE))
    given(remedy, *past(OPEN, paused)).when(paused).then_nothing()
    then = given(remedy, *past(OPEN, paused)).when(ended)
    then.then(EndNoted(CASE, "REJECTED"))
    assert then.state.appeal
    assert (then.state.appeal.pauses, then.state.appeal.ended) == (False, "REJECTED")
    given(remedy, *past(OPEN, paused, ended)).when(ended).then_nothing()
    for command in (paused, ended):
        given(remedy).when(command).then_nothing()


def test_a_decision_that_is_taken_for_none_is_followed_by_another_person_s() -> None:
    refused = NoteRefusal(CASE, 1, "OUTSIDE_REGIONS")

    then = given(remedy, *past(OPEN, UPHOLD)).when(refused)

    then.then(RefusalNoted(CASE, 1, "OUTSIDE_REGIONS"))
    assert then.state.appeal
    assert (then.state.appeal.decided, then.state.appeal.refused) == (None, "OUTSIDE_REGIONS")
    other = replace(UPHOLD, outcome="REJECTED", person="officer-3")
    [decided] = given(remedy, *past(OPEN, UPHOLD, refused)).when(other).events
    assert isinstance(decided, AppealDecided)
    assert decided.decision == 2


def test_a_refusal_that_comes_again_does_not_undo_the_decision_after_it() -> None:
    refused = NoteRefusal(CASE, 1, "OUTSIDE_REGIONS")

    for before in ((OPEN,), (OPEN, UPHOLD, refused), (OPEN, UPHOLD, refused, UPHOLD)):
        given(remedy, *past(*before)).when(refused).then_nothing()
    given(remedy).when(refused).then_nothing()


REFUSALS = ("OUTSIDE_REGIONS", "ANOTHER_IS_OPEN", "APPEALED_TOO_OFTEN")


@pytest.mark.parametrize("reason", REFUSALS)
@pytest.mark.parametrize("outcome", ["UPHELD", "REJECTED", "WITHDRAWN"])
def test_nobody_decides_on_a_refused_appeal(reason: str, outcome: Any) -> None:
    refused = NotePause(CASE, reason)

    then = given(remedy, *past(OPEN, refused)).when(replace(UPHOLD, outcome=outcome))

    then.then_refused(AppealRefused)


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_decision_that_was_quicker_than_the_refusal_of_its_appeal_is_none(reason: str) -> None:
    refused = NotePause(CASE, reason)

    then = given(remedy, *past(OPEN, UPHOLD)).when(refused)

    then.then(PauseNoted(CASE, reason), RefusalNoted(CASE, 1, reason))
    assert then.state.appeal
    assert (then.state.appeal.decided, then.state.appeal.refused) == (None, reason)
    given(remedy, *past(OPEN, UPHOLD, refused)).when(refused).then_nothing()
    given(remedy, *past(OPEN, UPHOLD, refused)).when(UPHOLD).then_refused(AppealRefused)


@pytest.mark.parametrize("reason", ["NOT_BY_POLICY", "NO_EFFECT", "RETURNED", "NO_SUCH_CYCLE"])
def test_an_appeal_for_which_nothing_waits_is_decided_all_the_same(reason: str) -> None:
    [decided, order] = given(remedy, *past(OPEN, NotePause(CASE, reason))).when(UPHOLD).events

    assert (type(decided), type(order)) == (AppealDecided, OrderRequested)
    given(remedy, *past(OPEN, UPHOLD)).when(NotePause(CASE, reason)).then(PauseNoted(CASE, reason))
