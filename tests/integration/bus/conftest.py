"""Both buses under one name, so that every test here is a promise of either."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator

import pytest

from libs.events.bus import Bus
from libs.events.bus.connect import connect
from libs.events.bus.embedded import migrate
from tests.integration.bus.kit import PARTITIONS, Address

# Kafka's own default for the shortest session of a group, where a cluster does not say otherwise.
KAFKA_SESSION_S = 6.0
EMBEDDED_SESSION_S = 1.0


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def address(request: pytest.FixtureRequest) -> Iterator[Address]:
    """A bus of either kind."""
    name = "database" if request.param == "embedded" else "kafka_bootstrap"
    place = request.getfixturevalue(name)
    if request.param == "embedded":
        yield Address(place, EMBEDDED_SESSION_S)
    else:
        yield Address(f"kafka://{place}", KAFKA_SESSION_S)


@pytest.fixture
async def bus(address: Address) -> AsyncIterator[Bus]:
    """A connection to it."""
    if address.url.startswith("postgresql"):
        await migrate(address.url)
    bus = await connect(address.url, session_s=address.session_s)
    yield bus
    await bus.close()


@pytest.fixture
async def topic(bus: Bus) -> AsyncIterator[str]:
    """An empty topic of PARTITIONS partitions."""
    name = f"test.{secrets.token_hex(4)}.v1"
    await bus.ensure_topics({name: PARTITIONS})
    yield name
    await bus.delete_topic(name)


@pytest.fixture
def group() -> str:
    """A group that nobody is in."""
    return f"group-{secrets.token_hex(4)}"
