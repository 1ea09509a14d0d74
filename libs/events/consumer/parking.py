"""Messages that could not be handled, kept in order with every later one of their key."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from libs.events.bus import Record
from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Subscription
from libs.events.domain.errors import NotFound
from libs.events.store.model import encode
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

SubscribedPartition: TypeAlias = tuple[str, str, int]
"""(subscription, topic, partition)."""

ParkedPosition: TypeAlias = tuple[str, str, int, int]
"""(subscription, topic, partition, position): where a parked message stands among all."""

RecordPosition: TypeAlias = tuple[str, int, int]
"""(topic, partition, position); of a record that is no message `offset_position` of its offset."""

START: Final[ParkedPosition] = ("", "", 0, 0)
"""The place before every parked message."""

_ANY_PARKED: Final = """
SELECT EXISTS (SELECT FROM parked WHERE subscription = $1 AND topic = $2 AND partition = ANY($3)
               AND dropped_at IS NULL AND position > 0)
"""
# One look into the index for each key: however much of a key is parked, the first row will do.
_KEYS_PARKED: Final = """
SELECT key FROM unnest($3::int[], $4::text[]) AS asked (at, key)
WHERE (SELECT true FROM parked WHERE subscription = $1 AND topic = $2 AND partition = asked.at
       AND parked.key = asked.key AND dropped_at IS NULL AND position > 0
       AND ($5::bigint IS NULL OR position < $5) LIMIT 1)
"""


_PARK_RECORDS: Final = """
INSERT INTO parked (subscription, topic, partition, key, position, message, error, stops)
SELECT s, t, p, '', o, m, e, b FROM unnest(
    $1::text[], $2::text[], $3::int[], $4::bigint[], $5::json[], $6::text[], $7::boolean[]
) AS u (s, t, p, o, m, e, b)
ON CONFLICT (subscription, topic, partition, position) DO UPDATE
SET message = excluded.message, error = excluded.error, stops = excluded.stops,
    dropped_at = NULL, dropped_by = NULL, dropped_reason = NULL
WHERE parked.message->>'sha256' <> excluded.message->>'sha256'
RETURNING position
"""
_FORGET_STOPS: Final = """
DELETE FROM parked WHERE subscription = ANY($1) AND stops AND dropped_at IS NULL
"""
_DROPPED: Final = """
SELECT topic, partition, position, message->>'sha256' FROM parked
WHERE subscription = ANY($1) AND dropped_at IS NOT NULL
"""
_STILL_STOPS: Final = """
SELECT EXISTS (SELECT FROM parked WHERE topic = $1 AND partition = $2 AND position = $3
               AND stops AND dropped_at IS NULL)
"""

_pack = msgspec.msgpack.Encoder().encode


def offset_position(offset: int) -> int:
    """The number that stands for the position of a record that has none: below all positions."""
    return -1 - offset


class NothingParked(NotFound):
    """Nothing of this topic and key is parked."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One parked message, as people see it."""

    subscription: str
    topic: str
    partition: int
    key: str
    position: int
    error: str
    stops: bool = False

    @property
    def offset(self) -> int | None:
        """Its place on the bus, of a record that is no message and has no position."""
        return None if self.position > 0 else -1 - self.position


@dataclass(frozen=True, slots=True)
class Selection:
    """Which parked messages: those of a topic or of all, of a key or of all."""

    topic: str | None = None
    key: str | None = None


ALL_PARKED: Final = Selection()


@dataclass(frozen=True, slots=True)
class _StoredRecord:
    headers: list[tuple[str, str]]
    value: str  # base64: parked bytes may be anything
    offset: int


@dataclass(frozen=True, slots=True)
class _RecordHash:
    sha256: str
    bytes: int


async def park(
    transaction: Transaction,
    subscription: str,
    arrived: Sequence[Incoming],
    refused: Mapping[int, str],
) -> None:
    """Keep those whose position was `refused`, exactly as they came, with what was wrong."""
    rows = [
        (
            subscription,
            message.topic,
            message.partition,
            message.key,
            message.position,
            encode(_stored(message.record)).decode(),
            refused[message.position],
        )
        for message in arrived
        if message.position in refused
    ]
    await transaction.connection.executemany(
        """INSERT INTO parked (subscription, topic, partition, key, position, message, error)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        rows,
    )


async def park_records(
    store: Store, subscription: str, refused: Sequence[tuple[Record, str]], *, stops: bool = False
) -> int:
    """Park records that are no messages, or at which a consumer `stops`; answers how many are new.

    Kept are hash, length and what is wrong, once however often a record comes.

    One that was dropped stays so, unless another record now stands at its offset.
    """
    rows = [
        (
            *(subscription, record.topic, record.partition, offset_position(record.offset)),
            encode(_RecordHash(record_sha256(record), len(record.value))).decode(),
            *(error, stops),
        )
        for record, error in refused
    ]
    if not rows:
        return 0
    inserted = await store.pool.fetch(_PARK_RECORDS, *map(list, zip(*rows, strict=True)))
    return len(inserted)


def record_sha256(record: Record) -> str:
    """The SHA-256 of a record as it came: key, value and headers."""
    headers = [(name, bytes(value)) for name, value in record.headers]
    return hashlib.sha256(_pack((record.key, record.value, headers))).hexdigest()


async def dropped_positions(
    store: Store, subscriptions: Sequence[str]
) -> dict[RecordPosition, str | None]:
    """{place: hash} of all that a person has dropped; a message has no hash."""
    rows = await store.pool.fetch(_DROPPED, subscriptions)
    return {(topic, partition, position): sha256 for topic, partition, position, sha256 in rows}


async def forget_stops(store: Store, subscriptions: Sequence[str]) -> None:
    """Forget records at which a consumer stopped and that nobody has dropped: it begins anew."""
    await store.pool.execute(_FORGET_STOPS, subscriptions)


async def still_stops(store: Store, position: RecordPosition) -> bool:
    """True until a person has dropped the record at which a consumer stopped."""
    found: bool = await store.pool.fetchval(_STILL_STOPS, *position)
    return found


async def drop(
    transaction: Transaction, topic: str, partition: int, position: int, reason: str
) -> None:
    """Drop one parked message of a topic's partition, by decision of a person.

    It stays as it came, with who dropped it, when and the code of why. Of its key, what waits
    behind it can be replayed then. Dropping it again changes nothing; raises `NothingParked`.
    """
    found = await transaction.connection.fetch(
        """UPDATE parked SET dropped_at = coalesce(dropped_at, $4),
               dropped_by = coalesce(dropped_by, $5), dropped_reason = coalesce(dropped_reason, $6)
           WHERE topic = $1 AND partition = $2 AND position = $3 RETURNING position""",
        topic,
        partition,
        position,
        transaction.context.at,
        transaction.context.actor,
        reason,
    )
    if not found:
        raise NothingParked(topic=topic, partition=partition, position=position)


def _stored(record: Record) -> _StoredRecord:
    headers = [(name, value.decode("latin-1")) for name, value in record.headers]
    return _StoredRecord(headers, base64.b64encode(record.value).decode(), record.offset)


async def held_keys(
    transaction: Transaction,
    subscription: Subscription,
    arrived: Sequence[Incoming],
    before: int | None = None,
) -> set[str]:
    """The keys of these messages that have something parked, `before` a position if one is given.

    Ask behind the locks of their partitions' `consumed` rows. The keys are looked at only where
    anything is parked, which is seldom.
    """
    reads = subscription.name, subscription.topic
    partitions = sorted({message.batch.partition for message in arrived})
    if not await transaction.connection.fetchval(_ANY_PARKED, *reads, partitions):
        return set()
    asked = sorted({(message.partition, message.key) for message in arrived})
    columns = [partition for partition, _ in asked], [key for _, key in asked]
    rows = await transaction.connection.fetch(_KEYS_PARKED, *reads, *columns, before)
    return {row["key"] for row in rows}


async def list_parked(
    store: Store, limit: int = 500, after: ParkedPosition = START, selection: Selection = ALL_PARKED
) -> list[Parked]:
    """The messages parked behind a position, in the order in which they would be replayed."""
    rows = await store.pool.fetch(
        """SELECT subscription, topic, partition, key, position, error, stops FROM parked
           WHERE (subscription, topic, partition, position) > ($1, $2, $3::int, $4::bigint)
             AND dropped_at IS NULL
             AND ($5::text IS NULL OR topic = $5) AND ($6::text IS NULL OR key = $6)
           ORDER BY subscription, topic, partition, position LIMIT $7""",
        *after,
        selection.topic,
        selection.key,
        limit,
    )
    return [Parked(**dict(row)) for row in rows]


def kept_record(topic: str, partition: int, key: str, message: str) -> Record:
    """A parked message as the record it came as; `message` is the row's."""
    stored = msgspec.json.decode(message, type=_StoredRecord)
    headers = [(name, value.encode("latin-1")) for name, value in stored.headers]
    return Record(
        topic, partition, key.encode(), base64.b64decode(stored.value), headers, stored.offset
    )


async def parked_keys(unit: Transaction, subscription: str, topic: str) -> set[str]:
    """The keys of which a subscription has anything parked."""
    rows = await unit.connection.fetch(
        """SELECT DISTINCT key FROM parked
           WHERE subscription = $1 AND topic = $2 AND dropped_at IS NULL""",
        subscription,
        topic,
    )
    return {row["key"] for row in rows}


async def parked_records(transaction: Transaction, subscription: str, topic: str) -> list[Record]:
    """Every message that a subscription has parked of a topic, as it came, the dropped ones too:
    who counts lines counts these as received."""
    rows = await transaction.connection.fetch(
        """SELECT partition, key, message FROM parked
           WHERE subscription = $1 AND topic = $2 AND position > 0
           ORDER BY partition, position""",
        subscription,
        topic,
    )
    return [kept_record(topic, row["partition"], row["key"], row["message"]) for row in rows]
