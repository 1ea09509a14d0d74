"""Two bytes on each topic of a running service: it stays ready, and its door says what came.

And where a forged message makes it stop, one person has it passed over, and it goes on by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from msgspec.structs import replace

from libs.chassis.catalogue import catalogue
from libs.chassis.settings import Settings
from libs.events.bus import Bus, Record
from libs.events.bus.connect import connect
from services.projection.main import SERVICE
from tests.doors import TOPICS, Door, Sender, front_door, service_settings
from tests.servers import Postgres, eventually

READ = catalogue().services["projection"].reads
TAHAP = "pkh.payments.tahap.v1"
NIK = b"6103014107900001"


@pytest_asyncio.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Settings]:
    async with service_settings(postgres, tmp_path, "projection") as found:
        yield found


@pytest_asyncio.fixture
async def bus(settings: Settings) -> AsyncIterator[Bus]:
    """The attacker's connection to the bus, on which every topic is."""
    found = await connect(settings.bus_url)
    await found.ensure_topics(TOPICS.partitions)
    yield found
    await found.close()


@pytest_asyncio.fixture
async def door(bus: Bus, settings: Settings, tmp_path: Path) -> AsyncIterator[Door]:
    async with front_door(SERVICE, settings, tmp_path) as found:
        yield found


async def written(bus: Bus, *records: Record) -> None:
    producer = await bus.producer()
    await producer.send(records)
    await producer.close()


async def parked(door: Door) -> list[dict[str, Any]]:
    answer = await door.client.get("/parked", headers=door.who("ana", "platform:read"))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def ready(door: Door) -> bool:
    return (await door.client.get("/ready")).status_code == 200


async def test_two_bytes_on_every_topic_leave_a_service_ready_and_are_told_at_its_door(
    door: Door, bus: Bus
) -> None:
    await written(bus, *(Record(topic, 0, NIK, b"\x00\xff") for topic in READ))

    async def told_of_all() -> bool:
        return len(await parked(door)) == len(READ)

    await eventually(told_of_all)
    assert await ready(door)
    found = await parked(door)
    assert {(item["topic"], item["offset"], item["stops"]) for item in found} == {
        (topic, 0, False) for topic in READ
    }
    assert NIK.decode() not in str(found)


async def test_a_forged_gap_stops_a_service_until_one_person_has_the_record_passed_over(
    door: Door, bus: Bus
) -> None:
    sender = Sender(TAHAP, position=700, last=dict.fromkeys(range(TOPICS.partitions[TAHAP]), 600))
    forged = sender.record("ListFrozen", "2023-1", {})
    await written(bus, forged)

    async def stopped() -> bool:
        return any(item["stops"] for item in await parked(door))

    async def unready() -> bool:
        return not await ready(door)

    await eventually(stopped)
    await eventually(unready)  # the stop stands in the table before the consumer has ended
    [stop] = await parked(door)
    named = {name: stop[name] for name in ("topic", "partition", "position")}

    answer = await door.post(
        "/parked/drop", door.who("ana", "platform:operate"), json={**named, "reason": "FORGED"}
    )

    assert answer.status_code == 204, answer.text
    await eventually(lambda: ready(door))
    await written(bus, replace(forged, key=None))  # what comes behind it is read
    await eventually(lambda: _other_than(door, stop["offset"]))


async def _other_than(door: Door, offset: int) -> bool:
    return any(item["offset"] != offset for item in await parked(door))
