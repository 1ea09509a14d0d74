"""A service's subscription to a topic, and the errors that are a message's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import msgspec
from msgspec import Struct

from libs.events.bus import Batch
from libs.events.bus.envelope import Envelopes
from libs.events.bus.incoming import Incoming
from libs.events.domain.errors import CorridorError, GapFound, UnknownEpoch, UnknownEvent
from libs.events.store.faults import is_infrastructure_fault
from libs.events.store.transaction import Transaction


class UnknownPartition(CorridorError):
    """The bus has a partition that contracts/topics.yaml does not know."""


STOPS = (GapFound, UnknownEpoch, UnknownEvent, UnknownPartition)
"""Errors that stop a consumer until a person has mended something; never parked."""


class Undecodable(Struct, frozen=True):
    """In the place of a body that is none of the type it should be; no handler is given one."""

    error: Exception


Handler = Callable[[Transaction, Sequence[Incoming]], Awaitable[None]]
Withhold = Callable[[Transaction, Sequence[Incoming]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """The meaning of one topic to a service.

    `name` is a durable identity: it must never change, because positions are kept under it.
    `bodies` gives the dataclass of each type that is wanted, `others` that of every other type;
    without it those are counted and passed. The handler gets the wanted messages of a batch, in
    order, and must be content with one. Where there is `withhold`, nothing is parked: it is given
    each message that the handler failed at or that cannot be read, and later ones of its key go on.
    It keeps no bytes of them: what somebody outside wrote may hold what nobody is to keep.
    """

    name: str
    topic: str
    bodies: Mapping[str, type[Any]]
    handler: Handler
    others: type[Any] | None = None
    withhold: Withhold | None = None

    def body_of(self, kind: str) -> type[Any] | None:
        """The dataclass of a type of message; None where it is not wanted."""
        return self.bodies.get(kind, self.others)


def is_item_fault(error: Exception) -> bool:
    """True if the item itself (a message, a stream) is at fault; no stop, no infrastructure."""
    return not is_infrastructure_fault(error) and not isinstance(error, STOPS)


def wanted_of(
    subscription: Subscription, batch: Batch, envelopes: Envelopes, indexes: Sequence[int]
) -> Sequence[int]:
    """The indexes of those messages that a subscription wants.

    Raises `UnknownEvent` where one of them has a newer major version than its topic.
    """
    kinds = set(zip(envelopes.types, envelopes.majors, strict=True))
    wanted = [kind for kind in kinds if subscription.body_of(kind[0])]
    supported = int(subscription.topic.rsplit(".v", 1)[1])
    if any(major > supported for _, major in wanted):
        for index in indexes:
            name, major = envelopes.types[index], envelopes.majors[index]
            if subscription.body_of(name) and major > supported:
                location = {"partition": batch.partition, "offset": batch.offsets[index]}
                raise UnknownEvent(type=name, major=major, topic=batch.topic, **location)
    if len(wanted) == len(kinds):
        return indexes
    return [index for index in indexes if subscription.body_of(envelopes.types[index])]


def messages_in(
    subscription: Subscription, batch: Batch, envelopes: Envelopes, indexes: Sequence[int]
) -> Iterator[Incoming]:
    """Those messages of a batch, with their bodies as their subscription wants them."""
    positions = map(envelopes.positions.__getitem__, indexes)
    keys = [str(batch.keys[index] or b"", "utf-8") for index in indexes]
    types = map(envelopes.types.__getitem__, indexes)
    values = map(batch.values.__getitem__, indexes)
    bodies = _bodies(subscription, list(types), list(values))
    return map(Incoming, repeat(batch), repeat(envelopes), indexes, positions, keys, bodies)


def _bodies(
    subscription: Subscription, types: Sequence[str], values: Sequence[bytes]
) -> Sequence[Any]:
    bodies = {name: subscription.body_of(name) for name in set(types)}
    decoders = {name: _decoder(body) for name, body in bodies.items() if body}
    if len(decoders) == 1:
        try:
            return list(map(decoders[types[0]].decode, values))
        except Exception as error:  # one of them: each by itself
            if not is_item_fault(error):
                raise
    return [_body(decoders[name], value) for name, value in zip(types, values, strict=True)]


def _body(decoder: msgspec.json.Decoder[Any], value: bytes) -> Any:
    try:
        return decoder.decode(value)
    except Exception as error:
        if not is_item_fault(error):
            raise
        return Undecodable(error)


_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def _decoder(body: type[Any]) -> msgspec.json.Decoder[Any]:
    """The decoder of a type, made once; types are a few classes of contracts."""
    found = _decoders.get(body)
    if found is None:
        found = _decoders[body] = msgspec.json.Decoder(body)
    return found
