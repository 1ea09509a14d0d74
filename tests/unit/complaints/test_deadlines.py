"""The ladder: terms in working days, who receives a case when one is over, and who keeps it."""

from __future__ import annotations

from datetime import date

import pytest

from services.complaints import policy
from services.complaints.domain.deadlines import Ladder, Level, Turn, area_of, is_overdue
from services.complaints.domain.working_days import HolidaysUnknown
from tests.unit.complaints.decrees import ladder_decreed_to

POLICIES = policy.load()
LADDER = POLICIES.ladder


def day(text: str) -> date:
    """A day of 2023, by month and day."""
    return date.fromisoformat(f"2023-{text}")


def turns(start: Level, received: str, until: str) -> list[Turn]:
    """The turns of a case of 2023."""
    return LADDER.turns(start, day(received), day(until))


# -- Working days ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("01-02", "01-09"),  # a Monday: Tuesday to Friday, and the Monday after
        ("01-06", "01-13"),  # a Friday
        ("01-07", "01-13"),  # a Saturday: Monday is the first day that counts
        ("01-22", "01-27"),  # a Sunday and a holiday
        ("03-22", "03-29"),  # a holiday in the week: the next day is the first
        ("03-21", "03-29"),  # the day before it: the holiday does not count
        ("04-17", "04-24"),  # Idul Fitri falls on a weekend; joint leave around it is work
        ("06-26", "07-04"),  # 29 June is free, the joint leave of 28 and 30 June is not
    ],
)
def test_five_working_days_after_the_day_of_reception(received: str, due: str) -> None:
    assert LADDER.received("DISTRICT", day(received)).due_on == day(due)


def test_the_working_days_from_a_day_on_are_counted() -> None:
    working = LADDER.working

    assert working.between(day("03-21"), day("03-29")) == 5
    assert working.between(day("03-21"), day("03-22")) == 0
    assert working.between(day("03-21"), day("03-20")) == 0


@pytest.mark.parametrize("on", [date(2022, 12, 1), date(2027, 1, 4), date(2026, 12, 29)])
def test_a_term_over_days_that_no_decree_names_is_refused_by_year(on: date) -> None:
    with pytest.raises(HolidaysUnknown, match=r"year=(2022|2027)"):
        ladder_decreed_to(2026).received("DISTRICT", on)


def test_a_term_beyond_the_last_decree_is_accepted_and_one_before_the_first_is_not() -> None:
    decreed = ladder_decreed_to(2026)

    assert decreed.accepted("DISTRICT", date(2026, 12, 29)).due_on is None
    assert decreed.accepted("DISTRICT", date(2026, 12, 22)).due_on == date(2026, 12, 30)
    with pytest.raises(HolidaysUnknown, match="year=2022"):
        decreed.accepted("DISTRICT", date(2022, 12, 1))


def test_where_no_decree_tells_the_next_working_day_it_is_the_next_day() -> None:
    working = ladder_decreed_to(2026).working

    assert working.next_day(date(2026, 12, 24)) == date(2026, 12, 28)
    assert working.next_day(date(2026, 12, 31)) == date(2027, 1, 1)
    assert working.last_decreed(date(2027, 1, 5)) == date(2026, 12, 31)


# -- The ladder -----------------------------------------------------------------------------------

FIRST = Turn("DISTRICT", day("01-02"), day("01-09"))
SECOND = Turn("REGENCY", day("01-10"), day("01-24"))


def test_a_case_stays_at_its_level_up_to_the_end_of_its_due_day() -> None:
    assert turns("DISTRICT", "01-02", "01-02") == [FIRST]
    assert turns("DISTRICT", "01-02", "01-09") == [FIRST]


def test_the_next_level_receives_it_on_the_next_working_day() -> None:
    assert turns("DISTRICT", "01-02", "01-10") == [FIRST, SECOND]
    assert turns("DISTRICT", "01-02", "01-24") == [FIRST, SECOND]


def test_on_free_days_between_the_old_level_still_has_it_and_is_late() -> None:
    friday = Turn("DISTRICT", day("01-06"), day("01-13"))

    for weekend in ("01-14", "01-15"):
        assert turns("DISTRICT", "01-06", weekend) == [friday]
        assert is_overdue(day("01-13"), day(weekend))
    assert [level for level, *_ in turns("DISTRICT", "01-06", "01-16")] == ["DISTRICT", "REGENCY"]


def test_the_day_on_which_a_level_receives_a_case_does_not_count_for_it() -> None:
    *_, (level, received, due, _) = turns("DISTRICT", "01-02", "01-10")

    assert (level, received) == ("REGENCY", day("01-10"))
    assert due is not None
    assert LADDER.working.between(received, due) == 10


def test_it_climbs_to_the_nation_which_keeps_it() -> None:
    climbed = turns("DISTRICT", "01-02", "12-29")

    assert [level for level, *_ in climbed] == ["DISTRICT", "REGENCY", "PROVINCE", "NATION"]
    assert climbed[-1].due_on is not None
    assert is_overdue(climbed[-1].due_on, day("12-29"))


def test_a_case_that_begins_higher_climbs_from_there() -> None:
    assert [level for level, *_ in turns("REGENCY", "01-02", "12-29")] == [
        "REGENCY",
        "PROVINCE",
        "NATION",
    ]


def test_looking_day_by_day_comes_to_the_same_as_looking_once() -> None:
    seen = [LADDER.received("DISTRICT", day("01-02"))]
    for ordinal in range(day("01-02").toordinal(), day("07-31").toordinal()):
        seen += LADDER.next_turns(seen[-1], date.fromordinal(ordinal))

    assert seen == LADDER.turns("DISTRICT", day("01-02"), day("07-30"))


def test_a_term_is_that_of_the_day_on_which_a_level_receives_the_case() -> None:
    longer = dict.fromkeys(LADDER.terms[date(2021, 1, 1)], 20)
    changed = Ladder(dict(LADDER.terms) | {day("01-10"): longer}, LADDER.working)

    first, second = changed.turns("DISTRICT", day("01-02"), day("01-10"))
    assert first == FIRST
    assert second.due_on is not None
    assert changed.working.between(second.received_on, second.due_on) == 20


# -- A pause --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paused", "resumed", "due"),
    [
        ("01-02", "01-02", "01-09"),  # for no time
        ("01-04", "01-18", "01-23"),  # three days were left; 23 January is a working day
        ("01-09", "01-18", "01-18"),  # on the last day: it is the last day again
        ("01-09", "01-21", "01-23"),  # resumed on a free day: the next working day
        ("01-11", "01-18", "01-09"),  # when it was over already, it stays so
    ],
)
def test_what_was_left_of_a_term_is_left_after_a_pause(paused: str, resumed: str, due: str) -> None:
    assert LADDER.resumed(day("01-09"), day(paused), day(resumed)) == day(due)


# -- Areas ----------------------------------------------------------------------------------------


def test_a_level_s_office_is_that_of_the_case_s_area() -> None:
    village = "61.08.06.2018"
    areas = [area_of(level, village) for level in ("DISTRICT", "REGENCY", "PROVINCE", "NATION")]

    assert areas == ["61.08.06", "61.08", "61", ""]
