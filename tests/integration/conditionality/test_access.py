"""Who may ask conditionality for what, and what its operators may mend."""

from __future__ import annotations

from itertools import islice
from typing import Any

from libs.chassis.settings import Settings
from services.conditionality.contract import ROSTER_TOPIC
from services.conditionality.main import SERVICE
from tests.doors import Door, operations, reads_of
from tests.integration.conditionality.kit import Bench, families, nik_of
from tests.servers import eventually

FAMILY, SECOND = islice(families(), 2)


async def test_every_operation_wants_a_token_and_a_scope_of_its_own(
    conditionality: Door, settings: Settings
) -> None:
    asked = operations(SERVICE.application(settings))
    assert ("POST", "/school-months") in asked
    stranger = conditionality.who("stranger", "somewhere:else") | {"Idempotency-Key": "once"}

    for method, path in asked:
        nobody = await conditionality.client.request(method, path)
        somebody = await conditionality.client.request(method, path, headers=stranger)
        assert (path, nobody.status_code, somebody.status_code) == (path, 401, 403)


async def test_who_records_may_not_approve_and_who_approves_may_not_record(
    conditionality: Door,
) -> None:
    recorder = conditionality.who("school-1", "conditionality:record")
    approver = conditionality.who("supervisor-1", "conditionality:approve")
    path = f"/commitments/{FAMILY}/corrections/1/approval"
    assert (await conditionality.post(path, recorder)).status_code == 403
    assert (await conditionality.post("/visits", approver, json={})).status_code == 403


async def test_a_family_that_was_never_evaluated_is_not_there(conditionality: Door) -> None:
    who = conditionality.who("reader-1", "conditionality:read")
    answer = await conditionality.client.get(f"/commitments/{FAMILY}", headers=who)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/family-unknown")


async def test_what_is_parked_is_shown_and_tried_again_by_who_operates(
    conditionality: Door, bench: Bench
) -> None:
    await bench.take(bench.line(FAMILY, rule_set="1999"), bench.line(SECOND))
    observer = conditionality.who("operator-1", "platform:read")
    operator = conditionality.who("operator-1", "platform:operate")

    [parked] = (await conditionality.client.get("/parked", headers=observer)).json()["items"]
    assert (parked["key"], parked["error"]) == (FAMILY, "UnknownRuleSet")
    assert nik_of(FAMILY) not in str(parked)
    for asked, count in ((f"topic={ROSTER_TOPIC}", 1), (f"key={FAMILY}", 1), ("topic=other", 0)):
        found = await conditionality.client.get(f"/parked?{asked}", headers=observer)
        assert len(found.json()["items"]) == count
    records = [record for _, record in await reads_of(bench.store.pool)]
    assert [(one["operation"], one["families"]) for one in records] == [
        ("GET /parked", [FAMILY])
    ] * 3
    body = {"topic": ROSTER_TOPIC, "key": FAMILY}
    answer = await conditionality.post("/parked/replay", operator, json=body)
    assert answer.status_code == 202

    async def ended() -> Any:
        where = answer.headers["Location"]
        job = (await conditionality.client.get(where, headers=observer)).json()
        return job if job["state"] == "DONE" else None

    job = await eventually(ended)
    assert (job["about"], job["counts"]) == (
        f"{ROSTER_TOPIC} {FAMILY}",
        {"handled": 0, "refused": 1},
    )
    nothing = {"topic": ROSTER_TOPIC, "key": SECOND}
    assert (await conditionality.post("/parked/replay", operator, json=nothing)).status_code == 404

    places = (await conditionality.client.get("/positions", headers=observer)).json()
    assert (places["parked"], places["head"]) == (1, await bench.head())
