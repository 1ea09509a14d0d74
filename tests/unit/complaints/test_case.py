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
    CaseEscalated,
    CaseFiled,
    CaseReceived,
    CaseReceivedDifferently,
    CaseResolved,
    CaseResolvedDifferently,
    CaseUnknown,
    Event,
    ReceiveCase,
    ResolveCase,
    ResolvedBeforeReceived,
    case,
)
from services.complaints.domain.working_days import HolidaysUnknown
from tests.unit.complaints.decrees import ladder_decreed_to

ID, FAMILY = "7b0c6d1e-52a4-4f0b-8c1e-2f3a4b5c6d70", "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
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
