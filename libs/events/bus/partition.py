"""The partition of a key, which every bus and every service works out alike."""

from __future__ import annotations

from zlib import crc32


def partition_of(key: str | bytes, count: int) -> int:
    """The partition (0 <= p < `count`) of a key: crc32 of its UTF-8 bytes, modulo the count.

    Part of the contract with every reader and writer of a topic: a key's records keep their order
    only because all of them are in one partition. Raises `ValueError` for a count below one.
    """
    if count < 1:
        raise ValueError(f"a topic has at least one partition, not {count}")
    return crc32(key.encode() if isinstance(key, str) else key) % count
