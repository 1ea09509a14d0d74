"""Erasure of what was said on a case: each command where it happens, is refused and is quiet."""

from __future__ import annotations

from datetime import date

import pytest

from libs.events.domain.testing import given
from services.complaints.domain.case import (
    CaseAboutThemselves,
    CaseNotResolved,
    CaseReceived,
    CaseResolved,
    CaseUnknown,
    Command,
    ResolveCase,
    case,
)
from services.complaints.domain.erasing import (
    CaseErased,
    CaseErasureProposed,
    CaseErasureRejected,
    CaseIsErased,
    DecideErasure,
    EraseCase,
    ErasureBySamePerson,
    ErasureProposedAlready,
    NoErasureProposed,
    ProposeErasure,
)
from services.complaints.domain.handling import (
    AskReporter,
    AssignCase,
    CaseAssigned,
    CaseClosed,
    CloseCase,
    NoteCase,
    ReopenCase,
    Statement,
    StatementTaken,
)
from services.complaints.policy import load

ID = "7b0c6d1e-52a4-4f0b-8c1e-2f3a4b5c6d70"
DAYS = (date(2023, 3, 30), date(2023, 4, 6))
ENDED, CLOSED_ON = date(2023, 4, 5), date(2023, 4, 11)
RECEIVED = CaseReceived(ID, "OTHER", "WEB", "61.03.01.2026", "DISTRICT", *DAYS)
RESOLVED = CaseResolved(ID, "DISTRICT", ENDED, "UPHELD")
CLOSED = CaseClosed(ID, CLOSED_ON)
PROPOSED = CaseErasureProposed(ID, "BA-17/2026", "ana")
ERASED = CaseErased(ID, "REPORTER")
PROPOSE = ProposeErasure("BA-17/2026", "ana")
APPROVE, REJECT = DecideErasure(approved=True, by="budi"), DecideErasure(approved=False, by="budi")
REPORTER, RETENTION, FAMILY = EraseCase("REPORTER"), EraseCase("RETENTION"), EraseCase("FAMILY")
ALL: list[Command] = [PROPOSE, APPROVE, REPORTER, RETENTION, FAMILY]


@pytest.mark.parametrize("command", ALL)
def test_nothing_is_erased_of_a_case_that_nobody_has_received(command: Command) -> None:
    given(case).when(command).then_refused(CaseUnknown)


@pytest.mark.parametrize("command", [PROPOSE, APPROVE, REPORTER, RETENTION])
def test_what_was_said_on_an_open_case_stays(command: Command) -> None:
    given(case, RECEIVED).when(command).then_refused(CaseNotResolved)


def test_that_of_an_erased_family_goes_at_any_time() -> None:
    given(case, RECEIVED).when(FAMILY).then(CaseErased(ID, "FAMILY"))


@pytest.mark.parametrize("command", [REPORTER, RETENTION])
def test_a_case_that_has_ended_is_erased(command: EraseCase) -> None:
    given(case, RECEIVED, RESOLVED, CLOSED).when(command).then(CaseErased(ID, command.ground))


@pytest.mark.parametrize("command", [REPORTER, RETENTION, FAMILY])
def test_a_case_is_erased_once(command: Command) -> None:
    given(case, RECEIVED, RESOLVED, ERASED).when(command).then_nothing()


def test_one_person_proposes_and_another_has_it_erased() -> None:
    given(case, RECEIVED, RESOLVED).when(PROPOSE).then(PROPOSED)
    given(case, RECEIVED, RESOLVED, PROPOSED).when(APPROVE).then(CaseErased(ID, "OFFICE", "budi"))


def test_what_is_rejected_stays_and_may_be_proposed_again() -> None:
    rejected = CaseErasureRejected(ID, "budi")
    given(case, RECEIVED, RESOLVED, PROPOSED).when(REJECT).then(rejected)
    given(case, RECEIVED, RESOLVED, PROPOSED, rejected).when(PROPOSE).then(PROPOSED)
    given(case, RECEIVED, RESOLVED, PROPOSED, rejected).when(APPROVE).then_refused(
        NoErasureProposed
    )


def test_the_same_proposal_again_is_quiet_and_another_waits() -> None:
    given(case, RECEIVED, RESOLVED, PROPOSED).when(PROPOSE).then_nothing()
    another = ProposeErasure("BA-18/2026", "citra")
    given(case, RECEIVED, RESOLVED, PROPOSED).when(another).then_refused(ErasureProposedAlready)


def test_nobody_decides_what_they_proposed() -> None:
    herself = DecideErasure(approved=True, by=" ANA")
    given(case, RECEIVED, RESOLVED, PROPOSED).when(herself).then_refused(ErasureBySamePerson)
    given(case, RECEIVED, RESOLVED).when(APPROVE).then_refused(NoErasureProposed)


@pytest.mark.parametrize(
    "command", [ProposeErasure("BA-17/2026", "chief"), DecideErasure(True, "chief")]
)
def test_nobody_erases_a_complaint_about_themselves(command: Command) -> None:
    about = StatementTaken(ID, Statement(about="chief"))
    proposed = (RECEIVED, about, RESOLVED, PROPOSED)
    given(case, *proposed).when(command).then_refused(CaseAboutThemselves)


def test_nothing_is_said_on_an_erased_case_any_more() -> None:
    said: list[Command] = [
        NoteCase(ENDED, "s", "ana"),
        AskReporter(ENDED, ENDED, "s", "ana"),
        ReopenCase(ENDED, 14, load().ladder, "ana"),
        PROPOSE,
        APPROVE,
    ]
    for command in said:
        given(case, RECEIVED, RESOLVED, ERASED).when(command).then_refused(CaseIsErased)


def test_an_open_case_of_an_erased_family_comes_to_its_end_without_words() -> None:
    erased = (RECEIVED, CaseErased(ID, "FAMILY"))
    given(case, *erased).when(AssignCase("ana", "ana")).then(CaseAssigned(ID, "ana"))
    given(case, *erased).when(ResolveCase(ENDED, "UPHELD", by="ana")).then(RESOLVED)
    worded = ResolveCase(ENDED, "UPHELD", "s", "ana")
    given(case, *erased).when(worded).then_refused(CaseIsErased)
    given(case, *erased, RESOLVED).when(CloseCase(CLOSED_ON, "ana")).then(CLOSED)


def test_a_case_that_nobody_closed_ended_when_it_was_resolved() -> None:
    then = given(case, RECEIVED, RESOLVED).when(CloseCase(CLOSED_ON, "ana"))
    assert then.state.ended_on == CLOSED_ON
    assert given(case, RECEIVED).when(ResolveCase(ENDED, "UPHELD")).state.ended_on == ENDED
    assert given(case, RECEIVED).when(AssignCase("ana", "ana")).state.ended_on is None
