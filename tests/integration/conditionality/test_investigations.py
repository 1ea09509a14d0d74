"""Three failures in a row: one person says what was found, another whether it stands."""

from __future__ import annotations

import asyncio
from itertools import islice

import httpx
import pytest_asyncio

from tests.doors import Door, sent
from tests.integration.conditionality.kit import BAD, GOOD, Bench, families, months_of
from tests.servers import eventually

FAMILY, OTHER, COMPLIANT, STRANGER = islice(families(), 4)
THIRD = "2023-3"
TAHAPS = ("2023-1", "2023-2", THIRD)


@pytest_asyncio.fixture
async def investigated(conditionality: Door, bench: Bench) -> Door:
    """The door of a service where two families have failed three times in a row, and one never."""
    for tahap in TAHAPS:
        months = months_of(tahap)
        await bench.school(FAMILY, BAD, months=months)
        await bench.school(OTHER, BAD, months=months)
        await bench.school(COMPLIANT, GOOD, months=months)
        lines = [bench.line(family, tahap) for family in (FAMILY, OTHER, COMPLIANT)]
        await bench.take(bench.announced(tahap), *lines)
    return conditionality


def place(family: str = FAMILY, tahap: str = THIRD) -> str:
    return f"/investigations/{family}/{tahap}"


async def look(door: Door, path: str | None = None, **query: str | int) -> httpx.Response:
    who = door.who("reader-1", "conditionality:read")
    return await door.client.get(path or place(), headers=who, params=query or None)


async def find(
    door: Door,
    outcome: str = "CONFIRMED",
    *,
    subject: str = "officer-1",
    path: str | None = None,
    seen: str | None = None,
    key: str | None = None,
) -> httpx.Response:
    path = path or place()
    tag = seen or (await look(door, path)).headers.get("ETag", '"0"')
    who = door.who(subject, "conditionality:investigate") | {"If-Match": tag}
    return await door.post(f"{path}/finding", who, json={"outcome": outcome}, key=key)


async def decide(
    door: Door,
    decision: str = "APPROVED",
    *,
    subject: str = "supervisor-1",
    path: str | None = None,
    seen: str | None = None,
    key: str | None = None,
) -> httpx.Response:
    path = path or place()
    tag = seen or (await look(door, path)).headers.get("ETag", '"0"')
    who = door.who(subject, "conditionality:approve") | {"If-Match": tag}
    return await door.post(f"{path}/decision", who, json={"decision": decision}, key=key)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


# -- What there is --------------------------------------------------------------------------------


async def test_open_investigations_are_listed_page_by_page(investigated: Door) -> None:
    first = (await look(investigated, "/investigations", tahap=THIRD, limit=1)).json()
    second = (
        await look(investigated, "/investigations", tahap=THIRD, limit=1, cursor=first["next"])
    ).json()

    assert [each["family"] for each in first["items"] + second["items"]] == sorted([FAMILY, OTHER])
    assert second["next"] is None
    assert (await look(investigated, "/investigations", tahap="2023-2")).json()["items"] == []


async def test_a_family_that_cannot_be_read_hides_no_other_one(
    investigated: Door, bench: Bench
) -> None:
    await bench.store.pool.execute(
        "UPDATE streams SET state = '[]' WHERE stream_id = $1", f"commitment-{FAMILY}"
    )

    page = (await look(investigated, "/investigations")).json()

    assert [each["family"] for each in page["items"]] == [OTHER]
    assert page["unreadable"] == [FAMILY]


async def test_an_investigation_says_what_a_decision_would_move(investigated: Door) -> None:
    answer = await look(investigated)

    assert answer.json() == {
        "family": FAMILY,
        "tahap": THIRD,
        "outcome": "OPEN",
        "finding": None,
        "held": list(TAHAPS),
    }
    assert answer.headers["ETag"]


async def test_what_is_not_there_is_not_found(investigated: Door) -> None:
    missing = {
        place(STRANGER): "family-unknown",
        place(tahap="2031-1"): "tahap-unknown",
        place(COMPLIANT): "investigation-unknown",
        place(tahap="2023-2"): "investigation-unknown",
        "/investigations?tahap=2031-1": "tahap-unknown",
    }

    for path, kind in missing.items():
        assert problem(await look(investigated, path)) == (404, kind)


# -- What two people do ---------------------------------------------------------------------------


async def test_a_confirmed_finding_that_another_approves_terminates(
    investigated: Door, bench: Bench
) -> None:
    found = await find(investigated)
    waiting = (await look(investigated)).json()["finding"]
    before = await bench.followed(FAMILY)
    decided = await decide(investigated)

    assert (found.status_code, decided.status_code) == (204, 204), decided.text
    assert waiting == {
        "outcome": "CONFIRMED",
        "maker": "officer-1",
        "decision": "WAITING",
        "checker": "",
    }
    assert "Terminated" not in before
    [terminated] = await sent(bench.store, "Terminated")
    assert terminated.key == FAMILY
    assert terminated.body["tahaps"] == list(TAHAPS)
    assert (terminated.body["maker"], terminated.body["checker"]) == ("officer-1", "supervisor-1")
    shown = await look(investigated)
    assert shown.json()["outcome"] == "CONFIRMED"
    assert shown.headers["ETag"] == decided.headers["ETag"]
    left = (await look(investigated, "/investigations")).json()["items"]
    assert [each["family"] for each in left] == [OTHER]


async def test_a_finding_that_does_not_confirm_clears(investigated: Door, bench: Bench) -> None:
    await find(investigated, "NOT_CONFIRMED")
    await decide(investigated)

    [cleared] = await sent(bench.store, "Cleared")
    assert cleared.body["tahaps"] == list(TAHAPS)
    assert (await look(investigated)).json()["held"] == []


async def test_a_rejected_finding_leaves_the_investigation_open(
    investigated: Door, bench: Bench
) -> None:
    await find(investigated)
    rejected = await decide(investigated, "REJECTED")

    assert rejected.status_code == 204
    listed = (await look(investigated, "/investigations")).json()["items"]
    assert FAMILY in [each["family"] for each in listed]
    assert not await sent(bench.store, "Terminated", "Cleared")
    assert (await find(investigated, "NOT_CONFIRMED")).status_code == 204


async def test_the_same_answer_again_is_quiet_and_a_contrary_one_is_refused(
    investigated: Door, bench: Bench
) -> None:
    seen = (await look(investigated)).headers["ETag"]
    found = [await find(investigated, seen=seen, key="once") for _ in "12"]
    first = await decide(investigated)
    again = await decide(investigated, subject="supervisor-2")
    contrary = await decide(investigated, "REJECTED")

    assert [answer.status_code for answer in found] == [204, 204]
    assert found[0].headers["ETag"] == found[1].headers["ETag"]
    assert first.status_code == again.status_code == 204
    assert problem(contrary) == (409, "finding-decided")
    assert len(await sent(bench.store, "Terminated")) == 1


async def test_two_who_decide_at_once_bring_one_effect(investigated: Door, bench: Bench) -> None:
    await find(investigated)
    seen = (await look(investigated)).headers["ETag"]

    answers = await asyncio.gather(
        *(decide(investigated, subject=f"supervisor-{n}", seen=seen) for n in range(4))
    )

    assert sorted(answer.status_code for answer in answers) == [204, 412, 412, 412]
    assert len(await sent(bench.store, "Terminated")) == 1


# -- What is refused ------------------------------------------------------------------------------


async def test_each_wrong_answer_has_a_problem_of_its_own_and_changes_nothing(
    investigated: Door, bench: Bench
) -> None:
    await find(investigated, path=place(OTHER))
    decided = await bench.decided()

    refused = {
        "an unknown family": await find(investigated, path=place(STRANGER)),
        "an unknown tahap": await find(investigated, path=place(tahap="2031-1")),
        "a family not under investigation": await find(
            investigated, path=place(COMPLIANT), seen='"3"'
        ),
        "another tahap than its own": await decide(
            investigated,
            path=place(tahap="2023-2"),
            seen=(await look(investigated)).headers["ETag"],
        ),
        "nothing to decide": await decide(investigated),
        "who brought it": await decide(investigated, path=place(OTHER), subject="officer-1"),
        "another finding": await find(investigated, "NOT_CONFIRMED", path=place(OTHER)),
        "an old version": await find(investigated, seen='"1"'),
    }

    assert {what: problem(answer) for what, answer in refused.items()} == {
        "an unknown family": (404, "family-unknown"),
        "an unknown tahap": (404, "tahap-unknown"),
        "a family not under investigation": (409, "not-under-investigation"),
        "another tahap than its own": (409, "not-under-investigation"),
        "nothing to decide": (409, "no-such-finding"),
        "who brought it": (409, "same-person"),
        "another finding": (409, "finding-waits"),
        "an old version": (412, "version-stale"),
    }
    assert await bench.decided() == decided


async def test_an_answer_names_what_it_was_given_to_and_comes_from_who_may_give_it(
    investigated: Door,
) -> None:
    steps = {
        "finding": ("conditionality:investigate", {"outcome": "CONFIRMED"}),
        "decision": ("conditionality:approve", {"decision": "APPROVED"}),
    }
    for step, (scope, body) in steps.items():
        path, who = f"{place()}/{step}", investigated.who("officer-1", scope)
        [other] = {scope for scope, _ in steps.values()} - {scope}
        stranger = investigated.who("officer-1", other)

        unseen = await investigated.post(path, who, json=body)
        unread = await investigated.post(path, who | {"If-Match": '"1"'}, json={})
        foreign = await investigated.post(path, stranger | {"If-Match": '"1"'}, json=body)

        assert problem(unseen) == (428, "if-match-missing")
        assert problem(unread) == (422, "invalid-request")
        assert foreign.status_code == 403


# -- When the next list is made meanwhile ---------------------------------------------------------


async def test_a_family_that_left_after_it_was_listed_holds_up_nobody_and_is_named(
    investigated: Door, bench: Bench
) -> None:
    await find(investigated)
    await decide(investigated)
    await bench.school(OTHER, GOOD, months=months_of("2023-4"))
    lines = [bench.line(family, "2023-4") for family in (FAMILY, OTHER)]
    await bench.take(bench.announced("2023-4"), *lines, bench.list_closed(2, tahap="2023-4"))

    [closed] = await eventually(bench.closings)
    assert (closed["evaluated"], closed["parked"]) == (1, [FAMILY])
    assert await bench.evaluated(FAMILY, "2023-4") == []
    observer = investigated.who("operator-1", "platform:read")
    places = (await investigated.client.get("/positions", headers=observer)).json()
    assert places["parked"] == 0


# -- When the facts change meanwhile --------------------------------------------------------------


async def test_a_finding_is_void_when_late_facts_take_the_ground_away(
    investigated: Door, bench: Bench
) -> None:
    await find(investigated)
    seen = (await look(investigated)).headers["ETag"]
    await bench.school(FAMILY, GOOD, months=months_of(THIRD), actor="school-2")
    await bench.re_decide()

    assert problem(await decide(investigated, seen=seen))[0] == 412
    assert problem(await decide(investigated)) == (409, "not-under-investigation")
    assert "InvestigationWithdrawn" in await bench.followed(FAMILY)
    listed = (await look(investigated, "/investigations")).json()["items"]
    assert [each["family"] for each in listed] == [OTHER]
    assert (await look(investigated)).json()["outcome"] == "WITHDRAWN"
