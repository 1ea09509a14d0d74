"""Versions of a key: the one in use, and those that still open what was made with them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

KEY_BYTES: Final = 32
VERSION_MAX: Final = 65_535
ROWS: Final = "rows"


@dataclass(frozen=True, slots=True)
class KeyVersions:
    """The secrets of one key by version, from 1. `in_use` makes what is new; 0 where there is none.

    `rows` is the key of fingerprints beside the versions of a token key, which stays the same when
    they change; None where it follows from version 1.
    """

    in_use: int = 0
    secrets: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    rows: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, secret: bytes) -> KeyVersions:
        """A key that was never changed."""
        return cls(1, {1: _whole(secret)})

    @classmethod
    def read(cls, text: str) -> KeyVersions:
        """The versions in a file: a line of base64 alone is version 1; else each line is a version
        and its base64, the one in use first. ValueError, which quotes nothing, for another form."""
        if len(text.split()) == 1:
            return cls.of(_secret(text))
        lines = list(_lines(text))
        secrets = {int(name): secret for name, secret in lines if name != ROWS}
        named = dict(lines)
        if len(named) != len(lines) or not secrets:
            raise ValueError("Each version of a key stands in the file once")
        # A key under a new version's name would stay in use when the old version is retired.
        if len({secret for _, secret in lines}) < len(lines):
            raise ValueError("Each version of a key has a secret of its own")
        return cls(next(iter(secrets)), secrets, named.get(ROWS))

    def written(self) -> str:
        """The text of the file, as `read` reads it."""
        first, *others = sorted(self.secrets, key=lambda version: version != self.in_use)
        named = [(str(version), self.secrets[version]) for version in (first, *others)]
        named += [(ROWS, self.rows)] if self.rows else []
        return "".join(f"{name} {base64.b64encode(key).decode()}\n" for name, key in named)


def _lines(text: str) -> Iterator[tuple[str, bytes]]:
    for line in text.splitlines():
        name, _, secret = line.partition(" ")
        if name != ROWS and not (
            name.isascii() and name.isdigit() and name[0] != "0" and int(name) <= VERSION_MAX
        ):
            raise ValueError(f"A key's version is a number from 1 to {VERSION_MAX}")
        yield name, _secret(secret)


def _secret(text: str) -> bytes:
    try:
        return _whole(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise ValueError(f"A key is {KEY_BYTES} bytes as a line of base64") from None


def _whole(secret: bytes) -> bytes:
    if len(secret) != KEY_BYTES:
        raise ValueError(f"A key has {KEY_BYTES} bytes")
    return secret
