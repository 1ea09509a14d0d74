"""An attacker with a password of the bus: forges no message unseen, and reads no other's.

With the read model's password, money was released and a family's participation ended; once the
true message had come to the same position, nothing told of it any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from libs.chassis.catalogue import ROOT, catalogue, inbound, owner, role
from libs.chassis.migrations import make_topics, migrate_bus
from libs.events.bus import Bus, Record
from libs.events.bus.connect import connect
from libs.events.bus.envelope import Envelope, headers_of, source_of, type_prefix
from libs.events.bus.topics import Topics
from libs.events.relay.outbox import Relay
from libs.events.store.taken import Mark, marks, untrue
from localstack.postgres.roles import password_file, provision
from localstack.postgres.server import PostgresServer
from tests.corridor import TOPICS as PURSES
from tests.corridor import Corridor, corridor_at, running
from tests.integration.attacks.every_topic import (
    EveryTopic,
    a_place_that_no_log_has_is_named,
    every_topic,
    forged_is_named,
    without_effect,
)
from tests.purse import CONTEXT, TOPIC
from tests.servers import Postgres, embedded_postgres, eventually
from tests.stores import fresh_bus

SERVICES: Final = catalogue().services
TOPICS: Final = Topics.load(ROOT / "contracts")
OPEN: Final = TOPICS.open(TOPICS.partitions, datetime.now(UTC).date())
PUBLISHED: Final = OPEN.keys() & TOPICS.owners.keys()
"""The topics of services; on the others somebody outside writes."""
WRITERS: Final = TOPICS.registered()
FOREIGN: Final = [
    (name, topic) for name, entry in SERVICES.items() for topic in OPEN if topic not in entry.reads
]

TAMPERING: Final = {
    "a segment written": "INSERT INTO bus.segments VALUES (1, 0, 1, 1, '')",
    "a segment changed": "UPDATE bus.segments SET payload = ''",
    "a segment removed": "DELETE FROM bus.segments",
    "segments read": "SELECT payload FROM bus.segments",
    "an end moved": "UPDATE bus.tails SET next_offset = 0",
    "a topic made": "SELECT bus.ensure_topic('pkh.forged.v1', 1)",
    "a topic deleted": "SELECT bus.delete_topic('pkh.payments.tahap.v1')",
    "a right given": "INSERT INTO bus.senders VALUES (session_user, 'pkh.payments.tahap.v1')",
    "records read behind the door": (
        "SELECT * FROM bus.segments_behind('payments', 1, '{1}', '{0}', '{0}', 9, 9, 9)"
    ),
    "a last record read": "SELECT * FROM bus.last_segments('pkh.registry.roster.v1')",
    "a group moved back": "UPDATE bus.committed SET next_offset = 0",
    "a function changed": (
        "CREATE OR REPLACE FUNCTION bus.is_owner() RETURNS boolean LANGUAGE sql AS 'SELECT true'"
    ),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """The bus of a platform on one machine, and the password of every role there."""

    server: PostgresServer
    secrets: Path

    def url(self, login: str) -> str:
        """The bus's address for whoever took a role's password."""
        password = password_file(self.secrets, login).read_text()
        return self.server.url(role("bus"), login, password)

    @asynccontextmanager
    async def as_service(self, name: str) -> AsyncIterator[Bus]:
        bus = await connect(self.url(role(name)))
        try:
            yield bus
        finally:
            await bus.close()

    @asynccontextmanager
    async def session(self, login: str) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self.url(login))
        try:
            yield connection
        finally:
            await connection.close()


async def _make_bus(url: str) -> None:
    await migrate_bus(url)
    await make_topics(url)
    await migrate_bus(url)  # as at the next start


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with embedded_postgres() as server:
        found = Machine(server, tmp_path_factory.mktemp("secrets"))
        provision(server, found.secrets)
        asyncio.run(_make_bus(found.url(owner("bus"))))
        yield found


@pytest.mark.parametrize("topic", OPEN)
@pytest.mark.parametrize("service", SERVICES)
async def test_no_service_s_password_sends_a_message(
    machine: Machine, service: str, topic: str
) -> None:
    async with machine.as_service(service) as bus:
        before = await bus.ends(topic)
        producer = await bus.producer()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await producer.send([Record(topic, 0, b"2023-1", b"{}")])
        assert await bus.ends(topic) == before


@pytest.mark.parametrize("statement", TAMPERING.values(), ids=TAMPERING)
async def test_nothing_is_written_or_read_past_the_bus_s_functions(
    machine: Machine, statement: str
) -> None:
    async with machine.session(role("projection")) as session:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.execute(statement)


@pytest.mark.parametrize(("service", "topic"), FOREIGN)
async def test_a_topic_is_read_by_no_service_that_is_not_described_with_it(
    machine: Machine, service: str, topic: str
) -> None:
    async with machine.as_service(service) as bus:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bus.join(service, [topic])


@pytest.mark.parametrize("writer", WRITERS)
async def test_a_writer_s_password_sends_on_its_own_topic_and_reads_nothing(
    machine: Machine, writer: str
) -> None:
    bus = await connect(machine.url(inbound(writer)))
    try:
        for topic in OPEN:
            producer, record = await bus.producer(), Record(topic, 0, b"k", b"{}")
            if topic in WRITERS[writer]:
                await producer.send([record])
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await producer.send([record])
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await bus.join(writer, [topic])
    finally:
        await bus.close()


async def test_a_reader_s_own_group_gives_it_no_other_topic(machine: Machine) -> None:
    async with machine.session(role("projection")) as session:
        await session.execute("SELECT bus.join_group('projection', '{}', '1 minute')")
        roster = await session.fetchval(
            "SELECT id FROM bus.topics WHERE name = 'pkh.registry.roster.v1'"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.fetch(
                "SELECT * FROM bus.fetch('projection', 1, $1, '{0}', '{0}', 9, 9, 9)", [roster]
            )


async def test_nobody_moves_or_disturbs_another_s_group(machine: Machine) -> None:
    tahap = "pkh.payments.tahap.v1"
    async with machine.as_service("registry") as bus, machine.session(role("projection")) as thief:
        member = await bus.join("registry", [tahap])
        theirs = await thief.fetchval("SELECT id FROM bus.members WHERE group_name = 'registry'")
        for statement in (
            "SELECT bus.join_group('registry', '{pkh.payments.tahap.v1}', '1 minute')",
            f"SELECT bus.leave_group('registry', {theirs})",
            f"SELECT bus.heartbeat('registry', {theirs}, '-1 minute')",
            f"SELECT bus.commit_offsets('registry', 1, {theirs}, '{{1}}', '{{0}}', '{{9}}')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await thief.execute(statement)
        await thief.execute(f"SELECT bus.leave_group('projection', {theirs})")  # in one's own
        await member.commit({(tahap, 0): 0})


async def test_the_relay_sends_on_every_topic_and_each_reader_gets_it(machine: Machine) -> None:
    async with machine.as_service("relay") as bus:
        producer = await bus.producer()
        await bus.ensure_topics(OPEN)
        await producer.send([Record(topic, 0, b"k", b"{}") for topic in PUBLISHED])
        assert {len(await bus.last_records(topic)) for topic in PUBLISHED} == {1}
        for topic in OPEN.keys() - PUBLISHED:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await producer.send([Record(topic, 0, b"k", b"{}")])
    await written_by_each_writer(machine)
    for service, entry in SERVICES.items():
        for group in (service, f"{service}-rebuild-1"):
            async with machine.as_service(service) as bus:
                member = await bus.join(group, entry.reads)
                batches = await member.fetch(9, 10.0)
                assert {batch.topic for batch in batches} == {*entry.reads}


async def written_by_each_writer(machine: Machine) -> None:
    """A record on each topic that somebody outside writes."""
    for writer, topics in WRITERS.items():
        bus = await connect(machine.url(inbound(writer)))
        try:
            await (await bus.producer()).send([Record(topic, 0, b"k", b"{}") for topic in topics])
        finally:
            await bus.close()


# -- With the relay's own password, or on a bus that asks nobody ----------------------------------


@pytest.mark.parametrize(
    "attack", [without_effect, forged_is_named, a_place_that_no_log_has_is_named]
)
async def test_with_a_relay_s_password_a_message_of_every_topic_is_without_effect_or_named(
    postgres: Postgres, attack: Callable[[EveryTopic], Awaitable[None]]
) -> None:
    async with fresh_bus(postgres) as url:
        await make_topics(url)

        async def bus_of(_: str) -> Bus:
            return await connect(url)

        async with every_topic(postgres, bus_of) as there:
            await attack(there)


@pytest.fixture
async def corridor(postgres: Postgres) -> AsyncIterator[Corridor]:
    """A corridor whose reader has taken in one coin, the first message of its partition."""
    async with corridor_at(postgres) as found:
        await carried(found, 5)
        yield found


async def carried(corridor: Corridor, *coins: int) -> None:
    """Coins that a relay and a reader, both started anew, carry over."""
    async with running(Relay(corridor.writer, corridor.bus, PURSES), corridor.consumer()):
        await corridor.put(*coins)
        await eventually(corridor.caught_up)


async def forge(corridor: Corridor, position: int, coins: int) -> None:
    """A message like the owner's next one in everything, on the topic before that."""
    _, epoch = await corridor.writer.head()
    place = CONTEXT.at, position, 1, epoch, None
    ours = Envelope(
        f"{epoch}-{position}", source_of("writer"), "CoinsPutIn", 1, f"purse-{coins}", *place
    )
    headers = headers_of(ours, type_prefix(PURSES.namespace, TOPIC))
    value = b'{"coins": %d}' % coins
    record = Record(TOPIC, PURSES.partition(TOPIC, "5"), b"5", value, tuple(headers))
    producer = await corridor.bus.producer()
    await producer.send([record])
    await producer.close()


async def untold(corridor: Corridor) -> list[Mark]:
    """The marks of the reader that the writer's log does not come to."""
    marked = await marks(corridor.reader.pool, "reader")
    return [mark async for mark in untrue(corridor.writer.pool, PURSES, marked)]


async def test_what_the_owner_sent_comes_out_of_its_log_again(corridor: Corridor) -> None:
    await carried(corridor, *range(1, 60))
    await carried(corridor, *range(1, 60))

    assert await untold(corridor) == []
    assert len(await marks(corridor.reader.pool, "reader")) == PURSES.partitions[TOPIC]


async def test_a_forged_message_that_took_a_true_one_s_position_is_named(
    corridor: Corridor,
) -> None:
    await forge(corridor, 2, 975_000)
    async with running(corridor.consumer()):
        await eventually(lambda: taken(corridor, 2))
    [early] = await untold(corridor)

    await carried(corridor, 5)  # the true one of that position, which nobody takes in any more

    assert await corridor.taken() == [5, 975_000]
    [found] = await untold(corridor)
    assert (found.topic, found.partition, found.position) == (early.topic, early.partition, 2)


async def taken(corridor: Corridor, count: int) -> bool:
    return len(await corridor.taken()) == count


async def test_a_replayed_message_with_other_content_has_no_effect(corridor: Corridor) -> None:
    await forge(corridor, 1, 975_000)

    await carried(corridor, 5)

    assert await corridor.taken() == [5, 5]
    assert await untold(corridor) == []


async def test_what_was_taken_in_before_there_was_a_hash_is_not_held_against_anybody(
    corridor: Corridor,
) -> None:
    await corridor.reader.pool.execute("UPDATE consumed SET taken = NULL")
    await carried(corridor, 5)

    assert await untold(corridor) == []
    assert {(m.since, m.position) for m in await marks(corridor.reader.pool, "reader")} == {(1, 2)}
