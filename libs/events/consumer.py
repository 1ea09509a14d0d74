"""Takes messages from the bus into a service: each exactly once, in order, and none is lost.

A batch is messages of one partition. Its transaction locks the subscription's `consumed` row
(which fences a member that lost the partition), skips what the position already covers, runs the
handler, and moves the position; the bus's own offset follows after the commit. What a handler
can not take is parked with every later message of its key; what the database or the network
refuses is tried again; a gap, an unknown epoch or a newer major version stops the consumer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

FETCH_RECORDS_MAX = 500
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
        self._rewound: set[tuple[str, int]] = set()

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
            for batch in await member.fetch(FETCH_RECORDS_MAX, FETCH_WAIT_S):
                if not await self._take(member, batch):
                    continue
                with contextlib.suppress(
                    StaleMember
                ):  # the position is ours to know, not the bus's
                    await member.commit(batch.topic, batch.partition, batch.records[-1].offset + 1)

    async def _take(self, member: Member, batch: Batch) -> bool:
        """Process a batch, again until the surroundings let it through; False after a rewind."""
        place = (batch.topic, batch.partition)
        while True:
            began = perf_counter()
            try:
                await self.process(batch)
                PROCESS_SECONDS.labels(self.group, batch.topic).observe(perf_counter() - began)
                self._rewound.discard(place)
                return True
            except GapFound as gap:
                if place in self._rewound:
                    raise
                log.warning("rewinding at a gap", **gap.facts)
                self._rewound.add(place)
                await member.rewind(*place)
                return False
            except RETRIED as fault:
                log.warning("batch tried again", group=self.group, error=safe_text(fault))
                await asyncio.sleep(RETRY_S)

    async def process(self, batch: Batch) -> None:
        """One batch in one transaction."""
        subscription = self._by_topic[batch.topic]
        envelopes = [parse(record) for record in batch.records]
        where = self.bus.system, self.group, batch.topic, batch.partition
        with tracing.processing(*where, envelopes) as trace:
            await self._in_transaction(subscription, batch, envelopes, trace)

    async def _in_transaction(
        self,
        subscription: Subscription,
        batch: Batch,
        envelopes: Sequence[Envelope],
        trace: str | None,
    ) -> None:
        context = _context(self.group, envelopes[-1], trace)
        async with self.store.transaction(context) as transaction:
            transaction.traces = tracing.traces_by_key(
                envelopes, lambda: map(key_of, batch.records)
            )
            place = await self._lock(transaction, subscription, batch.partition)
            fresh = self._fresh(batch, envelopes, place)
            if not fresh:
                return
            await self._dispatch(transaction, subscription, batch.partition, fresh)
            await self._move(transaction, subscription, batch.partition, fresh[-1][1])

    async def _lock(
        self, transaction: Transaction, subscription: Subscription, partition: int
    ) -> Place:
        row = await transaction.connection.fetchrow(
            """SELECT epoch, position FROM consumed
               WHERE subscription = $1 AND topic = $2 AND partition = $3 FOR UPDATE""",
            subscription.name,
            subscription.topic,
            partition,
        )
        if row is None:
            raise UnknownPartition(topic=subscription.topic, partition=partition)
        return Place(row["epoch"], row["position"])

    def _fresh(self, batch: Batch, envelopes: Sequence[Envelope], place: Place) -> list[Arrived]:
        """What the position does not cover yet; proves that nothing before it is missing."""
        fresh: list[Arrived] = []
        position, epoch = place.position, place.epoch
        for record, envelope in zip(batch.records, envelopes, strict=True):
            if epoch is not None and envelope.epoch != epoch:
                raise UnknownEpoch(topic=batch.topic, partition=batch.partition, epoch=epoch)
            if envelope.position <= position:
                self.tally.skipped += 1
                continue
            if envelope.previous > position:
                raise GapFound(
                    topic=batch.topic,
                    partition=batch.partition,
                    after=position,
                    missing_to=envelope.previous,
                )
            epoch, position = envelope.epoch, envelope.position
            fresh.append((record, envelope))
        return fresh

    async def _dispatch(
        self,
        transaction: Transaction,
        subscription: Subscription,
        partition: int,
        fresh: Sequence[Arrived],
    ) -> None:
        """Handle what can be handled, and park the rest in the same transaction."""
        wanted = [pair for pair in fresh if self._wants(subscription, pair[1])]
        place = subscription.name, subscription.topic, partition
        held = await held_keys(transaction, place, (key_of(record) for record, _ in wanted))
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
        self, transaction: Transaction, subscription: Subscription, partition: int, to: Envelope
    ) -> None:
        await transaction.connection.execute(
            """UPDATE consumed SET epoch = $4, position = $5
               WHERE subscription = $1 AND topic = $2 AND partition = $3""",
            subscription.name,
            subscription.topic,
            partition,
            to.epoch,
            to.position,
        )


def _context(group: str, last: Envelope, trace: str | None) -> Context:
    return Context(at=last.time, actor=f"service:{group}", trace=trace, cause=last.id)
