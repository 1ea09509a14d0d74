"""Check-in by token: which tokens count when, and that a family is checked in once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.domain.testing import given
from services.p2k2.domain.check_in import (
    CheckInOfAnotherFamily,
    CheckInOfAnotherSession,
    CheckInOutOfTime,
    Scanning,
    Ticket,
    ensure_counts,
    span_of,
)
from services.p2k2.domain.days import day_of, today
from services.p2k2.domain.session import (
    AttendanceRecorded,
    CheckedInAlready,
    CheckIn,
    FamiliesCheckedIn,
    Mark,
    RecordAttendance,
    Scan,
    SessionCancelled,
    SessionIsCancelled,
    SessionNotHeld,
    session,
)
from tests.unit.p2k2.sittings import DAY, GROUP, HELD, NUMBER, PLANNED

ANA, BUDI = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11", "7b1d2c34-9a10-4a6f-8b22-5c3d4e5f6a70"
NINE = datetime(2023, 1, 5, 2, 0, tzinfo=UTC)  # at Pontianak
MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)
SCAN = Scan(ANA, NINE.isoformat())
CHECKED_IN = FamiliesCheckedIn(NUMBER, (SCAN,))
PRESENT = AttendanceRecorded(NUMBER, GROUP, DAY, (Mark(ANA, "H"),))


def ticket(*, listed: bool = False) -> Ticket:
    """Ana's token, made at nine."""
    return Ticket(NUMBER, "ana", listed, span_of(DAY, NINE, 10, listed=listed))


def scanning(**changes: Any) -> Scanning:
    """Ana's token is scanned at nine, and that is sent at once."""
    return replace(Scanning(NUMBER, "ana", DAY, NINE, NINE), **changes)


def refused(of: Ticket, **changes: Any) -> bool:
    """True where a scan is refused for its time."""
    try:
        ensure_counts(of, scanning(**changes), days=7)
    except CheckInOutOfTime:
        return True
    return False


# -- Which tokens count


def test_a_token_counts_for_some_minutes() -> None:
    last = NINE + 10 * MINUTE - timedelta(seconds=1)

    assert not refused(ticket())
    assert not refused(ticket(), scanned_at=last, sent_at=last)
    assert refused(ticket(), scanned_at=NINE + 10 * MINUTE, sent_at=NINE + 10 * MINUTE)


def test_who_says_an_earlier_time_of_a_token_that_has_ended_is_not_believed() -> None:
    assert refused(ticket(), sent_at=NINE + 10 * MINUTE)


def test_a_token_of_a_list_counts_all_day_and_is_sent_some_days_later() -> None:
    evening = NINE + timedelta(hours=12)
    week = NINE + 7 * A_DAY

    assert not refused(ticket(listed=True), scanned_at=evening, sent_at=week)
    assert refused(ticket(listed=True), scanned_at=evening, sent_at=week + A_DAY)
    assert refused(ticket(listed=True), scanned_at=NINE + A_DAY, sent_at=week)


def test_a_scan_that_is_still_to_come_is_refused() -> None:
    assert refused(ticket(listed=True), scanned_at=NINE + MINUTE)


def test_a_token_counts_on_the_day_on_which_the_session_was_held_after_all() -> None:
    later = DAY + A_DAY

    assert refused(ticket(listed=True), on=later)


def test_a_token_of_another_session_or_family_is_refused() -> None:
    with pytest.raises(CheckInOfAnotherSession):
        ensure_counts(ticket(), scanning(session="S0000002"), days=7)
    with pytest.raises(CheckInOfAnotherFamily):
        ensure_counts(ticket(), scanning(who="budi"), days=7)


def test_no_token_is_made_that_nobody_could_scan() -> None:
    for now, listed in ((NINE + A_DAY, True), (NINE + A_DAY, False), (NINE - A_DAY, False)):
        with pytest.raises(CheckInOutOfTime):
            span_of(DAY, now, 10, listed=listed)
    assert span_of(DAY, NINE - A_DAY, 10, listed=True).holds(NINE)


# -- A family is checked in once


def test_who_is_checked_in_was_present() -> None:
    given(session, HELD).when(CheckIn((SCAN,))).then(CHECKED_IN, PRESENT)


def test_the_same_scan_again_changes_nothing() -> None:
    given(session, HELD, CHECKED_IN, PRESENT).when(CheckIn((SCAN,))).then_nothing()


def test_another_scan_of_a_family_is_refused() -> None:
    again = Scan(ANA, (NINE + MINUTE).isoformat())

    then = given(session, HELD, CHECKED_IN, PRESENT).when(CheckIn((again,)))
    then.then_refused(CheckedInAlready)
    given(session, HELD).when(CheckIn((SCAN, again))).then_refused(CheckedInAlready)


def test_a_check_in_takes_the_place_of_a_mark_and_a_later_mark_that_of_a_check_in() -> None:
    absent = AttendanceRecorded(NUMBER, GROUP, DAY, (Mark(ANA, "A"),))

    then = given(session, HELD, absent).when(CheckIn((SCAN,)))
    then.then(CHECKED_IN, AttendanceRecorded(NUMBER, GROUP, DAY, (Mark(ANA, "H", "A"),)))
    corrected = given(session, HELD, CHECKED_IN, PRESENT).when(RecordAttendance(((ANA, "A"),)))
    corrected.then(AttendanceRecorded(NUMBER, GROUP, DAY, (Mark(ANA, "A", "H"),)))


def test_nobody_is_checked_in_where_no_session_was_held() -> None:
    cancelled = SessionCancelled(NUMBER, GROUP, "HELD", "It rained.")

    given(session, PLANNED).when(CheckIn((SCAN,))).then_refused(SessionNotHeld)
    given(session, HELD, cancelled).when(CheckIn((SCAN,))).then_refused(SessionIsCancelled)


# -- The day


def test_a_day_is_one_of_the_country_and_not_of_utc() -> None:
    before_seven = datetime(2023, 1, 4, 22, 30, tzinfo=UTC)  # half past five at Pontianak

    assert today(before_seven) == DAY
    assert day_of(DAY).holds(before_seven)
    assert not day_of(DAY).holds(datetime(2023, 1, 4, 14, 59, tzinfo=UTC))
    assert not day_of(DAY).holds(datetime(2023, 1, 5, 17, 0, tzinfo=UTC))
