"""A family's line of a tahap's list: what stands in it."""

from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.registry.domain.family import family
from services.registry.domain.family.commands import (
    Command,
    Death,
    Move,
    PayeeChange,
    SchoolChange,
)
from services.registry.domain.family.errors import (
    NikOrderMissing,
)
from services.registry.domain.family.events import (
    Category,
    FamilyListed,
    RosterMember,
)
from services.registry.domain.family.roster import rank_by_nik, sharing_birth_date
from tests.unit.registry.families import (
    FAMILY_ID,
    FIRST,
    MOTHER,
    SECOND,
    TODDLER,
    at_closing,
    at_month_ends,
    birth,
    day,
    given_family,
    given_past,
    line,
    list_at,
    members,
    past,
    person,
    register,
    report,
)

EARLY: tuple[Category, ...] = ("EARLY_CHILD",)
DISABLED_PUPIL: tuple[Category, ...] = ("SEVERE_DISABILITY", "SD")

# -- What stands in it


def test_an_eligible_familys_line_is_whole() -> None:
    pupil = person("pupil", "2011-01-01", school_level="SD", severe_disability=True)

    found = line(given_family(MOTHER, TODDLER, pupil).when(list_at(FIRST)))

    assert found == FamilyListed(
        tahap="2023-1",
        months=("2023-01", "2023-02", "2023-03"),
        rule_set="2021-2024",
        revision=1,
        family=FAMILY_ID,
        outcome="LISTED",
        region="61.03.01.2026",
        payee_valid=True,
        bank="BNI",
        account_no="sealed-account",
        account_name="sealed-name",
        payee_nik="sealed-mother",
        members=(
            RosterMember(2, "toddler", 0, (EARLY,) * 3, EARLY),
            RosterMember(3, "pupil", 1, (DISABLED_PUPIL,) * 3, DISABLED_PUPIL),
        ),
    )


def test_who_died_in_the_cycle_stands_in_it_for_the_months_before() -> None:
    elder = person("elder", "1940-01-01")
    died = report(Death("elder"), "2023-02-28", "2023-03-20")
    rows = register(), members(TODDLER, elder)

    found = given(family, *past(*rows, died)).when(list_at(FIRST))

    assert at_month_ends(found)[2] == (("ELDERLY",), (), ())
    assert at_closing(found)[2] == ()


def test_a_newborn_stands_in_it_from_the_month_of_birth() -> None:
    born = report(birth("baby", "2023-02-28"), "2023-02-28", "2023-03-31")

    found = given_past(born).when(list_at(FIRST))

    assert at_month_ends(found)[3] == ((), EARLY, EARLY)


def test_a_newborn_who_died_before_the_months_end_stands_nowhere() -> None:
    born = report(birth("baby", "2023-02-10"), "2023-02-10")
    died = report(Death("baby"), "2023-02-20")

    assert set(at_closing(given_past(born, died).when(list_at(FIRST)))) == {2}


def test_a_fact_known_after_the_closing_does_not_count_for_it() -> None:
    born = report(birth("baby", "2023-02-10"), "2023-02-10", "2023-04-01")
    died = report(Death("toddler"), "2023-02-10", "2023-04-01")
    moved = report(Move("61.10.05.2004"), "2023-02-10", "2023-04-01")

    found = given_past(born, died, moved).when(list_at(FIRST))

    assert at_month_ends(found) == {2: (EARLY, EARLY, EARLY)}
    assert line(found).region == "61.03.01.2026"


def test_for_a_month_a_fact_is_known_by_the_closing_and_true_by_the_months_end() -> None:
    pupil = person("pupil", "2010-01-01", school_level="SD")
    left = report(SchoolChange("pupil", None), "2023-02-28", "2023-03-31")
    rows = register(), members(TODDLER, pupil)

    found = given(family, *past(*rows, left)).when(list_at(FIRST))

    assert at_month_ends(found)[2] == (("SD",), (), ())


def test_a_fact_known_late_changes_the_next_closing_alone() -> None:
    left = report(SchoolChange("pupil", None), "2023-02-01", "2023-04-20")
    pupil = person("pupil", "2010-01-01", school_level="SD")
    rows = register(), members(TODDLER, pupil), left

    first = given(family, *past(*rows)).when(list_at(FIRST))
    second = given(family, *past(*rows, list_at(FIRST))).when(list_at(SECOND))

    assert at_closing(first) == {1: EARLY, 2: ("SD",)}
    assert at_closing(second) == {1: EARLY}


def test_a_closing_before_the_months_end_still_judges_the_month_at_its_end() -> None:
    early = replace(FIRST, closing_date=day("2023-03-20"))
    child = person("child", "2016-03-25")

    found = given_family(MOTHER, TODDLER, child).when(list_at(early))

    assert at_month_ends(found)[3] == (EARLY, EARLY, ())
    assert at_closing(found)[3] == EARLY


def test_seniority_counts_from_the_youngest() -> None:
    elder = person("elder", "1940-01-01")
    pupil = person("pupil", "2010-01-01", school_level="SD")

    found = line(given_family(elder, TODDLER, MOTHER, pupil).when(list_at(FIRST)))

    assert {m.member: m.seniority for m in found.members} == {1: 2, 2: 0, 4: 1}


def test_who_shares_a_birth_date_is_ordered_by_number() -> None:
    twins = person("twin-1", "2019-01-01"), person("twin-2", "2019-01-01")
    asked = given_family(*twins, TODDLER)

    assert sharing_birth_date(asked.state) == (1, 2)

    order = rank_by_nik({1: "6103014101190002", 2: "6103014101190001"})
    found = line(asked.when(list_at(FIRST, order)))

    assert {m.member: m.seniority for m in found.members} == {1: 2, 2: 1, 3: 0}


def test_who_shares_a_birth_date_can_not_be_ordered_without_numbers() -> None:
    twins = person("twin-1", "2019-01-01"), person("twin-2", "2019-01-01")

    given_family(*twins).when(list_at(FIRST)).then_refused(NikOrderMissing)


def test_a_shared_birth_date_of_who_holds_no_category_matters_to_nobody() -> None:
    adults = person("adult-1", "1990-01-01"), person("adult-2", "1990-01-01")

    assert at_closing(given_family(*adults, TODDLER).when(list_at(FIRST))) == {3: EARLY}


# -- Region, payee and account


def test_a_move_counts_at_the_closing_that_knows_it() -> None:
    moved = report(Move("33.73.04.1001"), "2023-03-31", "2023-03-31")

    assert line(given_past(moved).when(list_at(FIRST))).region == "33.73.04.1001"


def test_a_move_that_is_not_true_yet_does_not_count() -> None:
    moved = report(Move("33.73.04.1001"), "2023-04-01", "2023-03-01")

    assert line(given_past(moved).when(list_at(FIRST))).region == "61.03.01.2026"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (("HERE", "2023-02-02", "2023-02-02"), ("there", "2023-02-01", "2023-03-01")),
        (("HERE", "2023-02-01", "2023-03-01"), ("there", "2023-02-01", "2023-02-15")),
        (("there", "2023-02-01", "2023-02-15"), ("HERE", "2023-02-01", "2023-02-15")),
    ],
    ids=["effective last", "reported last", "arrived last"],
)
def test_of_two_moves_and_of_two_payees_that_one_counts_which_is(
    first: tuple[str, str, str], then: tuple[str, str, str]
) -> None:
    asked: list[Command] = []
    for name, since, known in (first, then):
        asked.append(report(Move(name), since, known))
        asked.append(report(PayeeChange("mother", "nik", name, "no", "name"), since, known))

    found = line(given_past(*asked).when(list_at(FIRST)))

    assert (found.region, found.bank) == ("HERE", "HERE")


def change_payee(to: str, since: str, known: str | None = None) -> Command:
    account = "sealed-account-2", "sealed-name-2"
    return report(PayeeChange(to, f"sealed-{to}", "BRI", *account), since, known)


def test_a_payee_change_brings_its_account() -> None:
    found = line(given_past(change_payee("mother", "2023-03-31")).when(list_at(FIRST)))

    assert (found.bank, found.account_no, found.account_name) == (
        "BRI",
        "sealed-account-2",
        "sealed-name-2",
    )


def test_a_payee_change_known_too_late_leaves_payee_and_account() -> None:
    late = change_payee("stranger", "2023-03-01", "2023-04-01")

    found = line(given_past(late).when(list_at(FIRST)))

    assert (found.payee_nik, found.bank, found.payee_valid) == ("sealed-mother", "BNI", True)


@pytest.mark.parametrize(("born", "valid"), [("2006-03-31", True), ("2006-04-01", False)])
def test_a_payee_is_at_least_seventeen_on_the_closing_date(born: str, valid: bool) -> None:
    payee = person("payee", born)

    found = given_family(TODDLER, payee, payee_token="payee").when(list_at(FIRST))

    assert line(found).payee_valid is valid


def test_a_payee_who_is_no_member_is_not_valid() -> None:
    found = line(given_past(change_payee("stranger", "2023-03-01")).when(list_at(FIRST)))

    assert found.payee_valid is False
    assert found.payee_nik == "sealed-stranger"


@pytest.mark.parametrize(("known", "valid"), [("2023-03-31", False), ("2023-04-01", True)])
def test_a_dead_payee_is_not_valid_once_the_death_is_known(known: str, valid: bool) -> None:
    died = report(Death("mother"), "2023-03-30", known)

    assert line(given_past(died).when(list_at(FIRST))).payee_valid is valid
