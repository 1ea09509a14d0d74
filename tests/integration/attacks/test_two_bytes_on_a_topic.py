"""Who may write on a topic writes two bytes, or what else a bus takes: nobody stops, none is lost.

The attacker has a connection to the bus as any service has, and sends what no client of ours would.
What is written so has no place in the log of the topic's owner: it is parked by its offset, as a
length and a hash, and relay and reader go on, before and after they are started anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.events.bus import Record
from libs.events.bus.connect import connect
from libs.events.consumer.parking import Parked, drop, list_parked, park_records
from libs.events.relay.outbox import Relay
from tests.corridor import TOPICS, Corridor, corridor_at, running
from tests.purse import CONTEXT, TOPIC
from tests.servers import Postgres, eventually

NIK: Final = b"6103014107900001"
EMBEDDED: Final = "embedded"
KAFKA: Final = pytest.param("kafka", marks=[pytest.mark.kafka])
PARTITION: Final = 0
KEY: Final = next(f"{n}" for n in range(99) if TOPICS.partition(TOPIC, f"{n}") == PARTITION)
STRANGE: Final = next(f"{n}" for n in range(99) if TOPICS.partition(TOPIC, f"{n}") != PARTITION)
HUGE: Final = next(
    f"{n}".rjust(9_000, "x")
    for n in range(99)
    if TOPICS.partition(TOPIC, f"{n}".rjust(9_000, "x")) == PARTITION
)

OURS: Final = {
    "ce_specversion": b"1.0",
    "ce_id": b"first-7",
    "ce_source": b"/services/writer",
    "ce_type": b"org.example.test.purse.CoinsPutIn.v1",
    "ce_subject": b"purse-1",
    "ce_time": b"2023-03-31T00:00:00Z",
    "ce_position": b"7",
    "ce_previous": b"0",
    "ce_epoch": b"first",
}


def like_ours(
    key: bytes | None = KEY.encode(), value: bytes = b'{"coins": 1}', **changed: bytes
) -> Record:
    """A record that differs from a message of the owner's in what is named."""
    return Record(TOPIC, PARTITION, key, value, tuple((OURS | changed).items()))


FORGED: Final = {
    "two bytes": Record(TOPIC, PARTITION, None, b"\x00\xff"),
    "nothing at all": Record(TOPIC, PARTITION, None, b""),
    "headers of others": Record(TOPIC, PARTITION, NIK, b"{}", (("ce_type", b"CoinsPutIn"),)),
    "a header twice": Record(
        TOPIC, PARTITION, NIK, b"{}", (*OURS.items(), ("ce_\0" + NIK.decode(), b""), ("ce_id", b""))
    ),
    "a name of a header twice that no column holds": Record(
        TOPIC, PARTITION, NIK, b"{}", (("ce_\0", b"1"), ("ce_\0", b"2"))
    ),
    "another service's source": like_ours(ce_source=b"/services/registry"),
    "another namespace's type": like_ours(ce_type=b"com.example.purse.CoinsPutIn.v1"),
    "another topic's type": like_ours(ce_type=b"org.example.test.other.CoinsPutIn.v9"),
    "a version of a thousand digits": like_ours(ce_type=OURS["ce_type"] + b"0" * 1_000),
    "a version of no such kind": like_ours(ce_type=OURS["ce_type"][:-1] + b"-1"),
    "a position beyond a column": like_ours(ce_position=b"9" * 19, ce_id=b"first-" + b"9" * 19),
    "a message before itself": like_ours(ce_previous=b"7"),
    "an id of another message": like_ours(ce_id=b"first-8"),
    "a time beyond all time": like_ours(ce_time=b"9999-12-31T23:59:59-23:59"),
    "a time before all time": like_ours(ce_time=b"0001-01-01T00:00:00+23:59"),
    "no key": like_ours(key=None),
    "a key of another partition": like_ours(key=STRANGE.encode()),
    "a key that is no text": like_ours(key=b"\xff\x00"),
    "a key larger than an index takes": like_ours(key=HUGE.encode()),
    "no value": like_ours(value=b""),
    "a value cut off": like_ours(value=b'{"coins": 1'),
    "a value that is no text": like_ours(value=b'{"coins": "\xff"}'),
    "a value of brackets": like_ours(value=b"[" * 100_000),
}


# -- What the attacker holds ----------------------------------------------------------------------

Write: TypeAlias = Callable[[Corridor, Sequence[Record]], Awaitable[None]]


async def through_a_client(corridor: Corridor, records: Sequence[Record]) -> None:
    producer = await corridor.bus.producer()
    await producer.send(records)
    await producer.close()


@asynccontextmanager
async def database_of_the_bus(corridor: Corridor) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(corridor.bus_url)
    try:
        yield connection
    finally:
        await connection.close()


async def segment(corridor: Corridor, count: int, payload: bytes) -> None:
    """A segment as anybody sends it who may call the function that senders call."""
    async with database_of_the_bus(corridor) as connection:
        topic = await connection.fetchval("SELECT id FROM bus.topics WHERE name = $1", TOPIC)
        sent = [topic], [PARTITION], [count], [payload]
        await connection.execute("SELECT bus.send($1, $2, $3, $4)", *sent)


@asynccontextmanager
async def client_of_kafka(corridor: Corridor, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    bootstrap = corridor.bus_url.removeprefix("kafka://")
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


class NoText(str):
    """The name of a header that a client sends as bytes that are no text."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


# -- Relay and reader -----------------------------------------------------------------------------


@pytest.fixture(params=[EMBEDDED, KAFKA])
def bus_url(request: pytest.FixtureRequest) -> str | None:
    if request.param == EMBEDDED:
        return None
    return f"kafka://{request.getfixturevalue('kafka_bootstrap')}"


@asynccontextmanager
async def fresh_corridor(postgres: Postgres, url: str | None) -> AsyncIterator[Corridor]:
    """A corridor whose topic is new."""
    if url is not None:
        bus = await connect(url)
        await bus.delete_topic(TOPIC)
        await bus.close()
    async with corridor_at(postgres, url) as found:
        yield found


@pytest_asyncio.fixture
async def corridor(postgres: Postgres, bus_url: str | None) -> AsyncIterator[Corridor]:
    async with fresh_corridor(postgres, bus_url) as found:
        yield found


@pytest_asyncio.fixture
async def on_kafka(postgres: Postgres, kafka_bootstrap: str) -> AsyncIterator[Corridor]:
    async with fresh_corridor(postgres, f"kafka://{kafka_bootstrap}") as found:
        yield found


@pytest_asyncio.fixture
async def embedded(postgres: Postgres) -> AsyncIterator[Corridor]:
    async with fresh_corridor(postgres, None) as found:
        yield found


async def publish_coins(corridor: Corridor, *coins: int) -> None:
    """Coins that a relay and a reader, both started anew, carry from the writer to the reader."""
    reader = corridor.consumer()
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), reader):
        await corridor.put(*coins)
        await eventually(corridor.caught_up)
        assert reader.tally.stopped is None


async def parked(corridor: Corridor, count: int) -> list[Parked]:
    """All that is parked, once it is so many."""

    async def so_many() -> bool:
        return len(await list_parked(corridor.reader)) == count

    async with running(corridor.consumer()):
        await eventually(so_many)
    return await list_parked(corridor.reader)


async def test_two_bytes_on_a_topic_and_whatever_else_a_client_sends_stop_nobody(
    corridor: Corridor,
) -> None:
    await publish_coins(corridor, *range(1, 20))

    await through_a_client(corridor, list(FORGED.values()))

    await publish_coins(corridor, *range(20, 40))  # before a restart of the platform ...
    await publish_coins(corridor, *range(40, 60))  # ... and after it
    assert sorted(await corridor.taken()) == list(range(1, 60))
    found = await parked(corridor, len(FORGED))
    assert {(each.topic, each.partition, each.key) for each in found} == {(TOPIC, PARTITION, "")}
    assert len({each.offset for each in found}) == len(FORGED)
    kept = str(await corridor.reader.pool.fetch("SELECT message, error FROM parked"))
    assert NIK.decode() not in kept


async def test_a_record_that_takes_a_message_s_place_in_the_log_does_not_keep_it_out(
    corridor: Corridor,
) -> None:
    _, epoch = await corridor.writer.head()
    first = {"ce_epoch": epoch.encode(), "ce_id": f"{epoch}-1".encode(), "ce_position": b"1"}
    await through_a_client(corridor, [like_ours(value=b"", **first)])

    await publish_coins(corridor, int(KEY))

    assert await corridor.taken() == [int(KEY)]
    assert [each.offset for each in await parked(corridor, 1)] == [0]


@pytest.mark.parametrize(
    ("count", "payload"),
    [
        (1, b"\x00\xff"),
        (3, b"\x00\xff"),
        (2, b"\x94\x90\x90\x90\x90"),  # no records at all
        (1, b"\x94\x91\xc4\x01a\x91\xc4\x02{}\x91\xa1n\x90"),  # a name without its column
        (2, b"\x94\x92\xc0\xc0\x92\xc4\x02{}\xc4\x02{}\x91\xa1n\x91\x91\xc4\x00"),  # too short
    ],
    ids=["two bytes", "two bytes for three", "empty", "without a column", "a column too short"],
)
async def test_a_segment_that_no_client_packed_stops_nobody(
    embedded: Corridor, count: int, payload: bytes
) -> None:
    await publish_coins(embedded, *range(1, 20))

    await segment(embedded, count, payload)

    await publish_coins(embedded, *range(20, 40))
    await publish_coins(embedded, *range(40, 60))
    assert sorted(await embedded.taken()) == list(range(1, 60))
    await parked(embedded, 1)


@pytest.mark.parametrize(
    ("count", "payload"), [(5_000, b"\x00\xff"), (1, bytes(5_000_000))], ids=["records", "bytes"]
)
async def test_a_segment_that_no_reader_would_ever_reach_behind_is_refused(
    embedded: Corridor, count: int, payload: bytes
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await segment(embedded, count, payload)

    await publish_coins(embedded, 1, 2, 3)
    assert sorted(await embedded.taken()) == [1, 2, 3]


@pytest.mark.kafka
async def test_a_header_whose_name_is_no_text_stops_nobody(on_kafka: Corridor) -> None:
    await publish_coins(on_kafka, *range(1, 20))

    async with client_of_kafka(on_kafka) as client:
        batch = client.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 10_000)
        batch.append(timestamp=0, key=None, value=b"{}", headers=[(NoText("name"), b"")])
        await (await client.send_batch(batch, TOPIC, partition=PARTITION))

    await publish_coins(on_kafka, *range(20, 40))
    await publish_coins(on_kafka, *range(40, 60))
    assert sorted(await on_kafka.taken()) == list(range(1, 60))
    await parked(on_kafka, 1)


@pytest.mark.kafka
async def test_a_transaction_whose_mark_stands_last_keeps_no_relay_from_starting(
    on_kafka: Corridor,
) -> None:
    await publish_coins(on_kafka, *range(1, 20))

    async with client_of_kafka(on_kafka, transactional_id="somebody") as client:
        for _ in range(3):
            async with client.transaction():
                await client.send(TOPIC, b"\x00\xff", partition=PARTITION)
        await client.begin_transaction()
        await client.send(TOPIC, b"\x00\xff", partition=PARTITION)
        await client.abort_transaction()

    await publish_coins(on_kafka, *range(20, 40))
    await publish_coins(on_kafka, *range(40, 60))
    assert sorted(await on_kafka.taken()) == list(range(1, 60))
    await parked(on_kafka, 4)


# -- A consumer that stops, and a person who has judged why ---------------------------------------


@pytest.mark.parametrize(
    ("why", "changed"),
    [
        ("missing", {"ce_position": b"900", "ce_previous": b"800"}),
        ("restored", {"ce_position": b"900", "ce_previous": b"899", "ce_epoch": b"second"}),
        ("not known here", {"ce_type": b"org.example.test.purse.CoinsPutIn.v2"}),
    ],
    ids=["gap", "epoch", "version"],
)
async def test_a_record_at_which_a_reader_stops_is_passed_over_once_a_person_has_dropped_it(
    embedded: Corridor, why: str, changed: dict[str, bytes]
) -> None:
    await publish_coins(embedded, *range(1, 20))
    headers = await next_headers(embedded) | changed
    headers["ce_id"] = headers["ce_epoch"] + b"-" + headers["ce_position"]
    record = like_ours(**headers)
    await through_a_client(embedded, [record])
    reader = embedded.consumer()
    await asyncio.wait_for(reader.run(), 30)
    assert why in (reader.tally.stopped or "")
    [stop] = await list_parked(embedded.reader)
    assert (stop.stops, stop.partition, stop.key) == (True, PARTITION, "")
    judged = asyncio.create_task(reader.wait_until_dropped())

    async with embedded.reader.transaction(CONTEXT) as unit:
        await drop(unit, TOPIC, PARTITION, stop.position, "FORGED")
    await asyncio.wait_for(judged, 30)

    async with running(reader, Relay(embedded.writer, embedded.bus, TOPICS)):
        await embedded.put(*range(20, 40))
        await eventually(embedded.caught_up)
    await publish_coins(embedded, *range(40, 60))
    assert sorted(await embedded.taken()) == list(range(1, 60))
    row = await embedded.reader.pool.fetchrow(
        "SELECT dropped_by, dropped_reason, stops FROM parked"
    )
    assert row is not None
    assert tuple(row) == (CONTEXT.actor, "FORGED", True)


async def test_a_message_that_is_real_and_passed_over_is_missed_at_the_next_one(
    embedded: Corridor,
) -> None:
    """So one person can lose nothing: what was dropped shows as a gap, and the reader stops."""
    await publish_coins(embedded, *range(1, 20))
    last = await relayed(embedded, int(KEY))
    await park_records(embedded.reader, "reader", [(last, "judged in error")], stops=True)
    async with embedded.reader.transaction(CONTEXT) as unit:
        await drop(unit, TOPIC, PARTITION, -1 - last.offset, "FORGED")
    await relayed(embedded, int(KEY))
    reader = embedded.consumer()

    await asyncio.wait_for(reader.run(), 30)

    assert "missing" in (reader.tally.stopped or "")


async def test_another_record_at_the_offset_of_one_that_was_dropped_is_taken(
    embedded: Corridor,
) -> None:
    """A topic that was made again begins with the same offsets."""
    judged = Record(TOPIC, PARTITION, None, b"\x00\xff", offset=0)
    await park_records(embedded.reader, "reader", [(judged, "no message")])
    async with embedded.reader.transaction(CONTEXT) as unit:
        await drop(unit, TOPIC, PARTITION, -1, "FORGED")

    await publish_coins(embedded, int(KEY))

    assert await embedded.taken() == [int(KEY)]


async def relayed(corridor: Corridor, coins: int) -> Record:
    """The record of coins that are on the bus and that nobody has taken."""
    async with running(Relay(corridor.writer, corridor.bus, TOPICS)):
        await corridor.put(coins)
        await eventually(corridor.relayed)
    return (await corridor.bus.last_records(TOPIC))[PARTITION]


async def next_headers(corridor: Corridor) -> dict[str, bytes]:
    """The headers of a message that would follow the last one."""
    last = dict((await corridor.bus.last_records(TOPIC))[PARTITION].headers)
    position = b"%d" % (int(last["ce_position"]) + 1)
    return {**last, "ce_previous": last["ce_position"], "ce_position": position}


# -- Whatever there is ----------------------------------------------------------------------------

contents = st.binary(max_size=12) | st.sampled_from(sorted({*OURS.values()}))
pairs = st.tuples(st.sampled_from(sorted(OURS)) | st.text(max_size=5), contents)
anything = st.builds(
    Record,
    topic=st.just(TOPIC),
    partition=st.just(PARTITION),
    key=st.none() | st.binary(max_size=4) | st.just(KEY.encode()),
    value=st.binary(max_size=8) | st.just(b'{"coins": 1}'),
    headers=st.lists(pairs, max_size=4).map(tuple)
    | st.lists(pairs, max_size=3).map(lambda changed: tuple((OURS | dict(changed)).items())),
).filter(lambda record: dict(record.headers).get("ce_source") != OURS["ce_source"])


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(anything, min_size=10, max_size=60))
async def test_no_record_of_whatever_bytes_stops_anybody_or_loses_a_neighbour(
    embedded: Corridor, records: list[Record]
) -> None:
    before = await embedded.taken()

    await through_a_client(embedded, records[::2])
    await publish_coins(embedded, 1, 2, 3, 4, 5)
    await through_a_client(embedded, records[1::2])
    await publish_coins(embedded, 6, 7, 8, 9)

    assert sorted(await embedded.taken()) == sorted([*before, *range(1, 10)])
