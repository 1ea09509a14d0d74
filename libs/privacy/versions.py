"""Versions of a key: the one in use, and those that still open what was made with them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

KEY_BYTES: Final = 32
VERSION_MAX: Final = 65_535
ROWS: Final = "rows"
IN_MODULE: Final = "pkcs11:object="
LABEL: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")


@dataclass(frozen=True, slots=True)
class KeyVersions:
    """The secrets of one key by version, from 1. `in_use` makes what is new; 0 where there is none.

    `rows` is the key of fingerprints beside the versions of a token key, which stays the same when
    they change; None where it follows from version 1. `labels` name the versions that stand in a
    security module, and never leave it.
    """

    in_use: int = 0
    secrets: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    rows: bytes | None = field(default=None, repr=False)
    labels: Mapping[int, str] = field(default_factory=dict)

    @property
    def numbers(self) -> list[int]:
        """All versions, wherever they stand, the oldest first."""
        return sorted((*self.secrets, *self.labels))

    def renewed(self, secret: bytes) -> KeyVersions:
        """A new version that is in use, and these, which open; no key of fingerprints."""
        newest = max(self.numbers, default=0) + 1
        return KeyVersions(newest, {**self.secrets, newest: _whole(secret)}, None, self.labels)

    @classmethod
    def of(cls, secret: bytes) -> KeyVersions:
        """A key that was never changed."""
        return cls(1, {1: _whole(secret)})

    @classmethod
    def read(cls, text: str) -> KeyVersions:
        """The versions in a file: a line of base64 alone is version 1; else each line is a version
        and its base64, or `pkcs11:object=` and its label in a security module, the one in use
        first. ValueError, which quotes nothing, for another form."""
        if len(text.split()) == 1:
            return cls.of(_secret(text))
        lines = list(_lines(text))
        named = dict(lines)
        rows = named.pop(ROWS, None)
        if len({name for name, _ in lines}) < len(lines) or not named:
            raise ValueError("Each version of a key stands in the file once")
        # A key under a new version's name would stay in use when the old version is retired.
        if len({key for _, key in lines}) < len(lines):
            raise ValueError("Each version of a key has a secret of its own")
        if isinstance(rows, str):
            raise ValueError("A key of fingerprints stands in the file")
        secrets = {int(name): key for name, key in named.items() if isinstance(key, bytes)}
        labels = {int(name): key for name, key in named.items() if isinstance(key, str)}
        return cls(int(next(iter(named))), secrets, rows, labels)

    def written(self) -> str:
        """The text of the file, as `read` reads it."""
        first, *others = sorted(self.numbers, key=lambda version: version != self.in_use)
        keys = {version: _encoded(secret) for version, secret in self.secrets.items()}
        keys |= {version: IN_MODULE + label for version, label in self.labels.items()}
        named = [(str(version), keys[version]) for version in (first, *others)]
        named += [(ROWS, _encoded(self.rows))] if self.rows else []
        return "".join(f"{name} {key}\n" for name, key in named)


def _lines(text: str) -> Iterator[tuple[str, bytes | str]]:
    for line in text.splitlines():
        name, _, key = line.partition(" ")
        if name != ROWS and not (
            name.isascii() and name.isdigit() and name[0] != "0" and int(name) <= VERSION_MAX
        ):
            raise ValueError(f"A key's version is a number from 1 to {VERSION_MAX}")
        yield name, _label(key) if key.startswith(IN_MODULE) else _secret(key)


def _label(text: str) -> str:
    label = text.removeprefix(IN_MODULE).strip()
    if not LABEL.fullmatch(label):
        raise ValueError("A key's label is 1 to 32 letters, digits, dots, hyphens and underscores")
    return label


def _secret(text: str) -> bytes:
    try:
        return _whole(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise ValueError(f"A key is {KEY_BYTES} bytes as a line of base64") from None


def _encoded(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


def _whole(secret: bytes) -> bytes:
    if len(secret) != KEY_BYTES:
        raise ValueError(f"A key has {KEY_BYTES} bytes")
    return secret
