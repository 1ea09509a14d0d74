"""From a command to what it leaves behind: load, decide, append; one stream or thousands alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, overload

from msgspec import Struct
from msgspec.structs import replace

from libs.events.domain.decider import C, E, S
from libs.events.domain.errors import ConcurrencyConflict, DomainError
from libs.events.store.codec import DATA_AS_STORED, Codec, codec_of
from libs.events.store.model import AS_STORED, Outcome, Published, StreamType, encode

CONFLICT_RETRIES_MAX = 5


class Loaded(Struct, Generic[S], frozen=True):
    """A stream as it stands: its version and state, and the state that a cut saw."""

    version: int
    state: S
    at_cut: S


class Draft(Struct, frozen=True, gc=False):
    """One event ready to be written, but for its place; data and message are JSON in UTF-8.

    `message` is `DATA_AS_STORED` where the bus carries the data itself; `wide` stands beside the
    log.
    """

    type: str
    schema_version: int
    data: bytes
    topic: str | None
    key: str | None
    message: bytes | None
    trace: str | None
    wide: bytes | None = None

    def published(self) -> Published | None:
        """The message that the bus will carry of it; None where the event is internal."""
        if self.topic is None or self.key is None or self.message is None:
            return None
        value = self.data if self.message == DATA_AS_STORED else self.message
        return Published(self.topic, self.key, value)


class Drafts(Sequence[Draft]):
    """The drafts of a stream's events, each with the state that it led to.

    They are made when they are first asked for: an append asks while the database is already busy
    with its streams.
    """

    __slots__ = ("_codec", "_gained", "_made", "_trace")

    def __init__(
        self, codec: Codec[C, S, E], gained: Sequence[tuple[E, S]], trace: str | None = None
    ) -> None:
        self._codec: Codec[Any, Any, Any] = codec
        self._gained: Sequence[tuple[Any, Any]] = gained
        self._trace = trace
        self._made: list[Draft] | None = None

    def __len__(self) -> int:
        return len(self._gained)

    def __iter__(self) -> Iterator[Draft]:
        return iter(self._all())

    @overload
    def __getitem__(self, at: int) -> Draft: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Draft]: ...
    def __getitem__(self, at: int | slice) -> Draft | Sequence[Draft]:
        return self._all()[at]

    def _all(self) -> list[Draft]:
        if self._made is None:
            codec, trace = self._codec, self._trace
            self._made = [draft(codec, event, state, trace) for event, state in self._gained]
        return self._made


class Messages(Sequence[Published]):
    """The messages of one command, in order, as the bus will carry them; made when asked for."""

    __slots__ = ("_drafts", "_start", "_stop")

    def __init__(self, drafts: Drafts, start: int, stop: int) -> None:
        self._drafts, self._start, self._stop = drafts, start, stop

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, at: int) -> Published: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Published]: ...
    def __getitem__(self, at: int | slice) -> Published | Sequence[Published]:
        return self._all()[at]

    def __iter__(self) -> Iterator[Published]:
        return iter(self._all())

    def _all(self) -> list[Published]:
        made = (event.published() for event in self._drafts[self._start : self._stop])
        return [message for message in made if message is not None]


class Move(Struct, frozen=True):
    """An append to one stream: the events behind version `expected`, the snapshot after them."""

    stream_id: str
    expected: int
    drafts: Sequence[Draft]
    state: str | None
    shape: int | None


class Unit(Protocol):
    """A unit of work, which is an open transaction, as far as handling needs it.

    `Transaction` (transaction.py) is one in PostgreSQL, `MemoryStore` one in memory.
    """

    async def load(
        self, kind: StreamType[C, S, E], stream_ids: Sequence[str], cut: int | None
    ) -> Mapping[str, Loaded[S]]:
        """The streams that exist among `stream_ids` (sorted, distinct)."""

    async def append(self, moves: Sequence[Move]) -> set[str]:
        """Append what wins its compare-and-set; answers the ids that won."""


async def handle_many(
    unit: Unit,
    kind: StreamType[C, S, E],
    commands: Sequence[tuple[str, C]],
    *,
    cut: int | None = None,
    traces: Mapping[str, str] | None = None,
    preloaded: Mapping[str, Loaded[S]] | None = None,
) -> list[Outcome[S, E]]:
    """Decide and append many commands in one transaction; one outcome each, in their order.

    Commands of one stream are decided one after another, each on what the one before it left.
    A `DomainError` is that command's outcome and disturbs no other. A stream that somebody else
    moved meanwhile is loaded and decided again, at most CONFLICT_RETRIES_MAX times. With `cut`,
    commands are decided on the state of events at or before that position, and appended to the
    stream as it is now. `traces` gives a stream's events a traceparent that is not the block's.
    `preloaded` is what the caller has just loaded of these streams, with the same cut.
    """
    codec = codec_of(kind)
    waiting: dict[str, list[int]] = {}
    for index, (stream_id, _) in enumerate(commands):
        waiting.setdefault(stream_id, []).append(index)
    outcomes: dict[int, Outcome[S, E]] = {}
    for _ in range(CONFLICT_RETRIES_MAX):
        loaded = preloaded if preloaded is not None else await unit.load(kind, sorted(waiting), cut)
        preloaded = None  # a stream that somebody else has moved since must be loaded again
        moves: list[Move] = []
        for stream_id in sorted(waiting):
            batch = [(index, commands[index][1]) for index in waiting[stream_id]]
            trace = traces.get(stream_id) if traces else None
            move = _decide(codec, stream_id, loaded.get(stream_id), batch, outcomes, trace)
            if move is not None:
                moves.append(move)
        won = await unit.append(moves)
        waiting = {m.stream_id: waiting[m.stream_id] for m in moves if m.stream_id not in won}
        if not waiting:
            return [outcomes[index] for index in range(len(commands))]
    for indexes in waiting.values():
        for index in indexes:
            outcomes[index] = _lost(outcomes[index])
    return [outcomes[index] for index in range(len(commands))]


def _lost(outcome: Outcome[S, E]) -> Outcome[S, E]:
    error = ConcurrencyConflict(stream=outcome.stream_id, version=outcome.version)
    return replace(outcome, events=(), published=(), error=error)


def _decide(
    codec: Codec[C, S, E],
    stream_id: str,
    loaded: Loaded[S] | None,
    commands: Sequence[tuple[int, C]],
    outcomes: dict[int, Outcome[S, E]],
    trace: str | None,
) -> Move | None:
    decider = codec.kind.decider
    expected = version = loaded.version if loaded else 0
    state = loaded.state if loaded else decider.initial
    at_cut = loaded.at_cut if loaded else decider.initial
    apart = at_cut is not state  # else both are one state, and an event is folded once
    gained: list[tuple[E, S]] = []
    drafts = Drafts(codec, gained, trace)
    for index, command in commands:
        try:
            events = decider.decide(command, at_cut)
        except DomainError as refusal:
            outcomes[index] = Outcome(stream_id, version, state, error=refusal)
            continue
        begin = len(gained)
        for event in events:
            state = decider.evolve(state, event)
            at_cut = decider.evolve(at_cut, event) if apart else state
            gained.append((event, state))
        version += len(events)
        messages = Messages(drafts, begin, len(gained))
        outcomes[index] = Outcome(stream_id, version, state, tuple(events), messages)
    if not gained:
        return None
    return Move(stream_id, expected, drafts, codec.encode_state(state), codec.shape)


def draft(codec: Codec[C, S, E], event: E, state: S, trace: str | None = None) -> Draft:
    """An event made ready to be written, with its message; `state` is the one it led to."""
    name, schema_version, data = codec.encode_event(event)
    message = codec.publish(event, state)
    if message is None:
        return Draft(name, schema_version, data, None, None, None, trace)
    data_published = message.data
    text = DATA_AS_STORED if data_published is AS_STORED else encode(data_published)
    wide = None if message.wide is None else encode(message.wide)
    return Draft(name, schema_version, data, message.topic, message.key, text, trace, wide)


async def handle(
    unit: Unit,
    kind: StreamType[C, S, E],
    stream_id: str,
    command: C,
    *,
    expected: int | None = None,
) -> Outcome[S, E]:
    """`handle_many` for one command; a refusal is raised.

    `expected` is the version the caller saw (If-Match); another one raises `ConcurrencyConflict`
    that names the current version.
    """
    if expected is not None:
        found: Mapping[str, Loaded[Any]] = await unit.load(kind, [stream_id], None)
        current = found[stream_id].version if stream_id in found else 0
        if current != expected:
            raise ConcurrencyConflict(stream=stream_id, expected=expected, version=current)
    [outcome] = await handle_many(unit, kind, [(stream_id, command)])
    if outcome.error is not None:
        raise outcome.error
    return outcome
