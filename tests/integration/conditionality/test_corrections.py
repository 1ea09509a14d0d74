"""A change by late facts after the freeze waits for a second person, and counts once."""

from __future__ import annotations

import asyncio
from itertools import islice

import httpx
import pytest
import pytest_asyncio

from services.conditionality.workers.re_decider import ReDecider
from tests.doors import Door, Sent, sent
from tests.integration.conditionality.kit import (
    BAD,
    GOOD,
    TAHAP,
    Bench,
    families,
    months_of,
    nik_of,
)
from tests.servers import eventually

FAMILY, SECOND = islice(families(), 2)


@pytest_asyncio.fixture
async def proposed(conditionality: Door, bench: Bench) -> Sent:
    """A frozen tahap whose family failed; two schools have since set its pupil's months right."""
    await bench.school(FAMILY, BAD)
    await bench.take(bench.announced(), bench.line(FAMILY), bench.list_closed(1))
    await eventually(bench.closings)
    await bench.take(bench.frozen())
    await record(conditionality, "school-1", "2023-01")
    await record(conditionality, "school-1", "2023-02")
    await record(conditionality, "school-2", "2023-03")

    async def compliant() -> list[Sent]:
        found = await bench.corrections()
        return [m for m in found if m.body.get("result") == "COMPLIANT"]

    [proposal] = await eventually(compliant)
    return proposal


async def record(door: Door, subject: str, month: str) -> None:
    days = {"effective_days": 20, "absent": 0, "permitted": 0, "sick": 0}
    body = {"nik": nik_of(FAMILY), "month": month} | days
    who = door.who(subject, "conditionality:record")
    assert (await door.post("/school-months", who, json=body)).status_code == 200


async def decide(
    door: Door,
    proposal: Sent,
    subject: str,
    decision: str = "approval",
    *,
    key: str | None = None,
    seen: str | None = None,
) -> httpx.Response:
    number = proposal.body["correction"]
    path = f"/commitments/{proposal.key}"
    who = door.who(subject, "conditionality:approve", "conditionality:read")
    tag = seen or (await door.client.get(path, headers=who)).headers["ETag"]
    path = f"{path}/corrections/{number}/{decision}"
    return await door.post(path, who | {"If-Match": tag}, key=key)


async def test_a_proposal_is_shown_to_who_may_decide(conditionality: Door, proposed: Sent) -> None:
    who = conditionality.who("supervisor-1", "conditionality:read")
    answer = await conditionality.client.get(f"/commitments/{FAMILY}", headers=who)

    assert answer.json()["cycles"] == [
        {"tahap": TAHAP, "revision": 1, "result": "FAILED", "hold": "HELD", "cut_percent": 0}
    ]
    [waiting] = answer.json()["corrections"]
    assert waiting == {
        "correction": proposed.body["correction"],
        "tahap": TAHAP,
        "result": "COMPLIANT",
        "cut_percent": 0,
        "cut_percent_before": 0,
    }


async def test_an_approved_correction_counts_and_releases_once(
    conditionality: Door, bench: Bench, proposed: Sent
) -> None:
    first = await decide(conditionality, proposed, "supervisor-1")
    again = await decide(conditionality, proposed, "supervisor-1")

    assert first.status_code == 204, first.text
    assert (again.status_code, again.json()["type"]) == (409, "/problems/no-such-correction")
    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]
    assert (await bench.followed(FAMILY)).count("Released") == 1
    [released] = await sent(bench.store, "Released")
    assert released.body["tahaps"] == [TAHAP]
    [approved] = await sent(bench.store, "CorrectionApproved")
    assert approved.body["approver"] == "supervisor-1"


async def test_an_approval_that_is_sent_again_has_the_same_answer(
    conditionality: Door, bench: Bench, proposed: Sent
) -> None:
    answers = [await decide(conditionality, proposed, "supervisor-1", key="once") for _ in "12"]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]
    assert (await bench.followed(FAMILY)).count("Released") == 1


async def test_what_was_decided_since_somebody_looked_is_looked_at_again(
    conditionality: Door, bench: Bench, proposed: Sent
) -> None:
    who = conditionality.who("supervisor-1", "conditionality:read")
    path = f"/commitments/{FAMILY}"
    before = (await conditionality.client.get(path, headers=who)).headers["ETag"]
    rejected = await decide(conditionality, proposed, "supervisor-1", "rejection", seen=before)
    answer = await decide(conditionality, proposed, "supervisor-2", seen=before)

    assert (answer.status_code, answer.json()["type"]) == (412, "/problems/version-stale")
    assert answer.headers["ETag"] == rejected.headers["ETag"] != before
    assert await bench.evaluated(FAMILY) == [(1, "FAILED")]


@pytest.mark.parametrize("subject", ["school-1", "school-2"])
@pytest.mark.parametrize("decision", ["approval", "rejection"])
async def test_nobody_who_recorded_a_fact_behind_it_may_decide(
    conditionality: Door, bench: Bench, proposed: Sent, subject: str, decision: str
) -> None:
    answer = await decide(conditionality, proposed, subject, decision)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/same-person")
    assert await bench.evaluated(FAMILY) == [(1, "FAILED")]


async def test_two_who_approve_at_once_bring_one_effect(
    conditionality: Door, bench: Bench, proposed: Sent
) -> None:
    answers = await asyncio.gather(
        *(decide(conditionality, proposed, f"supervisor-{number}") for number in range(4))
    )

    late = sorted(answer.status_code for answer in answers)
    assert late[0] == 204
    assert set(late[1:]) <= {409, 412}  # by when they looked: decided already, or since
    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]
    assert len(await sent(bench.store, "CorrectionApproved")) == 1


async def test_a_rejected_correction_changes_nothing_and_can_not_be_approved(
    conditionality: Door, bench: Bench, proposed: Sent
) -> None:
    rejected = await decide(conditionality, proposed, "supervisor-1", "rejection")
    approved = await decide(conditionality, proposed, "supervisor-2")

    assert (rejected.status_code, approved.status_code) == (204, 409)
    assert await bench.evaluated(FAMILY) == [(1, "FAILED")]
    assert "Released" not in await bench.followed(FAMILY)


async def test_a_correction_that_nobody_proposed_is_not_there(
    conditionality: Door, proposed: Sent
) -> None:
    scopes = ("conditionality:approve", "conditionality:read")
    who = conditionality.who("supervisor-1", *scopes)
    answer = await conditionality.client.get(f"/commitments/{FAMILY}", headers=who)
    who["If-Match"] = answer.headers["ETag"]
    for family, number, status in ((FAMILY, 99, 409), (SECOND, 1, 404)):
        path = f"/commitments/{family}/corrections/{number}/approval"
        assert (await conditionality.post(path, who)).status_code == status


async def test_who_recorded_a_fact_that_was_judged_before_its_turn_is_named_too(
    bench: Bench,
) -> None:
    await bench.school(FAMILY, BAD)
    await bench.take(bench.announced(), bench.line(FAMILY), bench.frozen())
    await bench.re_decide()
    before = await bench.head()
    for number, month in enumerate(months_of(TAHAP), start=1):
        await bench.school(FAMILY, GOOD, months=[month], actor=f"school-{number}")

    await ReDecider(bench.store, bench.policies, events_max=1).step()

    seen = "SELECT position FROM consumed WHERE topic = 'own-log'"
    assert await bench.store.pool.fetchval(seen) == before + 1
    [proposed] = await bench.corrections()
    assert proposed.body["result"] == "COMPLIANT"
    assert proposed.body["recorded_by"] == ["school-1", "school-2", "school-3"]
