from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from services.payments import policy
from services.payments.domain.entitlement import (
    BenefitTable,
    Circumstances,
    Component,
    Counted,
    Entitlement,
    Member,
    amount_of,
    entitlement,
)
from services.payments.domain.shared.errors import CategoryUnknown, Malformed, UnverifiedBenefit

TABLE = policy.load().benefit("2021-2024")
CATEGORIES = ("PREGNANT", "EARLY_CHILD", "SEVERE_DISABILITY", "ELDERLY", "SMA", "SMP", "SD")


def family(*members: str) -> list[Member]:
    """Members from the youngest to the oldest, each as "CATEGORY CATEGORY ..."."""
    return [Member(n + 1, n, tuple(held.split())) for n, held in enumerate(members)]


def test_each_category_has_its_amount() -> None:
    amounts = {each: entitlement(family(each), TABLE).amount for each in CATEGORIES}

    assert amounts == {
        "PREGNANT": 750_000,
        "EARLY_CHILD": 750_000,
        "SEVERE_DISABILITY": 600_000,
        "ELDERLY": 600_000,
        "SMA": 500_000,
        "SMP": 375_000,
        "SD": 225_000,
    }


def test_nobody_with_a_category_is_entitled_to_nothing() -> None:
    assert entitlement(family("", ""), TABLE) == Entitlement((), 0, ())
    assert entitlement([], TABLE).amount == 0


def test_components_stand_in_their_order_whatever_the_order_of_members() -> None:
    expected = (Component("EARLY_CHILD", 1), Component("SMP", 1), Component("SD", 2))

    for members in permutations(family("SD", "EARLY_CHILD", "SD", "SMP")):
        assert entitlement(members, TABLE).components == expected


def test_a_member_counts_once_for_the_category_worth_most() -> None:
    disabled_pupil = entitlement(family("SEVERE_DISABILITY SD"), TABLE)

    assert disabled_pupil.components == (Component("SEVERE_DISABILITY", 1),)
    assert disabled_pupil.amount == 600_000


@pytest.mark.parametrize(
    ("held", "counts_as"),
    [
        ("PREGNANT EARLY_CHILD", "PREGNANT"),
        ("EARLY_CHILD PREGNANT", "PREGNANT"),
        ("ELDERLY SEVERE_DISABILITY", "SEVERE_DISABILITY"),
        ("SD ELDERLY", "ELDERLY"),
    ],
)
def test_a_tie_within_a_member_falls_by_the_order_of_categories(held: str, counts_as: str) -> None:
    assert entitlement(family(held), TABLE).components == (Component(counts_as, 1),)


def test_at_most_four_members_count_those_worth_most() -> None:
    five = entitlement(family("SD", "SMP", "SMA", "EARLY_CHILD", "PREGNANT"), TABLE)

    assert five.amount == 750_000 + 750_000 + 500_000 + 375_000
    assert five.counted == (
        Counted(2, "SMP", 375_000),
        Counted(3, "SMA", 500_000),
        Counted(4, "EARLY_CHILD", 750_000),
        Counted(5, "PREGNANT", 750_000),
    )


def test_a_tie_between_members_falls_to_the_youngest() -> None:
    elderly = [Member(9, 0, ("ELDERLY",)), *family("", "ELDERLY", "ELDERLY", "ELDERLY", "ELDERLY")]

    assert entitlement(elderly, TABLE).members == {2, 3, 4, 9}


def test_a_tie_between_members_does_not_fall_by_category() -> None:
    # The three children of 750,000 are in; of the two of 600,000 the younger one is.
    members = family("EARLY_CHILD", "ELDERLY", "EARLY_CHILD", "SEVERE_DISABILITY", "EARLY_CHILD")

    assert entitlement(members, TABLE).components == (
        Component("EARLY_CHILD", 3),
        Component("ELDERLY", 1),
    )


def test_a_category_that_the_table_does_not_pay_does_not_count() -> None:
    without_elderly = replace(
        TABLE, components={k: v for k, v in TABLE.components.items() if k != "ELDERLY"}
    )

    assert entitlement(family("ELDERLY", "SD"), without_elderly).members == {2}


def test_a_category_that_the_table_does_not_know_is_refused() -> None:
    with pytest.raises(CategoryUnknown):
        entitlement(family("STUDENT"), TABLE)


def test_no_money_is_counted_by_an_unverified_table() -> None:
    with pytest.raises(UnverifiedBenefit):
        entitlement(family("SD"), replace(TABLE, verified=False))


def test_a_family_part_is_for_four_tahap_only() -> None:
    with pytest.raises(Malformed):
        entitlement(family("SD"), policy.load().benefit("2019"), Circumstances(tahap_number=5))


# -- Against a plain statement of the rule

MEMBERS = st.lists(st.lists(st.sampled_from(CATEGORIES), max_size=3), max_size=7)


@settings(max_examples=300, deadline=None)
@drawn(MEMBERS, st.randoms(use_true_random=False))
def test_the_amount_is_what_the_rule_says_in_words(held: list[list[str]], order: Random) -> None:
    members = family(*(" ".join(categories) for categories in held))
    order.shuffle(members)

    worth = [
        max(TABLE.components[c] for c in each.categories) for each in members if each.categories
    ]
    answer = entitlement(members, TABLE)

    assert answer.amount == sum(sorted(worth, reverse=True)[:4])
    assert answer.amount == amount_of(answer.components, TABLE)
    assert answer.amount == sum(each.amount for each in answer.counted)
    assert len(answer.counted) == sum(part.members for part in answer.components) <= 4


# -- Caps of a category, which some years have and ours has not

CAPPED = replace(TABLE, category_max={"EARLY_CHILD": 2})


def test_a_cap_leaves_out_the_oldest_of_a_category() -> None:
    capped = entitlement(family("EARLY_CHILD", "EARLY_CHILD", "EARLY_CHILD", "SD"), CAPPED)

    assert capped.members == {1, 2, 4}
    assert capped.amount == 750_000 * 2 + 225_000


def test_whom_a_cap_leaves_out_counts_for_the_next_category() -> None:
    members = family("EARLY_CHILD", "EARLY_CHILD", "EARLY_CHILD SEVERE_DISABILITY")

    assert amounts(members, CAPPED) == {"EARLY_CHILD": 2, "SEVERE_DISABILITY": 1}


def amounts(members: list[Member], table: BenefitTable) -> Mapping[str, int]:
    return {part.category: part.members for part in entitlement(members, table).components}
