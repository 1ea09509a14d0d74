"""Erasure of what was said: by the reporter, by two people, by its day, or with a family."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from libs.chassis.settings import Settings
from libs.events.bus.connect import connect
from libs.events.consumer.inbox import Consumer
from libs.events.store.postgres import Store
from libs.privacy.keys import KeyRing
from services.complaints.consumers import SUBSCRIPTIONS
from services.complaints.contract import FAMILY_TOPIC, SERVICE
from services.complaints.main import POLICIES
from services.complaints.workers.eraser import Eraser
from tests.doors import TOPICS, Door, Sender, deliver
from tests.integration.complaints.kit import (
    FAMILY,
    NOW,
    SAID,
    SCOPES,
    follow,
    problem,
    received,
    seen,
    step,
)
from tests.servers import eventually

DECIDES = (*SCOPES, "complaints:decide")
RESOLUTION = {"resolution": "UPHELD", "words": "You were right, Siti."}
EVIDENCE = {"evidence": "BA-17/2026"}
APPROVED, REJECTED = {"decision": "APPROVED"}, {"decision": "REJECTED"}
YEARS_5 = POLICIES.retention[min(POLICIES.retention)]


@pytest.fixture
def ana(complaints: Door) -> dict[str, str]:
    """An officer who works on cases of the district, and decides."""
    return complaints.who("ana", *DECIDES, regions=("61.03",))


@pytest.fixture
def budi(complaints: Door) -> dict[str, str]:
    """Another one."""
    return complaints.who("budi", *DECIDES, regions=("61.03",))


@pytest_asyncio.fixture
async def keys(settings: Settings) -> AsyncIterator[KeyRing]:
    """The keys of cases, none of them remembered."""
    pool = asyncpg.create_pool(
        settings.keys_url, min_size=0, server_settings={"search_path": "complaints,public"}
    )
    async with pool as connections:
        yield KeyRing(connections, settings.kek).unremembered()


async def ended(complaints: Door, who: dict[str, str], **more: object) -> dict[str, str]:
    """A case that is resolved and closed."""
    case = await received(complaints, **more)
    assert await step(complaints, case["case"], "resolution", who, RESOLUTION) == ""
    assert await step(complaints, case["case"], "closing", who) == ""
    return case


async def is_erased(
    complaints: Door, keys: KeyRing, case: dict[str, str], who: dict[str, str]
) -> None:
    """Nobody reads what was said, its key is gone, and the case stays."""
    number = case["case"]

    async def has_no_key() -> bool:
        return not (await keys.fetch_each([number]))[number].secrets

    await eventually(has_no_key)
    words = await seen(complaints, number, who, "/words")
    reporter = await seen(complaints, number, who, "/reporter")
    found = await seen(complaints, number, who)
    assert (words["erased"], words["entries"], words["attachments"]) == (True, [], [])
    assert (reporter["erased"], reporter["name"], reporter["contact"]) == (True, "", "")
    assert (found["erased"], found["category"]) == (True, "AMOUNT_WRONG")
    assert found["received_on"]
    answers = str((words, reporter, found))
    assert [said in answers for said in (*SAID.values(), "Siti")] == [False] * 4
    nobody = await follow(complaints, case["receipt"], case["pin"])
    assert problem(nobody) == "receipt-unknown"


async def test_a_reporter_has_erased_what_they_said_once_the_case_has_ended(
    complaints: Door, keys: KeyRing, ana: dict[str, str]
) -> None:
    case = await received(complaints, family=None)
    receipt = case["receipt"], case["pin"]
    assert problem(await follow(complaints, *receipt, "/erasure")) == "case-not-resolved"
    assert await step(complaints, case["case"], "resolution", ana, RESOLUTION) == ""
    wrong = f"{(int(case['pin']) + 1) % 10**6:06}"
    assert problem(await follow(complaints, case["receipt"], wrong, "/erasure")) == (
        "receipt-unknown"
    )

    assert (await follow(complaints, *receipt, "/erasure")).status_code == 204

    await is_erased(complaints, keys, case, ana)


async def test_two_people_of_the_office_erase_what_was_said_and_nobody_says_more(
    complaints: Door, keys: KeyRing, ana: dict[str, str], budi: dict[str, str]
) -> None:
    case = await ended(complaints, ana, family=None)
    number = case["case"]
    place = "erasure/decision"
    assert await step(complaints, number, place, budi, APPROVED) == "no-erasure-proposed"
    assert await step(complaints, number, "erasure", ana, EVIDENCE) == ""
    again = await step(complaints, number, "erasure", budi, {"evidence": "BA-18/2026"})
    assert again == "erasure-proposed-already"
    assert (await seen(complaints, number, ana))["erasure_proposed_by"] == "ana"
    assert await step(complaints, number, place, ana, APPROVED) == "erasure-by-same-person"
    assert await step(complaints, number, place, budi, REJECTED) == ""
    assert (await seen(complaints, number, ana, "/reporter"))["name"] == SAID["name"]

    assert await step(complaints, number, "erasure", budi, EVIDENCE) == ""
    assert await step(complaints, number, place, ana, APPROVED) == ""

    await is_erased(complaints, keys, case, ana)
    for name, body in (
        ("notes", {"words": "More."}),
        ("attachments", {"reference": "a", "media_type": "image/png", "size": 1}),
        ("reopening", None),
        ("erasure", EVIDENCE),
        (place, APPROVED),
    ):
        assert await step(complaints, number, name, budi, body) == "case-is-erased", name


async def test_an_open_case_is_not_erased_and_no_case_of_another_office(
    complaints: Door, ana: dict[str, str]
) -> None:
    open_case = (await received(complaints))["case"]
    levy = (await received(complaints, category="LEVY", region="61.03.01.2026"))["case"]
    below = complaints.who("below", *DECIDES, regions=("61.03.01",))
    stranger = complaints.who("stranger", *DECIDES, regions=("61.04",))

    assert await step(complaints, open_case, "erasure", ana, EVIDENCE) == "case-not-resolved"
    for who in (below, stranger):
        for place, body in (("erasure", EVIDENCE), ("erasure/decision", APPROVED)):
            assert await step(complaints, levy, place, who, body) == "case-unknown"


async def test_what_was_kept_for_as_long_as_it_may_be_is_erased_by_itself(
    complaints: Door, store: Store, keys: KeyRing, ana: dict[str, str]
) -> None:
    case = await ended(complaints, ana, family=None)
    open_case = await received(complaints, family=None)
    day = NOW + timedelta(days=YEARS_5)

    await through(Eraser(store, POLICIES, keys, lambda: day))
    assert not (await seen(complaints, case["case"], ana))["erased"]
    await through(Eraser(store, POLICIES, keys, lambda: day + timedelta(days=1), chunk=1))

    await is_erased(complaints, keys, case, ana)
    assert not (await seen(complaints, open_case["case"], ana))["erased"]
    reporter = await seen(complaints, open_case["case"], ana, "/reporter")
    assert reporter["name"] == SAID["name"]


async def test_cases_that_ended_before_the_day_was_kept_are_erased_too(
    complaints: Door, store: Store, keys: KeyRing, ana: dict[str, str]
) -> None:
    case = await ended(complaints, ana, family=None)
    await store.pool.execute("UPDATE case_standing SET ended_on = NULL")

    day = NOW + timedelta(days=YEARS_5 + 1)
    await through(Eraser(store, POLICIES, keys, lambda: day, chunk=1))

    await is_erased(complaints, keys, case, ana)


async def test_the_cases_of_an_erased_family_are_erased_and_those_of_others_are_not(
    complaints: Door, settings: Settings, store: Store, keys: KeyRing, ana: dict[str, str]
) -> None:
    case, other = await received(complaints), await received(complaints, family=None)
    erased = Sender(FAMILY_TOPIC).record("FamilyErased", FAMILY, {"family": FAMILY})
    bus = await connect(settings.bus_url)
    await deliver(Consumer(store, bus, SERVICE, SUBSCRIPTIONS, TOPICS), erased)
    await bus.close()

    await is_erased(complaints, keys, case, ana)
    assert await step(complaints, case["case"], "resolution", ana, RESOLUTION) == "case-is-erased"
    without = {"resolution": "REFERRED"}
    assert await step(complaints, case["case"], "resolution", ana, without) == ""
    assert (await seen(complaints, other["case"], ana, "/reporter"))["name"] == SAID["name"]


async def test_keys_that_a_restore_brought_back_are_destroyed_again(
    complaints: Door, settings: Settings, store: Store, keys: KeyRing, ana: dict[str, str]
) -> None:
    case = await ended(complaints, ana, family=None)
    saved = await keys.pool.fetchval("SELECT wrapped FROM keys WHERE family = $1", case["case"])
    assert (await follow(complaints, case["receipt"], case["pin"], "/erasure")).status_code == 204
    await is_erased(complaints, keys, case, ana)
    restored = "UPDATE complaints.keys SET wrapped = $2, destroyed_at = NULL WHERE family = $1"
    owners = asyncpg.create_pool(settings.bus_url, min_size=1)
    async with owners as pool, pool.acquire() as owner, owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(restored, case["case"], saved)
    assert (await seen(complaints, case["case"], ana, "/words"))["entries"] == []

    await through(Eraser(store, POLICIES, keys, lambda: NOW))

    await is_erased(complaints, keys, case, ana)


async def through(eraser: Eraser) -> None:
    """Work until there is nothing left to do."""
    while await eraser.step():
        pass
