"""A closing that was refused is refused again by a replay, or dropped by a person."""

from __future__ import annotations

from typing import Any, Final

from libs.events.consumer.parking import ALL_PARKED, list_parked
from libs.events.consumer.replay import replay
from services.registry.consumers import subscriptions
from services.registry.contract import TAHAP_TOPIC
from services.registry.policy import load_rule_sets
from tests.doors import CONTEXT, Door
from tests.integration.registry.kit import Register, family
from tests.integration.registry.lists import CARDS

OPERATOR: Final = "operator-1"


async def parked_behind_a_later_list(register: Register) -> dict[str, Any]:
    """2023-1 waits for facts that never came, and 2023-2 is listed; where 2023-1 is parked."""
    head = await register.store.pool.fetchval("SELECT position FROM head")
    await register.announce("2023-1", after=head + 5)
    await register.listed("2023-2")
    [parked] = await list_parked(register.store)
    assert "has not reached" in parked.error
    return {"topic": TAHAP_TOPIC, "partition": parked.partition, "position": parked.position}


async def replayed(register: Register) -> str:
    """Replay everything that is parked; what is wrong with it now."""
    async with register.store.transaction(CONTEXT) as unit:
        await replay(unit, subscriptions(load_rule_sets()), ALL_PARKED)
    [parked] = await list_parked(register.store)
    return parked.error


async def test_a_closing_behind_a_later_list_stays_refused_however_often_it_is_replayed(
    given: Register,
) -> None:
    await parked_behind_a_later_list(given)
    await given.take("families", *(family(f"61030101010200{n:02}") for n in range(10, 20)))

    for _ in range(2):
        assert "A later tahap has been listed" in await replayed(given)
    await given.list_all()

    assert [closed.body["tahap"] for closed in await given.closed()] == ["2023-2"]
    assert await given.store.pool.fetchval("SELECT count(*) FROM failing_work") == 0
    assert len(await given.lines("2023-2")) == len(CARDS)


async def test_a_person_drops_it_with_a_reason_and_it_stays_on_record(
    registry: Door, given: Register
) -> None:
    place = await parked_behind_a_later_list(given)
    body = place | {"reason": "SUPERSEDED"}
    operator = registry.who(OPERATOR, "platform:operate", "platform:read")
    reader = registry.who("reader-1", "platform:read")

    refused = await registry.post("/parked/drop", reader, json=body)
    prose = await registry.post("/parked/drop", operator, json=place | {"reason": "siti said so"})
    dropped = await registry.post("/parked/drop", operator, json=body)
    again = await registry.post("/parked/drop", operator, json=body)
    elsewhere = await registry.post("/parked/drop", operator, json=body | {"position": 10_000})

    codes = [each.status_code for each in (refused, prose, dropped, again, elsewhere)]
    assert codes == [403, 422, 204, 204, 404]
    shown = (await registry.client.get("/parked", headers=reader)).json()["items"]
    assert shown == []
    replay_all = await registry.post("/parked/replay", operator, json={})
    assert replay_all.status_code == 404
    [row] = await given.store.pool.fetch("SELECT dropped_by, dropped_reason FROM parked")
    assert tuple(row) == (OPERATOR, "SUPERSEDED")
