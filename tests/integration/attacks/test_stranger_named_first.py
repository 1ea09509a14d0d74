"""A clerk names a stranger's NIK first, and so blocks them elsewhere; or takes a person alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from services.registry.domain.erasure import ApproveErasure, ProposeErasure
from services.registry.tables.erasures import step
from tests.doors import CONTEXT, NATION
from tests.integration.attacks.conftest import RegistryAtItsDoor, owed
from tests.integration.registry.kit import (
    IMPORT,
    REGION,
    as_csv,
    child,
    decide,
    family,
    hand_in,
    life_event,
    member,
)

HIS, THEIRS = "6103010101230001", "6104110101230002"
REGIONS: Final = {HIS: REGION, THEIRS: "61.04.11.2017"}
BABY: Final = "6103011005230003"
BORN: Final = "2023-05-10"
SD, EARLY_CHILD = 225_000, 750_000
PAID, UNPAID = SD + EARLY_CHILD, SD


async def born(registry: RegistryAtItsDoor, card: str) -> None:
    cells = {"nik": BABY, "name": f"BABY OF {card}", "sex": "F", "birth_date": BORN}
    sent = as_csv("life-events", [life_event("BIRTH", card, BORN, "2023-05-12", **cells)])
    assert (await hand_in(registry.door, "life-events", sent)).json()["accepted"] == 1


async def claimed(
    registry: RegistryAtItsDoor,
    card: str,
    person: str = "clerk-1",
    evidence: str = "AK-7/2023",
    regions: Sequence[str] = NATION,
) -> httpx.Response:
    """A clerk says that the baby is of a card's family."""
    path = f"/families/{await id_of(registry, card)}/members/3/adjudication"
    who = registry.door.who(person, IMPORT, regions=regions)
    return await registry.door.post(path, who, json={"evidence": evidence})


async def adjudicated(registry: RegistryAtItsDoor, card: str, evidence: str = "AK-7/2023") -> None:
    assert (await claimed(registry, card, evidence=evidence)).status_code == 204
    assert (await decide(registry.door)).status_code == 204


async def id_of(registry: RegistryAtItsDoor, card: str) -> str:
    return (await registry.register.state_of(card)).family


async def money(registry: RegistryAtItsDoor, tahap: str) -> list[int]:
    """The rupiah of his family and of theirs."""
    return [owed(await registry.register.line_of(card, tahap)) for card in (HIS, THEIRS)]


async def reason(registry: RegistryAtItsDoor, card: str, tahap: str) -> str:
    [*_, baby] = (await registry.register.line_of(card, tahap)).body["members"]
    why: str = baby["not_counted"]
    return why


async def seen(
    registry: RegistryAtItsDoor, regions: Sequence[str] = NATION, **filters: str
) -> list[dict[str, Any]]:
    who = registry.door.who("reader-1", "registry:read", regions=regions)
    answer = await registry.door.client.get("/duplicates", headers=who, params=filters)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


@pytest_asyncio.fixture
async def given(registry: RegistryAtItsDoor) -> RegistryAtItsDoor:
    """A baby of another family whom his family has named first; both are listed once."""
    for card in (HIS, THEIRS):
        mother = f"610301410790000{card[-1]}"
        pupil = child(card, f"610301171216000{card[-1]}") | {"school_level": "SD"}
        await registry.register.take("families", family(card, mother, region_code=REGIONS[card]))
        await registry.register.take("members", member(card, mother), pupil)
    await registry.register.listed()
    for card in (HIS, THEIRS):
        await born(registry, card)
    return registry


async def test_two_people_give_a_stranger_s_child_back_from_the_next_list_on(
    given: RegistryAtItsDoor,
) -> None:
    await given.register.listed("2023-2")
    await adjudicated(given, THEIRS)
    await given.register.listed("2023-3")

    assert await money(given, "2023-2") == [PAID, UNPAID]
    assert await money(given, "2023-3") == [UNPAID, PAID]
    assert await reason(given, THEIRS, "2023-2") == "DUPLICATE_NIK"
    assert await reason(given, HIS, "2023-3") == "ADJUDICATED"


async def test_the_later_decision_counts(given: RegistryAtItsDoor) -> None:
    await adjudicated(given, THEIRS)
    await given.register.listed("2023-2")
    await adjudicated(given, HIS)
    again = await claimed(given, HIS)
    await given.register.listed("2023-3")

    assert problem(again) == (409, "nothing-to-adjudicate")
    assert await money(given, "2023-2") == [UNPAID, PAID]
    assert await money(given, "2023-3") == [PAID, UNPAID]


async def test_nobody_takes_a_person_alone(given: RegistryAtItsDoor) -> None:
    assert (await claimed(given, THEIRS)).status_code == 204
    alone = await decide(given.door, "CLERK-1")
    await given.register.listed("2023-2")

    assert problem(alone) == (409, "same-person")
    assert await money(given, "2023-2") == [PAID, UNPAID]


async def test_two_people_of_a_region_take_nobody_from_a_family_of_another(
    given: RegistryAtItsDoor,
) -> None:
    ours = ("61.04",)
    assert (await claimed(given, THEIRS, regions=ours)).status_code == 204
    taken = await decide(given.door, regions=ours)
    for_both = await decide(given.door, regions=("61",))

    assert problem(taken) == (409, "family-elsewhere")
    assert for_both.status_code == 204


async def test_a_clerk_of_a_region_sees_of_the_other_family_that_it_is_elsewhere(
    given: RegistryAtItsDoor,
) -> None:
    his, theirs = await id_of(given, HIS), await id_of(given, THEIRS)
    [member_of] = await seen(given, ("61.04",))
    foreign = await claimed(given, HIS, regions=("61.04",))

    assert member_of == {
        "family": theirs,
        "member": 3,
        "region": REGIONS[THEIRS],
        "counts_here": False,
        "decided": False,
    }
    assert problem(foreign) == (404, "family-unknown")
    assert [row["counts_here"] for row in await seen(given, family=his)] == [True]
    assert len(await seen(given, region="61.03")) == 1
    await adjudicated(given, THEIRS)
    assert await seen(given) == []
    decided = {row["family"]: row["counts_here"] for row in await seen(given, decided="true")}
    assert decided == {his: False, theirs: True}


@pytest.mark.parametrize("decided", [False, True], ids=["named first", "decided for"])
async def test_an_erased_family_blocks_nobody(given: RegistryAtItsDoor, decided: bool) -> None:
    if decided:
        await adjudicated(given, THEIRS)
        await adjudicated(given, HIS)
    his = await id_of(given, HIS)
    async with given.register.store.transaction(CONTEXT) as unit:
        await step(unit, his, REGION, ProposeErasure(his, "SUBJECT_REQUEST", "BA-1/2023", "ana"))
        await step(unit, his, REGION, ApproveErasure("budi", ()))
    await given.register.listed("2023-2")

    line = await given.register.line_of(THEIRS, "2023-2")
    assert owed(line) == PAID
    assert await seen(given) == await seen(given, decided="true") == []


async def test_who_named_them_next_has_them_once_the_first_is_erased(
    given: RegistryAtItsDoor,
) -> None:
    third = "6103010101230004"
    await given.register.take("families", family(third, "6103014107900004"))
    await given.register.take("members", member(third, "6103014107900004"), child(third, BABY))
    his = await id_of(given, HIS)
    async with given.register.store.transaction(CONTEXT) as unit:
        await step(unit, his, REGION, ProposeErasure(his, "SUBJECT_REQUEST", "BA-1/2023", "ana"))
        await step(unit, his, REGION, ApproveErasure("budi", ()))
    await given.register.listed("2023-2")

    assert owed(await given.register.line_of(THEIRS, "2023-2")) == PAID
    assert await reason(given, third, "2023-2") == "DUPLICATE_NIK"
