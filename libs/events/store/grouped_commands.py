"""Single commands that are appended together: what each is, and what a group of them comes to."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from libs.events.domain.decider import C, E, S
from libs.events.store.array_params import as_array, numbers, required_texts, texts
from libs.events.store.chain import EventRow, block_seal, event_hash, state_hash
from libs.events.store.codec import codec_of
from libs.events.store.handle import Draft, Drafts, Loaded
from libs.events.store.model import Context, Outcome, StreamType, encode
from libs.events.store.transaction import metadata_of, refuse_unfit

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class Once(Protocol[R_contra]):
    """A request's idempotency key, and how its reply is kept and given again."""

    client: str
    key: str

    @property
    def fingerprint(self) -> str:
        """The hash that tells the request from every other one."""

    async def claim(self, connection: Connection) -> None:
        """Take the key for a transaction; raises where it is not to be had."""

    async def keep(self, connection: Connection, reply: R_contra) -> None:
        """Keep the reply in that transaction."""

    def stored(self, reply: R_contra) -> tuple[int, str]:
        """Status and JSON, as `keep` writes them."""

    def taken(self, fingerprint: str, status: int | None, answer: str, position: int) -> Exception:
        """The exception by which the door answers a key that is taken: the reply of then, given
        again, or a refusal."""


class Seen(Protocol):
    """An If-Match: the version that a caller saw before deciding."""

    def ensure(self, current: int | str) -> None:
        """Raises when another version stands."""


@dataclass(frozen=True, slots=True)
class GroupedCommand(Generic[C, S, E, R]):
    """One command on one stream, and what its caller is answered.

    `reply` makes the answer of what it came to; with `once` that is kept with the events. With
    `seen`, a stream of another version is not touched.
    """

    kind: StreamType[C, S, E]
    stream_id: str
    command: C
    context: Context
    reply: Callable[[Outcome[S, E]], R]
    once: Once[R] | None = None
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class Answered(Generic[R]):
    """The answer to a command, and the position of the block it went into, if into any."""

    reply: R
    position: int | None


@dataclass(eq=False, slots=True)
class Waiting:
    """A command and whoever waits for its answer."""

    grouped: GroupedCommand[Any, Any, Any, Any]
    answer: asyncio.Future[Answered[Any]]

    def refuse(self, error: Exception) -> None:
        """Answer with an error."""
        if not self.answer.done():  # else its caller has gone
            self.answer.set_exception(error)

    def give(self, reply: Any, position: int | None) -> None:
        """Answer."""
        if not self.answer.done():
            self.answer.set_result(Answered(reply, position))


@dataclass(slots=True)
class GroupedStream:
    """A stream as it stands within a group: `version` with what it gained there over `expected`."""

    kind: StreamType[Any, Any, Any]
    expected: int
    version: int
    state: Any


@dataclass(slots=True)
class Group:
    """The rows of a group, as the statement takes them, and where they went.

    `keys` are (client, key, fingerprint, status, answer); `done` are commands with their replies,
    and if they left events.
    """

    streams: dict[str, GroupedStream] = field(default_factory=dict)
    events: list[tuple[Context, str, int, Draft]] = field(default_factory=list)
    keys: list[tuple[str, str, str, int, str]] = field(default_factory=list)
    done: list[tuple[Waiting, Any, bool]] = field(default_factory=list)
    refused: list[tuple[Waiting, Exception]] = field(default_factory=list)
    """To be told when the others are written: a refusal may rest on what one of them did."""
    block: int = 0
    position: int | None = None
    doubt: Exception | None = None
    """The error of a statement that was not answered: it may have been written all the same."""


def decided(waiting: Sequence[Waiting], loaded: Mapping[str, Loaded[Any]]) -> Group:
    """Let each decide on what the one before it left; who is refused leaves nothing."""
    group = Group()
    for command in waiting:
        grouped = command.grouped
        stream = group.streams.get(grouped.stream_id) or _stream(grouped, loaded)
        try:
            reply, gained, state = _decide(grouped, stream, exists=grouped.stream_id in loaded)
            stored = grouped.once.stored(reply) if grouped.once else None
        except Exception as refusal:  # noqa: BLE001 - whatever it is, it is this command's answer
            group.refused.append((command, refusal))
            continue
        for version, draft in enumerate(gained, stream.version + 1):
            group.events.append((grouped.context, grouped.stream_id, version, draft))
        if gained:
            stream.version, stream.state = stream.version + len(gained), state
            group.streams[grouped.stream_id] = stream
        if grouped.once is not None and stored is not None:
            once = grouped.once
            group.keys.append((once.client, once.key, once.fingerprint, *stored))
        group.done.append((command, reply, bool(gained)))
    return group


def _stream(
    grouped: GroupedCommand[Any, Any, Any, Any], loaded: Mapping[str, Loaded[Any]]
) -> GroupedStream:
    found = loaded.get(grouped.stream_id)
    if found is None:
        return GroupedStream(grouped.kind, 0, 0, grouped.kind.decider.initial)
    return GroupedStream(grouped.kind, found.version, found.version, found.state)


def _decide(
    grouped: GroupedCommand[Any, Any, Any, R], stream: GroupedStream, *, exists: bool
) -> tuple[R, Sequence[Draft], Any]:
    """The reply, the events and the state that a command leads to; nothing is changed yet."""
    if grouped.seen is not None and (exists or stream.version):
        grouped.seen.ensure(stream.version)
    decider, state = grouped.kind.decider, stream.state
    events = decider.decide(grouped.command, state)
    gained: list[tuple[Any, Any]] = []
    for event in events:
        state = decider.evolve(state, event)
        gained.append((event, state))
    drafts = Drafts(codec_of(grouped.kind), gained)
    for draft in drafts:
        refuse_unfit(grouped.stream_id, draft)
    version = stream.version + len(gained)
    outcome: Outcome[Any, Any] = Outcome(grouped.stream_id, version, state, tuple(events))
    return grouped.reply(outcome), drafts, state


# -- As the statement takes it --------------------------------------------------------------------


_KINDS: Final = (
    *("text", "text", "text", "smallint", "json"),  # of keys
    *("text", "bigint", "bigint", "json", "smallint"),  # of streams
    *("text", "bigint", "text", "smallint", "json", "json", "text", "text", "json", "timestamptz"),
)
_READ: Final = ", ".join(as_array(at, kind) for at, kind in enumerate(_KINDS, 2))
_BLOCK: Final = len(_KINDS) + 2
APPEND: Final = f"""
SELECT append_singles($1, {_READ}, {", ".join(f"${at}" for at in range(_BLOCK, _BLOCK + 5))})
"""


def arguments(group: Group, epoch: str, block: int) -> list[Any]:
    """The parameters of `APPEND`, in its order; events are hashed here.

    Raises ValueError where a name would be read as something else.
    """
    states = [_state(group.streams[stream_id]) for stream_id in sorted(group.streams)]
    shared, own = _metadata(group, dict(zip(sorted(group.streams), states, strict=True)))
    root = hashlib.sha256()
    rows: list[EventRow] = []
    for ord_, (context, stream_id, version, draft) in enumerate(group.events):
        message = None if draft.message is None else draft.message.decode()
        data, extra = draft.data.decode(), own[ord_]
        stored = (draft.type, draft.schema_version, data, extra, draft.topic, draft.key, message)
        row = (block, ord_, stream_id, version, *stored, context.at)
        root.update(event_hash(row))
        rows.append(row)
    recorded_at = datetime.now(UTC)
    seal = block_seal(block, len(rows), root.digest(), shared, recorded_at)
    return [
        epoch,
        *_keys(group),
        *_streams(group, states),
        *_events(rows),
        *(block, root.digest(), shared, recorded_at, seal),
    ]


def _keys(group: Group) -> tuple[str, ...]:
    clients, keys, fingerprints, statuses, answers = _columns(group.keys, 5)
    return (
        required_texts(clients),
        required_texts(keys),
        required_texts(fingerprints),
        numbers(statuses),
        texts(answers),
    )


def _state(stream: GroupedStream) -> tuple[int | None, str | None]:
    """The shape of a stream's snapshot, and its text; None where its kind keeps none."""
    codec = codec_of(stream.kind)
    return codec.shape, codec.encode_state(stream.state)


def _streams(group: Group, states: Sequence[tuple[int | None, str | None]]) -> tuple[str, ...]:
    streams = [group.streams[stream_id] for stream_id in sorted(group.streams)]
    return (
        required_texts(sorted(group.streams)),
        numbers([stream.expected for stream in streams]),
        numbers([stream.version for stream in streams]),
        texts([text for _, text in states]),
        numbers([shape for shape, _ in states]),
    )


def _events(rows: Sequence[EventRow]) -> tuple[str, ...]:
    _, _, ids, versions, types, schemas, data, metadata, topics, keys, messages, moments = _columns(
        rows, 12
    )
    return (
        *(required_texts(ids), numbers(versions), required_texts(types), numbers(schemas)),
        *(texts(data), texts(metadata), texts(topics), texts(keys), texts(messages)),
        required_texts([moment.isoformat() for moment in moments]),
    )


def _columns(rows: Sequence[Sequence[Any]], count: int) -> Sequence[Sequence[Any]]:
    return list(zip(*rows, strict=True)) or [()] * count


def _metadata(
    group: Group, states: Mapping[str, tuple[int | None, str | None]]
) -> tuple[str, list[str | None]]:
    """The metadata of a block for all of its events, and what each has beside that."""
    stored = [metadata_of(context) for context, *_ in group.events]
    if not stored:
        return encode({}).decode(), []
    shared = {n: value for n, value in stored[0].items() if all(t.get(n) == value for t in stored)}
    rest = [{n: value for n, value in metadata.items() if n not in shared} for metadata in stored]
    for own, (_, stream_id, version, _) in zip(rest, group.events, strict=True):
        shape, text = states[stream_id]
        if version == group.streams[stream_id].version and shape is not None and text is not None:
            own["state"] = state_hash(shape, text)
    return encode(shared).decode(), [encode(own).decode() if own else None for own in rest]
