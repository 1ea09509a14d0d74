"""Checkpoints of a subscription, one a partition: locked, proven to have no gap, and moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import lt

import structlog

from libs.events.bus import Batch, Record
from libs.events.bus.envelope import Envelopes
from libs.events.consumer.parking import record_sha256
from libs.events.consumer.subscription import Subscription, UnknownPartition
from libs.events.domain.errors import GapFound, UnknownEpoch
from libs.events.store.chain import GENESIS
from libs.events.store.postgres import Store
from libs.events.store.taken import then
from libs.events.store.transaction import Transaction

log = structlog.get_logger("consumer")


@dataclass
class Checkpoint:
    """The `consumed` row of a subscription's partition, `moved` if it must be written again.

    `taken` is the hash over the messages behind `since`, as `verify` holds it against their log.
    `looked_at` is the offset of the last message that was looked at, `again` how many came behind
    it that had been taken in already, `again_at` the last of them.
    """

    epoch: str | None
    position: int
    taken: bytes | None = None
    since: int = 0
    looked_at: int | None = None
    again: int = 0
    again_at: int | None = None
    moved: bool = False

    def take(self, batch: Batch, envelopes: Envelopes, gap_offset: int = 0) -> Sequence[int]:
        """The indexes of the messages that are not covered yet; the checkpoint moves past them.

        Proves that nothing before them is missing: raises `GapFound` and `UnknownEpoch`.
        `gap_offset` is where a gap was met, if the partition was rewound for it.
        """
        if self._follows(envelopes):
            self._hash(batch, envelopes, range(len(batch)))
            self.epoch, self.position = envelopes.epochs[0], envelopes.positions[-1]
            self.looked_at, self.moved = batch.offsets[-1], True
            return range(len(batch))
        fresh: list[int] = []
        epoch, position = self.epoch, self.position
        columns = envelopes.epochs, envelopes.previous, envelopes.positions, batch.offsets
        for index, (own, previous, at, offset) in enumerate(zip(*columns, strict=True)):
            # Epochs follow one another: before a gap that we rewound for, another epoch is an older
            # one, and covered. Elsewhere it is a newer one, which counts on from a position before
            # ours: its messages are not covered, whatever their numbers are.
            if epoch not in (None, own) and not (offset < gap_offset and at <= position):
                raise UnknownEpoch(**_location(batch, offset), epoch=epoch)
            if at <= position:
                self._note_again(offset)
                continue
            if previous > position:
                raise GapFound(**_location(batch, offset), after=position, missing_to=previous)
            epoch, position, self.looked_at = own, at, offset
            fresh.append(index)
        self._hash(batch, envelopes, fresh)
        self.epoch, self.position, self.moved = epoch, position, self.moved or bool(fresh)
        return fresh

    def take_unlogged(self, batch: Batch, envelopes: Envelopes) -> Sequence[int]:
        """The indexes of the messages that are not covered yet, of a topic without an owner's log.

        Their offsets are their positions, and nothing says that one is missing.
        """
        fresh = []
        for index, at in enumerate(envelopes.positions):
            if at > self.position:
                fresh.append(index)
                self.position, self.looked_at, self.moved = at, batch.offsets[index], True
        self._hash(batch, envelopes, fresh)
        return fresh

    def _note_again(self, offset: int) -> None:
        """Count a message that was sent once more; one that is only delivered once more is none."""
        if self.looked_at is not None and offset > self.looked_at:
            self.looked_at = self.again_at = offset
            self.again += 1
            self.moved = True

    def _hash(self, batch: Batch, envelopes: Envelopes, fresh: Sequence[int]) -> None:
        if self.taken is None:
            self.taken, self.since = GENESIS, self.position
        for index in fresh:
            self.taken = then(
                self.taken,
                envelopes.positions[index],
                envelopes.types[index],
                envelopes.subjects[index],
                envelopes.times[index],
                batch.keys[index] or b"",
                batch.values[index],
            )

    def _follows(self, envelopes: Envelopes) -> bool:
        """True if all are new, of the known epoch, and each names the one before: nearly always."""
        positions, previous = envelopes.positions, envelopes.previous
        epoch = envelopes.epochs[0]
        return (
            self.epoch in (None, epoch)
            and envelopes.epochs.count(epoch) == len(positions)
            and previous[0] <= self.position < positions[0]
            and previous[1:] == positions[:-1]
            and all(map(lt, positions, positions[1:]))
        )


def _location(batch: Batch, offset: int) -> dict[str, object]:
    return {"topic": batch.topic, "partition": batch.partition, "offset": offset}


async def open_checkpoints(
    store: Store, subscriptions: Sequence[Subscription], partitions: Mapping[str, int]
) -> None:
    """A `consumed` row for every partition, so that what was never read shows as such."""
    checkpoints = [
        (subscription.name, subscription.topic, partition)
        for subscription in subscriptions
        for partition in range(partitions[subscription.topic])
    ]
    await store.pool.execute(
        """INSERT INTO consumed (subscription, topic, partition, epoch, position)
           SELECT s, t, p, NULL, 0 FROM unnest($1::text[], $2::text[], $3::int[]) AS u (s, t, p)
           ON CONFLICT DO NOTHING""",
        *map(list, zip(*checkpoints, strict=True)),
    )


async def begin_life(store: Store, subscription: Subscription, record: Record) -> None:
    """Begin a partition of a topic without a log from its start, where its first record is another.

    The topic was deleted then and made anew: what an offset was before says nothing any more.
    """
    life = record_sha256(record)
    status = await store.pool.execute(
        """UPDATE consumed SET epoch = $4, position = 0, taken = NULL, taken_since = 0,
                  looked_at = NULL, again = 0, again_at = NULL
           WHERE subscription = $1 AND topic = $2 AND partition = $3
             AND epoch IS DISTINCT FROM $4""",
        subscription.name,
        subscription.topic,
        record.partition,
        life,
    )
    if status != "UPDATE 0":
        log.info("partition begins", topic=subscription.topic, partition=record.partition)


async def lock_checkpoints(
    transaction: Transaction, subscription: Subscription, partitions: Sequence[int]
) -> dict[int, Checkpoint]:
    """Its checkpoints in these partitions, by number; nobody else moves them until the commit."""
    rows = await transaction.connection.fetch(
        """SELECT partition, epoch, position, taken, taken_since, looked_at, again, again_at
           FROM consumed
           WHERE subscription = $1 AND topic = $2 AND partition = ANY($3)
           ORDER BY partition FOR UPDATE""",
        subscription.name,
        subscription.topic,
        partitions,
    )
    checkpoints = {partition: Checkpoint(*row) for partition, *row in rows}
    if unknown := set(partitions) - checkpoints.keys():
        raise UnknownPartition(topic=subscription.topic, partition=min(unknown))
    return checkpoints


async def move_checkpoints(
    transaction: Transaction, subscription: Subscription, checkpoints: Mapping[int, Checkpoint]
) -> None:
    """Record that everything up to these checkpoints, by partition, has had its effect."""
    await transaction.connection.execute(
        """UPDATE consumed SET epoch = new.epoch, position = new.position, taken = new.taken,
                  taken_since = new.since, looked_at = new.looked_at, again = new.again,
                  again_at = new.again_at
           FROM unnest($3::int[], $4::text[], $5::bigint[], $6::bytea[], $7::bigint[],
                       $8::bigint[], $9::bigint[], $10::bigint[])
               AS new (partition, epoch, position, taken, since, looked_at, again, again_at)
           WHERE subscription = $1 AND topic = $2 AND consumed.partition = new.partition""",
        subscription.name,
        subscription.topic,
        list(checkpoints),
        [checkpoint.epoch for checkpoint in checkpoints.values()],
        [checkpoint.position for checkpoint in checkpoints.values()],
        [checkpoint.taken for checkpoint in checkpoints.values()],
        [checkpoint.since for checkpoint in checkpoints.values()],
        [checkpoint.looked_at for checkpoint in checkpoints.values()],
        [checkpoint.again for checkpoint in checkpoints.values()],
        [checkpoint.again_at for checkpoint in checkpoints.values()],
    )
