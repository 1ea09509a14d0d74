"""How the embedded bus keeps records: many of one partition packed into one segment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import msgspec

from libs.events.bus import Record

SEGMENT_RECORDS_MAX: Final = 1_000
"""Most records of one segment; a reader cut off inside a segment unpacks all of it again."""

SEGMENT_BYTES_MAX: Final = 4_000_000
"""About the most bytes of one segment: four of the largest records, thousands of usual ones."""

# Key, value, headers. Topic, partition and offset follow from the row that holds the segment.
Packed: TypeAlias = tuple[bytes | None, bytes, tuple[tuple[str, bytes], ...]]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Packed]).decode


def pack(records: Sequence[Record]) -> Iterator[tuple[int, bytes]]:
    """Segments of the given records in order, each as (count of records, payload)."""
    for start in range(0, len(records), SEGMENT_RECORDS_MAX):
        yield from _within_bytes(records[start : start + SEGMENT_RECORDS_MAX])


def _within_bytes(records: Sequence[Record]) -> Iterator[tuple[int, bytes]]:
    payload = _encode([(record.key, record.value, record.headers) for record in records])
    if len(payload) <= SEGMENT_BYTES_MAX or len(records) == 1:
        yield len(records), payload
        return
    middle = len(records) // 2
    yield from _within_bytes(records[:middle])
    yield from _within_bytes(records[middle:])


def unpack(topic: str, partition: int, first_offset: int, payload: bytes) -> list[Record]:
    """The records of a segment, its first one at `first_offset`."""
    return [
        Record(topic, partition, key, value, headers, offset)
        for offset, (key, value, headers) in enumerate(_decode(payload), first_offset)
    ]
