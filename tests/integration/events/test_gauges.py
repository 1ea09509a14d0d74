"""A look at a store finds how far its relay is, what is parked, who leads."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client import REGISTRY

from libs.events import telemetry
from libs.events.bus import Record, batched
from libs.events.bus.envelope import Envelope, headers_of, parse_all, type_prefix
from libs.events.bus.incoming import Incoming
from libs.events.consumer.parking import park
from libs.events.monitoring.gauges import leader_samples, log_samples, parked_samples
from libs.events.store.handle import handle
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.watermarks import WHOLE_LOG
from libs.events.telemetry.metrics import Sample
from libs.events.workers.leader import Leadership
from tests.purse import KEPT, PutIn

CONTEXT = Context(datetime(2023, 3, 31, tzinfo=UTC), "tester")


async def append(store: Store, times: int) -> None:
    for _ in range(times):
        async with store.transaction(CONTEXT) as unit:
            await handle(unit, KEPT, "purse-ana", PutIn(1))


def arrived(topic: str, position: int) -> Incoming:
    envelope = Envelope(
        f"writer-{position}", "writer", "Done", 1, "ana", CONTEXT.at, position, 0, "epoch", None
    )
    headers = headers_of(envelope, type_prefix("org.example", topic))
    [batch] = batched(topic, 0, [Record(topic, 0, b"ana", b"{}", headers, position)])
    return Incoming(batch, parse_all(batch), 0, position, "ana", {})


def named(readings: list[Sample]) -> dict[str, float]:
    return {reading.metric.name: reading.value for reading in readings}


async def test_an_empty_log_has_no_lag(store: Store) -> None:
    found = named(await log_samples(store, relayed=True))

    assert set(found.values()) == {0}


async def test_what_the_bus_has_not_acknowledged_is_lag_and_has_an_age(store: Store) -> None:
    await append(store, 5)
    await store.pool.execute("INSERT INTO relay VALUES ($1, $2, 3)", *WHOLE_LOG)
    await store.pool.execute(
        "UPDATE blocks SET recorded_at = recorded_at - interval '1 minute' WHERE first_position = 4"
    )

    found = named(await log_samples(store, relayed=True))

    assert found["corridor_head_events"] == 5
    assert found["corridor_relay_lag_events"] == 2
    assert 60 <= found["corridor_relay_lag_seconds"] < 120


async def test_the_lag_ends_with_the_last_acknowledgement(store: Store) -> None:
    await append(store, 5)
    await store.pool.execute("INSERT INTO relay VALUES ($1, $2, 5)", *WHOLE_LOG)

    found = named(await log_samples(store, relayed=True))

    assert found["corridor_relay_lag_events"] == found["corridor_relay_lag_seconds"] == 0


async def test_a_store_that_publishes_nothing_has_no_relay_to_watch(store: Store) -> None:
    assert set(named(await log_samples(store, relayed=False))) == {"corridor_head_events"}


async def test_parked_messages_are_counted_where_there_are_none_too(store: Store) -> None:
    async with store.transaction(CONTEXT) as unit:
        for position in (1, 2):
            await park(unit, "test", [arrived("one.v1", position)], {position: "does not fit"})

    found = await parked_samples(store, [("test", "one.v1"), ("test", "two.v1")])

    assert {(reading.metric.name, reading.labels[1]): reading.value for reading in found} == {
        ("corridor_parked_messages", "one.v1"): 2,
        ("corridor_parked_keys", "one.v1"): 1,
        ("corridor_parked_messages", "two.v1"): 0,
        ("corridor_parked_keys", "two.v1"): 0,
    }


async def test_a_work_without_a_leader_is_seen(store: Store) -> None:
    async with Leadership(store, "relay"):
        found = await leader_samples(store, ["relay", "lister"])

    assert [(reading.labels[1], reading.value) for reading in found] == [
        ("relay", 1),
        ("lister", 0),
    ]


async def test_an_append_is_measured_once_with_its_events(store: Store) -> None:
    def measured() -> tuple[float, float]:
        return sample("corridor_append_events_count"), sample("corridor_append_events_sum")

    count, events = measured()
    async with store.transaction(CONTEXT) as unit:
        for purse in ("purse-ana", "purse-budi"):
            await handle(unit, KEPT, purse, PutIn(1))
    async with store.transaction(CONTEXT):
        pass

    assert measured() == (count + 1, events + 2)


def sample(name: str) -> float:
    return REGISTRY.get_sample_value(name, {telemetry.STORE: "test"}) or 0.0
