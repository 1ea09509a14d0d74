"""A case orders a termination to be taken back: asked on its topic, decided at registry's door."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

import asyncpg
import httpx
import pytest
import pytest_asyncio

from libs.chassis.settings import Settings
from libs.events.bus import Record
from libs.events.store import migrate
from services.registry.contract import CASE_TOPIC, COMMITMENT_TOPIC
from services.registry.domain.erasure import ApproveErasure, ProposeErasure
from services.registry.tables.erasures import step
from tests.doors import CONTEXT, ROOT, Door, Sender, deliver, runtime_role, sent
from tests.integration.registry.kit import REGION, Register, family, member

MIGRATIONS: Final = ROOT / "services" / "registry" / "migrations"
CARD, NOBODY = "6103010101019901", "00000000-0000-0000-0000-000000000009"
MOTHER, CHILD = "6103014107909901", "6103011712169901"
CASE, ORDER = "7c0f4d2e-51b7-4c37-9a52-0e8d6f1b2a90", "b1d0a6f3-2f6b-4f0e-8c11-5d9f7a3c4e21"


async def order(register: Register, family: str, regions: tuple[str, ...] = ("*",)) -> None:
    """Two officers of a case order the family's termination to be taken back."""
    await deliver(register.consumer, order_record(family, regions))


def order_record(family: str, regions: tuple[str, ...] = ("*",)) -> Record:
    """The message by which they do."""
    body = {"order": ORDER, "case": CASE, "ordered": "TAKE_BACK_TERMINATION", "family": family}
    body |= {"asked_on": "2023-08-01"}
    people = {"asked_by": ["officer-1", "officer-2"], "regions": [*regions]}
    return Sender(CASE_TOPIC).record("OrderRequested", CASE, body | people)


@pytest_asyncio.fixture
async def terminated(register: Register) -> str:
    """The id of a family that was listed, and terminated then."""
    await register.take("families", family(CARD, MOTHER))
    child = member(CARD, CHILD, born="2020-12-17", relationship="CHILD")
    await register.take("members", member(CARD, MOTHER), child)
    await deliver(register.consumer, register.announcement("2023-1"))
    await register.list_all()
    found = (await register.state_of(CARD)).family
    body = {"family": found, "tahaps": [], "cycle": "2023-1", "revision": 1, "effect": "effect-1"}
    people = {"investigation": "2023-1", "maker": "officer-8", "checker": "officer-9"}
    ended = Sender(COMMITMENT_TOPIC).record("Terminated", found, body | people)
    await deliver(register.consumer, ended)
    assert (await register.state_of(CARD)).departure is not None
    return found


async def decide(
    door: Door, family: str, subject: str, regions: tuple[str, ...] = ("*",)
) -> httpx.Response:
    reader = door.who("reader-1", "registry:read")
    path = f"/take-backs/{family}"
    tag = (await door.client.get(path, headers=reader)).headers.get("ETag", '"0"')
    who = door.who(subject, "registry:approve", regions=regions) | {"If-Match": tag}
    return await door.post(f"{path}/decision", who, json={"decision": "APPROVED"})


async def answers(register: Register) -> list[tuple[str, str]]:
    found = await sent(register.store, "OrderAnswered")
    return [(message.body["outcome"], message.body["reason"]) for message in found]


async def test_a_termination_is_taken_back_by_a_person_who_did_not_ask_for_it(
    register: Register, registry: Door, terminated: str
) -> None:
    await order(register, terminated)
    assert await answers(register) == [("PROPOSED", "")]

    for asked in ("officer-1", "Officer-2"):
        refused = await decide(registry, terminated, asked)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/same-person")
    assert (await decide(registry, terminated, "supervisor-1")).status_code == 204

    assert (await answers(register))[1:] == [("DONE", "")]
    [reinstated] = await sent(register.store, "FamilyReinstated")
    assert reinstated.key == terminated
    await deliver(register.consumer, register.announcement("2023-2"))
    await register.list_all()
    assert [line.key for line in await register.lines("2023-2")] == [terminated]


async def test_somebody_of_another_region_decides_nothing(
    register: Register, registry: Door, terminated: str
) -> None:
    await order(register, terminated)

    answer = await decide(registry, terminated, "supervisor-1", regions=("61.04",))

    assert answer.status_code == 404
    assert (await register.state_of(CARD)).departure is not None


async def test_an_order_about_nobody_is_refused_by_name(register: Register) -> None:
    await order(register, NOBODY)

    assert await answers(register) == [("REFUSED", "FAMILY_UNKNOWN")]


@pytest.mark.parametrize("regions", [("61.04",), ("61.03.02",), ("",), ()])
async def test_somebody_elsewhere_has_no_termination_taken_back(
    register: Register, terminated: str, regions: tuple[str, ...]
) -> None:
    await order(register, terminated, regions)

    assert await answers(register) == [("REFUSED", "OUTSIDE_REGIONS")]


async def test_who_has_the_family_s_region_is_told_no_more_of_nobody_than_of_somebody_elsewhere(
    register: Register, terminated: str
) -> None:
    await order(register, NOBODY, ("61.03",))

    assert await answers(register) == [("REFUSED", "OUTSIDE_REGIONS")]


async def waiting(door: Door, *regions: str, **query: str) -> list[dict[str, Any]]:
    """The rows of the work list that somebody of these regions sees."""
    who = door.who("reader-2", "registry:read", regions=regions or ("*",))
    answer = await door.client.get("/take-backs", headers=who, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_an_order_stands_on_the_work_list_of_its_region_until_somebody_decides(
    register: Register, registry: Door, terminated: str
) -> None:
    assert await waiting(registry) == []
    await order(register, terminated)
    await order(register, terminated)  # the message comes again

    [row] = await waiting(registry, tahap="2023-1", region="61.03")
    assert row == {
        "family": terminated,
        "case": CASE,
        "order": ORDER,
        "tahap": "2023-1",
        "region": row["region"],
        "asked_by": ["officer-1", "officer-2"],
    }
    assert row["region"].startswith("61.03.01")
    assert await waiting(registry, "61.03.01") == [row]
    for elsewhere in ("61.04", "61.03.02"):
        assert await waiting(registry, elsewhere) == []
    assert await waiting(registry, tahap="2023-2") == await waiting(registry, region="61.04") == []

    assert (await decide(registry, terminated, "supervisor-1")).status_code == 204
    assert await waiting(registry) == []


async def test_an_order_that_was_refused_stands_on_no_work_list(
    register: Register, registry: Door, terminated: str
) -> None:
    await order(register, terminated, ("61.04",))

    assert await waiting(registry) == []


async def test_orders_of_an_older_release_are_found_in_the_log(
    register: Register, registry: Door, terminated: str, settings: Settings
) -> None:
    await order(register, terminated)
    before = await waiting(registry)
    down = (MIGRATIONS / "011_take_backs.sql").read_text().split("-- migrate:down")[1]
    connection = await asyncpg.connect(settings.bus_url)
    try:
        await connection.execute(down)
        await connection.execute(
            "DELETE FROM migrations WHERE name = 'registry/011_take_backs.sql'"
        )
    finally:
        await connection.close()

    await migrate.apply(settings.bus_url, [MIGRATIONS], {"RUNTIME_ROLE": runtime_role("registry")})

    assert await waiting(registry) == before != []


async def test_of_two_who_decide_at_once_one_is_told_that_it_was_decided(
    register: Register, registry: Door, terminated: str
) -> None:
    await order(register, terminated)

    path = f"/take-backs/{terminated}"
    reader = registry.who("reader-1", "registry:read")
    seen = {"If-Match": (await registry.client.get(path, headers=reader)).headers["ETag"]}
    people = [registry.who(f"supervisor-{n}", "registry:approve") | seen for n in (1, 2)]

    both = await asyncio.gather(
        *(registry.post(f"{path}/decision", who, json={"decision": "APPROVED"}) for who in people)
    )

    assert sorted(answer.status_code for answer in both) == [204, 412]
    assert (await answers(register))[1:] == [("DONE", "")]


async def test_an_order_that_two_members_take_at_once_is_asked_once(
    register: Register, registry: Door, terminated: str
) -> None:
    record = order_record(terminated)

    both = (deliver(member, record) for member in (register.consumer, replace(register.consumer)))
    await asyncio.gather(*both, return_exceptions=True)
    await deliver(register.consumer, record)

    assert await answers(register) == [("PROPOSED", "")]
    assert len(await waiting(registry)) == 1


async def test_an_order_that_waits_is_answered_when_its_family_is_erased(
    register: Register, registry: Door, terminated: str
) -> None:
    await order(register, terminated)

    async with register.store.transaction(CONTEXT) as unit:
        proposed = ProposeErasure(terminated, "SUBJECT_REQUEST", "BA-1/2023", "ana")
        await step(unit, terminated, REGION, proposed)
        await step(unit, terminated, REGION, ApproveErasure("budi", ()))

    assert (await answers(register))[1:] == [("REFUSED", "FAMILY_UNKNOWN")]
    assert await waiting(registry) == []
    assert await register.store.pool.fetchval("SELECT count(*) FROM take_back_waiting") == 0


async def test_an_order_and_the_erasure_of_its_family_at_once_leave_nothing_waiting(
    register: Register, terminated: str
) -> None:
    async with register.store.transaction(CONTEXT) as unit:
        proposed = ProposeErasure(terminated, "SUBJECT_REQUEST", "BA-1/2023", "ana")
        await step(unit, terminated, REGION, proposed)

    async def erased() -> None:
        async with register.store.transaction(CONTEXT) as unit:
            await step(unit, terminated, REGION, ApproveErasure("budi", ()))

    await asyncio.gather(erased(), order(register, terminated))

    assert (await answers(register))[-1][0] == "REFUSED"
    assert await register.store.pool.fetchval("SELECT count(*) FROM take_back_waiting") == 0
