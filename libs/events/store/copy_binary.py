"""Events as binary COPY takes them and as the chain hashes them, both from the same bytes.

Packed here, a row costs a third of what the driver needs to encode it column by column.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from libs.events.store.chain import ABSENT, SEPARATOR, microseconds, state_hash
from libs.events.store.model import encode

if TYPE_CHECKING:
    from libs.events.store.handle import Draft, Move

COLUMNS: Final = (
    *("block", "ord", "stream_id", "version", "type", "schema_version", "data", "metadata"),
    *("topic", "key", "message", "occurred_at"),
)

# Every field is its length and its bytes, big-endian. The columns' types are those of the table:
# bigint, integer, text, bigint, text, smallint, json, json, text, text, json, timestamptz.
_BEGIN: Final = Struct(">hiqi").pack  # count of columns; length of block, block; length of ord
_BIGINT_FIELD: Final = Struct(">iq").pack  # its length, 8, and itself
_SMALLINT_FIELD: Final = Struct(">ih").pack
_INTEGER: Final = Struct(">i").pack
_NULL: Final = _INTEGER(-1)
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = Struct(">h").pack(-1)
_YEAR_2000_US: Final = 946_684_800_000_000  # where PostgreSQL's moments count from

_SEPARATOR: Final = SEPARATOR.encode()
_ABSENT: Final = ABSENT.encode()

Field: TypeAlias = tuple[bytes, bytes]
"""A value as the row holds it, with its length, and as it is hashed."""

_NOTHING: Final[Field] = _NULL, _ABSENT

ROWS_A_CHUNK: Final = 128


class Packer:
    """Packs events of one block that all occurred at one moment, behind those it has already.

    `count` and `root` are how many events the block holds and the hash over theirs, up to the
    last chunk. `traces` gives events that publish under a key a traceparent of their own.
    """

    def __init__(
        self, block: int, at: datetime, count: int, root: Any, traces: Mapping[str, str]
    ) -> None:
        self.count = count
        self.root = root
        self._traces = traces
        self._begin = _BEGIN(12, 8, block, 4)
        moment_us = microseconds(at)
        self._at = _BIGINT_FIELD(8, moment_us - _YEAR_2000_US)
        self._at_text = b"%d" % moment_us
        self._kinds: dict[tuple[str, int], Field] = {}
        self._topics: dict[str | None, Field] = {}

    def chunks(self, moves: Iterable[Move]) -> Iterator[bytes]:
        """The rows of what streams gain, some at a time; `chain.event_hash` says what is hashed.

        This is where an append spends most of its own time, so it calls little and looks up less.
        """
        kinds, topics, traced = self._kinds, self._topics, bool(self._traces)
        begin, at, at_text = self._begin, self._at, self._at_text
        integer, bigint_field, row_of, text_of = _INTEGER, _BIGINT_FIELD, b"".join, _SEPARATOR.join
        null, absent = _NOTHING
        sha256, hashed = hashlib.sha256, self.root.update
        rows: list[bytes] = []
        count = self.count
        for move in moves:
            stream_id = move.stream_id.encode()
            stream = integer(len(stream_id)) + stream_id
            last = move.expected + len(move.drafts)
            for version, draft in enumerate(move.drafts, move.expected + 1):
                kind = kinds.get((draft.type, draft.schema_version)) or self._kind(draft)
                topic = topics.get(draft.topic) or self._topic(draft.topic)
                if version == last:
                    metadata = self._metadata(draft, move)
                else:
                    own = traced or draft.trace is not None
                    metadata = self._metadata(draft) if own else _NOTHING
                data, message = draft.data, draft.message
                if draft.key is None:
                    key_row, key = null, absent
                else:
                    key = draft.key.encode()
                    key_row = integer(len(key)) + key
                row = (
                    begin,
                    integer(count),
                    stream,
                    bigint_field(8, version),
                    kind[0],
                    integer(len(data)),
                    data,
                    metadata[0],
                    topic[0],
                    key_row,
                    null if message is None else integer(len(message)) + message,
                    at,
                )
                rows.append(row_of(row))
                text = (
                    stream_id,
                    b"%d" % version,
                    kind[1],
                    data,
                    metadata[1],
                    topic[1],
                    key,
                    absent if message is None else message,
                    at_text,
                )
                hashed(sha256(text_of(text)).digest())
                count += 1
                if len(rows) == ROWS_A_CHUNK:
                    self.count = count
                    yield row_of(rows)
                    rows.clear()
        self.count = count
        yield row_of(rows)

    def _metadata(self, draft: Draft, led_to: Move | None = None) -> Field:
        """The metadata of one event alone: a trace of its own, the hash of the state it led to."""
        own: dict[str, str] = {}
        if (trace := draft.trace or self._traces.get(draft.key or "")) is not None:
            own["trace"] = trace
        if led_to is not None and led_to.state is not None and led_to.shape is not None:
            own["state"] = state_hash(led_to.shape, led_to.state)
        return _field(encode(own)) if own else _NOTHING

    def _kind(self, draft: Draft) -> Field:
        row, text = _field(draft.type.encode())
        version = draft.schema_version
        found = row + _SMALLINT_FIELD(2, version), text + _SEPARATOR + b"%d" % version
        self._kinds[draft.type, version] = found
        return found

    def _topic(self, topic: str | None) -> Field:
        found = self._topics[topic] = _NOTHING if topic is None else _field(topic.encode())
        return found


def _field(text: bytes) -> Field:
    return _INTEGER(len(text)) + text, text


async def copied(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Rows as the source of a COPY in binary format; made while the database writes others."""
    yield _SIGNATURE
    for chunk in chunks:
        yield chunk
    yield _TRAILER
