"""Work of people on a case: each command where it happens, is refused and is quiet."""

from __future__ import annotations

from datetime import date

import pytest

from libs.events.domain.testing import given
from services.complaints.domain.case import (
    AdvanceTo,
    AttachmentNotAllowed,
    CaseAboutThemselves,
    CaseEscalated,
    CaseIsLinked,
    CaseIsPaused,
    CaseIsResolved,
    CaseNotClosed,
    CaseNotLinked,
    CaseNotPaused,
    CaseNotResolved,
    CaseReceived,
    CaseResolved,
    CaseUnknown,
    Command,
    LinkedToItself,
    ReceiveCase,
    ReopenedTooLate,
    ResolveCase,
    case,
)
from services.complaints.domain.handling import (
    AnswerQuestion,
    AskReporter,
    AssignCase,
    AttachFile,
    Attachment,
    CaseAssigned,
    CaseClosed,
    CaseLinked,
    CasePaused,
    CaseRated,
    CaseReopened,
    CaseResumed,
    CaseUnlinked,
    CloseCase,
    Entry,
    FileAttached,
    LinkCase,
    NoteCase,
    RateCase,
    ReopenCase,
    Statement,
    StatementTaken,
    UnlinkCase,
    WordsAdded,
)
from services.complaints.policy import load

ID, OTHER = "7b0c6d1e-52a4-4f0b-8c1e-2f3a4b5c6d70", "0d9e8f7a-6b5c-4d3e-a2f1-0e9d8c7b6a59"
FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
LADDER = load().ladder
CLERK, CHIEF = "clerk-1", "facilitator-9"
SEALED = "s1.1.c2VhbGVk"
FACTS = (ID, "FACILITATOR_CONDUCT", "WEB", "61.03.01.2026", "DISTRICT")
DAYS = (date(2023, 3, 30), date(2023, 4, 6))
SAID = Statement(name=SEALED, contact=SEALED, words=SEALED, about=CHIEF)
RECEIVE = ReceiveCase(*FACTS, *DAYS, False, FAMILY, statement=SAID)  # type: ignore[arg-type]
RECEIVED = CaseReceived(*FACTS, *DAYS, False, FAMILY)  # type: ignore[arg-type]
STATED = StatementTaken(ID, SAID)
ASSIGNED = CaseAssigned(ID, CLERK)
ASKED_ON, UNTIL = date(2023, 4, 3), date(2023, 4, 18)
PAUSED = CasePaused(ID, ASKED_ON, UNTIL, FAMILY)
QUESTION = WordsAdded(ID, Entry("QUESTION", ASKED_ON, SEALED))
ENDED = date(2023, 4, 5)
RESOLVED = CaseResolved(ID, "DISTRICT", ENDED, "UPHELD", FAMILY)
CLOSED = CaseClosed(ID, date(2023, 4, 11), FAMILY)
LINKED = CaseLinked(ID, OTHER, ASKED_ON, FAMILY)
GOOD = Attachment(SEALED, "image/jpeg", 1_000)
ALLOWED = {"image/jpeg": 2_000}

ASSIGN = AssignCase(CLERK, CLERK)
NOTE = NoteCase(ENDED, SEALED, CLERK)
ATTACH = AttachFile(ENDED, GOOD, ALLOWED, CLERK)
ASK = AskReporter(ASKED_ON, UNTIL, SEALED, CLERK)
ANSWER = AnswerQuestion(date(2023, 4, 10), SEALED, LADDER, "")
RESOLVE = ResolveCase(ENDED, "UPHELD", by=CLERK)
CLOSE = CloseCase(date(2023, 4, 11), CLERK)
REOPEN = ReopenCase(date(2023, 4, 20), 14, LADDER, CLERK)
LINK = LinkCase(OTHER, ASKED_ON, CLERK)
UNLINK = UnlinkCase(date(2023, 4, 10), LADDER, CLERK)
RATE = RateCase(date(2023, 4, 12), 4)
STEPS: list[Command] = [
    *(ASSIGN, NOTE, ATTACH, ASK, ANSWER, RESOLVE, CLOSE, REOPEN, LINK, UNLINK, RATE)
]


def test_what_the_reporter_said_is_kept_beside_the_case() -> None:
    then = given(case).when(RECEIVE)

    then.then(RECEIVED, STATED)
    assert then.state.entries == (Entry("TEXT", DAYS[0], SEALED),)


def test_the_same_complaint_sealed_anew_is_quiet() -> None:
    given(case, RECEIVED, STATED).when(RECEIVE).then_nothing()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_nothing_happens_to_a_case_that_nobody_has_received(step: Command) -> None:
    given(case).when(step).then_refused(CaseUnknown)


@pytest.mark.parametrize(
    "step",
    [
        AssignCase(CLERK, CHIEF.upper()),
        AssignCase(CHIEF, CLERK),
        NoteCase(ENDED, SEALED, CHIEF),
        AttachFile(ENDED, GOOD, ALLOWED, CHIEF),
        AskReporter(ASKED_ON, UNTIL, SEALED, f" {CHIEF}"),
        AnswerQuestion(ENDED, SEALED, LADDER, CHIEF),
        ResolveCase(ENDED, "REJECTED", by=CHIEF),
        CloseCase(ENDED, CHIEF),
        ReopenCase(ENDED, 14, LADDER, CHIEF),
        LinkCase(OTHER, ENDED, CHIEF),
        UnlinkCase(ENDED, LADDER, CHIEF),
    ],
    ids=lambda step: type(step).__name__,
)
def test_nobody_works_on_a_case_about_themselves(step: Command) -> None:
    given(case, RECEIVED, STATED).when(step).then_refused(CaseAboutThemselves)


def test_a_case_is_assigned() -> None:
    given(case, RECEIVED).when(ASSIGN).then(ASSIGNED)


def test_a_case_that_is_theirs_already_is_assigned_quietly() -> None:
    given(case, RECEIVED, ASSIGNED).when(AssignCase(CLERK.upper(), CLERK)).then_nothing()


def test_a_resolved_case_is_not_assigned() -> None:
    given(case, RECEIVED, RESOLVED).when(ASSIGN).then_refused(CaseIsResolved)


def test_a_note_is_added() -> None:
    given(case, RECEIVED).when(NOTE).then(WordsAdded(ID, Entry("NOTE", ENDED, SEALED)))


def test_a_file_of_a_type_on_the_list_is_attached() -> None:
    given(case, RECEIVED).when(ATTACH).then(FileAttached(ID, ENDED, GOOD))


@pytest.mark.parametrize("wrong", [("text/html", 10), ("image/jpeg", 2_001)])
def test_a_file_of_another_type_or_too_large_is_refused(wrong: tuple[str, int]) -> None:
    attach = AttachFile(ENDED, Attachment(SEALED, *wrong), ALLOWED, CLERK)

    given(case, RECEIVED).when(attach).then_refused(AttachmentNotAllowed)


def test_asking_the_reporter_pauses_the_case() -> None:
    given(case, RECEIVED).when(ASK).then(PAUSED, QUESTION)


def test_a_reporter_is_asked_one_thing_at_a_time() -> None:
    given(case, RECEIVED, PAUSED).when(ASK).then_refused(CaseIsPaused)


def test_an_answer_leaves_the_working_days_that_were_left() -> None:
    # Asked on 3 April with 3 working days left (4, 5, 6); 7 April is a holiday.
    then = given(case, RECEIVED, PAUSED, QUESTION).when(ANSWER)

    then.then(
        WordsAdded(ID, Entry("ANSWER", date(2023, 4, 10), SEALED)),
        CaseResumed(ID, date(2023, 4, 10), date(2023, 4, 13), FAMILY),
    )
    assert then.state.turns[-1].due_on == date(2023, 4, 13)


def test_an_answer_to_no_question_is_refused() -> None:
    given(case, RECEIVED).when(ANSWER).then_refused(CaseNotPaused)


@pytest.mark.parametrize("on", [date(2023, 4, 10), UNTIL])
def test_a_paused_case_does_not_pass_on(on: date) -> None:
    given(case, RECEIVED, PAUSED).when(AdvanceTo(on, LADDER)).then_nothing()


def test_a_reporter_who_does_not_answer_in_time_is_waited_for_no_longer() -> None:
    then = given(case, RECEIVED, PAUSED).when(AdvanceTo(date(2023, 4, 19), LADDER))

    then.then(CaseResumed(ID, date(2023, 4, 19), date(2023, 4, 24), FAMILY))


def test_a_term_that_is_over_after_the_wait_passes_on_in_the_same_step() -> None:
    given(case, RECEIVED, PAUSED).when(AdvanceTo(date(2023, 4, 25), LADDER)).then(
        CaseResumed(ID, date(2023, 4, 19), date(2023, 4, 24), FAMILY),
        CaseEscalated(ID, "REGENCY", date(2023, 4, 25), date(2023, 5, 10), FAMILY),
    )


def test_a_case_is_resolved_with_a_reply() -> None:
    given(case, RECEIVED).when(ResolveCase(ENDED, "UPHELD", SEALED, CLERK)).then(
        RESOLVED, WordsAdded(ID, Entry("REPLY", ENDED, SEALED))
    )


def test_resolving_ends_the_wait_for_the_reporter() -> None:
    assert given(case, RECEIVED, PAUSED).when(RESOLVE).state.paused is None


def test_a_resolved_case_is_closed() -> None:
    given(case, RECEIVED, RESOLVED).when(CLOSE).then(CLOSED)


def test_a_closed_case_is_closed_quietly() -> None:
    given(case, RECEIVED, RESOLVED, CLOSED).when(CLOSE).then_nothing()


def test_an_open_case_is_not_closed() -> None:
    given(case, RECEIVED).when(CLOSE).then_refused(CaseNotResolved)


def test_a_case_is_opened_again_within_the_term() -> None:
    then = given(case, RECEIVED, RESOLVED, CLOSED).when(REOPEN)

    then.then(CaseReopened(ID, "DISTRICT", date(2023, 4, 20), date(2023, 4, 27), FAMILY))
    assert (then.state.resolved, then.state.closed_on) == (None, None)


def test_an_open_case_is_not_opened_again() -> None:
    given(case, RECEIVED).when(REOPEN).then_refused(CaseNotResolved)


@pytest.mark.parametrize(("on", "refused"), [(date(2023, 4, 25), False), (date(2023, 4, 26), True)])
def test_a_case_is_opened_again_until_the_last_day_of_the_term(on: date, refused: bool) -> None:
    then = given(case, RECEIVED, RESOLVED, CLOSED).when(ReopenCase(on, 14, LADDER, CLERK))

    if refused:
        then.then_refused(ReopenedTooLate)
    else:
        assert then.state.resolved is None


def test_a_duplicate_is_linked_and_passes_on_no_more() -> None:
    given(case, RECEIVED).when(LINK).then(LINKED)
    given(case, RECEIVED, LINKED).when(AdvanceTo(date(2023, 5, 30), LADDER)).then_nothing()


def test_a_case_that_is_linked_there_already_is_quiet() -> None:
    given(case, RECEIVED, LINKED).when(LINK).then_nothing()


def test_a_case_is_not_linked_to_itself_nor_to_two() -> None:
    given(case, RECEIVED).when(LinkCase(ID, ENDED, CLERK)).then_refused(LinkedToItself)
    given(case, RECEIVED, LINKED).when(LinkCase(FAMILY, ENDED, CLERK)).then_refused(CaseIsLinked)


def test_a_linked_case_is_resolved_beside_the_other_alone() -> None:
    given(case, RECEIVED, LINKED).when(RESOLVE).then_refused(CaseIsLinked)
    beside = ResolveCase(ENDED, "UPHELD", by=CLERK, beside=OTHER)
    given(case, RECEIVED, LINKED).when(beside).then(RESOLVED)


def test_an_unlinked_case_has_the_days_that_were_left() -> None:
    given(case, RECEIVED, LINKED).when(UNLINK).then(
        CaseUnlinked(ID, OTHER, date(2023, 4, 10), date(2023, 4, 13), FAMILY)
    )


def test_a_case_that_is_not_linked_is_not_unlinked() -> None:
    given(case, RECEIVED).when(UNLINK).then_refused(CaseNotLinked)
    given(case, RECEIVED, LINKED, RESOLVED).when(UNLINK).then_refused(CaseIsResolved)


def test_a_closed_case_is_rated_and_the_last_rating_counts() -> None:
    closed = (RECEIVED, RESOLVED, CLOSED)

    given(case, *closed).when(RATE).then(CaseRated(ID, RATE.on, 4))
    given(case, *closed, CaseRated(ID, RATE.on, 4)).when(RATE).then_nothing()
    then = given(case, *closed, CaseRated(ID, RATE.on, 4)).when(RateCase(RATE.on, 1))
    assert then.state.rating == 1


def test_an_open_case_is_not_rated() -> None:
    given(case, RECEIVED, RESOLVED).when(RATE).then_refused(CaseNotClosed)
