"""A case orders a termination to be taken back: asked on its topic, decided at registry's door."""

from __future__ import annotations

import httpx
import pytest
import pytest_asyncio

from services.registry.contract import CASE_TOPIC, COMMITMENT_TOPIC
from tests.doors import Door, Sender, deliver, sent
from tests.integration.registry.kit import Register, family, member

CARD, NOBODY = "6103010101019901", "00000000-0000-0000-0000-000000000009"
MOTHER, CHILD = "6103014107909901", "6103011712169901"
CASE, ORDER = "7c0f4d2e-51b7-4c37-9a52-0e8d6f1b2a90", "b1d0a6f3-2f6b-4f0e-8c11-5d9f7a3c4e21"


async def order(register: Register, family: str, regions: tuple[str, ...] = ("*",)) -> None:
    """Two officers of a case order the family's termination to be taken back."""
    body = {"order": ORDER, "case": CASE, "ordered": "TAKE_BACK_TERMINATION", "family": family}
    body |= {"asked_on": "2023-08-01"}
    people = {"asked_by": ["officer-1", "officer-2"], "regions": [*regions]}
    record = Sender(CASE_TOPIC).record("OrderRequested", CASE, body | people)
    await deliver(register.consumer, record)


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
