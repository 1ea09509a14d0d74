"""A termination that a case orders to be taken back: proposed, decided by another person."""

from dataclasses import replace

import pytest

from libs.events.domain.testing import Given, given
from services.registry.domain.family import family
from services.registry.domain.family.commands import (
    AbandonTakeBack,
    AskTakeBack,
    Command,
    DecideTakeBack,
    MarkTerminated,
    UnlistFamily,
)
from services.registry.domain.family.errors import NoSuchTakeBack, SamePerson, TakeBackDecided
from services.registry.domain.family.events import (
    Event,
    FamilyListed,
    FamilyReinstated,
    OrderAnswered,
    TakeBackProposed,
    TakeBackRejected,
    TerminationTakenBack,
)
from services.registry.domain.family.state import Family
from tests.unit.registry.families import (
    FAMILY_ID,
    FIRST,
    MOTHER,
    SECOND,
    TODDLER,
    list_at,
    members,
    past,
    register,
)

ORDER = FAMILY_ID, "order-1", "case-1"
ASK = AskTakeBack(*ORDER, ("officer-1", "officer-2"), there=True)
APPROVE = DecideTakeBack("APPROVED", "supervisor-1")
REJECT = DecideTakeBack("REJECTED", "supervisor-1")
LISTED = register(), members(MOTHER, TODDLER), list_at(FIRST)
TERMINATED = (*LISTED, MarkTerminated("2023-1", "effect-1"))


def given_past(*commands: Command) -> Given[Command, Family, Event]:
    return given(family, *past(*commands))


@pytest.mark.parametrize("there", [True, False])
def test_somebody_outside_the_family_s_regions_has_nothing_taken_back(there: bool) -> None:
    outside = replace(ASK, inside=False, there=there)

    given_past(*TERMINATED).when(outside).then(OrderAnswered(*ORDER, "REFUSED", "OUTSIDE_REGIONS"))


def test_an_order_waits_for_another_person() -> None:
    then = given_past(*TERMINATED).when(ASK)

    then.then(
        TakeBackProposed(*ORDER, ("officer-1", "officer-2")), OrderAnswered(*ORDER, "PROPOSED")
    )
    assert then.state.departure is not None
    given_past(*TERMINATED, ASK).when(ASK).then_nothing()


@pytest.mark.parametrize(
    ("commands", "ask", "reason"),
    [
        (LISTED, ASK, "NOT_TERMINATED"),
        ((), replace(ASK, there=False), "FAMILY_UNKNOWN"),
        ((*TERMINATED, ASK), replace(ASK, order="order-2"), "TAKE_BACK_WAITS"),
    ],
    ids=["not terminated", "unknown", "waits"],
)
def test_an_order_that_nothing_can_follow_from_is_refused_by_name(
    commands: tuple[Command, ...], ask: AskTakeBack, reason: str
) -> None:
    answer = OrderAnswered(FAMILY_ID, ask.order, ask.case, "REFUSED", reason)

    given_past(*commands).when(ask).then(answer)


def test_taken_back_the_family_is_on_the_next_list() -> None:
    then = given_past(*TERMINATED, ASK).when(APPROVE)

    then.then(
        TerminationTakenBack(FAMILY_ID, "2023-1", *ORDER[1:], "supervisor-1"),
        FamilyReinstated(FAMILY_ID),
        OrderAnswered(*ORDER, "DONE"),
    )
    [line] = given_past(*TERMINATED, ASK, APPROVE).when(list_at(SECOND)).events
    assert isinstance(line, FamilyListed)
    assert line.outcome == "LISTED"


def test_rejected_the_termination_stays() -> None:
    then = given_past(*TERMINATED, ASK).when(REJECT)

    then.then(
        TakeBackRejected(*ORDER, "supervisor-1"),
        OrderAnswered(*ORDER, "REFUSED", "NOT_APPROVED"),
    )
    given_past(*TERMINATED, ASK, REJECT).when(list_at(SECOND)).then_nothing()


@pytest.mark.parametrize("person", ["officer-1", "OFFICER-2"])
def test_who_asked_does_not_decide(person: str) -> None:
    for decision in (APPROVE, REJECT):
        decided = replace(decision, checker=person)

        given_past(*TERMINATED, ASK).when(decided).then_refused(SamePerson)


def test_a_decision_is_not_reversed() -> None:
    given_past(*TERMINATED).when(APPROVE).then_refused(NoSuchTakeBack)
    given_past(*TERMINATED, ASK, APPROVE).when(APPROVE).then_nothing()
    given_past(*TERMINATED, ASK, APPROVE).when(REJECT).then_refused(TakeBackDecided)
    given_past(*TERMINATED, ASK, REJECT).when(APPROVE).then_refused(TakeBackDecided)


def test_a_cancelled_list_does_not_bring_back_a_termination_that_was_taken_back() -> None:
    listed = *TERMINATED, ASK, APPROVE, list_at(SECOND)
    at_the_cut = family.fold(past(*TERMINATED))

    then = given_past(*listed).when(UnlistFamily("2023-2", 1, at_the_cut))

    assert then.state.departure is None


def test_an_order_that_waits_is_over_when_two_people_erase_the_family() -> None:
    erase = AbandonTakeBack("head-1")
    answer = OrderAnswered(*ORDER, "REFUSED", "FAMILY_UNKNOWN")

    given_past(*TERMINATED, ASK).when(erase).then(TakeBackRejected(*ORDER, "head-1"), answer)
    for done in ((), (ASK, REJECT), (ASK, erase)):
        given_past(*TERMINATED, *done).when(erase).then_nothing()
