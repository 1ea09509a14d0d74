"""A session of a group: planned, held, cancelled, corrected, attended, noted."""

from __future__ import annotations

from datetime import date

import pytest

from libs.events.domain.testing import given
from services.p2k2.domain.session import (
    AttendanceRecorded,
    CancelSession,
    CorrectSession,
    HoldSession,
    Mark,
    NoteSession,
    NoteUnfit,
    PlanSession,
    RecordAttendance,
    SessionCancelled,
    SessionClashes,
    SessionCorrected,
    SessionHeld,
    SessionInFuture,
    SessionIsCancelled,
    SessionNoted,
    SessionNotHeld,
    SessionPlanned,
    SessionRecordedDifferently,
    SessionSupervised,
    SessionUnknown,
    SuperviseSession,
    Visit,
    VisitOutOfTime,
    clashes,
    ensure_fit,
    ensure_no_clash,
    session,
)
from tests.unit.p2k2.sittings import DAY, GROUP, HELD, NUMBER, PLANNED, SITTING, sitting

ANA, BUDI = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11", "7b1d2c34-9a10-4a6f-8b22-5c3d4e5f6a70"
LATER = date(2023, 1, 12)
CANCELLED = SessionCancelled(NUMBER, GROUP, "HELD", "It rained.")
ANA_CAME = AttendanceRecorded(NUMBER, GROUP, DAY, (Mark(ANA, "H"),))
RECORD = RecordAttendance(((ANA, "H"),))

# -- Planned


def test_a_session_is_planned() -> None:
    given(session).when(PlanSession(NUMBER, SITTING)).then(PLANNED)


def test_the_same_plan_again_changes_nothing() -> None:
    given(session, PLANNED).when(PlanSession(NUMBER, SITTING)).then_nothing()


def test_a_plan_may_be_changed_until_the_session_is_held() -> None:
    moved = sitting(on=LATER)

    given(session, PLANNED).when(PlanSession(NUMBER, moved)).then(SessionPlanned(NUMBER, moved))
    then = given(session, HELD).when(PlanSession(NUMBER, moved))

    then.then_refused(SessionRecordedDifferently)


def test_a_cancelled_session_is_not_planned_again() -> None:
    then = given(session, PLANNED, CANCELLED).when(PlanSession(NUMBER, SITTING))

    then.then_refused(SessionIsCancelled)


# -- Held


def test_a_session_is_held_whether_it_was_planned_or_not() -> None:
    hold = HoldSession(NUMBER, SITTING, DAY)

    given(session).when(hold).then(HELD)
    given(session, PLANNED).when(hold).then(HELD)


def test_the_same_report_again_changes_nothing() -> None:
    given(session, HELD).when(HoldSession(NUMBER, SITTING, LATER)).then_nothing()


def test_a_session_of_a_day_to_come_was_not_held() -> None:
    early = HoldSession(NUMBER, SITTING, date(2023, 1, 4))

    given(session).when(early).then_refused(SessionInFuture)


def test_a_number_stands_for_one_session() -> None:
    other = HoldSession(NUMBER, sitting(on=LATER), LATER)
    foreign = HoldSession(NUMBER, sitting(group="G6103012026-2"), LATER)

    given(session, HELD).when(other).then_refused(SessionRecordedDifferently)
    given(session, PLANNED).when(foreign).then_refused(SessionRecordedDifferently)


def test_a_cancelled_session_is_not_held() -> None:
    hold = HoldSession(NUMBER, SITTING, DAY)

    given(session, PLANNED, CANCELLED).when(hold).then_refused(SessionIsCancelled)


# -- Cancelled


def test_a_session_is_cancelled_with_how_it_stood() -> None:
    cancel = CancelSession("It rained.")

    given(session, HELD).when(cancel).then(CANCELLED)
    planned = given(session, PLANNED).when(cancel)
    planned.then(SessionCancelled(NUMBER, GROUP, "PLANNED", "It rained."))


def test_what_is_cancelled_stays_so() -> None:
    given(session, HELD, CANCELLED).when(CancelSession("Again.")).then_nothing()


def test_a_session_that_is_none_is_not_cancelled() -> None:
    given(session).when(CancelSession("It rained.")).then_refused(SessionUnknown)


# -- Corrected


def test_a_correction_keeps_both_versions_and_the_group() -> None:
    correct = CorrectSession(sitting(on=LATER, group="G9"), "The wrong day.", LATER)

    then = given(session, HELD).when(correct)

    then.then(SessionCorrected(NUMBER, SITTING, sitting(on=LATER), "The wrong day."))
    assert then.state.corrections == 1


def test_a_correction_to_what_stands_changes_nothing() -> None:
    given(session, HELD).when(CorrectSession(SITTING, "The same.", DAY)).then_nothing()


def test_only_a_held_session_is_corrected_and_not_into_the_future() -> None:
    correct = CorrectSession(sitting(on=LATER), "The wrong day.", DAY)

    given(session, HELD).when(correct).then_refused(SessionInFuture)
    given(session, PLANNED).when(correct).then_refused(SessionNotHeld)
    given(session, HELD, CANCELLED).when(correct).then_refused(SessionIsCancelled)
    given(session).when(correct).then_refused(SessionUnknown)


# -- Attended


def test_attendance_is_recorded_and_the_last_mark_of_a_family_counts() -> None:
    marks = RecordAttendance(((ANA, "A"), (BUDI, "I"), (ANA, "H")))

    then = given(session, HELD).when(marks)

    then.then(AttendanceRecorded(NUMBER, GROUP, DAY, (Mark(ANA, "H"), Mark(BUDI, "I"))))
    assert then.state.marks == {ANA: "H", BUDI: "I"}


def test_a_changed_mark_says_what_stood_before() -> None:
    corrected = RecordAttendance(((ANA, "I"),))

    then = given(session, HELD, ANA_CAME).when(corrected)

    then.then(AttendanceRecorded(NUMBER, GROUP, DAY, (Mark(ANA, "I", "H"),)))


def test_the_same_mark_again_changes_nothing() -> None:
    given(session, HELD, ANA_CAME).when(RECORD).then_nothing()


def test_nobody_attends_what_was_not_held() -> None:
    given(session, PLANNED).when(RECORD).then_refused(SessionNotHeld)
    given(session, HELD, CANCELLED).when(RECORD).then_refused(SessionIsCancelled)
    given(session).when(RECORD).then_refused(SessionUnknown)


# -- Noted


def test_notes_are_kept_and_the_last_ones_stand() -> None:
    noted = SessionNoted("All spoke.", "Bring the book.", "photos/S1")
    note = NoteSession("All spoke.", "Bring the book.", "photos/S1")

    given(session, HELD).when(note).then(noted)
    given(session, HELD, noted).when(note).then_nothing()


def test_a_cancelled_session_and_one_that_is_none_are_not_noted() -> None:
    note = NoteSession("All spoke.", "", "")

    given(session, HELD, CANCELLED).when(note).then_refused(SessionIsCancelled)
    given(session).when(note).then_refused(SessionUnknown)


@pytest.mark.parametrize(
    "text", ["<b>", "a > b", "6103012026000001", "0812-3456-7890", "6103 0120 2600 0001"]
)
def test_words_of_people_hold_no_markup_and_no_long_number(text: str) -> None:
    given(session, HELD).when(NoteSession(text, "", "")).then_refused(NoteUnfit)
    given(session, HELD).when(CancelSession(text)).then_refused(NoteUnfit)


def test_a_day_and_a_count_may_stand_in_a_note() -> None:
    ensure_fit("On 2023-01-05 25 families came at 09:00.")


# -- Supervised


def test_a_supervisors_visit_is_noted_once() -> None:
    visit = Visit("SV610300", DAY, "The material was there.")
    supervised = SessionSupervised(visit)
    supervise = SuperviseSession(visit, LATER)

    then = given(session, HELD).when(supervise)

    assert then.then(supervised).state.visits == (visit,)
    given(session, HELD, supervised).when(supervise).then_nothing()


def test_nobody_visits_what_was_not_held_nor_out_of_its_time() -> None:
    def visited(on: date, findings: str = "None.") -> SuperviseSession:
        return SuperviseSession(Visit("SV610300", on, findings), DAY)

    given(session, PLANNED).when(visited(DAY)).then_refused(SessionNotHeld)
    given(session, HELD, CANCELLED).when(visited(DAY)).then_refused(SessionIsCancelled)
    given(session).when(visited(DAY)).then_refused(SessionUnknown)
    given(session, HELD).when(visited(LATER)).then_refused(VisitOutOfTime)
    given(session, HELD).when(visited(date(2023, 1, 4))).then_refused(VisitOutOfTime)
    given(session, HELD).when(visited(DAY, "<b>")).then_refused(NoteUnfit)


# -- At one time


def test_a_group_is_at_one_session_at_a_time() -> None:
    nine, ten, noon = (sitting(starts_at=at) for at in ("09:00", "10:59", "11:00"))

    assert clashes(nine, ten, minutes=120)
    assert not clashes(nine, noon, minutes=120)
    assert clashes(nine, SITTING, minutes=120)  # one without a time takes its whole day
    assert not clashes(SITTING, sitting(on=LATER), minutes=120)
    assert not clashes(SITTING, sitting(group="G6103012026-2"), minutes=120)


def test_a_second_session_at_that_time_is_refused() -> None:
    with pytest.raises(SessionClashes):
        ensure_no_clash(SITTING, [sitting(on=LATER), sitting(starts_at="09:00")], 120)
    ensure_no_clash(SITTING, [sitting(on=LATER)], 120)


def test_a_session_was_held_once_a_plan_of_it_is_there() -> None:
    then = given(session, PLANNED).when(HoldSession(NUMBER, sitting(on=LATER), LATER))

    then.then(SessionHeld(NUMBER, sitting(on=LATER)))
