"""A member stands faults of the library that it is built on."""

from __future__ import annotations

import asyncio

import pytest

from libs.events.bus.kafka import KafkaBus
from libs.events.bus.kafka_member import KafkaMember
from libs.events.bus.kafka_settings import KafkaSettings
from tests.integration.bus.kit import PARTITIONS
from tests.servers import eventually

pytestmark = pytest.mark.kafka

TOPIC = "test.member.v1"
GROUP = "member-of-two"
SESSION_S = 6.0
LEAVES_S = 10.0


class Slow:
    """A request of the library that takes a while to hear that nobody wants its answer."""

    def __init__(self) -> None:
        self.cancelled = 0

    async def run(self) -> bool:
        for _ in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
        return False


async def test_a_member_leaves_although_its_library_waits_for_partitions_it_lost(
    kafka_bootstrap: str,
) -> None:
    settings = KafkaSettings(
        kafka_bootstrap,
        session_s=SESSION_S,
        request_beyond_session_s=1.0 - SESSION_S,
        stop_beyond_request_s=0.0,
    )
    bus = KafkaBus(settings)
    await bus.ensure_topics({TOPIC: PARTITIONS})
    first, slow = await bus.join(GROUP, [TOPIC]), Slow()
    assert isinstance(first, KafkaMember)
    assert first._consumer is not None
    first._consumer._fetcher._pending_tasks.add(asyncio.create_task(slow.run()))

    # Another takes half of the partitions; before the library is through with that, we leave.
    second = await bus.join(GROUP, [TOPIC])
    await eventually(lambda: slow.cancelled)
    async with asyncio.timeout(LEAVES_S):
        await first.close()

    assert slow.cancelled == 2
    await second.close()
    await bus.delete_topic(TOPIC)
    await bus.close()
