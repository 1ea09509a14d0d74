"""Proof that two services hold the same list: counts and hash sums of its lines, in 256 buckets.

A line belongs to the bucket of its key's first two hexadecimal digits. Its value's hash is the
first 8 bytes of SHA-256, big-endian, and a bucket sums its lines' hashes modulo 2^64: so the
order of lines does not matter, a missing, doubled or changed line shows, and only the lines of
a differing bucket need to be asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, TypeAlias

MODULUS = 2**64
HASH_HEX_DIGITS = 16
_HEX: Final = re.compile(r"[0-9a-f]+")

# How buckets stand in a message: per bucket its count, and its sum as 16 hexadecimal digits.
BucketsJson: TypeAlias = Mapping[str, tuple[int, str]]


def bucket_of(key: str) -> str:
    """The bucket of a key: its first two lower-case hexadecimal digits, "00" to "ff"."""
    bucket = key[:2]
    if not _is_hex(bucket, 2):
        raise ValueError("a key starts with two lower-case hexadecimal digits")
    return bucket


def value_hash(value: bytes) -> int:
    """The share of one line in its bucket's sum."""
    return int.from_bytes(sha256(value).digest()[:8], "big")


def value_hash_hex(value: bytes) -> str:
    """The `value_hash` as 16 hexadecimal digits."""
    return f"{value_hash(value):0{HASH_HEX_DIGITS}x}"


@dataclass(frozen=True, slots=True)
class Buckets:
    """Per bucket that has lines: how many, and the sum of their hashes."""

    cells: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[tuple[str, bytes]]) -> Buckets:
        """The buckets of (key, value) lines."""
        cells: dict[str, tuple[int, int]] = {}
        for key, value in lines:
            bucket = bucket_of(key)
            count, hash_sum = cells.get(bucket, (0, 0))
            cells[bucket] = count + 1, (hash_sum + value_hash(value)) % MODULUS
        return cls(cells)

    @classmethod
    def from_json(cls, buckets: BucketsJson) -> Buckets:
        """The buckets of their JSON form; a malformed one raises ValueError and is named."""
        cells: dict[str, tuple[int, int]] = {}
        for bucket, (count, hash_sum) in buckets.items():
            if not (_is_hex(bucket, 2) and count > 0 and _is_hex(hash_sum, HASH_HEX_DIGITS)):
                raise ValueError(f"bucket {bucket!r} is not [count, 16 hexadecimal digits]")
            cells[bucket] = count, int(hash_sum, 16)
        return cls(cells)

    def to_json(self) -> dict[str, tuple[int, str]]:
        """{bucket: (count, sum as 16 hexadecimal digits)}, ascending by bucket."""
        return {
            bucket: (count, f"{hash_sum:0{HASH_HEX_DIGITS}x}")
            for bucket, (count, hash_sum) in sorted(self.cells.items())
        }

    def add(self, key: str, value: bytes) -> Buckets:
        """New buckets that hold one more line."""
        return self.merge(Buckets.of([(key, value)]))

    def merge(self, other: Buckets) -> Buckets:
        """New buckets that hold the lines of both; a line that is in both would count twice."""
        cells = dict(self.cells)
        for bucket, (count, hash_sum) in other.cells.items():
            own_count, own_sum = cells.get(bucket, (0, 0))
            cells[bucket] = own_count + count, (own_sum + hash_sum) % MODULUS
        return Buckets(cells)

    @property
    def line_count(self) -> int:
        """The number of lines."""
        return sum(count for count, _ in self.cells.values())

    def differing(self, other: Buckets) -> list[str]:
        """The buckets that are not the same in both, ascending."""
        names = self.cells.keys() | other.cells.keys()
        return sorted(name for name in names if self.cells.get(name) != other.cells.get(name))


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and _HEX.fullmatch(text) is not None
