"""A family as it was on a day, as it was known on a day, as it stood at a position of the log."""

from __future__ import annotations

from typing import Any

from tests.doors import Door
from tests.integration.registry.kit import REGION, Register, child, family, life_event, member

CARD, NIK, CHILD = "6103010101010001", "6103014505900001", "6103015712160002"
ELSEWHERE = "61.04.11.2017"


async def as_it_was(registry: Door, family_id: str, **asked: str | int) -> dict[str, Any]:
    who = registry.who("reader-1", "registry:read")
    answer = await registry.client.get(f"/families/{family_id}", headers=who, params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return {name: found[name] for name in ("region", "members")}


async def given_a_family_that_moved(register: Register) -> tuple[str, int]:
    """A family of two; its move in January is reported in March. Its id and the log before that."""
    await register.take("families", family(CARD, NIK))
    await register.take("members", member(CARD, NIK), child(CARD, CHILD))
    before, _ = await register.store.head()
    moved = life_event("MOVE", CARD, "2023-01-05", "2023-03-20", region_code=ELSEWHERE)
    died = life_event("DEATH", CARD, "2023-02-10", "2023-02-12", nik=CHILD)
    await register.take("life-events", died, moved)
    return (await register.state_of(CARD)).family, before


async def test_today_everything_counts(registry: Door, register: Register) -> None:
    moved, _ = await given_a_family_that_moved(register)

    assert await as_it_was(registry, moved) == {"region": ELSEWHERE, "members": 1}


async def test_a_fact_counts_from_the_day_on_which_it_is_true(
    registry: Door, register: Register
) -> None:
    moved, _ = await given_a_family_that_moved(register)

    early = await as_it_was(registry, moved, as_of="2023-01-04")
    between = await as_it_was(registry, moved, as_of="2023-02-09")
    assert (early, between) == (
        {"region": REGION, "members": 2},
        {"region": ELSEWHERE, "members": 2},
    )


async def test_a_fact_that_was_not_reported_yet_was_not_known(
    registry: Door, register: Register
) -> None:
    moved, _ = await given_a_family_that_moved(register)

    known = await as_it_was(registry, moved, as_of="2023-03-31", known_by="2023-03-19")
    assert known == {"region": REGION, "members": 1}


async def test_a_fact_that_was_stored_later_was_not_there(
    registry: Door, register: Register
) -> None:
    moved, before = await given_a_family_that_moved(register)

    assert await as_it_was(registry, moved, at=before) == {"region": REGION, "members": 2}


async def test_before_its_first_event_the_family_was_unknown(
    registry: Door, register: Register
) -> None:
    await given_a_family_that_moved(register)
    await register.take("families", family("6103010101010002"))
    later = (await register.state_of("6103010101010002")).family
    who = registry.who("reader-1", "registry:read")

    answer = await registry.client.get(f"/families/{later}", headers=who, params={"at": 1})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/family-unknown")
