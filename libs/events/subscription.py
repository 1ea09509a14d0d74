"""What a service makes of a topic, and which errors are a message's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
import msgspec
from msgspec import Struct

from libs.events.bus import Record
from libs.events.envelope import Envelope, EnvelopeMalformed
from libs.events.errors import CorridorError, GapFound, UnknownEpoch, UnknownEvent
from libs.events.store import LOST
from libs.events.transaction import Transaction


class UnknownPartition(CorridorError):
    """The bus has a partition that contracts/topics.yaml does not know."""


RETRIED = (
    *LOST,
    TimeoutError,
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.OperatorInterventionError,  # shutdown, cancelled
    asyncpg.InvalidTransactionStateError,  # idle in transaction too long
)
"""Faults of the surroundings: never a message's own, so never parked."""

STOPS = (GapFound, UnknownEpoch, UnknownEvent, UnknownPartition, EnvelopeMalformed)


Arrived: TypeAlias = tuple[Record, Envelope]
"""A record as the bus gave it, and its envelope."""


class Incoming(Struct, frozen=True):
    """One message as a handler sees it: its envelope, its body, and the bytes it came in."""

    topic: str
    partition: int
    key: str
    envelope: Envelope
    body: Any
    value: bytes


Handler = Callable[[Transaction, Sequence[Incoming]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one topic means to a service.

    `name` is a durable identity: it must never change, because positions are kept under it.
    `bodies` gives the dataclass of each type that is wanted; other types are counted and passed.
    The handler gets the wanted messages of a batch, in order, and must be content with one.
    """

    name: str
    topic: str
    bodies: Mapping[str, type[Any]]
    handler: Handler


def is_its_own(error: Exception) -> bool:
    """Whether an error is of the message that was handled: not of the surroundings, no stop.

    What the driver says of a value that fits no column has the class of a lost connection, and is
    a ValueError besides. Tried again it would hold up its partition for ever.
    """
    return isinstance(error, ValueError) or not isinstance(error, RETRIED + STOPS)


def incoming(subscription: Subscription, record: Record, envelope: Envelope) -> Incoming:
    """Decode a record's body as its subscription wants it."""
    body = _decoder(subscription.bodies[envelope.type]).decode(record.value)
    return Incoming(record.topic, record.partition, key_of(record), envelope, body, record.value)


_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def _decoder(body: type[Any]) -> msgspec.json.Decoder[Any]:
    """The decoder of a type, made once; types are a few classes of contracts."""
    found = _decoders.get(body)
    if found is None:
        found = _decoders[body] = msgspec.json.Decoder(body)
    return found


def key_of(record: Record) -> str:
    """A record's key as text that PostgreSQL takes, whatever its bytes; empty where it has none."""
    if record.key is None:
        return ""
    key = record.key.decode(errors="backslashreplace")
    return key.replace("\0", "\\x00") if "\0" in key else key
