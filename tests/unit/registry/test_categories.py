"""Who holds which category on a day: every bound, and the rules at their edges."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from libs.events.domain.personal import PersonalDay
from services.registry.domain.closing import completed_years, month_end, tahap_order
from services.registry.domain.family import family
from services.registry.domain.family.commands import Command, Death, Pregnancy, SchoolChange
from services.registry.domain.family.events import MemberRow, SchoolLevel
from services.registry.domain.family.roster import CATEGORIES, categories
from services.registry.domain.family.state import Family
from services.registry.policy import load_rule_sets
from tests.unit.registry.families import (
    MOTHER,
    RULES,
    birth,
    day,
    life_day,
    members,
    past,
    person,
    register,
    report,
)

DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2060, 12, 31))
LEVELS: st.SearchStrategy[SchoolLevel] = st.sampled_from(["SD", "SMP", "SMA"])


def alone(row: MemberRow, *reports: Command) -> Family:
    """A family of one."""
    return family.fold(past(register(), members(row), *reports))


def held(row: MemberRow, on: date, *reports: Command) -> tuple[str, ...]:
    """The categories that the one member of a family holds on a day."""
    state = alone(row, *reports)
    return categories(state, state.members[0], on, RULES)


def birthday(born: date, years: int) -> date:
    """The day on which somebody completes so many years."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:  # 29 February in a year without one
        return date(born.year + years, 3, 1)


# -- Ages


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        ("2016-03-31", "2023-03-30", 6),
        ("2016-03-31", "2023-03-31", 7),
        ("2004-02-29", "2023-02-28", 18),  # 29 February's birthday is 1 March ...
        ("2004-02-29", "2023-03-01", 19),
        ("2004-02-29", "2024-02-28", 19),
        ("2004-02-29", "2024-02-29", 20),  # ... but in a leap year
    ],
)
def test_an_age_is_completed_years(born: str, on: str, years: int) -> None:
    assert completed_years(day(born), day(on)) == years


@over(born=DAYS, days=st.integers(min_value=0, max_value=366 * 110))
def test_an_age_grows_by_one_and_on_birthdays_alone(born: date, days: int) -> None:
    on = born + timedelta(days=days)
    grown = completed_years(born, on + timedelta(days=1)) - completed_years(born, on)
    tomorrow = on + timedelta(days=1)
    leapling = (born.month, born.day) == (2, 29) and not _is_leap(tomorrow.year)
    feast = (3, 1) if leapling else (born.month, born.day)

    assert grown == ((tomorrow.month, tomorrow.day) == feast)


def _is_leap(year: int) -> bool:
    return month_end(f"{year}-02").day == 29


# -- PREGNANT


@over(due=DAYS, order=st.sampled_from([1, 2]))
def test_the_pregnancy_window_is_280_days_before_to_42_after_inclusive(
    due: date, order: int
) -> None:
    row = replace(MOTHER, birth_date=life_day("1995-01-01"))
    row = replace(row, pregnancy_due_date=PersonalDay.in_clear(due), pregnancy_order=order)

    window = [due - timedelta(days=280), due, due + timedelta(days=42)]
    outside = [due - timedelta(days=281), due + timedelta(days=43)]

    assert all("PREGNANT" in held(row, on) for on in window)
    assert not any("PREGNANT" in held(row, on) for on in outside)


@pytest.mark.parametrize("due", [date.min, date.max])
def test_a_due_date_that_was_kept_before_it_was_checked_stops_nobody(due: date) -> None:
    row = replace(MOTHER, pregnancy_due_date=PersonalDay.in_clear(due), pregnancy_order=1)

    assert held(row, day("2023-03-31")) == ()


@pytest.mark.parametrize("order", [None, 0, 3, 5])
def test_order_empty_or_above_two_is_not_pregnant(order: int | None) -> None:
    row = replace(MOTHER, pregnancy_due_date=life_day("2023-05-01"), pregnancy_order=order)

    assert held(row, day("2023-03-31")) == ()


def test_a_year_without_a_limit_counts_every_pregnancy() -> None:
    state = alone(replace(MOTHER, pregnancy_due_date=life_day("2019-05-01"), pregnancy_order=5))
    rules = load_rule_sets().named("2018-2019")

    assert categories(state, state.members[0], day("2019-03-31"), rules) == ("PREGNANT",)


def test_a_reported_pregnancy_counts_from_its_effective_day() -> None:
    fact = report(Pregnancy("mother", life_day("2023-09-01"), 1), "2023-02-10")

    assert held(MOTHER, day("2023-02-09"), fact) == ()
    assert held(MOTHER, day("2023-02-10"), fact) == ("PREGNANT",)


def test_a_later_pregnancy_adds_a_window_and_replaces_none() -> None:
    row = replace(MOTHER, pregnancy_due_date=life_day("2023-02-20"), pregnancy_order=1)
    third = report(Pregnancy("mother", life_day("2023-12-01"), 3), "2023-03-01")
    second = report(Pregnancy("mother", life_day("2024-01-09"), 2), "2023-03-01")

    assert held(row, day("2023-03-31"), third) == ("PREGNANT",)
    assert held(row, day("2023-04-04"), second) == ("PREGNANT",)  # 43 days past the first
    assert held(row, day("2023-04-04"), third) == ()


def test_a_pregnancy_without_a_due_date_has_no_window() -> None:
    fact = report(Pregnancy("mother", None, 1), "2023-02-10")

    assert held(MOTHER, day("2023-03-31"), fact) == ()


# -- EARLY_CHILD and school


@over(born=DAYS)
def test_a_child_is_early_up_to_the_day_before_its_seventh_birthday(born: date) -> None:
    child, seventh = replace(MOTHER, birth_date=PersonalDay.in_clear(born)), birthday(born, 7)

    assert held(child, born) == ("EARLY_CHILD",)
    assert held(child, seventh - timedelta(days=1)) == ("EARLY_CHILD",)
    assert held(child, seventh) == ()


def test_nobody_is_a_child_before_birth() -> None:
    assert held(person("child", "2023-02-10"), day("2023-02-09")) == ()
    assert held(person("child", "2023-02-10"), day("2023-02-10")) == ("EARLY_CHILD",)


@over(born=DAYS, level=LEVELS)
def test_a_pupil_counts_from_the_sixth_birthday_up_to_the_twenty_second(
    born: date, level: SchoolLevel
) -> None:
    pupil = replace(MOTHER, birth_date=PersonalDay.in_clear(born), school_level=level)
    sixth, last = birthday(born, 6), birthday(born, 22) - timedelta(days=1)

    assert held(pupil, sixth - timedelta(days=1)) == ()  # enrolled too young: not EARLY_CHILD
    assert held(pupil, sixth) == (level,)
    assert held(pupil, last) == (level,)
    assert held(pupil, last + timedelta(days=1)) == ()


def test_a_school_change_counts_from_its_effective_day() -> None:
    pupil = person("pupil", "2010-06-01", school_level="SD")
    fact = report(SchoolChange("pupil", "SMP"), "2023-07-17")

    assert held(pupil, day("2023-07-16"), fact) == ("SD",)
    assert held(pupil, day("2023-07-17"), fact) == ("SMP",)


def test_who_left_school_holds_nothing_or_is_early_again() -> None:
    left = report(SchoolChange("pupil", None), "2023-02-01")

    assert held(person("pupil", "2010-06-01", school_level="SD"), day("2023-03-31"), left) == ()
    assert held(person("pupil", "2016-06-01", school_level="SD"), day("2023-03-31"), left) == (
        "EARLY_CHILD",
    )


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (("SMA", "2023-02-02", "2023-02-02"), ("SMP", "2023-02-01", "2023-03-01")),
        (("SMA", "2023-02-01", "2023-03-01"), ("SMP", "2023-02-01", "2023-02-15")),
        (("SMP", "2023-02-01", "2023-02-15"), ("SMA", "2023-02-01", "2023-02-15")),
    ],
    ids=["effective last", "reported last", "arrived last"],
)
def test_of_two_school_changes_that_one_counts_which_is(
    first: tuple[SchoolLevel, str, str], then: tuple[SchoolLevel, str, str]
) -> None:
    pupil = person("pupil", "2006-06-01", school_level="SD")
    changes = [
        report(SchoolChange("pupil", level), since, known) for level, since, known in (first, then)
    ]

    assert held(pupil, day("2023-03-31"), *changes) == ("SMA",)


# -- The rest, and several at once


@over(born=DAYS)
def test_the_elderly_are_seventy_and_over(born: date) -> None:
    elder, seventieth = replace(MOTHER, birth_date=PersonalDay.in_clear(born)), birthday(born, 70)

    assert held(elder, seventieth - timedelta(days=1)) == ()
    assert held(elder, seventieth) == ("ELDERLY",)


def test_the_elderly_were_sixty_in_2018_and_2019() -> None:
    state = alone(person("elder", "1951-01-01"))
    rules = load_rule_sets().named("2018-2019")

    assert categories(state, state.members[0], day("2019-03-31"), rules) == ("ELDERLY",)
    assert categories(state, state.members[0], day("2019-03-31"), RULES) == ()


def test_a_member_holds_several_categories_in_their_order() -> None:
    row = person(
        "pupil",
        "2005-01-01",
        school_level="SMA",
        severe_disability=True,
        pregnancy_due_date=life_day("2023-05-01"),
        pregnancy_order=1,
    )

    assert held(row, day("2023-03-31")) == ("PREGNANT", "SEVERE_DISABILITY", "SMA")
    assert held(replace(row, birth_date=life_day("1950-01-01")), day("2023-03-31")) == (
        "PREGNANT",
        "SEVERE_DISABILITY",
        "ELDERLY",
    )


@over(
    born=DAYS,
    on=DAYS,
    level=st.none() | LEVELS,
    disabled=st.booleans(),
    due=st.none() | DAYS,
)
def test_categories_always_stand_in_their_order(
    born: date, on: date, level: SchoolLevel | None, disabled: bool, due: date | None
) -> None:
    row = replace(MOTHER, birth_date=PersonalDay.in_clear(born), school_level=level)
    expected = None if due is None else PersonalDay.in_clear(due)
    row = replace(row, severe_disability=disabled, pregnancy_due_date=expected, pregnancy_order=1)
    found = held(row, on)

    assert list(found) == [category for category in CATEGORIES if category in found]
    assert "EARLY_CHILD" not in found or not {"SD", "SMP", "SMA"} & set(found)


def test_the_dead_hold_nothing_from_the_day_of_their_death() -> None:
    elder = person("elder", "1940-01-01")
    died = report(Death("elder"), "2023-02-14", "2023-02-25")

    assert held(elder, day("2023-02-13"), died) == ("ELDERLY",)
    assert held(elder, day("2023-02-14"), died) == ()


def test_a_newborn_is_an_early_child_from_the_day_of_birth() -> None:
    state = alone(MOTHER, report(birth("baby", "2023-02-20"), "2023-02-20"))
    baby = state.members[1]

    assert categories(state, baby, day("2023-02-19"), RULES) == ()
    assert categories(state, baby, day("2023-02-20"), RULES) == ("EARLY_CHILD",)


# -- The calendar


def test_a_month_ends_on_its_last_day() -> None:
    assert month_end("2023-02") == day("2023-02-28")
    assert month_end("2024-02") == day("2024-02-29")
    assert month_end("2023-12") == day("2023-12-31")


def test_tahap_are_ordered_in_time_and_not_as_text() -> None:
    assert sorted(["2023-10", "2024-1", "2023-9"], key=tahap_order) == [
        "2023-9",
        "2023-10",
        "2024-1",
    ]
