"""A case: received once, and told to others under its own id."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from libs.events.domain.testing import given
from libs.events.store.model import Message
from services.complaints import policy
from services.complaints.contract import CASE, TOPIC
from services.complaints.domain.case import (
    AdvanceTo,
    Case,
    CaseDated,
    CaseEscalated,
    CaseFiled,
    CaseReceived,
    CaseReceivedDifferently,
    CaseResolved,
    CaseResolvedDifferently,
    CaseUnknown,
    DateTerm,
    Event,
    ReceiveCase,
    ResolveCase,
    ResolvedBeforeReceived,
    case,
)
from services.complaints.domain.handling import (
    AnswerQuestion,
    CaseLinked,
    CasePaused,
    CaseReopened,
    CaseResumed,
    CaseUnlinked,
    ReopenCase,
    UnlinkCase,
)
from services.complaints.domain.working_days import HolidaysUnknown
from tests.unit.complaints.decrees import ladder_decreed_to

ID, FAMILY = "7b0c6d1e-52a4-4f0b-8c1e-2f3a4b5c6d70", "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
OTHER = "0d9e8f7a-6b5c-4d3e-a2f1-0e9d8c7b6a59"
DAYS = (date(2023, 3, 30), date(2023, 4, 6))
FACTS = (ID, "AMOUNT_WRONG", "WEB", "61.03.01.2026")
RECEIVE = ReceiveCase(*FACTS, "DISTRICT", *DAYS, False, FAMILY)
RECEIVED = CaseReceived(*FACTS, "DISTRICT", *DAYS, False, FAMILY)
ESCALATED = CaseEscalated(ID, "REGENCY", date(2023, 4, 10), date(2023, 4, 24), FAMILY)
RESOLVED = CaseResolved(ID, "DISTRICT", date(2023, 4, 6), "UPHELD", FAMILY)
LADDER = policy.load().ladder


def test_a_complaint_becomes_a_case() -> None:
    given(case).when(RECEIVE).then(RECEIVED)


def test_the_same_complaint_again_is_quiet() -> None:
    given(case, RECEIVED).when(RECEIVE).then_nothing()


def test_another_complaint_of_the_same_id_is_refused() -> None:
    given(case, RECEIVED).when(replace(RECEIVE, channel="SMS")).then_refused(
        CaseReceivedDifferently
    )


@pytest.mark.parametrize("event", [RECEIVED, ESCALATED, RESOLVED])
def test_a_case_is_told_under_its_own_id(event: Event) -> None:
    assert CASE.publish(event, Case(RECEIVED)) == Message(TOPIC, ID)


def test_the_number_of_a_file_is_kept_and_told_to_nobody() -> None:
    filed = CaseFiled(ID, "C000001")

    given(case).when(replace(RECEIVE, reference="C000001")).then(RECEIVED, filed)
    given(case, RECEIVED, filed).when(replace(RECEIVE, reference="C000001")).then_nothing()
    assert CASE.publish(filed, Case(RECEIVED)) is None


# -- Business dates -------------------------------------------------------------------------------


def test_whoever_s_term_is_over_has_the_case_no_more() -> None:
    given(case, RECEIVED).when(AdvanceTo(date(2023, 4, 10), LADDER)).then(ESCALATED)


def test_a_case_that_nobody_looked_at_for_long_passes_through_every_level() -> None:
    late = given(case, RECEIVED).when(AdvanceTo(date(2023, 12, 29), LADDER))

    late.then(
        ESCALATED,
        CaseEscalated(ID, "PROVINCE", date(2023, 4, 25), date(2023, 5, 16), FAMILY),
        CaseEscalated(ID, "NATION", date(2023, 5, 17), date(2023, 7, 3), FAMILY),
    )


@pytest.mark.parametrize("on", [date(2023, 3, 30), date(2023, 4, 6), date(2023, 4, 9)])
def test_a_level_keeps_a_case_in_its_term_and_on_free_days_behind_it(on: date) -> None:
    given(case, RECEIVED).when(AdvanceTo(on, LADDER)).then_nothing()


def test_a_business_date_that_was_swept_is_quiet() -> None:
    given(case, RECEIVED, ESCALATED).when(AdvanceTo(date(2023, 4, 10), LADDER)).then_nothing()


def test_nobody_receives_a_case_that_is_resolved_or_unknown_or_without_terms() -> None:
    late = AdvanceTo(date(2023, 12, 29), LADDER)

    given(case, RECEIVED, RESOLVED).when(late).then_nothing()
    given(case).when(late).then_nothing()
    given(case, replace(RECEIVED, due_on=None)).when(late).then_nothing()


def test_a_term_over_days_that_nobody_decreed_is_refused_by_year() -> None:
    last = replace(RECEIVED, received_on=date(2026, 12, 1), due_on=date(2026, 12, 30))

    late = AdvanceTo(date(2026, 12, 31), ladder_decreed_to(2026))
    given(case, last).when(late).then_refused(HolidaysUnknown)


# -- Without a decree -----------------------------------------------------------------------------

LAST_DECREED = ladder_decreed_to(2026)
UNDATED = replace(RECEIVED, received_on=date(2026, 12, 28), due_on=None)
DATED = CaseDated(ID, "DISTRICT", date(2027, 1, 6), FAMILY)  # 1 and 5 January are free


def test_a_term_has_a_last_day_once_its_decree_is_there() -> None:
    given(case, UNDATED).when(DateTerm(LAST_DECREED)).then_nothing()

    then = given(case, UNDATED).when(DateTerm(LADDER))

    then.then(DATED)
    assert [turn.due_on for turn in then.state.turns] == [DATED.due_on]
    assert CASE.publish(DATED, then.state) == Message(TOPIC, ID)


def test_a_term_that_is_dated_late_passes_on_as_one_that_was_dated_at_once() -> None:
    at_once = given(case, replace(UNDATED, due_on=DATED.due_on)).when(
        AdvanceTo(date(2027, 3, 1), LADDER)
    )

    given(case, UNDATED, DATED).when(AdvanceTo(date(2027, 3, 1), LADDER)).then(*at_once.events)


@pytest.mark.parametrize("ended", [(), (RESOLVED,), (CaseLinked(ID, OTHER, date(2026, 12, 29)),)])
def test_a_term_that_is_dated_or_that_does_not_run_gets_no_other_day(
    ended: tuple[Event, ...],
) -> None:
    before = [UNDATED, *ended] if ended else [UNDATED, DATED]

    given(case, *before).when(DateTerm(LADDER)).then_nothing()
    given(case).when(DateTerm(LADDER)).then_nothing()


def test_a_case_without_a_last_day_stays_with_its_level() -> None:
    given(case, UNDATED).when(AdvanceTo(date(2027, 3, 1), LADDER)).then_nothing()


def test_a_late_sweep_passes_a_case_on_as_far_as_days_are_decreed() -> None:
    old = replace(RECEIVED, received_on=date(2026, 11, 12), due_on=date(2026, 11, 19))

    given(case, old).when(AdvanceTo(date(2027, 1, 4), LAST_DECREED)).then(
        CaseEscalated(ID, "REGENCY", date(2026, 11, 20), date(2026, 12, 4), FAMILY),
        CaseEscalated(ID, "PROVINCE", date(2026, 12, 7), date(2026, 12, 28), FAMILY),
    )


def test_days_that_a_term_stood_still_are_counted_once_its_decree_is_there() -> None:
    """Asked on the first of five days, answered on 8 January: four of them are left."""
    asked = CasePaused(ID, date(2026, 12, 29), date(2027, 1, 20), FAMILY)
    answer = AnswerQuestion(date(2027, 1, 8), "s1.1.c2VhbGVk", LAST_DECREED, "")

    answered = given(case, UNDATED, asked).when(answer)
    [resumed] = [each for each in answered.events if isinstance(each, CaseResumed)]
    dated = given(case, UNDATED, asked, *answered.events).when(DateTerm(LADDER))
    known = given(case, replace(UNDATED, due_on=DATED.due_on), asked).when(
        replace(answer, ladder=LADDER)
    )

    assert resumed.due_on is None
    assert dated.state.turns[-1].due_on == known.state.turns[-1].due_on == date(2027, 1, 14)
    assert not given(case, UNDATED, asked).when(DateTerm(LADDER)).events


def test_a_dated_term_that_runs_on_into_days_without_a_decree_has_no_last_day_till_then() -> None:
    received = replace(RECEIVED, received_on=date(2026, 12, 21), due_on=date(2026, 12, 29))
    linked = CaseLinked(ID, OTHER, date(2026, 12, 28), FAMILY)
    unlink = UnlinkCase(date(2026, 12, 31), LAST_DECREED, "clerk-1")

    alone = given(case, received, linked).when(unlink)

    alone.then(CaseUnlinked(ID, OTHER, date(2026, 12, 31), None, FAMILY))
    given(case, received, linked, *alone.events).when(DateTerm(LADDER)).then(
        CaseDated(ID, "DISTRICT", date(2027, 1, 4), FAMILY)
    )


def test_a_case_is_opened_again_without_waiting_for_a_decree() -> None:
    resolved = replace(RESOLVED, on=date(2026, 12, 28))
    reopen = ReopenCase(date(2026, 12, 30), 14, LAST_DECREED, "")

    opened = given(case, UNDATED, resolved).when(reopen)

    opened.then(CaseReopened(ID, "DISTRICT", date(2026, 12, 30), None, FAMILY))
    given(case, UNDATED, resolved, *opened.events).when(DateTerm(LADDER)).then(
        CaseDated(ID, "DISTRICT", date(2027, 1, 8), FAMILY)
    )


def test_the_same_complaint_after_its_decree_has_come_is_quiet() -> None:
    again = replace(RECEIVE, received_on=UNDATED.received_on, due_on=DATED.due_on)

    given(case, UNDATED).when(again).then_nothing()


# -- Resolved -------------------------------------------------------------------------------------


def test_the_level_that_has_the_case_resolves_it() -> None:
    given(case, RECEIVED).when(ResolveCase(date(2023, 4, 6), "UPHELD")).then(RESOLVED)
    given(case, RECEIVED, ESCALATED).when(ResolveCase(date(2023, 4, 10), "UPHELD")).then(
        CaseResolved(ID, "REGENCY", date(2023, 4, 10), "UPHELD", FAMILY)
    )


def test_the_same_resolution_again_is_quiet_and_another_is_refused() -> None:
    resolved = given(case, RECEIVED, RESOLVED)

    resolved.when(ResolveCase(date(2023, 4, 6), "UPHELD")).then_nothing()
    for other in (
        ResolveCase(date(2023, 4, 6), "REJECTED"),
        ResolveCase(date(2023, 4, 7), "UPHELD"),
    ):
        resolved.when(other).then_refused(CaseResolvedDifferently)


def test_a_case_is_resolved_neither_before_it_came_nor_when_there_is_none() -> None:
    given(case, RECEIVED).when(ResolveCase(date(2023, 3, 29), "UPHELD")).then_refused(
        ResolvedBeforeReceived
    )
    given(case).when(ResolveCase(date(2023, 3, 30), "UPHELD")).then_refused(CaseUnknown)
