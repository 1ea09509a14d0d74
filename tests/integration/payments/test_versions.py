"""Decisions on a tahap rest on what somebody saw; what moves by itself makes nobody look again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest_asyncio

from libs.chassis.settings import Settings
from services.payments.main import SERVICE
from tests.integration.payments.houses import TAHAP_1, books_of, houses
from tests.integration.payments.office import CHECKER, MAKER, Office

VILLAGE = houses(4)
PATH = f"/tahap/{TAHAP_1}"
STALE = "0" * 64
TERMS = {
    "tahap": TAHAP_1,
    "months": ["2023-01", "2023-02", "2023-03"],
    "closing_date": "2023-03-31",
    "account_check_date": "2023-04-05",
    "credit_date": "2023-04-20",
}
SCOPES = ("payments:read", "payments:announce", "payments:make", "payments:check")


@pytest_asyncio.fixture
async def ready(office: Office) -> Office:
    """A tahap whose list stands to be frozen."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    return office


async def hash_of_list(office: Office) -> str:
    digest: str = (await office.seen(PATH))["list"]["hash"]
    return digest


def decisions(settings: Settings) -> Iterator[str]:
    """The path of every decision on a tahap, as the interface describes it."""
    for path, methods in SERVICE.application(settings).openapi()["paths"].items():
        named = [each["name"] for each in methods.get("post", {}).get("parameters", ())]
        if "If-Match" in named and "{tahap}" in path:
            yield path.format(tahap=TAHAP_1, kind="REGULAR")


async def asked(office: Office, path: str, if_match: str | None) -> httpx.Response:
    who = office.door.who(MAKER, *SCOPES) | ({"If-Match": if_match} if if_match else {})
    return await office.door.post(path, who, json=body_of(path))


def body_of(path: str) -> dict[str, Any]:
    """A body that the interface takes at this path."""
    match path.rsplit("/", 1)[1]:
        case "announcement-approval" | "correction-approval":
            return {"hash": STALE, "after": {}}
        case "cancellation-proposal":
            return {"reason": "WRONG_DATES"}
        case "close-proposal":
            return {}
        case "incident-judgement":
            return {"partner": "BNI", "reason": "Cleared"}
        case "correction-proposal":
            return {"reason": "WRONG_DATES", **TERMS}
        case step if step.endswith(("proposal", "approval")):
            return {"hash": STALE}
        case _:
            return {}


async def test_every_decision_names_what_it_rests_on(ready: Office, settings: Settings) -> None:
    current, paths = await ready.tag(PATH), list(decisions(settings))
    before = await ready.store.head()

    assert len(paths) >= 9
    for path in paths:
        missing = await asked(ready, path, None)
        stale = await asked(ready, path, '"somethingelse"')
        assert (path, missing.status_code, stale.status_code) == (path, 428, 412)
        assert current.startswith(stale.headers["ETag"][:-1])
    assert await ready.store.head() == before


async def test_what_is_not_there_is_unknown_whatever_was_seen(office: Office) -> None:
    answer = await asked(office, "/tahap/2031-1/freeze-approval", '"1"')
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/tahap-unknown")


async def test_a_step_answers_the_version_that_the_next_one_rests_on(ready: Office) -> None:
    digest = {"hash": await hash_of_list(ready)}
    made = await ready.asked_by(MAKER, "make", f"{PATH}/freeze-proposal", digest)

    assert (await ready.tag(PATH)).startswith(made.headers["ETag"][:-1])
    approval = f"{PATH}/freeze-approval"
    answer = await ready.asked_by(CHECKER, "check", approval, digest, seen=made.headers["ETag"])
    assert answer.status_code == 204, answer.text


async def test_of_two_who_saw_the_same_one_decides(ready: Office) -> None:
    digest, seen = {"hash": await hash_of_list(ready)}, await ready.tag(PATH)
    path = f"{PATH}/freeze-proposal"

    answers = await asyncio.gather(
        *(ready.asked_by(f"maker-{n}", "make", path, digest, seen=seen) for n in range(4))
    )

    assert sorted(answer.status_code for answer in answers) == [204, 412, 412, 412]


async def test_a_list_that_moved_is_looked_at_again(ready: Office) -> None:
    digest = {"hash": await hash_of_list(ready)}
    made = await ready.asked_by(MAKER, "make", f"{PATH}/freeze-proposal", digest)
    lines = [await ready.elsewhere.line(house, revision=2) for house in VILLAGE]
    await ready.take(*lines, ready.elsewhere.list_closed(lines))
    await ready.join()

    answer = await ready.asked_by(
        CHECKER, "check", f"{PATH}/freeze-approval", digest, seen=made.headers["ETag"]
    )

    assert (answer.status_code, answer.json()["type"]) == (412, "/problems/version-stale")
    current = answer.headers["ETag"]
    assert current != made.headers["ETag"]
    assert (await ready.tag(PATH)).startswith(current.removesuffix('"'))


async def test_documents_and_files_make_nobody_look_again(ready: Office) -> None:
    await ready.approved("freeze", PATH, await hash_of_list(ready))
    await ready.pay()
    run = (await ready.seen(PATH))["runs"][0]
    seen = await ready.tag(PATH)
    order = f"{PATH}/runs/REGULAR/order"
    body = {"hash": run["order"]["hash"]}
    await ready.asked_by(MAKER, "make", f"{order}-proposal", body, seen=seen)
    approved = await ready.asked_by(CHECKER, "check", f"{order}-approval", body)
    before = await ready.tag(PATH)
    assert before.startswith(approved.headers["ETag"][:-1])

    await ready.payer().step()  # the funds are released
    moved = await ready.tag(PATH)

    assert moved != before
    assert moved.startswith(approved.headers["ETag"][:-1])


async def test_a_reader_who_has_it_already_is_told_so(ready: Office) -> None:
    who = ready.door.who("reader-1", "payments:read") | {"If-None-Match": await ready.tag(PATH)}
    same = await ready.door.client.get(PATH, headers=who)
    await ready.take(await ready.elsewhere.line(houses(5)[4]))
    moved = await ready.door.client.get(PATH, headers=who)

    assert (same.status_code, same.content) == (304, b"")
    assert moved.status_code == 200
