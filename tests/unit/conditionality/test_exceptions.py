"""An exception from duties: made by two people, and what a cycle makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.domain.errors import DomainError
from services.conditionality.domain.commitment import (
    ApproveCorrection,
    Cause,
    CorrectionProposed,
    CycleEvaluated,
    EvaluateCycle,
)
from services.conditionality.domain.commitment.corrections import SamePerson
from services.conditionality.domain.duties import Excuse, Excused, Exempt
from services.conditionality.domain.exceptions import (
    Command,
    DecideException,
    DutyException,
    EndsBeforeItBegins,
    ExceptionCounted,
    ExceptionOver,
    ExceptionTerms,
    NothingProposed,
    ProposeException,
    ReasonUnknown,
    TermTooLong,
    duty_exception,
)
from services.conditionality.domain.person import Person
from tests.unit.conditionality.kit import (
    BAD,
    FAMILY,
    POLICY,
    cycle,
    decided,
    effects,
    member,
    pupil_at_school,
    released,
)

ID = "0d9f2a34-6f0e-4b6e-a6a0-4f4f7f0c9b7a"
EXCUSES = {"DISASTER": Excuse(frozenset({"SCHOOL", "MATERNAL_CHECK"}), days_max=92)}
TERMS = ExceptionTerms("DISASTER", date(2023, 1, 1), date(2023, 3, 31), region="61.03")
FLOOD = Exempt(ID, "DISASTER", TERMS.first_day, TERMS.last_day)
EXCUSING = replace(POLICY, excuses=EXCUSES)


# -- Two people -----------------------------------------------------------------------------------


def proposal(terms: ExceptionTerms | None = TERMS, **changes: Any) -> ProposeException:
    return ProposeException(
        **{"exception": ID, "terms": terms, "maker": "officer-1", "excuses": EXCUSES} | changes
    )


APPROVED = DecideException("APPROVED", "supervisor-1")
REJECTED = DecideException("REJECTED", "supervisor-1")


def after(*commands: Command) -> DutyException:
    state = DutyException()
    for command in commands:
        state = duty_exception.fold(duty_exception.decide(command, state), state)
    return state


def test_an_exception_holds_once_another_person_approved_it() -> None:
    assert (after(proposal()).state, after(proposal()).terms) == ("PROPOSED", None)

    approved = after(proposal(), APPROVED)

    assert (approved.state, approved.terms) == ("HOLDS", TERMS)
    assert approved.people == ("officer-1", "supervisor-1")


def test_a_step_that_was_taken_is_quiet() -> None:
    assert duty_exception.decide(proposal(), after(proposal())) == []
    assert duty_exception.decide(APPROVED, after(proposal(), APPROVED)) == []
    assert duty_exception.decide(proposal(), after(proposal(), APPROVED)) == []
    assert duty_exception.decide(REJECTED, after(proposal(), REJECTED)) == []


def test_nobody_decides_on_their_own_proposal() -> None:
    for decision in (APPROVED, REJECTED):
        for name in ("officer-1", "OFFICER-1"):
            with pytest.raises(SamePerson):
                duty_exception.decide(replace(decision, checker=name), after(proposal()))


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        (replace(TERMS, reason="LAZINESS"), ReasonUnknown),
        (replace(TERMS, last_day=date(2022, 12, 31)), EndsBeforeItBegins),
        (replace(TERMS, last_day=date(2023, 4, 3)), TermTooLong),
    ],
)
def test_terms_that_the_policy_does_not_know_are_refused_by_name(
    terms: ExceptionTerms, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        after(proposal(terms))


def test_the_longest_term_counts_both_of_its_days() -> None:
    longest = replace(TERMS, last_day=date(2023, 4, 2))
    assert after(proposal(longest), APPROVED).terms == longest


def test_what_is_refused_or_withdrawn_is_over() -> None:
    refused = after(proposal(), REJECTED)
    withdrawn = after(proposal(), APPROVED, proposal(None), APPROVED)

    assert (refused.state, withdrawn.state) == ("REFUSED", "WITHDRAWN")
    assert (refused.terms, withdrawn.terms) == (None, None)
    for state in (refused, withdrawn):
        with pytest.raises(ExceptionOver):
            duty_exception.decide(proposal(), state)
    with pytest.raises(NothingProposed):
        duty_exception.decide(APPROVED, refused)


def test_other_terms_hold_once_they_are_approved_and_the_first_until_then() -> None:
    smaller = replace(TERMS, region="61.03.01")

    waiting = after(proposal(), APPROVED, proposal(smaller, maker="officer-2"))
    assert (waiting.state, waiting.terms) == ("CHANGE_PROPOSED", TERMS)
    kept = duty_exception.fold(duty_exception.decide(REJECTED, waiting), waiting)
    assert (kept.state, kept.terms) == ("HOLDS", TERMS)
    changed = duty_exception.fold(duty_exception.decide(APPROVED, waiting), waiting)
    assert changed.terms == smaller
    assert changed.people == ("officer-1", "officer-2", "supervisor-1")


EARLIER = replace(TERMS, last_day=date(2023, 2, 10))


def test_what_has_counted_is_neither_withdrawn_nor_corrected() -> None:
    holds = after(proposal(), APPROVED)
    for terms in (None, replace(TERMS, region="61.04"), EARLIER):
        with pytest.raises(ExceptionCounted):
            duty_exception.decide(proposal(terms, counted_to="2023-03"), holds)
        # It counted after the change was proposed.
        waiting = after(proposal(), APPROVED, proposal(terms))
        with pytest.raises(ExceptionCounted):
            duty_exception.decide(replace(APPROVED, counted_to="2023-03"), waiting)
        rejected = duty_exception.decide(replace(REJECTED, counted_to="2023-03"), waiting)
        assert duty_exception.fold(rejected, waiting).terms == TERMS


def test_what_has_counted_is_ended_early_behind_that() -> None:
    holds = after(proposal(), APPROVED)

    ended = duty_exception.decide(proposal(EARLIER, counted_to="2023-02"), holds)

    assert after(proposal(), APPROVED, proposal(EARLIER), APPROVED).terms == EARLIER
    assert len(ended) == 1


# -- What a cycle makes of it ---------------------------------------------------------------------


def excused(command: EvaluateCycle, *exempt: Exempt) -> EvaluateCycle:
    return replace(command, exempt=exempt, policy=EXCUSING)


def only(events: tuple[object, ...]) -> CycleEvaluated:
    [evaluated] = [each for each in events if isinstance(each, CycleEvaluated)]
    return evaluated


@pytest.mark.parametrize("came", ["fails", "is unverified"])
def test_a_cycle_whose_duties_are_all_excused_neither_failed_nor_counts(came: Any) -> None:
    past = decided(cycle("2023-1", "fails"))

    events = decided(excused(cycle("2023-2", came), FLOOD), after=past)

    evaluated = only(events)
    assert (evaluated.result, evaluated.counter, evaluated.duties) == ("UNVERIFIED", 1, ())
    assert evaluated.excused == tuple(
        Excused(1, "SD", month, ID, "DISASTER") for month in ("2023-01", "2023-02", "2023-03")
    )
    assert (evaluated.evidence, effects(events)) == ((), [])


def test_a_duty_that_was_done_counts_as_done() -> None:
    past = decided(cycle("2023-1", "fails"))

    events = decided(excused(cycle("2023-2", "complies"), FLOOD), after=past)

    assert (only(events).result, only(events).excused) == ("COMPLIANT", ())
    assert effects(events) == [released("2023-1", cycle="2023-2")]


def test_only_the_months_in_which_it_holds_are_excused() -> None:
    january = replace(FLOOD, first_day=date(2023, 1, 31), last_day=date(2023, 1, 31))

    evaluated = only(decided(excused(cycle("2023-1", "fails"), january)))

    assert [each.month for each in evaluated.excused] == ["2023-01"]
    assert [each.month for each in evaluated.duties] == ["2023-02", "2023-03"]
    assert evaluated.result == "FAILED"


def expecting(*exempt: Exempt) -> CycleEvaluated:
    facts: Mapping[str, Person] = {"t1": Person(visits={"MATERNAL_CHECK": {"2023-03": False}})}
    command = excused(cycle("2023-1", "fails"), *exempt)
    return only(decided(replace(command, members=(member("PREGNANT"),), facts=facts)))


def test_a_duty_of_the_whole_cycle_is_excused_where_every_month_is() -> None:
    rest = replace(FLOOD, exception="other", first_day=date(2023, 3, 20))
    until_february = replace(FLOOD, last_day=date(2023, 2, 28))

    assert expecting(FLOOD).excused == (Excused(1, "PREGNANT", None, ID, "DISASTER"),)
    assert expecting(until_february, rest).result == "UNVERIFIED"
    assert (expecting(until_february).result, expecting(until_february).excused) == ("FAILED", ())


def test_a_reason_excuses_no_more_than_its_policy_names() -> None:
    others = replace(EXCUSING, excuses={"DISASTER": Excuse(frozenset({"WEIGHING"}), 92)})
    for policy in (others, POLICY):
        command = replace(excused(cycle("2023-1", "fails"), FLOOD), policy=policy)
        assert only(decided(command)).result == "FAILED"


def test_an_exception_before_the_freeze_makes_a_new_revision_and_releases() -> None:
    past = decided(cycle("2023-1", "fails"))

    events = decided(excused(cycle("2023-1", "fails"), FLOOD), after=past)

    assert (only(events).revision, only(events).result) == (2, "UNVERIFIED")
    assert effects(events) == [released("2023-1", cycle="2023-1", revision=2)]
    assert decided(excused(cycle("2023-1", "fails"), FLOOD), after=(*past, *events)) == ()


def test_an_exception_after_the_freeze_is_a_proposal_and_counts_once_approved() -> None:
    past = decided(cycle("2023-1", "fails"))
    cause = Cause(7, ("officer-1", "supervisor-1"))
    again = excused(cycle("2023-1", "fails", frozen=True, cause=cause), FLOOD)

    [proposed] = decided(again, after=past)

    assert isinstance(proposed, CorrectionProposed)
    assert (proposed.result, len(proposed.excused)) == ("UNVERIFIED", 3)
    assert decided(again, after=(*past, proposed)) == ()
    with pytest.raises(SamePerson):
        decided(ApproveCorrection(FAMILY, 1, "supervisor-1", POLICY), after=(*past, proposed))
    approval = ApproveCorrection(FAMILY, 1, "head-1", POLICY)
    approved = decided(approval, after=(*past, proposed))
    assert (only(approved).result, only(approved).excused) == ("UNVERIFIED", proposed.excused)
    assert released("2023-1", cycle="2023-1", revision=2) in approved


def test_evidence_stays_with_the_duties_that_count() -> None:
    february = replace(FLOOD, first_day=date(2023, 2, 1), last_day=date(2023, 2, 28))
    command = replace(cycle("2023-1", "fails"), facts=pupil_at_school(BAD))

    evaluated = only(decided(excused(command, february)))

    assert [each.month for each in evaluated.evidence] == ["2023-01", "2023-03"]
