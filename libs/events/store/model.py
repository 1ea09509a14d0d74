"""The values that cross the corridor: kinds of streams, messages, contexts and outcomes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Generic

import msgspec
from msgspec import Struct

from libs.events.domain.decider import C, Decider, E, S


class AsStored(Enum):
    """The published data is the stored data, so it is kept once."""

    AS_STORED = "as stored"


AS_STORED: Final = AsStored.AS_STORED


class Message(Struct, frozen=True):
    """The message of one event to other services.

    `topic` and `key` decide where it goes; `data` is a dataclass of contract.py or AS_STORED.
    The published type is the event's stored type name, its major version the topic's. Where that
    topic narrows another, `wide` is what the other one tells until it ends: it stands beside the
    log, and can be forgotten.
    """

    topic: str
    key: str
    data: object = AS_STORED
    wide: object | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StreamType(Generic[C, S, E]):
    """One kind of stream: its decider, how its events are stored and what they publish.

    `events` maps each stored type name to its dataclass, `versions` gives the schema version
    that is written (1 where absent), `upcasters` lift the data of (name, version) one version up.
    `snapshot` is (state type, shape number): change the number whenever the state's shape or
    `evolve` changes, and old snapshots are replayed instead of read. None keeps no snapshot. A
    state may be a union of dataclasses, `A | B`: each is kept beside its name. `family_of` gives
    the family, by a stream's id, whose key seals the `PersonalDay`s in it; None where none are.
    """

    name: str
    decider: Decider[C, S, E]
    events: Mapping[str, type[Any]]
    publish: Callable[[E, S], Message | None]
    snapshot: tuple[Any, int] | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    upcasters: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = field(
        default_factory=dict
    )
    family_of: Callable[[str], str] | None = None

    def stream(self, *named: str) -> str:
        """The id of one stream of this kind by what names it, e.g. run-2023-1-REGULAR."""
        return "-".join((self.name, *named))

    def name_of(self, event: E) -> str:
        """The stored type name of an event."""
        return type(event).__name__


def published(
    topic: str,
    key: str,
    inside: Collection[type[Any]] = (),
    otherwise: Mapping[type[Any], Callable[[Any, Any], Message | None]] = MappingProxyType({}),
) -> Callable[[Any, Any], Message | None]:
    """The `publish` of a kind whose events go out as they are stored, under their field `key`.

    Those of the types `inside` go nowhere; functions of `otherwise` make the messages of theirs.
    """
    unpublished = frozenset(inside)

    def publish(event: Any, state: Any) -> Message | None:
        kind = type(event)
        if kind in unpublished:
            return None
        if kind in otherwise:
            return otherwise[kind](event, state)
        return Message(topic, getattr(event, key))

    return publish


@dataclass(frozen=True, slots=True)
class Context:
    """Who did it, when, and because of what; stands once in the block's metadata.

    `at` is the moment the command carries (aware), never the time of recording. `actor` is a
    token's subject or a service's name, `trace` a W3C traceparent, `cause` the id of the message
    or request behind it. Never personal data.
    """

    at: datetime
    actor: str
    trace: str | None = None
    cause: str | None = None

    @classmethod
    def on_day(cls, service: str, day: date, trace: str | None = None) -> Context:
        """The context of a service's own work that counts for a day, whenever it is done."""
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return cls(at, f"service:{service}", trace)


class Published(Struct, frozen=True, gc=False):
    """A message as it will stand on the bus, before it has a position."""

    topic: str
    key: str
    value: bytes


class Outcome(Struct, Generic[S, E], frozen=True):
    """The outcome of one command: the stream as it now stands, or the rule that refused it."""

    stream_id: str
    version: int
    state: S
    events: Sequence[E] = ()
    published: Sequence[Published] = ()
    error: Exception | None = None


encode = msgspec.json.Encoder(order="deterministic").encode
