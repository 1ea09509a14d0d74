"""Who may ask the registry for what, and who somebody is: told to few, and written down."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from libs.chassis.settings import Settings
from libs.privacy.keys import KeyRing
from services.registry.main import SERVICE
from tests.doors import Door, as_role, front_door, operations, reads_of, runtime_role
from tests.integration.registry.kit import Register, child, family, life_event, member

CARD, OTHER_CARD = "6103010101010001", "6104110412150002"
NIK, ODD_NIK = "6103014505900001", "61030145059000"
HERE, ELSEWHERE = "61.03", "61.04"


def by_card(number: str) -> dict[str, str]:
    return {"no_kk": number, "purpose": "COMPLAINT"}


async def given_families(register: Register) -> tuple[str, str]:
    """Two families in two regencies; their ids."""
    await register.take(
        "families", family(CARD, NIK), family(OTHER_CARD, region_code="61.04.11.2017")
    )
    await register.take("members", member(CARD, NIK), child(CARD, ODD_NIK))
    first, second = [(await register.state_of(card)).family for card in (CARD, OTHER_CARD)]
    return first, second


async def test_every_operation_wants_a_token_and_a_scope_of_its_own(
    registry: Door, settings: Settings
) -> None:
    asked = operations(SERVICE.application(settings))
    assert ("POST", "/identities/lookup") in asked
    stranger = registry.who("stranger", "somewhere:else") | {"Idempotency-Key": "once"}

    for method, path in asked:
        nobody = await registry.client.request(method, path)
        somebody = await registry.client.request(method, path, headers=stranger)
        assert (path, nobody.status_code, somebody.status_code) == (path, 401, 403)


async def test_a_family_is_shown_to_its_own_region_only(registry: Door, register: Register) -> None:
    mine, _ = await given_families(register)

    for regions, status in ((("61",), 200), ((HERE,), 200), ((ELSEWHERE,), 404), ((), 404)):
        who = registry.who("reader-1", "registry:read", regions=regions)
        answer = await registry.client.get(f"/families/{mine}", headers=who)
        assert (regions, answer.status_code) == (regions, status)


async def test_a_family_belongs_to_where_it_moved_last_in_whatever_order_that_was_reported(
    registry: Door, register: Register
) -> None:
    mine, _ = await given_families(register)
    away = life_event("MOVE", CARD, "2023-01-05", "2023-01-06", region_code="61.04.11.2017")
    before = life_event("MOVE", CARD, "2022-11-05", "2023-02-01", region_code="61.12.05.2010")
    await register.take("life-events", away, before)

    for scope, ask in (("registry:read", "get"), ("registry:identify", "lookup")):
        for region, theirs in ((HERE, False), (ELSEWHERE, True)):
            who = registry.who("reader-1", scope, regions=(region,))
            if ask == "get":
                answer = await registry.client.get(f"/families/{mine}", headers=who)
                seen = answer.status_code == 200
            else:
                body = {"purpose": "COMPLAINT", "families": [mine]}
                answer = await registry.client.post("/identities/lookup", headers=who, json=body)
                seen = bool(answer.json())
            assert (scope, region, seen) == (scope, region, theirs)


async def test_a_family_that_nobody_knows_is_not_there(registry: Door) -> None:
    who = registry.who("reader-1", "registry:read")
    answer = await registry.client.get(
        f"/families/{'0' * 8}-0000-4000-8000-{'0' * 12}", headers=who
    )
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/family-unknown")


async def test_identities_are_told_as_the_card_has_them_and_the_reader_is_written_down(
    registry: Door, register: Register
) -> None:
    mine, _ = await given_families(register)
    unknown = "00000000-0000-4000-8000-000000000000"
    who = registry.who("demo-1", "registry:identify")

    answer = await registry.client.post(
        "/identities/lookup",
        headers=who,
        json={"purpose": "COMPLAINT", "families": [mine, unknown]},
    )

    assert answer.json() == [
        {
            "family": mine,
            "no_kk": CARD,
            "members": [{"member": 1, "nik": NIK}, {"member": 2, "nik": ODD_NIK}],
        }
    ]
    assert await reads_of(register.store.pool) == [
        (
            "demo-1",
            {
                "operation": "POST /identities/lookup",
                "purpose": "COMPLAINT",
                "asked": 2,
                "families": [mine],
            },
        )
    ]


async def test_a_family_of_another_region_is_left_out_of_a_look_up(
    registry: Door, register: Register
) -> None:
    mine, other = await given_families(register)
    who = registry.who("demo-1", "registry:identify", regions=(HERE,))

    answer = await registry.client.post(
        "/identities/lookup", headers=who, json={"purpose": "COMPLAINT", "families": [mine, other]}
    )

    assert [identity["family"] for identity in answer.json()] == [mine]
    assert OTHER_CARD not in answer.text


async def test_an_erased_family_is_left_out_of_the_others(
    register: Register, settings: Settings, tmp_path: Path
) -> None:
    mine, other = await given_families(register)
    eraser = as_role(settings.bus_url, runtime_role("eraser"))
    async with asyncpg.create_pool(eraser, min_size=1, max_size=1) as pool:
        await KeyRing(pool, settings.kek).destroy(mine)

    async with front_door(SERVICE, settings, tmp_path) as registry:
        who = registry.who("demo-1", "registry:identify")
        answer = await registry.client.post(
            "/identities/lookup",
            headers=who,
            json={"purpose": "COMPLAINT", "families": [mine, other]},
        )
    assert [each["family"] for each in answer.json()] == [other]


async def test_no_more_than_a_thousand_identities_are_told_at_once(registry: Door) -> None:
    who = registry.who("demo-1", "registry:identify")
    many = [f"00000000-0000-4000-8000-{number:012}" for number in range(1_001)]
    answer = await registry.client.post(
        "/identities/lookup", headers=who, json={"purpose": "COMPLAINT", "families": many}
    )
    assert answer.status_code == 422


# -- By card --------------------------------------------------------------------------------------


async def test_a_card_tells_its_family_and_who_asked_is_written_down(
    registry: Door, register: Register
) -> None:
    mine, _ = await given_families(register)
    who = registry.who("officer-1", "registry:identify")

    answer = await registry.client.post("/identities/by-card", headers=who, json=by_card(CARD))

    assert answer.json() == {"family": mine}
    [(reader, read)] = await reads_of(register.store.pool)
    assert (reader, read["families"]) == ("officer-1", [mine])


async def test_a_card_that_nobody_has_is_a_problem_and_a_look_at_nobody(
    registry: Door, register: Register
) -> None:
    await given_families(register)
    who = registry.who("officer-1", "registry:identify")

    answer = await registry.client.post(
        "/identities/by-card", headers=who, json=by_card("6103010101019999")
    )

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/card-unknown")
    assert "6103010101019999" not in answer.text
    [(_, read)] = await reads_of(register.store.pool)
    assert (read["asked"], read["families"]) == (1, [])


async def test_a_card_of_another_region_tells_nothing(registry: Door, register: Register) -> None:
    await given_families(register)
    who = registry.who("officer-1", "registry:identify", regions=(HERE,))

    answer = await registry.client.post(
        "/identities/by-card", headers=who, json=by_card(OTHER_CARD)
    )

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/card-unknown")
