"""Messages that could not be handled, kept in order with every later one of their key."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from libs.events.bus import Record
from libs.events.model import encode
from libs.events.store import Store
from libs.events.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Parked:
    """One parked message, as people see it."""

    subscription: str
    topic: str
    partition: int
    key: str
    position: int
    error: str


@dataclass(frozen=True, slots=True)
class _Kept:
    headers: list[tuple[str, str]]
    value: str  # base64: parked bytes may be anything
    offset: int


async def park(
    transaction: Transaction, subscription: str, record: Record, position: int, error: str
) -> None:
    """Keep a record exactly as it came, with what was wrong."""
    headers = [(name, value.decode("latin-1")) for name, value in record.headers]
    kept = _Kept(headers, base64.b64encode(record.value).decode(), record.offset)
    await transaction.connection.execute(
        """INSERT INTO parked (subscription, topic, partition, key, position, message, error)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        subscription,
        record.topic,
        record.partition,
        "" if record.key is None else record.key.decode(),
        position,
        encode(kept).decode(),
        error,
    )


async def parked_keys(
    transaction: Transaction, subscription: str, topic: str, partition: int
) -> set[str]:
    """The keys of a partition whose messages must be held."""
    rows = await transaction.connection.fetch(
        """SELECT DISTINCT key FROM parked
           WHERE subscription = $1 AND topic = $2 AND partition = $3""",
        subscription,
        topic,
        partition,
    )
    return {row["key"] for row in rows}


Place: TypeAlias = tuple[str, str, int, int]
"""(subscription, topic, partition, position): where a parked message stands among all."""


async def list_parked(store: Store, limit: int = 500, after: Place | None = None) -> list[Parked]:
    """What is parked behind a place, in the order in which it would be replayed."""
    rows = await store.pool.fetch(
        """SELECT subscription, topic, partition, key, position, error FROM parked
           WHERE (subscription, topic, partition, position) > ($2, $3, $4::int, $5::bigint)
           ORDER BY subscription, topic, partition, position LIMIT $1""",
        limit,
        *(after or ("", "", 0, 0)),
    )
    return [Parked(**dict(row)) for row in rows]


def unpark(topic: str, partition: int, key: str, message: str) -> Record:
    """The record that was kept, as it came."""
    kept = msgspec.json.decode(message, type=_Kept)
    headers = [(name, value.encode("latin-1")) for name, value in kept.headers]
    return Record(
        topic, partition, key.encode(), base64.b64decode(kept.value), headers, kept.offset
    )


async def parked_records(transaction: Transaction, subscription: str, topic: str) -> list[Record]:
    """Everything that a subscription has parked of a topic, as it came."""
    rows = await transaction.connection.fetch(
        """SELECT partition, key, message FROM parked
           WHERE subscription = $1 AND topic = $2 ORDER BY partition, position""",
        subscription,
        topic,
    )
    return [unpark(topic, row["partition"], row["key"], row["message"]) for row in rows]
