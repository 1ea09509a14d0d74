"""The embedded bus's promises beyond the protocol: its schema, its topics' lives, its hints."""

from __future__ import annotations

import asyncio
import re

import asyncpg
import pytest

from libs.events.bus import Bus, Member
from libs.events.bus.connect import connect
from libs.events.bus.embedded import EmbeddedBus, migrate
from libs.events.bus.embedded_member import UNAVAILABLE, EmbeddedMember
from libs.events.domain.errors import BusRefused
from tests.integration.bus.kit import Address, numbered, one_each, publish, record, take, values
from tests.servers import eventually


@pytest.fixture
def address(database: str) -> Address:
    """The embedded bus alone."""
    return Address(database, session_s=10.0)


async def test_a_database_is_prepared_by_several_at_once_and_again(database: str) -> None:
    await asyncio.gather(*(migrate(database) for _ in range(4)))
    first = await connect(database)
    await first.ensure_topics({"kept.v1": 1})
    await publish(first, [record("kept.v1", 0, "kept")])

    await migrate(database)

    assert await first.ends("kept.v1") == {0: 1}
    await first.close()


async def test_a_bus_without_its_tables_does_not_answer(database: str) -> None:
    bus = await connect(database)

    with pytest.raises(asyncpg.PostgresError):
        await bus.ping()

    await bus.close()


async def test_a_sender_is_refused_by_a_topic_that_was_made_again(bus: Bus, topic: str) -> None:
    producer = await bus.producer()
    await producer.send([record(topic, 0, "first")])

    await bus.delete_topic(topic)
    await bus.ensure_topics({topic: 4})

    with pytest.raises(BusRefused):
        await producer.send([record(topic, 0, "second")])
    assert (await bus.ends(topic))[0] == 0, "it would be a topic that begins in the middle"
    await publish(bus, [record(topic, 0, "first"), record(topic, 0, "second")])


async def test_sends_in_different_orders_do_not_block_each_other(bus: Bus, topic: str) -> None:
    forwards, backwards = one_each(topic, "f"), one_each(topic, "b")[::-1]

    async def send(turns: int, forward: bool) -> None:
        producer = await bus.producer()
        for _ in range(turns):
            await producer.send(forwards if forward else backwards)

    # A deadlock would end one of the two with an error after a second.
    await asyncio.gather(send(50, True), send(50, False))

    assert set((await bus.ends(topic)).values()) == {100}


async def test_a_send_wakes_a_member_that_would_look_much_later(
    bus: Bus, database: str, topic: str, group: str
) -> None:
    patient = await EmbeddedBus.connect(database, session_s=60, poll_s=(20.0, 20.0))
    member = Announcing.of(await patient.join(group, [topic]))
    waiting = asyncio.create_task(member.fetch(1, wait_s=20))
    loop = asyncio.get_running_loop()
    await member.pausing.wait()

    begun = loop.time()
    await publish(bus, [record(topic, 0, "news")])

    assert [values(batch.records) for batch in await waiting] == [["news"]]
    assert loop.time() - begun < 5
    await patient.close()


class Announcing(EmbeddedMember):
    """A member that says when it begins to wait."""

    pausing: asyncio.Event

    @classmethod
    def of(cls, member: Member) -> Announcing:
        """The same member, from now on announcing."""
        member.__class__ = cls
        assert isinstance(member, cls)
        member.pausing = asyncio.Event()
        return member

    async def _pause(self, seconds: float) -> None:
        self.pausing.set()
        await super()._pause(seconds)


async def test_members_and_senders_go_on_when_all_connections_are_cut(
    bus: Bus, database: str, topic: str, group: str
) -> None:
    member, producer = await bus.join(group, [topic]), await bus.producer()
    await member.fetch(1, wait_s=0)
    admin = await asyncpg.connect(database)

    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    async def sent_and_given() -> list[str]:
        try:
            await producer.send([record(topic, 0, "news")])
            return values(await take(member, 1))
        except UNAVAILABLE:
            return []

    found: list[str] = await eventually(sent_and_given)
    assert found[0] == "news"
    await admin.close()


async def test_a_fetch_reads_no_more_of_a_partition_than_it_gives(
    bus: Bus, database: str, topic: str, group: str
) -> None:
    producer = await bus.producer()
    for _ in range(200):
        await producer.send(numbered(topic, 0, 10))
    admin = await asyncpg.connect(database)
    topic_id = await admin.fetchval("SELECT id FROM bus.topics WHERE name = $1", topic)
    await admin.execute("INSERT INTO bus.groups VALUES ($1, 1)", group)
    await admin.execute("ANALYZE bus.segments")

    plan = await admin.fetch(
        "EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM bus.segments_behind"
        f"('{group}', 1, ARRAY[{topic_id}::bigint], ARRAY[0], ARRAY[500::bigint], 20, 10, 1000000)"
    )

    text = "\n".join(row[0] for row in plan)
    rows = re.search(r"Index Scan.*segments.*?actual rows=(\d+)", text)
    assert rows is not None, text
    assert int(rows[1]) <= 3, text
    await admin.close()


async def test_a_dsn_names_the_embedded_bus(database: str) -> None:
    bus = await connect(database)

    assert isinstance(bus, EmbeddedBus)
    await bus.close()
