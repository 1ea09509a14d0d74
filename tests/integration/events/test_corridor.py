"""From an append in one service to a handler in another: once, in order, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
import pytest_asyncio
from msgspec.structs import replace as altered

from libs.events.bus import Batch, Bus, Member, Record, batched
from libs.events.bus.envelope import parse
from libs.events.bus.incoming import Incoming
from libs.events.consumer.parking import Selection, list_parked
from libs.events.domain.errors import GapFound, StaleMember, UnknownEpoch, UnknownEvent
from libs.events.relay.outbox import Relay
from libs.events.store.handle import handle_many
from libs.events.store.postgres import CHANNEL
from libs.events.store.transaction import Transaction
from libs.events.store.watermarks import positions
from libs.events.workers.leader import Leadership
from tests.corridor import TOPICS, Corridor, commit_for_group, corridor_at, running
from tests.purse import CONTEXT, KEPT, TOPIC, Command, PutIn, TakeOut
from tests.servers import Postgres, eventually


@pytest_asyncio.fixture
async def corridor(postgres: Postgres) -> AsyncIterator[Corridor]:
    async with corridor_at(postgres) as found:
        yield found


async def test_everything_appended_is_handled_once(corridor: Corridor) -> None:
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), corridor.consumer()):
        for start in range(1, 100, 10):
            await corridor.put(*range(start, start + 10))
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == list(range(1, 101))


async def test_internal_events_and_unwanted_types_pass_by(corridor: Corridor) -> None:
    consumer = corridor.consumer()
    asked: list[tuple[str, Command]] = [("purse-a", PutIn(5)), ("purse-a", TakeOut(2))]
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), consumer):
        async with corridor.writer.transaction(CONTEXT) as transaction:
            await handle_many(transaction, KEPT, asked)
        await eventually(corridor.caught_up)

    assert await corridor.taken() == [5]
    assert await corridor.bus.ends(TOPIC) != {}


async def records_of(corridor: Corridor) -> list[Record]:
    """The messages that the relay has put on the bus, read by a group of its own."""
    member = await corridor.bus.join("witness", [TOPIC])
    batches = await member.fetch(1_000, 1.0)
    await member.close()
    return [record for batch in batches for record in batch.records]


async def relayed(corridor: Corridor, *coins: int) -> list[Record]:
    async with running(Relay(corridor.writer, corridor.bus, TOPICS)):
        await corridor.put(*coins)

        async def done() -> bool:
            return (await positions(corridor.writer)).relayed >= (await corridor.writer.head())[0]

        await eventually(done)
    return await records_of(corridor)


def batches(records: Sequence[Record]) -> list[Batch]:
    """One batch for each partition that has any of the records."""
    return [
        batch_of(*own)
        for partition in range(3)
        if (own := [record for record in records if record.partition == partition])
    ]


def batch_of(*records: Record) -> Batch:
    [batch] = batched(TOPIC, records[0].partition, records)
    return batch


def with_headers(record: Record, **changed: bytes) -> Record:
    """A message of the writer's as it would be with these headers."""
    headers = dict(record.headers) | changed
    headers["ce_id"] = headers["ce_epoch"] + b"-" + headers["ce_position"]
    return altered(record, headers=list(headers.items()))


async def test_a_message_delivered_again_is_skipped_by_its_position(corridor: Corridor) -> None:
    records = await relayed(corridor, *range(1, 21))
    consumer = corridor.consumer()
    await consumer._open_checkpoints()
    for batch in batches(records) * 3:
        await consumer.process(batch)

    assert sorted(await corridor.taken()) == list(range(1, 21))
    assert consumer.tally.skipped == 40


async def test_a_missing_message_is_found_and_named(corridor: Corridor) -> None:
    batch = max(batches(await relayed(corridor, *range(1, 31))), key=len)
    consumer = corridor.consumer()
    await consumer._open_checkpoints()

    with pytest.raises(GapFound) as gap:
        await consumer.process(batch.part(1, len(batch)))
    assert gap.value.facts["partition"] == batch.partition
    assert await corridor.taken() == []


async def test_a_running_consumer_stops_at_a_gap_that_no_look_back_closes(
    corridor: Corridor,
) -> None:
    records = await relayed(corridor, *range(1, 31))
    await corridor.bus.delete_topic(TOPIC)
    await corridor.bus.ensure_topics(TOPICS.partitions)
    producer = await corridor.bus.producer()
    await producer.send([altered(r, offset=-1) for b in batches(records) for r in b.records[1:]])

    consumer = corridor.consumer()
    await asyncio.wait_for(consumer.run(), 10)
    assert consumer.tally.stopped is not None
    assert "Messages are missing" in consumer.tally.stopped


async def test_a_gap_behind_many_messages_stops_the_consumer_too(
    corridor: Corridor,
) -> None:
    records = await relayed(corridor, *range(1, 31))
    cut = max(batches(records), key=len).record(5)
    await corridor.bus.delete_topic(TOPIC)
    await corridor.bus.ensure_topics(TOPICS.partitions)
    producer = await corridor.bus.producer()
    await producer.send([altered(record, offset=-1) for record in records if record != cut])

    consumer = corridor.consumer(fetch_records_max=2)
    await asyncio.wait_for(consumer.run(), 10)

    assert consumer.tally.stopped is not None
    assert int(cut.key or b"") not in await corridor.taken()


async def test_what_was_undone_is_not_counted(corridor: Corridor) -> None:
    batch = max(batches(await relayed(corridor, *range(1, 31))), key=len)
    consumer = corridor.consumer()
    await consumer._open_checkpoints()
    await consumer.process(batch.part(0, 2))
    counted = replace(consumer.tally)

    with pytest.raises(GapFound):
        await consumer.process(batch_of(*batch.records[:2], *batch.records[3:]))

    assert consumer.tally == counted


async def test_two_lives_of_a_log_never_share_a_transaction(corridor: Corridor) -> None:
    of_one, of_other, *_ = batches(await relayed(corridor, *range(1, 31)))
    unfit, fit = of_one.record(0), of_other.record(0)
    place = {"ce_position": dict(unfit.headers)["ce_position"]}
    fit = with_headers(fit, ce_epoch=b"restored", ce_previous=b"0", **place)
    corridor.poison = {int(unfit.key or b"")}
    consumer = corridor.consumer()
    await consumer._open_checkpoints()
    member = await corridor.bus.join("reader", [TOPIC])

    await consumer._take_all(member, [batch_of(unfit), batch_of(fit)])
    await member.close()

    assert await corridor.taken() == [int(fit.key or b"")]
    assert [each.key for each in await list_parked(corridor.reader)] == [
        (unfit.key or b"").decode()
    ]


async def test_partitions_share_a_transaction_in_the_order_of_the_log(corridor: Corridor) -> None:
    records = await relayed(corridor, *range(1, 21))
    consumer = corridor.consumer()
    await consumer._open_checkpoints()
    await consumer.process(*batches(records))

    assert len(batches(records)) > 1
    assert await corridor.taken() == sorted(range(1, 21), key=lambda coins: f"purse-{coins}")
    written = "SELECT count(DISTINCT xmin::text) FROM taken"
    assert await corridor.reader.pool.fetchval(written) == 1


async def test_a_gap_in_one_partition_keeps_no_other_from_going_on(corridor: Corridor) -> None:
    [cut, *others] = batches(await relayed(corridor, *range(1, 31)))
    await corridor.bus.delete_topic(TOPIC)
    await corridor.bus.ensure_topics(TOPICS.partitions)
    producer = await corridor.bus.producer()
    left = [*cut.records[1:], *(record for batch in others for record in batch.records)]
    await producer.send([altered(record, offset=-1) for record in left])

    consumer = corridor.consumer()
    await asyncio.wait_for(consumer.run(), 10)

    assert consumer.tally.stopped is not None
    assert len(await corridor.taken()) == sum(map(len, others))


async def test_a_transaction_takes_only_so_much(
    corridor: Corridor,
) -> None:
    await relayed(corridor, *range(1, 61))
    consumer, sizes = corridor.consumer(transaction_records_max=25), []

    async def take(transaction: Transaction, messages: Sequence[Incoming]) -> None:
        sizes.append(len(messages))
        await corridor.take(transaction, messages)

    [subscription] = consumer.subscriptions
    consumer = replace(consumer, subscriptions=[replace(subscription, handler=take)])
    await consumer._open_checkpoints()
    async with running(consumer):
        await eventually(corridor.caught_up)

    assert max(sizes) <= 25
    assert sum(sizes) == 60


async def test_an_unknown_epoch_stops_the_consumer(corridor: Corridor) -> None:
    first = batches(await relayed(corridor, 1, 2, 3))[0]
    consumer = corridor.consumer()
    await consumer._open_checkpoints()
    await consumer.process(first)

    with pytest.raises(UnknownEpoch):
        await consumer.process(batch_of(with_headers(first.record(-1), ce_epoch=b"other")))


async def restored(corridor: Corridor, *coins: int) -> list[Record]:
    """The writer in a second life, which the reader was told to accept; what the bus holds then."""
    first = await relayed(corridor, *range(1, 21))
    consumer = corridor.consumer()
    await consumer._open_checkpoints()
    for batch in batches(first):
        await consumer.process(batch)
    await corridor.writer.pool.execute("UPDATE head SET epoch = 'second'")
    await corridor.reader.pool.execute("UPDATE consumed SET epoch = 'second'")
    return await relayed(corridor, *coins)


async def passing_over(corridor: Corridor, records: Sequence[Record]) -> None:
    """The reader's group is told to go on behind these, though it never took them."""
    behind = {(r.topic, r.partition): r.offset + 1 for r in records}
    await commit_for_group(corridor.bus, behind)


async def test_a_look_back_passes_over_the_covered_messages_of_an_older_life(
    corridor: Corridor,
) -> None:
    records = await restored(corridor, *range(21, 61))
    newer = batches([record for record in records if parse(record).epoch == "second"])
    await passing_over(corridor, [batch.record(0) for batch in newer])

    async with running(corridor.consumer()):
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == list(range(1, 61))


async def test_what_was_fetched_before_a_look_back_is_no_second_gap(
    corridor: Corridor,
) -> None:
    records = await relayed(corridor, *range(1, 31))
    await passing_over(corridor, [batch.record(0) for batch in batches(records)])

    async with running(corridor.consumer(fetch_records_max=1)):
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == list(range(1, 31))


async def each_by_itself(corridor: Corridor, records: Sequence[Record]) -> None:
    """The topic made anew, every record sent alone: each is a batch, where it is embedded."""
    await corridor.bus.delete_topic(TOPIC)
    await corridor.bus.ensure_topics(TOPICS.partitions)
    producer = await corridor.bus.producer()
    for record in records:
        await producer.send([altered(record, offset=-1)])
    await producer.close()


async def test_a_look_back_that_comes_in_many_batches_goes_on_behind_the_gap(
    corridor: Corridor,
) -> None:
    records = await relayed(corridor, *range(1, 31))
    await each_by_itself(corridor, records)
    await passing_over(corridor, [batch.record(3) for batch in batches(records)])

    async with running(corridor.consumer()):
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == list(range(1, 31))


class Unsettled:
    """A bus, and its first member, whose first look back is cut short as another one joins."""

    def __init__(self, bus: Bus, *, refuses: bool) -> None:
        self._bus, self._refuses = bus, refuses
        self._member: Member | None = None
        self._cut_short = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus if hasattr(self._bus, name) else self._member, name)

    async def join(self, group: str, topics: Sequence[str]) -> Any:
        joined = await self._bus.join(group, topics)
        if self._member is not None:
            return joined
        self._member = joined
        return self

    async def close(self) -> None:
        assert self._member is not None
        await self._member.close()

    async def rewind(self, topic: str, partition: int) -> None:
        assert self._member is not None
        first, self._cut_short = not self._cut_short, True
        if first and self._refuses:
            raise StaleMember(topic=topic, partition=partition)
        await self._member.rewind(topic, partition)
        if first:
            await (await self._bus.join("reader", [topic])).close()


@pytest.mark.parametrize("refuses", [True, False], ids=["before it began", "while it went on"])
async def test_a_look_back_that_another_member_cuts_short_is_made_again(
    corridor: Corridor, *, refuses: bool
) -> None:
    records = await relayed(corridor, *range(1, 31))
    await passing_over(corridor, [batch.record(3) for batch in batches(records)])
    consumer = corridor.consumer()
    consumer.bus = cast(Bus, Unsettled(consumer.bus, refuses=refuses))

    async with running(consumer):
        await eventually(corridor.caught_up)

    assert consumer.tally.stopped is None
    assert sorted(await corridor.taken()) == list(range(1, 31))


async def test_a_look_back_takes_nothing_of_an_older_life_that_is_not_covered(
    corridor: Corridor,
) -> None:
    records = await restored(corridor, *range(21, 61))
    newer = batches([record for record in records if parse(record).epoch == "second"])
    older = [r for r in records if r.partition == 0 and parse(r).epoch != "second"]
    undone = "UPDATE consumed SET position = $1 WHERE partition = 0"
    await corridor.reader.pool.execute(undone, parse(older[-2]).position)
    await passing_over(corridor, [batch.record(0) for batch in newer])

    consumer = corridor.consumer(fetch_records_max=1)
    await asyncio.wait_for(consumer.run(), 10)

    assert consumer.tally.stopped is not None
    assert "restored" in consumer.tally.stopped
    assert (await corridor.taken()).count(int(older[-1].key or b"")) == 1


async def test_a_look_back_is_no_reason_to_pass_over_a_newer_life(corridor: Corridor) -> None:
    """It counts on from an earlier position, so its first messages have numbers we covered."""
    batch, *_ = batches(await relayed(corridor, *range(1, 61)))
    taken, newer = batch.records[:5], batch.records[6]
    consumer = corridor.consumer()
    await consumer._open_checkpoints()
    await consumer.process(batch_of(*taken))
    member = await corridor.bus.join("reader", [TOPIC])
    await consumer._take_one(member, batch_of(newer))
    await member.close()

    newer = with_headers(newer, ce_epoch=b"second", ce_position=b"1", ce_previous=b"0")
    with pytest.raises(UnknownEpoch):
        await consumer.process(batch_of(*taken, newer))


async def test_a_newer_major_version_of_a_wanted_type_stops_the_consumer(
    corridor: Corridor,
) -> None:
    first = batches(await relayed(corridor, 1, 2, 3))[0]
    record = first.record(0)
    newer = b"org.example.test.purse.CoinsPutIn.v2"
    headers = [(n, newer if n == "ce_type" else v) for n, v in record.headers]
    consumer = corridor.consumer()
    await consumer._open_checkpoints()

    with pytest.raises(UnknownEvent):
        await consumer.process(batch_of(altered(record, headers=headers)))


async def test_a_newer_major_version_that_is_covered_stops_nobody(corridor: Corridor) -> None:
    """A newer version of the service has taken it, and was replaced by this one again."""
    first, *_ = batches(await relayed(corridor, *range(1, 31)))
    newer = b"org.example.test.purse.CoinsPutIn.v2"
    headers = [(n, newer if n == "ce_type" else v) for n, v in first.record(0).headers]
    consumer = corridor.consumer()
    await consumer._open_checkpoints()
    await consumer.process(first.part(0, 1))

    await consumer.process(batch_of(altered(first.record(0), headers=headers), first.record(1)))

    assert await corridor.taken() == [int(key or b"") for key in first.keys[:2]]


async def test_a_poisoned_key_is_parked_in_order_and_the_others_go_on(corridor: Corridor) -> None:
    corridor.poison = {7}
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), corridor.consumer()):
        await corridor.put(*range(1, 10))
        await eventually(corridor.caught_up)
        corridor.poison = set()  # mended, yet a later message of the key must wait its turn
        async with corridor.writer.transaction(CONTEXT) as transaction:
            await handle_many(transaction, KEPT, [("purse-x", PutIn(7)), ("purse-x", PutIn(8))])
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == [1, 2, 3, 4, 5, 6, 8, 8, 9]
    parked = await list_parked(corridor.reader)
    assert [(p.key, p.error) for p in parked] == [
        ("7", "ValueError"),
        ("7", "an earlier message of this key is parked"),
    ]

    assert await corridor.replay(Selection(TOPIC, "9")) == (0, 0)
    assert await corridor.replay(Selection(TOPIC, "7")) == (2, 0)
    assert (await corridor.taken())[-2:] == [7, 7]
    assert await corridor.replay() == (0, 0)


async def test_a_value_that_the_driver_cannot_send_is_parked_and_not_tried_for_ever(
    corridor: Corridor,
) -> None:
    beyond_the_column = 2**31
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), corridor.consumer()):
        await corridor.put(1, beyond_the_column, 3)
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == [1, 3]
    [parked] = await list_parked(corridor.reader)
    assert (parked.key, parked.error) == (str(beyond_the_column), "DataError")


async def test_a_replay_that_fails_keeps_what_went_through(corridor: Corridor) -> None:
    corridor.poison = {7}
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), corridor.consumer()):
        await corridor.put(7)
        await eventually(corridor.caught_up)

    assert await corridor.replay() == (0, 1)
    assert len(await list_parked(corridor.reader)) == 1


async def test_a_fault_of_the_network_is_tried_again_and_never_parked(corridor: Corridor) -> None:
    corridor.faults = [OSError("unreachable"), TimeoutError()]
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), corridor.consumer()):
        await corridor.put(1, 2, 3)
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == [1, 2, 3]
    assert await list_parked(corridor.reader) == []


async def test_a_topic_deleted_under_running_consumers_is_refilled_and_nothing_twice(
    corridor: Corridor,
) -> None:
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), corridor.consumer()):
        await corridor.put(*range(1, 31))
        await eventually(corridor.caught_up)
        await corridor.bus.delete_topic(TOPIC)
        await corridor.put(*range(31, 41))
        await eventually(corridor.caught_up, 20)
        records = await records_of(corridor)

    assert sorted(await corridor.taken()) == list(range(1, 41))
    assert len(records) == 40


async def test_a_relay_killed_between_send_and_mark_sends_the_same_again(
    corridor: Corridor,
) -> None:
    before = await relayed(corridor, *range(1, 6))
    await corridor.writer.pool.execute("DELETE FROM relay")
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), corridor.consumer()):
        await corridor.put(6)
        await eventually(corridor.caught_up)

    again = (await records_of(corridor))[0:]
    ids = [dict(record.headers)["ce_id"] for record in before]
    assert {dict(record.headers)["ce_id"] for record in again} >= set(ids)
    assert sorted(await corridor.taken()) == [1, 2, 3, 4, 5, 6]


class Unwilling:
    """A bus whose first producer takes nothing."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def producer(self) -> Any:
        return self if not self.refused else await self._bus.producer()

    async def send(self, records: Sequence[Record]) -> None:
        self.refused += len(records)
        raise ConnectionError("the broker went away before it had them")

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_window_that_the_bus_did_not_take_is_sent_again(corridor: Corridor) -> None:
    bus = Unwilling(corridor.bus)
    relay = Relay(corridor.writer, cast(Bus, bus), TOPICS)
    await corridor.put(*range(1, 6))
    async with running(relay, corridor.consumer()):
        await eventually(corridor.caught_up)

    assert bus.refused == 5
    assert sorted(await corridor.taken()) == [1, 2, 3, 4, 5]


class Watched:
    """A bus that puts two more coins in while the first are sent, and tells what it is asked."""

    def __init__(self, corridor: Corridor, leadership: Leadership) -> None:
        self._corridor, self._leadership = corridor, leadership
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._corridor.bus, name)

    async def ends(self, topic: str) -> Mapping[int, int]:
        self.asked.append("ends")
        return await self._corridor.bus.ends(topic)

    async def producer(self) -> Any:
        self._producer = await self._corridor.bus.producer()
        return self

    async def send(self, records: Sequence[Record]) -> None:
        if "send" not in self.asked:
            for _ in range(20):  # what is read meanwhile has found nothing
                await self._corridor.writer.pool.fetchval("SELECT position FROM head")
            await self._corridor.put(2, 3)
            await eventually(lambda: self._leadership.has_news)
        self.asked.append("send")
        await self._producer.send(records)

    async def close(self) -> None:
        await self._producer.close()


async def test_what_is_appended_during_a_send_waits_for_no_audit(corridor: Corridor) -> None:
    await corridor.put(1)
    async with Leadership(corridor.writer, "relay", CHANNEL) as leadership:
        bus = Watched(corridor, leadership)
        relay = Relay(corridor.writer, cast(Bus, bus), TOPICS)
        leading = asyncio.create_task(relay._lead(leadership))
        await eventually(lambda: bus.asked.count("send") == 2)
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)

    first, second = (at for at, asked in enumerate(bus.asked) if asked == "send")
    assert bus.asked[first:second] == ["send"]


async def test_what_a_member_dies_over_is_the_next_ones(corridor: Corridor) -> None:
    await relayed(corridor, *range(1, 6))
    within = asyncio.Event()

    async def never(_transaction: Transaction, _messages: Sequence[Incoming]) -> None:
        within.set()
        await asyncio.Event().wait()

    dying = corridor.consumer()
    dying.subscriptions = [replace(each, handler=never) for each in dying.subscriptions]
    dying._by_topic = {each.topic: each for each in dying.subscriptions}
    async with running(dying):
        await asyncio.wait_for(within.wait(), 10)
    async with running(corridor.consumer()):
        await eventually(corridor.caught_up)

    assert sorted(await corridor.taken()) == [1, 2, 3, 4, 5]


async def test_only_one_of_two_relays_leads(corridor: Corridor) -> None:
    relays = [Relay(corridor.writer, corridor.bus, TOPICS) for _ in range(2)]
    async with running(*relays):
        for put in range(0, 300, 30):  # again and again, for one may be up before the other

            async def done(put: int = put) -> bool:
                return (await positions(corridor.writer)).relayed >= put + 30

            await corridor.put(*range(put + 1, put + 31))
            await eventually(done)
    assert len(await records_of(corridor)) == 300
