"""A producer asks Kafka to count a repeated batch once, and to wait for every replica."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest

from libs.events.bus import Bus
from libs.events.bus.connect import connect
from localstack.kafka_server import Broker
from localstack.ports import free_ports
from tests.chaos.proxy import Line, line
from tests.integration.bus.conftest import KAFKA_SESSION_S
from tests.integration.bus.kit import publish, record, take, values

pytestmark = pytest.mark.kafka

TOPIC = "test.producer.v1"
RECORDS = 10
EVERY_REPLICA_IN_SYNC = -1


@pytest.fixture
async def on_a_bad_line(tmp_path: Path, kafka_jars: Path) -> AsyncIterator[tuple[Bus, Line]]:
    """A bus whose broker can be reached only through a line that can be cut."""
    [port] = free_ports(1)
    advertised = {"advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}"}
    broker = Broker(tmp_path / "broker", settings=advertised)
    async with AsyncExitStack() as stack:
        stack.callback(broker.kill)
        broker.start()
        between = await stack.enter_async_context(line(port, broker.port))
        await broker.ready()
        bus = await connect(f"kafka://127.0.0.1:{port}", session_s=KAFKA_SESSION_S)
        stack.push_async_callback(bus.close)
        await bus.ensure_topics({TOPIC: 1})
        yield bus, between


async def test_a_batch_whose_acknowledgement_was_lost_is_published_once(
    on_a_bad_line: tuple[Bus, Line],
) -> None:
    bus, between = on_a_bad_line
    sent = [record(TOPIC, 0, str(number)) for number in range(RECORDS)]
    producer = await bus.producer()
    await producer.send(sent[:1])

    for each in sent[1:]:
        between.cut_every = between.answers + 1  # the next answer: that to the batch
        await producer.send([each])
    between.cut_every = 0
    await producer.close()

    assert between.cuts >= RECORDS - 1
    assert await bus.ends(TOPIC) == {0: RECORDS}
    member = await bus.join("reader", [TOPIC])
    assert values(await take(member, RECORDS)) == values(sent)


async def test_a_batch_is_published_when_every_replica_in_sync_has_it(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in the request: one broker is the same to every setting."""
    asked, send = [], AIOKafkaClient.send

    async def spied(client: AIOKafkaClient, node: int, request: Any, **named: Any) -> Any:
        if isinstance(request, ProduceRequest):
            asked.append(request.required_acks)
        return await send(client, node, request, **named)

    monkeypatch.setattr(AIOKafkaClient, "send", spied)
    bus = await connect(f"kafka://{kafka_bootstrap}", session_s=KAFKA_SESSION_S)
    await bus.ensure_topics({TOPIC: 1})
    await publish(bus, [record(TOPIC, 0, "kept")])

    assert asked == [EVERY_REPLICA_IN_SYNC]
    await bus.delete_topic(TOPIC)
    await bus.close()
