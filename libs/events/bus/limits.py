"""The largest record, the same on every bus, and the refusal of those that are larger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from libs.events.bus import Headers, Record
from libs.events.domain.errors import BusRefused

RECORD_BYTES_MAX: Final = 1_000_000
"""Most bytes of one record: key, value and headers. A Kafka broker's default takes 1,048,588 for
a batch; the difference is the framing around a record that stands alone in its batch."""

HEADER_FRAME_BYTES: Final = 8
"""The bytes of each header besides its name and value, so that many tiny ones count as well."""

_pack = msgspec.msgpack.Encoder().encode


def record_bytes(key: bytes | None, value: bytes, headers: Headers = ()) -> int:
    """The size of a record as it is held against RECORD_BYTES_MAX."""
    size = len(value) if key is None else len(key) + len(value)
    for name, content in headers:
        # A header's name is counted in UTF-8; `isascii` spares nearly all of them the encoding.
        size += len(name) if name.isascii() else len(name.encode())
        size += len(content) + HEADER_FRAME_BYTES
    return size


def refuse_oversize(records: Iterable[Record]) -> None:
    """Raise `BusRefused` if one of the records is over RECORD_BYTES_MAX.

    Done for a whole call before its first record leaves: one record that a broker refuses would
    otherwise take down an unknown number of those around it.
    """
    for record in records:
        # Packed, names are in UTF-8 and something is around each: never less than what counts.
        headers = len(_pack(record.headers)) + HEADER_FRAME_BYTES * len(record.headers)
        if len(record.key or b"") + len(record.value) + headers <= RECORD_BYTES_MAX:  # nearly all
            continue
        size = record_bytes(record.key, record.value, record.headers)
        if size > RECORD_BYTES_MAX:
            raise BusRefused(
                topic=record.topic, partition=record.partition, bytes=size, max=RECORD_BYTES_MAX
            )
