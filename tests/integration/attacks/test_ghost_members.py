"""A clerk invents newborns: under no number, under a word, under what looks like a NIK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.integration.attacks.conftest import RegistryAtItsDoor, owed
from tests.integration.registry.kit import (
    IMPORT,
    as_csv,
    child,
    decide,
    differences,
    family,
    hand_in,
    life_event,
    member,
)

CARD, MOTHER, PUPIL = "6103010101230001", "6103014107900001", "6103011712160002"
BABY: Final = "6103011005230003"
BORN: Final = "2023-05-10"
SD, EARLY_CHILD = 225_000, 750_000


def born(nik: str, name: str = "GHOST") -> dict[str, str]:
    cells = {"nik": nik, "name": name, "sex": "F", "birth_date": BORN}
    return life_event("BIRTH", CARD, BORN, "2023-05-12", **cells)


async def handed_in(registry: RegistryAtItsDoor, *rows: dict[str, str]) -> Any:
    sent = as_csv("life-events", rows)
    answer = await hand_in(registry.door, "life-events", sent, partial=True)
    return answer.json()


@pytest_asyncio.fixture
async def given(registry: RegistryAtItsDoor) -> RegistryAtItsDoor:
    """A family with a pupil, listed once: 225,000 rupiah."""
    await registry.register.take("families", family(CARD, MOTHER))
    pupil = child(CARD, PUPIL) | {"school_level": "SD"}
    await registry.register.take("members", member(CARD, MOTHER), pupil)
    await registry.register.listed_by_its_leader()
    assert owed(await registry.register.line_of(CARD)) == SD
    return registry


@pytest.mark.parametrize(
    "nik",
    ["ghost-1", f"{BABY}\u200b", f"\u2060{BABY}", f"{BABY[:8]}\u00ad{BABY[8:]}", "６" + BABY[1:]],
    ids=["a word", "zero-width space", "word joiner", "soft hyphen", "full width"],
)
async def test_no_ghost_is_born_under_what_only_looks_like_a_number(
    given: RegistryAtItsDoor, nik: str
) -> None:
    report = await handed_in(given, born(nik))

    assert [error["column"] for error in report["errors"]] == ["nik"]
    assert len((await given.register.state_of(CARD)).members) == 2


@pytest.mark.parametrize(
    "niks",
    [("", "", "", ""), ("1", "2", "3", "4"), ("6103011005230ABC", "610301100523000", "", "0")],
    ids=["none", "short", "odd"],
)
async def test_ghosts_are_on_file_and_raise_no_money(
    given: RegistryAtItsDoor, niks: Sequence[str]
) -> None:
    rows = [born(nik, f"GHOST {number}") for number, nik in enumerate(niks)]
    assert (await handed_in(given, *rows))["accepted"] == len(rows)

    await given.register.listed_by_its_leader("2023-2")

    line = await given.register.line_of(CARD, "2023-2")
    assert len(line.body["members"]) == 1 + len(rows)
    assert owed(line) == SD


async def test_a_newborn_counts_once_two_people_have_said_the_number(
    given: RegistryAtItsDoor,
) -> None:
    await handed_in(given, born(""))
    path = f"/families/{(await given.register.state_of(CARD)).family}/members/3/nik"
    clerk = given.door.who("clerk-1", IMPORT)

    said = await given.door.post(path, clerk, json={"nik": BABY})
    alone = await decide(given.door, "Clerk-1")
    [change] = (await differences(given.door, "supervisor-1")).json()["items"]
    await given.register.listed_by_its_leader("2023-2")
    checked = await decide(given.door, "supervisor-1")
    await given.register.listed_by_its_leader("2023-3")

    assert (said.status_code, alone.status_code, checked.status_code) == (204, 409, 204)
    what = {"what": "nik of member 3", "before": None, "after": "…0003"}
    assert (change["kind"], change["differences"]) == ("NIK", [what])
    assert owed(await given.register.line_of(CARD, "2023-2")) == SD
    assert owed(await given.register.line_of(CARD, "2023-3")) == SD + EARLY_CHILD


async def test_nobody_says_a_number_of_another_member_or_of_one_who_has_theirs(
    given: RegistryAtItsDoor,
) -> None:
    await handed_in(given, born(""))
    members = f"/families/{(await given.register.state_of(CARD)).family}/members"

    async def said(number: int, nik: str, regions: Sequence[str] = ("61",)) -> tuple[int, str]:
        clerk = given.door.who("clerk-1", IMPORT, regions=regions)
        answer = await given.door.post(f"{members}/{number}/nik", clerk, json={"nik": nik})
        return answer.status_code, answer.json()["type"].removeprefix("/problems/")

    assert await said(2, BABY) == (409, "member-registered-differently")
    assert await said(3, PUPIL) == (409, "person-already-member")
    assert await said(4, BABY) == (404, "person-unknown")
    assert await said(3, f"{BABY}\u200b") == (422, "invalid-request")
    assert await said(3, BABY, regions=("11",)) == (404, "family-unknown")
