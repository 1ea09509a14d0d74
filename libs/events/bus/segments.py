"""Segments of the embedded bus: many records of one partition packed into one row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import msgspec

from libs.events.bus import Batch, Record, batched

SEGMENT_RECORDS_MAX: Final = 1_000
"""Most records of one segment; a reader cut off inside a segment unpacks all of it again."""

SEGMENT_BYTES_MAX: Final = 4_000_000
"""About the most bytes of one segment: four of the largest records, thousands of usual ones."""

# Keys, values, names of headers, and a column of each header: one value where all have the same.
Packed: TypeAlias = tuple[
    list[bytes | None], list[bytes], tuple[str, ...], list[bytes | list[bytes]]
]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Packed).decode


def pack(records: Sequence[Record]) -> Iterator[tuple[int, bytes]]:
    """Segments of records of one partition, in order, each as (count of records, payload)."""
    for batch in batched("", 0, records):
        for start in range(0, len(batch), SEGMENT_RECORDS_MAX):
            yield from _within_bytes(batch.part(start, start + SEGMENT_RECORDS_MAX))


def _within_bytes(batch: Batch) -> Iterator[tuple[int, bytes]]:
    columns = [_narrow(column) for column in batch.header_values]
    payload = _encode((batch.keys, batch.values, batch.header_names, columns))
    if len(payload) <= SEGMENT_BYTES_MAX or len(batch) == 1:
        yield len(batch), payload
        return
    middle = len(batch) // 2
    yield from _within_bytes(batch.part(0, middle))
    yield from _within_bytes(batch.part(middle, len(batch)))


def _narrow(column: Sequence[bytes]) -> bytes | Sequence[bytes]:
    return column[0] if column.count(column[0]) == len(column) else column


def unpack(topic: str, partition: int, end: int, count: int, payload: bytes) -> Batch:
    """The `count` records of a segment, the last of them before the offset `end`.

    A payload that `pack` has not made is the value of one record, the last, without headers.
    """
    try:
        keys, values, names, columns = _decode(payload)
    except msgspec.MsgspecError:
        return Batch(topic, partition, [end - 1], [None], [payload])
    contents = [[column] * count if isinstance(column, bytes) else column for column in columns]
    if len(names) != len(contents) or {*map(len, (keys, values, *contents))} != {count}:
        return Batch(topic, partition, [end - 1], [None], [payload])
    return Batch(topic, partition, range(end - count, end), keys, values, names, contents)
