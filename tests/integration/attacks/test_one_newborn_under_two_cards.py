"""A clerk reports one newborn for two families, to have the child paid twice."""

from __future__ import annotations

from typing import Any, Final

import pytest
import pytest_asyncio

from tests.integration.attacks.conftest import RegistryAtItsDoor, owed
from tests.integration.registry.kit import (
    as_csv,
    child,
    decide,
    family,
    hand_in,
    life_event,
    member,
)

FIRST, SECOND = "6103010101230001", "6103010101230002"
BABY: Final = "6103011005230003"
BORN: Final = "2023-05-10"
SD, EARLY_CHILD = 225_000, 750_000


def born(card: str, reported_on: str = "2023-05-12", nik: str = BABY) -> dict[str, str]:
    cells = {"nik": nik, "name": f"BABY OF {card}", "sex": "F", "birth_date": BORN}
    return life_event("BIRTH", card, BORN, reported_on, **cells)


async def handed_in(registry: RegistryAtItsDoor, *rows: dict[str, str]) -> Any:
    sent = as_csv("life-events", rows)
    return (await hand_in(registry.door, "life-events", sent, partial=True)).json()


async def money(registry: RegistryAtItsDoor, tahap: str) -> list[int]:
    """The rupiah of the first family and of the second."""
    return [owed(await registry.register.line_of(card, tahap)) for card in (FIRST, SECOND)]


@pytest_asyncio.fixture
async def given(registry: RegistryAtItsDoor) -> RegistryAtItsDoor:
    """Two families with a pupil each, listed once."""
    for card in (FIRST, SECOND):
        mother = f"610301410790000{card[-1]}"
        pupil = child(card, f"610301171216000{card[-1]}") | {"school_level": "SD"}
        await registry.register.take("families", family(card, mother))
        await registry.register.take("members", member(card, mother), pupil)
    await registry.register.listed_by_its_leader()
    assert await money(registry, "2023-1") == [SD, SD]
    return registry


@pytest.mark.parametrize("reported_on", ["2023-05-12", "2023-05-11"], ids=["as told", "dated back"])
async def test_one_newborn_under_two_cards_is_paid_for_once(
    given: RegistryAtItsDoor, reported_on: str
) -> None:
    assert (await handed_in(given, born(FIRST)))["accepted"] == 1
    assert (await handed_in(given, born(SECOND, reported_on)))["accepted"] == 1

    await given.register.listed_by_its_leader("2023-2")

    assert await money(given, "2023-2") == [SD + EARLY_CHILD, SD]
    [_, baby] = (await given.register.line_of(SECOND, "2023-2")).body["members"]
    assert baby["not_counted"] == "DUPLICATE_NIK"


async def test_one_file_with_both_is_paid_for_once(given: RegistryAtItsDoor) -> None:
    assert (await handed_in(given, born(SECOND), born(FIRST)))["accepted"] == 2

    await given.register.listed_by_its_leader("2023-2")

    assert await money(given, "2023-2") == [SD, SD + EARLY_CHILD]


@pytest.mark.parametrize("odd", ["\u200b", "\u2060", "\ufe0f"])
async def test_the_second_card_has_no_newborn_under_a_number_that_only_looks_the_same(
    given: RegistryAtItsDoor, odd: str
) -> None:
    report = await handed_in(given, born(FIRST), born(SECOND, nik=f"{BABY}{odd}"))

    assert [(error["line"], error["column"]) for error in report["errors"]] == [(3, "nik")]
    await given.register.listed_by_its_leader("2023-2")
    assert await money(given, "2023-2") == [SD + EARLY_CHILD, SD]


async def test_a_newborn_who_is_a_member_elsewhere_by_a_card_is_paid_for_once(
    given: RegistryAtItsDoor,
) -> None:
    row = member(FIRST, BABY, BORN, relationship="CHILD", evidence="BA-12/2023")
    await hand_in(given.door, "members", as_csv("members", [row]))
    assert (await decide(given.door)).status_code == 204
    assert (await handed_in(given, born(SECOND)))["accepted"] == 1

    await given.register.listed_by_its_leader("2023-2")
    await given.register.listed_by_its_leader("2023-3")

    assert await money(given, "2023-2") == [SD + EARLY_CHILD, SD]
    assert await money(given, "2023-3") == [SD + EARLY_CHILD, SD]
