"""Hashes of events and blocks: what `verify` recomputes to prove that the log is as it was written.

    event = sha256(fields joined by the unit separator, absent ones as NUL)
    root  = sha256(the events' hashes one after another)
    seal  = sha256(block, count, root, metadata, recorded_at)
    head  = sha256(previous head, first position as 8 bytes big-endian, seal)

JSON text never holds a raw control character and names are refused if they do, so the joining is
unambiguous. A position is not part of an event's hash: it is given later, and by the head.

The last event that a stream gains in a block names the snapshot that it led to, in its metadata
(`state_hash`), so that a block holds the states that it wrote as well.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta

SEPARATOR = "\x1f"
ABSENT = "\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

EventRow = tuple[
    int, int, str, int, str, int, str, str | None, str | None, str | None, str | None, datetime
]
"""(block, ord, stream, version, type, schema version, data, metadata, topic, key, message, at)."""


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970, the exact precision that PostgreSQL keeps."""
    return (moment - _EPOCH) // _MICROSECOND


def event_hash(row: EventRow) -> bytes:
    """The hash of one event as it stands in its row."""
    _, _, stream_id, version, kind, schema_version, data, metadata, topic, key, message, at = row
    text = SEPARATOR.join(
        (
            stream_id,
            str(version),
            kind,
            str(schema_version),
            data,
            ABSENT if metadata is None else metadata,
            ABSENT if topic is None else topic,
            ABSENT if key is None else key,
            ABSENT if message is None else message,
            str(microseconds(at)),
        )
    )
    return hashlib.sha256(text.encode()).digest()


def state_hash(shape: int, state: str) -> str:
    """The shape of a snapshot and the hash of its text, as `verify` computes it in SQL."""
    return f"{shape}.{b64encode(hashlib.sha256(state.encode()).digest()).decode()}"


def block_seal(
    block: int, count: int, root: bytes, metadata: str | None, recorded_at: datetime
) -> bytes:
    """The share of a block in the chain, before it knows its place in it."""
    text = SEPARATOR.join(
        (
            str(block),
            str(count),
            root.hex(),
            ABSENT if metadata is None else metadata,
            str(microseconds(recorded_at)),
        )
    )
    return hashlib.sha256(text.encode()).digest()


def next_head(previous: bytes, first_position: int, seal: bytes) -> bytes:
    """The chain's head after a block; the store computes the same in SQL under the head's lock."""
    return hashlib.sha256(previous + first_position.to_bytes(8, "big") + seal).digest()


GENESIS = hashlib.sha256(b"").digest()
