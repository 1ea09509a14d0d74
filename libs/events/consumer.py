"""Takes messages from the bus into a service: each exactly once, in order, and none is lost.

A batch is messages of one partition; what comes of a topic at once is one transaction. It locks
the partitions' `consumed` rows (which fences a member that lost one of them), skips what the
positions already cover, runs the handler, and moves the positions; the bus's own offsets follow
after the commit. Where that fails, each batch is processed by itself: what a handler can not take
is parked with every later message of its key; what the database or the network refuses is tried
again; a gap, an unknown epoch or a newer major version stops the consumer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from time import perf_counter

import structlog

from libs.events import tracing
from libs.events.bus import Batch, Bus, Member
from libs.events.envelope import Envelope, parse
from libs.events.errors import GapFound, StaleMember, UnknownEpoch, UnknownEvent, safe_text
from libs.events.metrics import PROCESS_SECONDS
from libs.events.model import Context
from libs.events.parking import held_keys, park
from libs.events.sifting import sift
from libs.events.store import Store
from libs.events.subscription import (
    RETRIED,
    STOPS,
    Arrived,
    Subscription,
    UnknownPartition,
    key_of,
)
from libs.events.transaction import Transaction

FETCH_RECORDS_MAX = 500  # of a partition
TRANSACTION_RECORDS_MAX = 1_000
FETCH_WAIT_S = 1.0
RETRY_S = 0.3

log = structlog.get_logger("consumer")


@dataclass
class Tally:
    """What a consumer has seen since it started."""

    handled: int = 0
    skipped: int = 0
    passed: int = 0
    parked: int = 0
    stopped: str | None = None


@dataclass
class Place:
    """Where a subscription is in one partition: what its `consumed` row says."""

    epoch: str | None
    position: int


@dataclass
class Consumer:
    """All subscriptions of one service, as one member of its group."""

    store: Store
    bus: Bus
    group: str
    subscriptions: Sequence[Subscription]
    partitions: Mapping[str, int]
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._by_topic = {s.topic: s for s in self.subscriptions}
        self._rewound: dict[tuple[str, int], int] = {}  # the offset where a gap was met

    async def run(self) -> None:
        """Consume until cancelled, or until something only a person can mend stops it."""
        while True:
            try:
                await self._open_places()
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
            except Exception as error:  # the bus is away: join again when it is back
                log.warning("consumer begins anew", group=self.group, error=safe_text(error))
                await asyncio.sleep(RETRY_S)

    async def _open_places(self) -> None:
        """A `consumed` row for every partition, so that what was never read shows as such."""
        places = [
            (subscription.name, subscription.topic, partition)
            for subscription in self.subscriptions
            for partition in range(self.partitions[subscription.topic])
        ]
        await self.store.pool.execute(
            """INSERT INTO consumed (subscription, topic, partition, epoch, position)
               SELECT s, t, p, NULL, 0 FROM unnest($1::text[], $2::text[], $3::int[]) AS u (s, t, p)
               ON CONFLICT DO NOTHING""",
            *map(list, zip(*places, strict=True)),
        )

    async def _consume(self, member: Member) -> None:
        while True:
            fetched = sorted(await member.fetch(FETCH_RECORDS_MAX, FETCH_WAIT_S), key=_topic)
            for _, batches in groupby(fetched, _topic):
                for some in _together(batches):
                    await self._take_all(member, some)

    async def _take_all(self, member: Member, batches: Sequence[Batch]) -> None:
        """Take the batches of one topic, together where that is possible."""
        together = len(batches) > 1 and await self._processed(*batches)
        for batch in batches:
            if not together and not await self._take(member, batch):
                continue
            with contextlib.suppress(StaleMember):  # the position is ours to know, not the bus's
                await member.commit(batch.topic, batch.partition, batch.records[-1].offset + 1)

    async def _processed(self, *batches: Batch) -> bool:
        """Process batches in one transaction; False where one of them may be in the others' way."""
        try:
            await self.process(*batches)
        except Exception as error:  # whatever it is, it is told and met where each goes by itself
            log.info("batches taken singly", group=self.group, error=safe_text(error))
            return False
        return True

    async def _take(self, member: Member, batch: Batch) -> bool:
        """Process a batch, again until the surroundings let it through; False after a rewind."""
        place = (batch.topic, batch.partition)
        while True:
            try:
                await self.process(batch)
                return True
            except GapFound as gap:
                if place in self._rewound:
                    raise
                log.warning("rewinding at a gap", **gap.facts)
                self._rewound[place] = batch.records[0].offset
                await member.rewind(*place)
                return False
            except RETRIED as fault:
                log.warning("batch tried again", group=self.group, error=safe_text(fault))
                await asyncio.sleep(RETRY_S)

    async def process(self, *batches: Batch) -> None:
        """Batches of partitions of one topic, in one transaction."""
        began, counted = perf_counter(), replace(self.tally)
        try:
            await self._process(batches)
        except BaseException:
            self.tally = counted  # what was undone will be counted when it is done
            raise
        PROCESS_SECONDS.labels(self.group, batches[0].topic).observe(perf_counter() - began)

    async def _process(self, batches: Sequence[Batch]) -> None:
        subscription = self._by_topic[batches[0].topic]
        arrived = {
            batch.partition: [(record, parse(record)) for record in batch.records]
            for batch in batches
        }
        # As they were appended: the log of a topic's owner is one.
        envelopes = sorted((e for pairs in arrived.values() for _, e in pairs), key=_position)
        last = envelopes[-1]
        # In two lives of a log, two messages may have the same position.
        if len(batches) > 1 and any(each.epoch != last.epoch for each in envelopes):
            raise UnknownEpoch(topic=subscription.topic, epoch=last.epoch)
        where = self.bus.system, self.group, subscription.topic, sorted(arrived)
        with tracing.processing(*where, envelopes) as trace:
            context = Context(last.time, f"service:{self.group}", trace=trace, cause=last.id)
            async with self.store.transaction(context) as transaction:
                await self._in_transaction(transaction, subscription, arrived)

    async def _in_transaction(
        self,
        transaction: Transaction,
        subscription: Subscription,
        arrived: Mapping[int, Sequence[Arrived]],
    ) -> None:
        places = await self._lock(transaction, subscription, sorted(arrived))
        fresh = {
            partition: self._fresh(subscription.topic, partition, arrived[partition], place)
            for partition, place in places.items()
        }
        moved = {partition: pairs[-1][1] for partition, pairs in fresh.items() if pairs}
        if not moved:
            return
        pairs = sorted((p for some in fresh.values() for p in some), key=lambda p: p[1].position)
        transaction.traces = tracing.traces_by_key(
            [envelope for _, envelope in pairs], lambda: [key_of(record) for record, _ in pairs]
        )
        await self._dispatch(transaction, subscription, pairs)
        await self._move(transaction, subscription, moved)
        # Only what was new says that a gap is closed: it may be behind what was covered already.
        for partition in moved:
            self._rewound.pop((subscription.topic, partition), None)

    async def _lock(
        self, transaction: Transaction, subscription: Subscription, partitions: Sequence[int]
    ) -> dict[int, Place]:
        rows = await transaction.connection.fetch(
            """SELECT partition, epoch, position FROM consumed
               WHERE subscription = $1 AND topic = $2 AND partition = ANY($3)
               ORDER BY partition FOR UPDATE""",
            subscription.name,
            subscription.topic,
            partitions,
        )
        places = {row["partition"]: Place(row["epoch"], row["position"]) for row in rows}
        if unknown := set(partitions) - places.keys():
            raise UnknownPartition(topic=subscription.topic, partition=min(unknown))
        return places

    def _fresh(
        self, topic: str, partition: int, arrived: Sequence[Arrived], place: Place
    ) -> list[Arrived]:
        """What the position does not cover yet; proves that nothing before it is missing."""
        fresh: list[Arrived] = []
        position, epoch, met = place.position, place.epoch, self._rewound.get((topic, partition), 0)
        where: dict[str, object] = {"topic": topic, "partition": partition}
        for record, envelope in arrived:
            # Lives of a log lie one behind the other: what another left before a gap in ours is
            # older. A newer one counts on from before our position, which covers mere numbers.
            if epoch not in (None, envelope.epoch) and not (
                record.offset < met and envelope.position <= position
            ):
                raise UnknownEpoch(**where, epoch=epoch)
            if envelope.position <= position:
                self.tally.skipped += 1
                continue
            if envelope.previous > position:
                raise GapFound(**where, after=position, missing_to=envelope.previous)
            epoch, position = envelope.epoch, envelope.position
            fresh.append((record, envelope))
        return fresh

    async def _dispatch(
        self, transaction: Transaction, subscription: Subscription, fresh: Sequence[Arrived]
    ) -> None:
        """Handle what can be handled, and park the rest in the same transaction."""
        wanted = [pair for pair in fresh if self._wants(subscription, pair[1])]
        held = await held_keys(transaction, subscription, [record for record, _ in wanted])
        refused = await sift(transaction, subscription, wanted, held)
        if refused:
            log.warning("messages parked", topic=subscription.topic, count=len(refused))
            await park(transaction, subscription.name, wanted, refused)
        self.tally.handled += len(wanted) - len(refused)
        self.tally.parked += len(refused)

    def _wants(self, subscription: Subscription, envelope: Envelope) -> bool:
        if envelope.type not in subscription.bodies:
            self.tally.passed += 1
            return False
        if envelope.major > int(subscription.topic.rsplit(".v", 1)[1]):
            raise UnknownEvent(type=envelope.type, major=envelope.major)
        return True

    async def _move(
        self, transaction: Transaction, subscription: Subscription, to: Mapping[int, Envelope]
    ) -> None:
        await transaction.connection.executemany(
            """UPDATE consumed SET epoch = $4, position = $5
               WHERE subscription = $1 AND topic = $2 AND partition = $3""",
            [
                (subscription.name, subscription.topic, partition, last.epoch, last.position)
                for partition, last in to.items()
            ],
        )


def _together(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Batches as they fit into a transaction each; one that does not is alone."""
    some: list[Batch] = []
    for batch in batches:
        count = sum(len(each.records) for each in some) + len(batch.records)
        if some and count > TRANSACTION_RECORDS_MAX:
            yield some
            some = []
        some.append(batch)
    yield some


_topic = attrgetter("topic")
_position = attrgetter("position")
