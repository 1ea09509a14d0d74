"""A number that stands on two cards puts both families on hold, whichever came first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from libs.chassis.settings import Settings
from tests.doors import sent
from tests.integration.registry.kit import (
    IMPORT,
    Register,
    child,
    door_at,
    family,
    life_event,
    member,
)

CARDS = ("6103010101010001", "6103010101010002", "6103010101010003")
SHARED = "6103011708200009"
MOTHERS = ("6103014505900001", "6103014505900002", "6103014505900003")


async def given_families(register: Register, cards: Sequence[str] = CARDS) -> None:
    await register.take("families", *(family(card) for card in cards))


async def judged(register: Register, card: str) -> tuple[str, str]:
    family_id = (await register.state_of(card)).family
    [designated] = [d for d in await sent(register.store, "FamilyDesignated") if d.key == family_id]
    return designated.body["status"], designated.body["reason"]


HOLD = ("HOLD", "DUPLICATE_NIK")
ELIGIBLE = ("ELIGIBLE", "")


async def test_within_one_batch(register: Register) -> None:
    await given_families(register)
    own = [child(card, nik) for card, nik in zip(CARDS, MOTHERS, strict=True)]
    await register.take("members", *own, child(CARDS[0], SHARED), child(CARDS[1], SHARED))
    await register.listed()

    assert [await judged(register, card) for card in CARDS] == [HOLD, HOLD, ELIGIBLE]


async def test_over_batches_of_one_import(register: Register) -> None:
    await given_families(register)
    between = [member(CARDS[2], f"61030145059{number:05}") for number in range(900)]
    rows = [child(CARDS[0], SHARED), *between, child(CARDS[1], SHARED)]
    await register.take("members", *rows)

    assert [len((await register.state_of(card)).duplicates) for card in CARDS] == [1, 1, 0]


@pytest.mark.parametrize("first", [0, 1])
async def test_over_two_imports(register: Register, first: int) -> None:
    await given_families(register)
    await register.take("members", child(CARDS[first], SHARED))
    await register.take("members", child(CARDS[1 - first], SHARED))
    await register.listed()

    assert [await judged(register, card) for card in CARDS[:2]] == [HOLD, HOLD]


async def test_a_third_card_joins_the_first_two_and_nobody_is_marked_twice(
    register: Register,
) -> None:
    await given_families(register)
    await register.take("members", *(child(card, SHARED) for card in CARDS[:2]))
    await register.take("members", child(CARDS[2], SHARED))

    assert [(await register.state_of(card)).duplicates for card in CARDS] == [(1,), (1,), (1,)]


async def test_twice_on_one_card_is_no_duplicate(register: Register) -> None:
    await given_families(register)
    report = await register.take("members", *[child(CARDS[0], SHARED)] * 2)

    assert (report.accepted, report.unchanged) == (1, 1)
    assert (await register.state_of(CARDS[0])).duplicates == ()


async def test_people_without_a_number_are_not_each_other(register: Register) -> None:
    await given_families(register)
    await register.take("members", *(child(card, "") for card in CARDS[:2]))

    assert [(await register.state_of(card)).duplicates for card in CARDS[:2]] == [(), ()]


async def test_a_baby_of_a_life_event_marks_nobody(register: Register) -> None:
    await given_families(register)
    await register.take("members", child(CARDS[0], SHARED), member(CARDS[1], MOTHERS[1]))
    born = {"nik": SHARED, "name": "BAYI", "sex": "F", "birth_date": "2023-02-01"}
    await register.take(
        "life-events", life_event("BIRTH", CARDS[1], "2023-02-01", "2023-02-09", **born)
    )
    await register.listed()

    assert [await judged(register, card) for card in CARDS[:2]] == [ELIGIBLE, ELIGIBLE]


async def adjudicated(register: Register, settings: Settings, directory: Path) -> None:
    """Two people say that the one whom two cards name is of the first card."""
    first = (await register.state_of(CARDS[0])).family
    async with door_at(settings, directory, register) as door:
        path = f"/families/{first}/members/1/adjudication"
        body = {"evidence": "KK-7/2023"}
        said = await door.post(path, door.who("clerk-1", IMPORT), json=body)
    assert said.status_code == 204
    await register.approve()


async def test_families_on_hold_are_judged_again_from_the_cut_on_that_knows_the_decision(
    register: Register, settings: Settings, tmp_path: Path
) -> None:
    await given_families(register)
    await register.take("members", *(child(card, SHARED) for card in CARDS[:2]))
    await register.listed()
    await register.announce("2023-2")
    await adjudicated(register, settings, tmp_path)
    await register.list_all()
    await register.listed("2023-3")

    assert await register.lines("2023-2") == []
    lines = [(await register.line_of(card, "2023-3")).body["members"] for card in CARDS[:2]]
    assert [member["not_counted"] for [member] in lines] == ["", "ADJUDICATED"]
