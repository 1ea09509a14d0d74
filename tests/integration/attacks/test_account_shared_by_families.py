"""A clerk gathers families' money on one account, or with one person, without moving any payee.

He invents nothing that a check at a door could find: each row by itself is as it should be, and two
people approve what needs two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

import pytest_asyncio

from tests.integration.attacks.conftest import RegistryAtItsDoor
from tests.integration.registry.kit import (
    Register,
    child,
    decide,
    family,
    handed_in,
    life_event,
    member,
)

HONEST, FIRST, SECOND, THIRD = (f"610301010123000{n}" for n in range(1, 5))
CARDS: Final = (HONEST, FIRST, SECOND, THIRD)
ACCOUNT: Final = {"bank_code": "BRI", "account_no": "66600006660", "account_name": "MALIK"}
ON: Final = "2023-01-12"


def mother_of(card: str) -> str:
    return f"610301410790000{card[-1]}"


def to_his_account(card: str, on: str = ON, **cells: str) -> dict[str, str]:
    paid = {"new_payee_nik": mother_of(card)} | ACCOUNT | cells
    return life_event("PAYEE_CHANGE", card, on, on, **paid)


async def withheld(register: Register, tahap: str = "2023-1") -> Mapping[str, str]:
    """{card: reason} of the families that a list withholds by name."""
    [closed] = [list_ for list_ in await register.closed() if list_.body["tahap"] == tahap]
    cards = {(await register.state_of(card)).family: card for card in CARDS}
    return {cards[each["family"]]: each["reason"] for each in closed.body["withheld"]}


async def listed(register: Register, tahap: str = "2023-1") -> set[str]:
    """The cards of the families that a list has lines of."""
    cards = {(await register.state_of(card)).family: card for card in CARDS}
    return {cards[line.key] for line in await register.lines(tahap)}


@pytest_asyncio.fixture
async def given(registry: RegistryAtItsDoor) -> AsyncIterator[RegistryAtItsDoor]:
    """Four families with a small child each, whose mothers are paid on accounts of their own."""
    await handed_in(registry.door, "families", *(family(c, mother_of(c)) for c in CARDS))
    people = [(member(c, mother_of(c)), child(c, f"610301171216000{c[-1]}")) for c in CARDS]
    await handed_in(registry.door, "members", *(row for rows in people for row in rows))
    yield registry


async def test_families_that_share_an_account_are_withheld_by_name_and_all_others_are_listed(
    given: RegistryAtItsDoor,
) -> None:
    await handed_in(given.door, "life-events", to_his_account(FIRST), to_his_account(THIRD))
    assert (await decide(given.door)).status_code == 204

    await given.register.listed_by_its_leader()

    assert await withheld(given.register) == dict.fromkeys((FIRST, THIRD), "SHARED_ACCOUNT")
    assert await listed(given.register) == {HONEST, SECOND}


async def test_a_new_family_with_another_ones_account_is_not_paid_on_it(
    given: RegistryAtItsDoor,
) -> None:
    """A candidate comes by one clerk's file."""
    ghost, his = "6103010101230009", "6103014107900009"
    account = {"account_no": f"3{FIRST[-11:]}"}
    await handed_in(given.door, "families", family(ghost, his, **account))
    await handed_in(given.door, "members", member(ghost, his), child(ghost, "6103011712160009"))

    await given.register.listed_by_its_leader()

    assert await listed(given.register) == {HONEST, SECOND, THIRD}


async def test_one_person_is_not_paid_for_two_families(given: RegistryAtItsDoor) -> None:
    """She is a member of both, by a document and two people, on an account for each."""
    aunt = "6103014107900077"
    await given.register.listed_by_its_leader()
    for card in (FIRST, SECOND):
        admitted = member(card, aunt, evidence="BA-12/2023")
        await handed_in(given.door, "members", admitted)
        account = f"7770000{card[-4:]}"
        to_aunt = to_his_account(card, "2023-04-12", new_payee_nik=aunt, account_no=account)
        assert (await decide(given.door)).status_code == 204
        await handed_in(given.door, "life-events", to_aunt)
        assert (await decide(given.door)).status_code == 204

    await given.register.listed_by_its_leader("2023-2")

    assert await withheld(given.register, "2023-2") == dict.fromkeys(
        (FIRST, SECOND), "SHARED_PAYEE"
    )


async def test_families_whose_account_two_people_mend_are_listed_next_time(
    given: RegistryAtItsDoor,
) -> None:
    await handed_in(given.door, "life-events", to_his_account(FIRST), to_his_account(SECOND))
    assert (await decide(given.door)).status_code == 204
    await given.register.listed_by_its_leader()

    own = to_his_account(SECOND, "2023-04-12", account_no="77700007770")
    await handed_in(given.door, "life-events", own)
    assert (await decide(given.door)).status_code == 204
    await given.register.listed_by_its_leader("2023-2")

    assert await withheld(given.register, "2023-2") == {}
    assert await listed(given.register, "2023-2") == set(CARDS)
