"""The promise of `libs.events.bus`, held against both adapters: the server dies and comes back."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from aiokafka.errors import KafkaError

from libs.events.bus import Bus, Member
from libs.events.bus.connect import connect
from libs.events.bus.embedded import migrate
from libs.events.bus.embedded_member import UNAVAILABLE
from libs.events.bus.kafka import KafkaBus
from libs.events.bus.kafka_settings import KafkaSettings
from localstack.kafka_server import Broker
from localstack.postgres.server import PostgresServer
from tests.integration.bus.conftest import EMBEDDED_SESSION_S, KAFKA_SESSION_S
from tests.integration.bus.kit import (
    PARTITIONS,
    batches,
    commit_all,
    one_each,
    publish,
    record,
    take_until,
    values,
)
from tests.servers import embedded_postgres, eventually

AWAY = (*UNAVAILABLE, KafkaError)
BACK_DEADLINE_S = 60.0
TOPIC = "test.outage.v1"


class Server(Protocol):
    """A server of either kind that a test may kill."""

    url: str

    def kill(self) -> None: ...

    async def start(self) -> None: ...

    async def connect(self, send_s: float) -> Bus: ...


class OwnPostgres:
    """A PostgreSQL of the test's own, with the bus in it."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.url = server.superuser_url()

    def kill(self) -> None:
        self._server.kill()

    async def start(self) -> None:
        self._server.start()
        await migrate(self.url)

    async def connect(self, send_s: float) -> Bus:
        """A bus on it; its database has a limit of its own to a statement."""
        return await connect(self.url, session_s=EMBEDDED_SESSION_S)


class OwnKafka:
    """A broker of the test's own."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.url = f"kafka://{broker.bootstrap}"

    def kill(self) -> None:
        self.broker.kill()

    async def start(self) -> None:
        self.broker.start()
        await self.broker.ready()

    async def connect(self, send_s: float) -> Bus:
        """A bus on it, whose producers give a send up after some seconds."""
        return KafkaBus(KafkaSettings(self.broker.bootstrap, KAFKA_SESSION_S, send_s=send_s))


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL to be killed."""
    with embedded_postgres() as server:
        yield OwnPostgres(server)


@pytest.fixture
def own_kafka(kafka_jars: Path, tmp_path: Path) -> Iterator[OwnKafka]:
    """A broker to be killed."""
    broker = Broker(tmp_path / "broker")
    yield OwnKafka(broker)
    broker.stop()


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def server(request: pytest.FixtureRequest) -> Server:
    """A server of either kind, not shared with any other test."""
    name = "own_postgres" if request.param == "embedded" else "own_kafka"
    found: Server = request.getfixturevalue(name)
    return found


@contextlib.asynccontextmanager
async def connected(server: Server, send_s: float = 2.0) -> AsyncIterator[Bus]:
    """A bus on the running server, with an empty topic."""
    await server.start()
    bus = await server.connect(send_s)
    await bus.ensure_topics({TOPIC: PARTITIONS})
    yield bus
    await bus.close()


def reaches(bus: Bus, member: Member, value: str) -> Callable[[], Awaitable[bool]]:
    """A record can be sent and the member is given it."""

    async def sent_and_given() -> bool:
        try:
            await publish(bus, [record(TOPIC, 0, value)])
            await take_until(member, {value})
        except AWAY:
            return False
        return True

    return sent_and_given


async def test_bus_and_members_outlive_their_server(server: Server) -> None:
    async with connected(server) as bus:
        await bus.ping()
        producer = await bus.producer()
        await producer.send(one_each(TOPIC, "before"))
        member = await bus.join("group", [TOPIC])
        await commit_all(member, await batches(member, PARTITIONS))

        server.kill()
        with pytest.raises(AWAY):
            await bus.ping()
        with pytest.raises(AWAY):
            await producer.send(one_each(TOPIC, "meanwhile"))
        with contextlib.suppress(*AWAY):
            assert list(await member.fetch(500, wait_s=0)) == []
        await producer.close()
        await server.start()

        back: bool = await eventually(reaches(bus, member, "after"), BACK_DEADLINE_S)
        assert back
        await bus.ping()
        last = await bus.last_records(TOPIC)
        assert values(last[partition] for partition in range(1, PARTITIONS)) == [
            f"before-{partition}" for partition in range(1, PARTITIONS)
        ], "what a closed producer could not deliver arrived behind its back"


async def test_a_member_can_leave_a_bus_that_is_gone(server: Server) -> None:
    async with connected(server) as bus:
        member = await bus.join("group", [TOPIC])

        server.kill()

        await member.close()


@pytest.mark.kafka
async def test_a_producer_is_of_no_use_after_an_error_and_closes_at_once(
    own_kafka: OwnKafka,
) -> None:
    async with connected(own_kafka, send_s=1.0) as bus:
        producer = await bus.producer()
        await producer.send([record(TOPIC, 0, "before")])

        own_kafka.broker.signal(signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            await producer.send([record(TOPIC, 0, "unknown")])
        with pytest.raises(ConnectionError):
            await producer.send([record(TOPIC, 0, "refused")])
        await producer.close()
        own_kafka.broker.signal(signal.SIGCONT)

        await publish(bus, [record(TOPIC, 0, "after")])
        assert values((await bus.last_records(TOPIC)).values()) == ["after"]
