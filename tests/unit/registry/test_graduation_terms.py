"""A family without a category waits a term before it graduates, where the rules have one."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from libs.events.domain.testing import given
from services.registry.domain.closing import Closing
from services.registry.domain.family import family
from services.registry.domain.family.commands import Death, ListFamily
from services.registry.domain.family.errors import ListedLater
from services.registry.domain.family.events import (
    Event,
    FamilyGraduated,
    FamilyListed,
    GraduationPending,
)
from services.registry.domain.family.state import Waiting
from tests.unit.registry.families import (
    FAMILY_ID,
    FIRST,
    MOTHER,
    RULES,
    SECOND,
    birth,
    given_past,
    line,
    list_at,
    members,
    past,
    person,
    register,
    report,
)

DIES_IN_APRIL = report(Death("toddler"), "2023-04-15")
TERM_ENDS = date(2023, 9, 28)  # 90 days behind the second closing


def listed(closing: Closing, days: int = 90) -> ListFamily:
    """The family is listed by rules that let it wait so many days."""
    return list_at(replace(closing, rules=replace(RULES, natural_graduation_term_days=days)))


def third(closing_date: date) -> Closing:
    return replace(SECOND, tahap="2023-3", closing_date=closing_date)


WAITING = DIES_IN_APRIL, list_at(FIRST), listed(SECOND)


def test_a_family_without_a_category_waits_before_it_graduates() -> None:
    found = given_past(DIES_IN_APRIL, list_at(FIRST)).when(listed(SECOND))

    found.then(
        GraduationPending(
            family=FAMILY_ID,
            tahap="2023-2",
            revision=1,
            region="61.03.01.2026",
            closing_date=SECOND.closing_date,
            rule_set="2021-2024",
            graduates_from=TERM_ENDS,
            term_ends_on=TERM_ENDS,
        )
    )
    assert found.state.departure is None


@pytest.mark.parametrize(
    ("closing_date", "happens"),
    [
        (TERM_ENDS - timedelta(days=1), [GraduationPending]),
        (TERM_ENDS, [FamilyGraduated, FamilyListed]),
        (TERM_ENDS + timedelta(days=1), [FamilyGraduated, FamilyListed]),
    ],
)
def test_it_graduates_at_a_closing_on_the_last_day_of_the_term_or_later(
    closing_date: date, happens: list[type[Event]]
) -> None:
    found = given_past(*WAITING).when(listed(third(closing_date)))

    assert [type(event) for event in found.events] == happens


def test_a_leap_day_is_a_day_of_the_term() -> None:
    before = replace(SECOND, tahap="2024-1", closing_date=date(2024, 2, 15))

    found = given_past(DIES_IN_APRIL, list_at(FIRST)).when(listed(before, days=15))

    assert found.state.waiting is not None
    assert found.state.waiting.graduates_from == date(2024, 3, 1)


def test_a_second_closing_within_the_term_does_not_begin_it_anew() -> None:
    within = third(date(2023, 9, 27))
    found = given_past(*WAITING).when(listed(within))

    [pending] = [event for event in found.events if isinstance(event, GraduationPending)]
    assert pending.graduates_from == TERM_ENDS
    assert pending.term_ends_on == date(2023, 12, 26)
    fourth = replace(SECOND, tahap="2023-4", closing_date=date(2023, 12, 15))
    graduates = given_past(*WAITING, listed(within)).when(listed(fourth))
    assert line(graduates).outcome == "GRADUATED_NATURAL"


def test_a_category_within_the_term_lists_the_family_as_if_nothing_had_been() -> None:
    born = report(birth("baby", "2023-07-20"), "2023-07-20")
    found = given_past(*WAITING, born).when(listed(third(date(2023, 9, 27))))

    [only] = found.events
    assert only == line(found)
    assert line(found).outcome == "LISTED"
    assert found.state.waiting is None


def test_a_later_loss_of_every_category_has_a_term_of_its_own() -> None:
    child = person("child", "2016-10-15")  # seven in October
    born = report(birth("baby", "2023-07-20"), "2023-07-20")
    dies = report(Death("baby"), "2023-10-20")
    happened = past(
        register(),
        members(MOTHER, child),
        list_at(FIRST),
        listed(third(date(2023, 9, 27))),
        born,
        dies,
    )
    fourth = replace(SECOND, tahap="2023-4", closing_date=date(2023, 12, 31))

    found = given(family, *happened).when(listed(fourth))

    assert found.state.waiting is not None
    assert found.state.waiting.graduates_from == date(2024, 3, 30)


def test_without_a_term_a_family_graduates_at_once_and_nothing_is_kept() -> None:
    found = given_past(DIES_IN_APRIL, list_at(FIRST)).when(listed(SECOND, days=0))

    [graduated, _] = found.events
    assert isinstance(graduated, FamilyGraduated)
    assert graduated.term_ends_on is None
    assert found.state.without_category == ()


def test_a_graduation_after_the_term_keeps_a_term_for_late_facts() -> None:
    found = given_past(*WAITING).when(listed(third(TERM_ENDS)))

    [graduated, _] = found.events
    assert isinstance(graduated, FamilyGraduated)
    assert graduated.term_ends_on == TERM_ENDS + timedelta(days=90)


# -- Again


def test_a_list_looks_at_a_waiting_family_once() -> None:
    given_past(*WAITING).when(listed(SECOND)).then_nothing()
    given_past(*WAITING, listed(third(date(2023, 9, 27)))).when(listed(SECOND)).then_refused(
        ListedLater
    )


def test_a_new_revision_of_the_list_begins_the_term_at_its_own_closing() -> None:
    later = replace(SECOND, revision=2, closing_date=date(2023, 7, 31))

    found = given_past(*WAITING).when(listed(later))

    [pending] = found.events
    assert isinstance(pending, GraduationPending)
    assert pending.graduates_from == date(2023, 10, 29)
    assert found.state.waiting == Waiting("2023-2", date(2023, 10, 29))
    assert [each.closing_date for each in found.state.without_category] == [date(2023, 7, 31)]


def test_a_new_revision_that_finds_a_category_forgets_that_there_was_none() -> None:
    born = report(birth("baby", "2023-06-01"), "2023-06-01")
    again = replace(SECOND, revision=2)

    found = given_past(*WAITING, born).when(listed(again))

    assert line(found).outcome == "LISTED"
    assert (found.state.waiting, found.state.without_category) == (None, ())
