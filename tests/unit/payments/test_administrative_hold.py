"""A family held by two people, and let go by two."""

from dataclasses import replace
from datetime import date

import pytest

from libs.events.domain.testing import Given, given
from services.payments.domain.administrative_hold.decider import (
    AdministrativeHold,
    administrative_hold,
)
from services.payments.domain.administrative_hold.messages import (
    AdministrativeHoldEnded,
    AdministrativeHoldEndProposed,
    AdministrativeHoldPlaced,
    AdministrativeHoldProposed,
    ApproveHold,
    ApproveHoldEnd,
    Command,
    Event,
    HoldKind,
    HoldTerms,
    ProposeHold,
    ProposeHoldEnd,
)
from services.payments.domain.shared.errors import Malformed, NotHeld, NothingProposed, SamePerson
from tests.unit.payments.kit import FAMILY

TERMS = HoldTerms(
    HoldKind.HOLD, "DATA_UNDER_REVIEW", "BA-12/DINSOS/2023", last_day=date(2023, 6, 30)
)
PROPOSE, APPROVE = ProposeHold(FAMILY, "maker", TERMS), ApproveHold("checker")
END, APPROVE_END = ProposeHoldEnd("maker", "REVIEW_DONE"), ApproveHoldEnd("checker")
HELD: tuple[Command, ...] = (PROPOSE, APPROVE)
ENDED: tuple[Command, ...] = (*HELD, END, APPROVE_END)


def after(*commands: Command) -> Given[Command, AdministrativeHold, Event]:
    """A family on which these decisions were taken, one after another."""
    events: list[Event] = []
    for command in commands:
        events += given(administrative_hold, *events).when(command).events
    return given(administrative_hold, *events)


def terms(*commands: Command) -> HoldTerms | None:
    """On which terms the family is held after these decisions."""
    state = AdministrativeHold()
    for command in commands:
        state = administrative_hold.fold(administrative_hold.decide(command, state), state)
    return state.terms


# -- Placed by two people


def test_a_proposal_holds_nobody() -> None:
    after().when(PROPOSE).then(AdministrativeHoldProposed(FAMILY, TERMS, "maker"))
    assert terms(PROPOSE) is None


def test_another_person_s_approval_holds_the_family() -> None:
    after(PROPOSE).when(APPROVE).then(
        AdministrativeHoldPlaced(
            family=FAMILY,
            number=1,
            kind=HoldKind.HOLD,
            reason="DATA_UNDER_REVIEW",
            from_tahap="",
            last_day=date(2023, 6, 30),
            maker="maker",
            checker="checker",
        )
    )
    assert terms(*HELD) == TERMS


def test_who_proposed_a_hold_does_not_approve_it() -> None:
    after(PROPOSE).when(ApproveHold("maker")).then_refused(SamePerson)


def test_without_a_proposal_there_is_nothing_to_approve() -> None:
    after().when(APPROVE).then_refused(NothingProposed)
    after(*HELD).when(ApproveHold("somebody else")).then_refused(NothingProposed)


def test_each_step_taken_twice_changes_nothing() -> None:
    after(PROPOSE).when(PROPOSE).then_nothing()
    after(*HELD).when(PROPOSE).then_nothing()
    after(*HELD).when(APPROVE).then_nothing()
    after(*HELD, END).when(END).then_nothing()
    after(*ENDED).when(APPROVE_END).then_nothing()


def test_a_later_proposal_replaces_the_one_that_waits() -> None:
    other = replace(PROPOSE, terms=replace(TERMS, reason="COURT_ORDER"))

    [placed] = after(PROPOSE, other).when(APPROVE).events

    assert isinstance(placed, AdministrativeHoldPlaced)
    assert placed.reason == "COURT_ORDER"


def test_a_hold_is_prolonged_without_a_day_between() -> None:
    longer = replace(TERMS, last_day=None)

    assert terms(*HELD, replace(PROPOSE, terms=longer)) == TERMS
    assert terms(*HELD, replace(PROPOSE, terms=longer), APPROVE) == longer


@pytest.mark.parametrize(
    "malformed",
    [
        replace(TERMS, reason="because of Ibu Sari"),
        replace(TERMS, evidence="NIK 6103014903800001"),
        replace(TERMS, evidence="6103014903800001"),
        replace(TERMS, evidence="BA-123456789"),
        replace(TERMS, evidence="x" * 65),
        replace(TERMS, evidence=""),
        replace(TERMS, from_tahap="2023"),
        replace(TERMS, kind=HoldKind.EXCLUSION),
    ],
    ids=["reason", "words", "nik", "digits", "long", "none", "tahap", "exclusion with an end"],
)
def test_terms_that_cannot_stand_in_a_document_are_refused(malformed: HoldTerms) -> None:
    after().when(replace(PROPOSE, terms=malformed)).then_refused(Malformed)


def test_a_refusal_never_repeats_what_may_be_somebody_s_number() -> None:
    terms = replace(TERMS, evidence="6103014903800001")

    with pytest.raises(Malformed) as refused:
        administrative_hold.decide(replace(PROPOSE, terms=terms), AdministrativeHold())

    assert "6103014903800001" not in str(refused.value)


# -- Ended by two people


def test_a_hold_is_ended_by_a_second_pair_of_eyes() -> None:
    after(*HELD).when(END).then(AdministrativeHoldEndProposed(FAMILY, "REVIEW_DONE", "maker"))
    after(*HELD, END).when(APPROVE_END).then(
        AdministrativeHoldEnded(FAMILY, 1, "REVIEW_DONE", "maker", "checker")
    )
    assert terms(*HELD, END) == TERMS
    assert terms(*ENDED) is None


def test_who_proposed_the_end_does_not_approve_it() -> None:
    after(*HELD, END).when(ApproveHoldEnd("maker")).then_refused(SamePerson)


def test_who_is_not_held_cannot_be_let_go() -> None:
    after().when(END).then_refused(NotHeld)
    after(PROPOSE).when(END).then_refused(NotHeld)
    after(*ENDED).when(replace(END, reason="AGAIN")).then_refused(NotHeld)
    after(*HELD).when(APPROVE_END).then_refused(NothingProposed)


def test_new_terms_take_the_ground_from_an_end_that_was_proposed() -> None:
    longer = replace(PROPOSE, terms=replace(TERMS, last_day=None))

    after(*HELD, END, longer).when(APPROVE_END).then_refused(NothingProposed)


def test_holds_of_a_family_are_counted() -> None:
    [again] = after(*ENDED, PROPOSE).when(APPROVE).events

    assert isinstance(again, AdministrativeHoldPlaced)
    assert again.number == 2


# -- What a hold concerns


@pytest.mark.parametrize(
    ("terms", "concerned"),
    [
        (replace(TERMS, last_day=None), True),
        (replace(TERMS, last_day=date(2023, 4, 20)), True),
        (replace(TERMS, last_day=date(2023, 4, 19)), False),
        (replace(TERMS, from_tahap="2023-1"), True),
        (replace(TERMS, from_tahap="2023-2"), False),
    ],
)
def test_a_hold_concerns_money_from_its_tahap_on_until_its_last_day(
    terms: HoldTerms, concerned: bool
) -> None:
    assert terms.concerns("2023-1", date(2023, 4, 20)) is concerned
