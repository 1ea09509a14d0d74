"""A list beside the last frozen one: what is different, counted, hashed and shown."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from services.payments.domain.list_diff import (
    SHOWN_MAX,
    Change,
    DiffDigest,
    Difference,
    Standing,
    difference,
)

FAMILY, REGION = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11", "61.03.01.2026"
BEFORE = Standing(FAMILY, REGION, "BNI 1", "payee", frozenset({"child"}), 225_000)


def digest(*differences: Difference) -> DiffDigest:
    taken = DiffDigest("2023-2", "REGULAR", "2023-1")
    for found in differences:
        taken.add(found)
    return taken


def different(number: int, *changes: Change, before: int = 0, after: int = 0) -> Difference:
    return Difference(f"{number:08}", REGION, changes, before, after, 0)


def test_a_family_that_stands_as_before_is_no_difference() -> None:
    assert difference(FAMILY, BEFORE, BEFORE) is None
    assert difference(FAMILY, BEFORE, replace(BEFORE, rupiah=200_000)) is None
    assert difference(FAMILY, BEFORE, replace(BEFORE, members=frozenset())) is None


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        (replace(BEFORE, account="BRI 1"), ("ACCOUNT",)),
        (replace(BEFORE, payee="another"), ("PAYEE",)),
        (replace(BEFORE, account="BNI 2", payee="another"), ("ACCOUNT", "PAYEE")),
        (replace(BEFORE, members=frozenset({"child", "baby"})), ("NEW_MEMBER",)),
        (replace(BEFORE, members=frozenset({"ghost"})), ("NEW_MEMBER",)),
        (replace(BEFORE, rupiah=3_000_000), ("INCREASE",)),
        (None, ("GONE",)),
    ],
)
def test_each_way_in_which_a_family_differs_is_told(
    now: Standing | None, changes: tuple[Change, ...]
) -> None:
    found = difference(FAMILY, BEFORE, now)

    assert found is not None
    assert (found.region, found.changes) == (REGION, changes)


def test_a_family_that_was_not_on_the_last_frozen_list_is_new() -> None:
    found = difference(FAMILY, None, BEFORE)

    assert found == Difference(FAMILY, REGION, ("NEW_FAMILY",), 0, 225_000, 0)


def test_a_family_that_shares_an_account_is_told_whether_it_stood_there_or_not() -> None:
    before = difference(FAMILY, BEFORE, None, "SHARED_ACCOUNT")
    never = difference(FAMILY, None, None, "SHARED_PAYEE")

    assert before == Difference(FAMILY, REGION, ("SHARED_ACCOUNT", "GONE"), 225_000, 0, 0)
    assert never == Difference(FAMILY, "", ("SHARED_PAYEE",), 0, 0, 0)


def test_differences_are_counted_and_hashed_as_text() -> None:
    paid = different(1, "ACCOUNT", "INCREASE", before=225_000, after=975_000)
    found = digest(paid, different(2, "NEW_FAMILY", after=225_000)).result()

    text = (
        "# diff-1|2023-2|REGULAR|2023-1\n"
        "00000001|61.03.01.2026|ACCOUNT;INCREASE|225000|975000|0\n"
        "00000002|61.03.01.2026|NEW_FAMILY|0|225000|0\n"
    )
    assert found.hash == found.to_acknowledge == sha256(text.encode()).hexdigest()
    assert found.families == {"ACCOUNT": 1, "NEW_FAMILY": 1, "INCREASE": 1}
    assert (found.against, found.members, found.increase) == ("2023-1", 0, 750_000)


def test_where_nothing_differs_there_is_nothing_to_acknowledge() -> None:
    found = digest().result()

    assert (found.families, found.to_acknowledge) == ({}, "")


def test_the_first_of_each_change_are_shown_and_where_money_grows_most() -> None:
    many = [different(n, "NEW_FAMILY") for n in range(SHOWN_MAX + 5)]
    few = [different(n, "ACCOUNT") for n in range(1_000, 1_003)]
    raised = [different(n, "INCREASE", after=n) for n in range(2_000, 2_000 + SHOWN_MAX + 5)]

    taken = digest(*many, *few, *raised)

    assert taken.shown == [*many[:SHOWN_MAX], *few]
    assert taken.largest() == raised[:4:-1]
    assert taken.result().families["NEW_FAMILY"] == SHOWN_MAX + 5
