"""Whatever happens to broker, line, relay and members on the way: each message once, in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from libs.events.bus import Bus, Producer, Record
from libs.events.relay.outbox import Relay
from localstack.kafka_server import Broker
from localstack.kafka_server import running as running_broker
from localstack.ports import free_ports
from tests.chaos.proxy import line
from tests.corridor import TOPICS, Corridor, corridor_at, running
from tests.purse import TOPIC
from tests.servers import Postgres, eventually
from tests.tiers import NIGHTLY

OUTAGE_S = 60.0 if NIGHTLY else 2.0
MESSAGES = 20_000 if NIGHTLY else 600
MEMBERS_COME = 60 if NIGHTLY else 6
DEADLINE_S = 180.0
LOST_ANSWERS = 100 if NIGHTLY else 10


def at_night(value: str, *marks: pytest.MarkDecorator) -> Any:
    """A parameter whose test is worth its minutes once a night."""
    return pytest.param(value, marks=[*marks, pytest.mark.nightly])


class Thrice:
    """A bus whose producers send everything three times."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def producer(self) -> Producer:
        producer: Any = await self._bus.producer()
        once = producer.send

        async def send(records: Sequence[Record]) -> None:
            await once([record for record in records for _ in range(3)])

        producer.send = send
        thrice: Producer = producer
        return thrice


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path) -> Iterator[Broker]:
    """A broker of our own to stop, kill and freeze."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as found:
        yield found


@pytest.fixture
async def over_kafka(broker: Broker, postgres: Postgres) -> AsyncIterator[Corridor]:
    async with corridor_at(postgres, f"kafka://{broker.bootstrap}") as corridor:
        yield corridor
        await corridor.bus.delete_topic(TOPIC)


def relay_of(corridor: Corridor) -> Relay:
    return Relay(corridor.writer, corridor.bus, TOPICS)


async def all_arrived(corridor: Corridor, count: int) -> None:
    await eventually(corridor.caught_up, DEADLINE_S)
    taken = await corridor.taken()
    assert sorted(taken) == list(range(1, count + 1)), f"{len(taken)} of {count}"


async def writing(corridor: Corridor, first: int, last: int, at_once: int = 20) -> None:
    for start in range(first, last + 1, at_once):
        await corridor.put(*range(start, min(start + at_once, last + 1)))


# -- The broker -----------------------------------------------------------------------------------


@pytest.mark.kafka
@pytest.mark.parametrize("how", ["killed", at_night("stopped"), at_night("frozen")])
async def test_while_the_broker_is_away_appends_are_taken_and_none_is_lost(
    over_kafka: Corridor, broker: Broker, how: str
) -> None:
    half = MESSAGES // 2
    async with running(relay_of(over_kafka), over_kafka.consumer()):
        await writing(over_kafka, 1, half)
        await eventually(over_kafka.caught_up, DEADLINE_S)
        async with away(broker, how):
            await asyncio.wait_for(writing(over_kafka, half + 1, MESSAGES), DEADLINE_S)
            head, _ = await over_kafka.writer.head()
            assert head == MESSAGES, "an append waits for no broker"
        await all_arrived(over_kafka, MESSAGES)


@contextlib.asynccontextmanager
async def away(broker: Broker, how: str) -> AsyncIterator[None]:
    """The broker does not answer for OUTAGE_S at least."""
    loop = asyncio.get_running_loop()
    until = loop.time() + OUTAGE_S
    if how == "frozen":
        broker.signal(signal.SIGSTOP)
    else:
        await asyncio.to_thread(broker.kill if how == "killed" else broker.stop)
    yield
    await eventually(lambda: loop.time() >= until, OUTAGE_S + 1)
    if how == "frozen":
        broker.signal(signal.SIGCONT)
    else:
        broker.start()
    await broker.ready()


@pytest.mark.kafka
async def test_acknowledgements_that_are_lost_on_the_line_double_nothing(
    tmp_path: Path, kafka_jars: Path, postgres: Postgres
) -> None:
    [port] = free_ports(1)
    settings = {"advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}"}
    broker = Broker(tmp_path / "kafka", settings=settings)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(broker.kill)
        broker.start()
        between = await stack.enter_async_context(line(port, broker.port))
        await broker.ready()
        address = f"kafka://127.0.0.1:{port}"
        corridor = await stack.enter_async_context(corridor_at(postgres, address))
        await stack.enter_async_context(running(relay_of(corridor), corridor.consumer()))

        between.cut_every = 25
        await writing(corridor, 1, MESSAGES)
        await eventually(lambda: between.cuts >= LOST_ANSWERS, DEADLINE_S)
        between.cut_every = 0
        await all_arrived(corridor, MESSAGES)


# -- Members, relays, topics ----------------------------------------------------------------------


@pytest.fixture(params=["embedded", at_night("kafka", pytest.mark.kafka)])
def address(request: pytest.FixtureRequest) -> str | None:
    """Where a bus is; None is an embedded one of the test's own."""
    if request.param == "embedded":
        return None
    return f"kafka://{request.getfixturevalue('kafka_bootstrap')}"


@pytest.fixture
async def corridor(address: str | None, postgres: Postgres) -> AsyncIterator[Corridor]:
    """A corridor over either bus."""
    async with corridor_at(postgres, address) as found:
        yield found
        await found.bus.delete_topic(TOPIC)


async def test_a_storm_of_members_that_come_and_go_doubles_and_loses_nothing(
    corridor: Corridor,
) -> None:
    stays = corridor.consumer()
    async with running(relay_of(corridor), stays):
        storm = asyncio.create_task(coming_and_going(corridor))
        await writing(corridor, 1, MESSAGES)
        await storm
        await all_arrived(corridor, MESSAGES)


async def coming_and_going(corridor: Corridor) -> None:
    for _ in range(MEMBERS_COME):
        before = len(await corridor.taken())

        async def more(seen: int = before) -> bool:
            return len(await corridor.taken()) > seen or await corridor.caught_up()

        # A member stays until something has come, whoever took it: joins fall between batches.
        async with running(corridor.consumer()):
            await eventually(more, DEADLINE_S)


async def test_every_message_three_times_has_its_effect_once(corridor: Corridor) -> None:
    relay = relay_of(corridor)
    relay.bus = cast(Bus, Thrice(corridor.bus))
    consumer = corridor.consumer()
    async with running(relay, consumer):
        await writing(corridor, 1, MESSAGES)
        await all_arrived(corridor, MESSAGES)

    assert sum((await corridor.bus.ends(TOPIC)).values()) == 3 * MESSAGES


async def test_a_topic_that_is_deleted_under_running_consumers_is_filled_again(
    corridor: Corridor,
) -> None:
    half = MESSAGES // 2
    async with running(relay_of(corridor), corridor.consumer()):
        await writing(corridor, 1, half)
        await eventually(corridor.caught_up, DEADLINE_S)
        await corridor.bus.delete_topic(TOPIC)
        await writing(corridor, half + 1, MESSAGES)
        await all_arrived(corridor, MESSAGES)
        assert sum((await corridor.bus.ends(TOPIC)).values()) >= MESSAGES


@pytest.mark.nightly
async def test_a_frozen_relay_is_replaced_and_disturbs_nothing_when_it_thaws(
    postgres: Postgres, tmp_path: Path
) -> None:
    third = MESSAGES // 3
    async with corridor_at(postgres) as corridor, running(corridor.consumer()):
        with relay_process(corridor, tmp_path) as first:
            await writing(corridor, 1, third)
            await eventually(corridor.caught_up, DEADLINE_S)
            with relay_process(corridor, tmp_path):
                first.send_signal(signal.SIGSTOP)
                await writing(corridor, third + 1, 2 * third)
                await eventually(corridor.caught_up, DEADLINE_S)
                first.send_signal(signal.SIGCONT)
                await writing(corridor, 2 * third + 1, 3 * third)
                await all_arrived(corridor, 3 * third)


@contextlib.contextmanager
def relay_process(corridor: Corridor, contracts: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The relay as it runs in production, for the corridor's writer."""
    topic = {"key": "coins", "partitions": 3, "owner": "writer", "data_class": "public"}
    declared = {"namespace": TOPICS.namespace, "topics": {TOPIC: topic}}
    (contracts / "topics.yaml").write_text(yaml.safe_dump(declared))
    environment = {
        **os.environ,
        "PKH_RELAYED": "writer",
        "PKH_WRITER_DATABASE_URL": corridor.writer_url,
        "PKH_BUS_URL": corridor.bus_url,
        "PKH_CONTRACTS_DIR": str(contracts),
    }
    process = subprocess.Popen([sys.executable, "-m", "libs.chassis.relay"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
