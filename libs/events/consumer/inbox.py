"""Takes messages from the bus into a service: each exactly once, in order, and none is lost.

What comes of a topic at once is one transaction, and the next is fetched meanwhile. It locks
the partitions' `consumed` rows (which fences a member that lost one of them), skips what the
positions already cover, runs the handler, and moves the positions; the bus's own offsets follow
after the commit. Where that fails, each batch is processed by itself: what a handler cannot take
is parked with every later message of its key, and a record that is no message by itself; what the
database or the network refuses is tried again; a gap, an unknown epoch or a newer major version
stops the consumer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from time import perf_counter
from typing import TypeAlias

import structlog

from libs.events.bus import Batch, Bus, Member, Record
from libs.events.bus.envelope import Envelope, EnvelopeMalformed, Envelopes
from libs.events.bus.incoming import Incoming
from libs.events.bus.malformed import parse_each
from libs.events.bus.topics import Topics, is_inbound
from libs.events.consumer.batch_bisection import sift, sift_each
from libs.events.consumer.checkpoints import (
    begin_life,
    lock_checkpoints,
    move_checkpoints,
    open_checkpoints,
)
from libs.events.consumer.parking import (
    RecordPosition,
    dropped_positions,
    forget_stops,
    held_keys,
    offset_position,
    park,
    park_records,
    record_sha256,
    still_stops,
)
from libs.events.consumer.subscription import STOPS, Subscription, messages_in, wanted_of
from libs.events.domain.errors import (
    CorridorError,
    GapFound,
    StaleMember,
    UnknownEpoch,
    safe_text,
)
from libs.events.store.faults import RETRIED
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.telemetry import tracing
from libs.events.telemetry.metrics import PROCESS_SECONDS
from libs.events.workers.prefetch import prefetch

FETCH_RECORDS_MAX = 1_000  # of a partition
TRANSACTION_RECORDS_MAX = 3_000
FETCH_WAIT_S = 1.0
RETRY_S = 0.3
DROPPED_POLL_S = 1.0
LOOK_BACKS_MAX = 2
"""Rewinds for one gap: the batch after the first may have been fetched before it."""

log = structlog.get_logger("consumer")

Partition: TypeAlias = tuple[str, int]
"""(topic, partition)."""

Parsed: TypeAlias = tuple[Batch, Envelopes]


@dataclass
class Tally:
    """The counts of a consumer since it started.

    `skipped` had been taken before, `passed` is not wanted or was dropped by a person; `stopped`
    says at what it stopped, `kept_out` why it does not get at its topics now.
    """

    handled: int = 0
    skipped: int = 0
    passed: int = 0
    parked: int = 0
    stopped: str | None = None
    kept_out: str | None = None


@dataclass
class Consumer:
    """All subscriptions of one service, as one member of its group."""

    store: Store
    bus: Bus
    group: str
    subscriptions: Sequence[Subscription]
    topics: Topics
    tally: Tally = field(default_factory=Tally)
    fetch_records_max: int = FETCH_RECORDS_MAX
    transaction_records_max: int = TRANSACTION_RECORDS_MAX

    def __post_init__(self) -> None:
        self._by_topic = {s.topic: s for s in self.subscriptions}
        # The offsets at which a gap was met and its partition rewound.
        self._gaps: dict[Partition, list[int]] = {}
        self._rewound: set[Partition] = set()  # in this round of batches
        # By a person: a record with its hash, a message without.
        self._dropped: Mapping[RecordPosition, str | None] = {}
        self._stopped_at: RecordPosition | None = None

    async def run(self) -> None:
        """Consume until cancelled, or until something only a person can mend stops it."""
        self.tally.stopped = self._stopped_at = None
        self._gaps.clear()
        while True:
            try:
                await self._open_checkpoints()
                member = await self.bus.join(self.group, list(self._by_topic))
                try:
                    await self._consume(member)
                finally:
                    with contextlib.suppress(Exception):
                        await member.close()
            except asyncio.CancelledError:
                raise
            except STOPS as error:
                self.tally.stopped = str(error)
                log.critical("consumer stopped", group=self.group, error=str(error))
                return
            except Exception as error:  # the bus is away or refuses us: join again when it does not
                self.tally.kept_out = safe_text(error)
                log.warning("consumer begins anew", group=self.group, error=safe_text(error))
                await asyncio.sleep(RETRY_S)

    async def wait_until_dropped(self) -> None:
        """Wait until a person has dropped the record at which it stopped; it can `run` then."""
        while self._stopped_at is None or await self._still(self._stopped_at):
            await asyncio.sleep(DROPPED_POLL_S)

    async def _still(self, position: RecordPosition) -> bool:
        try:
            return await still_stops(self.store, position)
        except RETRIED:
            return True

    async def _open_checkpoints(self) -> None:
        await open_checkpoints(self.store, self.subscriptions, self.topics.partitions)
        names = [subscription.name for subscription in self.subscriptions]
        await forget_stops(self.store, names)
        self._dropped = await dropped_positions(self.store, names)

    async def _consume(self, member: Member) -> None:
        async with prefetch(self._fetches(member)) as fetches:
            async for fetched in fetches:
                self._rewound = set()
                taken: dict[Partition, int] = {}
                for _, of_topic in groupby(sorted(fetched, key=_topic), _topic):
                    for some in _together(of_topic, self.transaction_records_max):
                        taken |= await self._take_all(member, some)
                for partition in self._rewound:
                    taken.pop(partition, None)
                if taken:
                    with contextlib.suppress(StaleMember):  # positions are ours, not the bus's
                        await member.commit(taken)

    async def _fetches(self, member: Member) -> AsyncGenerator[Sequence[Batch]]:
        while True:
            fetched = await member.fetch(self.fetch_records_max, FETCH_WAIT_S)
            self.tally.kept_out = None
            yield fetched

    async def _take_all(self, member: Member, batches: Sequence[Batch]) -> dict[Partition, int]:
        """Take batches of one topic, together where that is possible; the offsets behind them."""
        together = len(batches) > 1 and await self._try_together(*batches)
        taken: dict[Partition, int] = {}
        for batch in batches:
            partition = _topic_partition(batch)
            if together or (partition not in self._rewound and await self._take_one(member, batch)):
                taken[partition] = batch.offsets[-1] + 1
        return taken

    async def _try_together(self, *batches: Batch) -> bool:
        """Process batches in one transaction; False where one of them may be in the others' way."""
        try:
            await self.process(*batches)
        except Exception as error:  # whatever it is, it is told and met where each goes by itself
            log.info("batches taken singly", group=self.group, error=safe_text(error))
            return False
        return True

    async def _take_one(self, member: Member, batch: Batch) -> bool:
        """Process a batch, again until the infrastructure lets it through; False after a rewind."""
        while True:
            try:
                await self.process(batch)
                return True
            except STOPS as stop:
                looked_back = len(self._gaps.get(_topic_partition(batch), ()))
                if isinstance(stop, GapFound) and looked_back < LOOK_BACKS_MAX:
                    log.warning("rewinding at a gap", **stop.facts)
                    await self._look_back(member, batch)
                    return False
                await self._park_stop(batch, stop)
                raise
            except RETRIED as fault:
                log.warning("batch tried again", group=self.group, error=safe_text(fault))
                await asyncio.sleep(RETRY_S)

    async def _look_back(self, member: Member, batch: Batch) -> None:
        """Go on from the earliest record of a partition; so will whoever is given it meanwhile.

        Else a rebalance would lead back to the gap, as if there were nothing before it.
        """
        partition = _topic_partition(batch)
        await member.commit({partition: 0})
        await member.rewind(*partition)
        self._gaps.setdefault(partition, []).append(batch.offsets[0])
        self._rewound.add(partition)

    async def _park_stop(self, batch: Batch, stop: CorridorError) -> None:
        """Let a person see and judge the record at which this stops, where it is one's fault."""
        offset = stop.facts.get("offset")
        if offset not in batch.offsets:
            return
        record = batch.record(batch.offsets.index(offset))
        name = self._by_topic[batch.topic].name
        await park_records(self.store, name, [(record, str(stop))], stops=True)
        self._stopped_at = batch.topic, batch.partition, offset_position(record.offset)

    async def process(self, *batches: Batch) -> None:
        """Process batches of partitions of one topic, in one transaction."""
        began, counted = perf_counter(), replace(self.tally)
        try:
            await self._process(batches)
        except BaseException:
            self.tally = counted  # what was undone will be counted when it is done
            raise
        PROCESS_SECONDS.labels(self.group, batches[0].topic).observe(perf_counter() - began)

    async def _process(self, batches: Sequence[Batch]) -> None:
        subscription = self._by_topic[batches[0].topic]
        if is_inbound(subscription.topic):
            for batch in batches:
                if batch.offsets[0] == 0:
                    await begin_life(self.store, subscription, batch.record(0))
        left = [batch for batch in map(self._without_dropped, batches) if len(batch)]
        parsed = [parse_each(batch, self.topics) for batch in left]
        await self._park_malformed(subscription, [bad for part in parsed for bad in part.malformed])
        arrived = [(part.batch, part.envelopes) for part in parsed if part.envelopes is not None]
        if arrived:
            await self._take_messages(subscription, arrived)

    def _without_dropped(self, batch: Batch) -> Batch:
        """A batch without the records that a person has judged to be passed over."""
        if not self._dropped:
            return batch
        positions = [(*_topic_partition(batch), offset_position(o)) for o in batch.offsets]
        dropped = [index for index, position in enumerate(positions) if position in self._dropped]
        gone = {i for i in dropped if self._dropped[positions[i]] == record_sha256(batch.record(i))}
        self.tally.passed += len(gone)
        return batch.only([i for i in range(len(batch)) if i not in gone]) if gone else batch

    async def _park_malformed(
        self,
        subscription: Subscription,
        malformed: Sequence[tuple[Record, EnvelopeMalformed]],
    ) -> None:
        """Park what is no message, so that it is seen; no log has a place where it is missed."""
        if malformed:
            log.error("records are malformed", topic=subscription.topic, count=len(malformed))
            reasons = [(record, str(error)) for record, error in malformed]
            self.tally.parked += await park_records(self.store, subscription.name, reasons)

    async def _take_messages(self, subscription: Subscription, arrived: Sequence[Parsed]) -> None:
        # The one appended last: its time and trace are the transaction's.
        last = max((envelopes.at(-1) for _, envelopes in arrived), key=_position)
        # In two lives of a log, two messages may have the same position.
        if len(arrived) > 1 and any(
            {*envelopes.epochs} != {last.epoch} for _, envelopes in arrived
        ):
            raise UnknownEpoch(topic=subscription.topic)
        where = self.bus.system, self.group, subscription.topic
        carried = {trace for _, envelopes in arrived for trace in set(envelopes.traces)}
        count = sum(len(batch) for batch, _ in arrived)
        partitions = _partitions(batch for batch, _ in arrived)
        with tracing.processing(*where, partitions, count, last.trace, carried) as trace:
            context = self._context(subscription, last, arrived[-1][0], trace)
            async with self.store.transaction(context) as transaction:
                await self._in_transaction(transaction, subscription, arrived)

    def _context(
        self, subscription: Subscription, last: Envelope, batch: Batch, trace: str | None
    ) -> Context:
        actor = f"service:{self.group}"
        if not is_inbound(subscription.topic):
            return Context(last.time, actor, trace, last.id)
        # What somebody outside wrote as a time or an id may be anything, and would stay for good.
        cause = f"{batch.topic}/{batch.partition}@{batch.offsets[-1]}"
        return Context(datetime.now(UTC), actor, trace, cause)

    async def _in_transaction(
        self, transaction: Transaction, subscription: Subscription, arrived: Sequence[Parsed]
    ) -> None:
        partitions = _partitions(batch for batch, _ in arrived)
        checkpoints = await lock_checkpoints(transaction, subscription, partitions)
        messages: list[Incoming] = []
        for batch, envelopes in arrived:
            gap_offset = min(self._gaps.get(_topic_partition(batch), [0]))
            checkpoint = checkpoints[batch.partition]
            if is_inbound(batch.topic):
                fresh = checkpoint.take_unlogged(batch, envelopes)
            else:
                fresh = checkpoint.take(batch, envelopes, gap_offset)
            wanted = wanted_of(subscription, batch, envelopes, fresh)
            self.tally.skipped += len(batch) - len(fresh)
            self.tally.passed += len(fresh) - len(wanted)
            if self._dropped:
                where = batch.topic, batch.partition
                wanted = [
                    i for i in wanted if (*where, envelopes.positions[i]) not in self._dropped
                ]
            messages += messages_in(subscription, batch, envelopes, wanted)
        moved = {number: reached for number, reached in checkpoints.items() if reached.moved}
        if not moved:
            return
        messages.sort(key=_position)
        transaction.traces = tracing.traces_by_key(messages, transaction.context.trace)
        await self._dispatch(transaction, subscription, messages)
        await move_checkpoints(transaction, subscription, moved)
        # Only what was new says that a gap is closed: it may be behind what was covered already.
        for partition in moved:
            self._gaps.pop((subscription.topic, partition), None)

    async def _dispatch(
        self, transaction: Transaction, subscription: Subscription, messages: Sequence[Incoming]
    ) -> None:
        """Handle what can be handled, and park or withhold the rest in the same transaction."""
        if subscription.withhold is not None:
            withheld = await sift_each(transaction, subscription, messages)
            if withheld:
                await subscription.withhold(transaction, withheld)
            self.tally.handled += len(messages)
            return
        held = await held_keys(transaction, subscription, messages)
        refused = await sift(transaction, subscription, messages, held)
        if refused:
            log.warning("messages parked", topic=subscription.topic, count=len(refused))
            await park(transaction, subscription.name, messages, refused)
        self.tally.handled += len(messages) - len(refused)
        self.tally.parked += len(refused)


def _together(batches: Iterable[Batch], records_max: int) -> Iterator[list[Batch]]:
    """Batches as they fit into a transaction each; one that does not is alone."""
    some: list[Batch] = []
    for batch in batches:
        count = sum(map(len, some)) + len(batch)
        if some and count > records_max:
            yield some
            some = []
        some.append(batch)
    yield some


def _partitions(batches: Iterable[Batch]) -> list[int]:
    return sorted({batch.partition for batch in batches})


_topic = attrgetter("topic")
_topic_partition = attrgetter("topic", "partition")
_position = attrgetter("position")
