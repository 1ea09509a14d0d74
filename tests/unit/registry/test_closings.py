"""When a family has a line on a tahap's list: once, until it graduates or is terminated."""

from dataclasses import replace

from libs.events.domain.personal import NEVER, PersonalDay
from libs.events.domain.testing import given
from services.registry.domain.family import family
from services.registry.domain.family.commands import Death, MarkTerminated, RepeatLine, UnlistFamily
from services.registry.domain.family.errors import (
    DaysLost,
    FamilyNotRegistered,
    ListedLater,
    NotParticipating,
)
from services.registry.domain.family.events import (
    Event,
    FamilyGraduated,
    FamilyListed,
    FamilyTerminated,
    MembersRegistered,
)
from tests.unit.registry.families import (
    FAMILY_ID,
    FIRST,
    MOTHER,
    SECOND,
    TODDLER,
    at_closing,
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

GRADUATED = FamilyListed(
    tahap="2023-2",
    months=("2023-04", "2023-05", "2023-06"),
    rule_set="2021-2024",
    revision=1,
    family=FAMILY_ID,
    outcome="GRADUATED_NATURAL",
    region="61.03.01.2026",
    payee_valid=False,
    bank=None,
    account_no=None,
    account_name=None,
    payee_nik=None,
    members=(),
)
DIES_IN_APRIL = report(Death("toddler"), "2023-04-15")

# -- When there is one


def test_a_family_that_is_not_registered_yet_has_none() -> None:
    given(family).when(list_at(FIRST)).then_nothing()


def test_the_next_closing_lists_without_judging_again() -> None:
    [only] = given_past(list_at(FIRST)).when(list_at(SECOND)).events

    assert isinstance(only, FamilyListed)
    assert (only.tahap, only.outcome) == ("2023-2", "LISTED")


def test_a_family_is_listed_once_a_tahap() -> None:
    given_past(list_at(FIRST)).when(list_at(FIRST)).then_nothing()


def test_a_family_without_a_category_left_has_graduated() -> None:
    given_past(DIES_IN_APRIL, list_at(FIRST)).when(list_at(SECOND)).then(
        FamilyGraduated(
            family=FAMILY_ID,
            tahap="2023-2",
            kind="NATURAL",
            region="61.03.01.2026",
            closing_date=SECOND.closing_date,
            rule_set="2021-2024",
        ),
        GRADUATED,
    )


def test_a_category_at_a_months_end_alone_does_not_keep_a_family() -> None:
    turns_seven = person("child", "2016-06-15")
    listed = past(register(), members(turns_seven), list_at(FIRST))

    found = given(family, *listed).when(list_at(SECOND))

    assert line(found).outcome == "GRADUATED_NATURAL"


def test_a_graduated_family_is_not_listed_again() -> None:
    third = replace(SECOND, tahap="2023-3")
    graduated = DIES_IN_APRIL, list_at(FIRST), list_at(SECOND)
    reborn = report(birth("baby", "2023-07-01"), "2023-07-01")

    given_past(*graduated).when(list_at(third)).then_nothing()
    given_past(*graduated, reborn).when(list_at(third)).then_nothing()


def test_a_terminated_family_is_not_listed_again() -> None:
    ended = MarkTerminated("2023-1", "effect-1")

    given_past(list_at(FIRST)).when(ended).then(FamilyTerminated("2023-1", "effect-1"))
    given_past(list_at(FIRST), ended).when(list_at(SECOND)).then_nothing()


def test_terminating_twice_changes_nothing() -> None:
    ended = MarkTerminated("2023-1", "effect-1")

    given_past(list_at(FIRST), ended).when(ended).then_nothing()


def test_only_a_family_that_takes_part_can_be_terminated() -> None:
    ended = MarkTerminated("2023-1", "effect-1")

    given(family).when(ended).then_refused(FamilyNotRegistered)
    given_past().when(ended).then_refused(NotParticipating)


def test_an_earlier_tahap_is_not_listed_after_a_later_one() -> None:
    given_past(list_at(SECOND)).when(list_at(FIRST)).then_refused(ListedLater)


# -- Again


def test_a_line_is_repeated_word_for_word_whatever_has_come_since() -> None:
    stored = line(given_past().when(list_at(FIRST)))
    born = report(birth("baby", "2023-02-01"), "2023-02-01")

    given_past(list_at(FIRST)).when(RepeatLine(stored)).then(stored)
    given_past(list_at(FIRST), born).when(RepeatLine(stored)).then(stored)


def test_a_line_is_repeated_although_a_later_list_has_the_family() -> None:
    stored = line(given_past().when(list_at(FIRST)))

    again = given_past(list_at(FIRST), list_at(SECOND)).when(RepeatLine(stored)).then(stored)
    assert again.state.listed is not None
    assert again.state.listed.tahap == SECOND.tahap


def test_a_graduated_familys_line_is_repeated_too() -> None:
    graduated = given_past(DIES_IN_APRIL, list_at(FIRST), list_at(SECOND))

    graduated.when(RepeatLine(GRADUATED)).then(GRADUATED)


def test_a_line_that_was_taken_back_is_not_repeated() -> None:
    stored = line(given_past().when(list_at(FIRST)))
    taken_back = UnlistFamily(FIRST.tahap, 1, given_past().state)

    given_past(list_at(FIRST), taken_back).when(RepeatLine(stored)).then_nothing()


def test_repeating_an_earlier_line_does_not_make_it_the_last() -> None:
    earlier = line(given_past().when(list_at(FIRST)))
    happened = past(register(), members(MOTHER, TODDLER), list_at(FIRST), list_at(SECOND))

    given(family, *happened, earlier).when(list_at(SECOND)).then_nothing()


def test_a_new_revision_of_the_list_has_a_new_line() -> None:
    again = replace(FIRST, revision=2)
    born = report(birth("baby", "2023-02-01"), "2023-02-01")

    found = given_past(list_at(FIRST), born).when(list_at(again))

    assert len(found.events) == 1
    assert line(found).revision == 2
    assert set(at_closing(found)) == {2, 3}


def test_a_new_revision_keeps_who_left_with_this_tahap() -> None:
    again = replace(SECOND, revision=2)
    graduated = DIES_IN_APRIL, list_at(FIRST), list_at(SECOND)
    terminated = list_at(FIRST), list_at(SECOND), MarkTerminated("2023-2", "effect-1")

    given_past(*graduated).when(list_at(again)).then(replace(GRADUATED, revision=2))
    assert line(given_past(*terminated).when(list_at(again))).outcome == "LISTED"


def test_an_older_revision_adds_nothing() -> None:
    again = replace(FIRST, revision=2)

    given_past(list_at(again)).when(list_at(FIRST)).then_nothing()


# -- A family whose key is destroyed


def test_a_family_whose_days_are_lost_is_neither_judged_nor_graduated() -> None:
    for known in ((register(), members(MOTHER)), (register(), members(TODDLER), list_at(FIRST))):
        given(family, *map(without_days, past(*known))).when(list_at(SECOND)).then_refused(DaysLost)


def without_days(event: Event) -> Event:
    """An event as it is read once the family's key is destroyed."""
    if not isinstance(event, MembersRegistered):
        return event
    lost = PersonalDay.of(NEVER, "s1.1.sealed")
    return replace(event, rows=tuple(replace(row, birth_date=lost) for row in event.rows))
