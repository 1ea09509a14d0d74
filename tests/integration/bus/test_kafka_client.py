"""Who gives up while a client of Kafka starts or stops leaves nothing behind, and is heard."""

from __future__ import annotations

import asyncio
import contextlib
import gc

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient

from libs.events.bus.kafka import KafkaBus
from libs.events.bus.kafka_member import KafkaMember
from libs.events.bus.kafka_settings import KafkaSettings

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]

TOPIC = "test.client.v1"
SESSION_S = 6.0
MOMENTS = 40
MOMENT_S = 0.0005


async def test_a_question_given_up_at_any_moment_leaves_no_connection_open(
    kafka_bootstrap: str,
) -> None:
    bus = KafkaBus(KafkaSettings(kafka_bootstrap, session_s=SESSION_S))
    given_up = 0
    for moment in range(MOMENTS):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(moment * MOMENT_S):
                await bus.ping()
                continue
        given_up += 1
        gc.collect()  # what was forgotten open is told here, and fails this test
    assert given_up
    await bus.close()


async def test_who_is_told_to_end_while_a_question_ends_is_heard(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending, close = asyncio.Event(), AIOKafkaClient.close

    async def note_closed(client: AIOKafkaClient) -> None:
        ending.set()
        await close(client)

    monkeypatch.setattr(AIOKafkaClient, "close", note_closed)
    bus = KafkaBus(KafkaSettings(kafka_bootstrap, session_s=SESSION_S))
    asking = asyncio.create_task(bus.committed("nobody"))
    await ending.wait()
    asking.cancel()
    await asyncio.wait({asking})

    assert asking.cancelled()
    await bus.close()


def pausing(consumer: AIOKafkaConsumer) -> None:
    """As when the broker went away: a fetch that failed pauses before it is tried again."""
    consumer._fetcher._pending_tasks.add(asyncio.create_task(asyncio.sleep(SESSION_S)))


def open_connections(consumer: AIOKafkaConsumer) -> list[object]:
    return [each for each in consumer._client._conns.values() if each.connected()]


async def test_a_question_whose_fetch_pauses_ends_nobody_and_leaves_no_connection_open(
    kafka_bootstrap: str,
) -> None:
    bus = KafkaBus(KafkaSettings(kafka_bootstrap, session_s=SESSION_S))
    async with bus._reader() as reader:
        await reader.topics()
        assert open_connections(reader)
        pausing(reader)

    assert not open_connections(reader)
    await bus.close()


async def test_a_member_whose_fetch_pauses_leaves_no_connection_open(kafka_bootstrap: str) -> None:
    bus = KafkaBus(KafkaSettings(kafka_bootstrap, session_s=SESSION_S))
    await bus.ensure_topics({TOPIC: 1})
    member = await bus.join("reader", [TOPIC])
    assert isinstance(member, KafkaMember)
    consumer = member._consumer
    assert consumer is not None
    assert open_connections(consumer)
    pausing(consumer)
    await member.close()

    assert not open_connections(consumer)
    await bus.delete_topic(TOPIC)
    await bus.close()
