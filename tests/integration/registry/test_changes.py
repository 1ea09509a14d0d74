"""Changes of payee, account and membership wait for a person who decides by what they see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import httpx
import pytest_asyncio

from services.registry.tables.waiting_changes import change_readings
from tests.doors import NATION, Door, reads_of, sent
from tests.integration.registry.kit import (
    IMPORT,
    Register,
    as_csv,
    child,
    decide,
    differences,
    family,
    hand_in,
    handed_in,
    life_event,
    member,
)

CARD, OTHER_CARD = "6103010101230001", "6104110412150002"
MOTHER, AUNT = "6103014107900001", "6103014107600009"
SHARED: Final = {"new_payee_nik": AUNT, "bank_code": "BRI", "account_no": "440000004444"}
DAYS: Final = ("2023-01-12", "2023-01-13")


def to_aunt(card: str = CARD, **cells: str) -> dict[str, str]:
    named = SHARED | {"account_name": "AMINAH SARI"} | cells
    return life_event("PAYEE_CHANGE", card, *DAYS, **named)


@pytest_asyncio.fixture
async def families(registry: Door) -> Door:
    """Two families of two regencies."""
    other = family(OTHER_CARD, "6104114107900001", region_code="61.04.11.2017")
    await handed_in(registry, "families", family(CARD, MOTHER), other)
    await handed_in(registry, "members", member(CARD, MOTHER), child(CARD, "6103011712160002"))
    return registry


async def listed(
    door: Door, regions: Sequence[str] = NATION, **filters: str
) -> list[dict[str, Any]]:
    who = door.who("reader-1", "registry:read", regions=regions)
    answer = await door.client.get("/changes", headers=who, params=filters)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def withdrawn(door: Door, person: str, items: Sequence[dict[str, Any]]) -> httpx.Response:
    named = [{"family": item["family"], "change": item["change"]} for item in items]
    return await door.post("/changes/withdrawal", door.who(person, IMPORT), json={"changes": named})


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


# -- What waits -----------------------------------------------------------------------------------


async def test_a_file_says_how_many_of_its_rows_wait_and_the_list_finds_them(
    families: Door,
) -> None:
    sent = as_csv("life-events", [to_aunt(), to_aunt(OTHER_CARD)])
    report = (await hand_in(families, "life-events", sent)).json()

    assert (report["accepted"], report["proposed"]) == (2, 2)
    waiting = await listed(families)
    assert {item["batch"] for item in waiting} == {report["job"]}
    assert [item["kind"] for item in waiting] == ["PAYEE_CHANGE"] * 2
    assert [item["maker"] for item in waiting] == ["importer-1"] * 2
    again = (await hand_in(families, "life-events", sent)).json()
    assert (again["accepted"], again["unchanged"], again["proposed"]) == (0, 2, 0)


async def test_the_list_is_cut_by_filters_and_by_regions(families: Door) -> None:
    await handed_in(families, "life-events", to_aunt(), to_aunt(OTHER_CARD))
    [one] = await listed(families, region="61.04")

    assert [one] == await listed(families, family=one["family"])
    assert [one] == await listed(families, regions=("61.04",))
    assert await listed(families, regions=("11",)) == []
    assert await listed(families, kind="ADMISSION") == []
    assert await listed(families, maker="somebody-else") == []
    assert await listed(families, batch="another") == []
    assert len(await listed(families, batch=one["batch"], maker="importer-1")) == 2


async def test_the_gauge_counts_what_waits_by_kind_until_somebody_has_decided(
    families: Door, register: Register
) -> None:
    async def counts() -> dict[tuple[str, ...], float]:
        return {each.labels: each.value for each in await change_readings(register.store)}

    nothing = await counts()
    await handed_in(families, "life-events", to_aunt(), to_aunt(OTHER_CARD))

    assert set(nothing.values()) == {0}
    assert await counts() == nothing | {("PAYEE_CHANGE",): 2}


async def test_the_differences_show_no_more_of_an_account_than_is_needed_to_compare_it(
    families: Door,
) -> None:
    await handed_in(families, "life-events", to_aunt())

    answer = await differences(families, "supervisor-1")

    [item] = answer.json()["items"]
    assert item["differences"] == [
        {"what": "payee", "before": "member 1", "after": "nobody of the family"},
        {"what": "bank", "before": "BNI", "after": "BRI"},
        {"what": "account", "before": "…0001", "after": "…4444"},
        {"what": "account_name", "before": "R. D.", "after": "A. S."},
    ]
    assert not [number for number in (AUNT, "440000004444", "AMINAH") if number in answer.text]


async def test_who_may_look_up_identities_sees_names_and_is_written_down(
    families: Door, register: Register
) -> None:
    await handed_in(families, "life-events", to_aunt())
    who = families.who("supervisor-1", "registry:approve", "registry:identify")

    answer = await families.client.get("/changes/diff", headers=who)

    [item] = answer.json()["items"]
    assert item["differences"][3]["after"] == "AMINAH SARI"
    [(reader, read)] = await reads_of(register.store.pool)
    assert (reader, read["purpose"], read["families"]) == (
        *("supervisor-1", "APPROVAL"),
        [item["family"]],
    )
    # The same is decided on, whoever was shown more of it.
    assert answer.headers["ETag"] == (await differences(families, "other-1")).headers["ETag"]


async def test_an_account_of_several_families_is_told_before_anybody_decides(
    families: Door,
) -> None:
    await handed_in(families, "life-events", to_aunt(), to_aunt(OTHER_CARD, bank_code="BTN"))

    items = (await differences(families, "supervisor-1")).json()["items"]

    assert [item["families_of_account"] for item in items] == [1, 1]
    assert [item["families_of_payee"] for item in items] == [2, 2]


# -- What is decided ------------------------------------------------------------------------------


async def test_all_changes_of_an_import_are_approved_at_once_and_the_next_list_pays_by_them(
    families: Door, register: Register
) -> None:
    await handed_in(families, "life-events", to_aunt(), to_aunt(OTHER_CARD))

    assert (await decide(families)).status_code == 204

    assert await listed(families) == []
    assert [len((await register.state_of(card)).payees) for card in (CARD, OTHER_CARD)] == [1, 1]
    await register.listed_by_its_leader()
    assert (await register.line_of(CARD)).body["bank"] == "BRI"


async def test_what_is_approved_behind_the_cut_counts_for_the_next_list(
    families: Door, register: Register
) -> None:
    await handed_in(families, "life-events", to_aunt())
    await register.announce()

    assert (await decide(families)).status_code == 204

    await register.closes()
    await register.listed_by_its_leader("2023-2")
    banks = [(await register.line_of(CARD, tahap)).body["bank"] for tahap in ("2023-1", "2023-2")]
    assert banks == ["BNI", "BRI"]


async def test_only_what_was_shown_is_decided(families: Door) -> None:
    await handed_in(families, "life-events", to_aunt())
    seen = await differences(families, "supervisor-1")
    # Another family is to be paid on the same account now: nobody has looked at that.
    await handed_in(families, "life-events", to_aunt(OTHER_CARD))

    assert problem(await decide(families, seen=seen)) == (412, "version-stale")
    assert len(await listed(families)) == 2


async def test_one_that_is_ones_own_leaves_all_of_them_undecided(families: Door) -> None:
    await handed_in(families, "life-events", to_aunt())
    own = as_csv("life-events", [to_aunt(OTHER_CARD)])
    await families.post("/imports/life-events", families.who("ana", IMPORT), content=own)

    assert problem(await decide(families, "ana")) == (409, "same-person")
    assert len(await listed(families)) == 2


async def test_what_was_rejected_waits_no_longer_and_the_same_row_is_quiet(
    families: Door, register: Register
) -> None:
    await handed_in(families, "life-events", to_aunt())

    assert (await decide(families, decision="REJECTED")).status_code == 204

    report = (await hand_in(families, "life-events", as_csv("life-events", [to_aunt()]))).json()
    assert (report["unchanged"], await listed(families)) == (1, [])
    assert (await register.state_of(CARD)).payees == ()


async def test_a_maker_takes_back_what_waits_and_nobody_else_does(families: Door) -> None:
    await handed_in(families, "life-events", to_aunt())
    waiting = await listed(families)

    assert problem(await withdrawn(families, "ana", waiting)) == (409, "not-the-maker")
    assert (await withdrawn(families, "importer-1", waiting)).status_code == 204
    assert problem(await withdrawn(families, "importer-1", waiting)) == (404, "no-such-change")
    assert await listed(families) == []


async def test_a_corrected_row_takes_the_place_of_the_one_before(families: Door) -> None:
    await handed_in(families, "life-events", to_aunt())
    await handed_in(families, "life-events", to_aunt(account_no="550000005555"))

    [item] = (await differences(families, "supervisor-1")).json()["items"]

    assert (item["change"], item["differences"][2]["after"]) == (2, "…5555")


# -- A family's group


async def test_two_people_assign_a_family_to_another_group(
    families: Door, register: Register
) -> None:
    assigned = [message.body for message in await sent(register.store, "GroupAssigned")]
    [there] = [body for body in assigned if body["region"] == "61.04.11.2017"]
    said = {"group": "G6104112017-9", "facilitator": "PD610411", "since": "2023-03-01"}
    path = f"/families/{there['family']}/group"
    for regions in (("61.03",), ()):
        foreign = await families.post(path, families.who("ana", IMPORT, regions=regions), json=said)
        assert problem(foreign) == (404, "family-unknown")

    answer = await families.post(path, families.who("ana", IMPORT), json=said)
    assert answer.status_code == 204, answer.text
    [waiting] = await listed(families, kind="GROUP")
    assert waiting["region"] == "61.04.11.2017"
    [item] = (await differences(families, "ben", kind="GROUP")).json()["items"]
    assert [one["after"] for one in item["differences"]] == [*said.values()]
    assert problem(await decide(families, "ana")) == (409, "same-person")
    assert len(await sent(register.store, "GroupAssigned")) == 2
    assert (await decide(families, "ben")).status_code == 204

    last = (await sent(register.store, "GroupAssigned"))[-1]
    assert last.body == {**there, **said}
    assert await listed(families, kind="GROUP") == []
