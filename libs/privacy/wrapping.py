"""The key-encryption key: how a family's key is stored so that its database alone opens nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final, ParamSpec, Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.privacy.errors import KeyNeeded, WrapBroken
from libs.privacy.versions import KeyVersions

_FIRST: Final = b"\x01"  # without a version: under the first key-encryption key
_LAYOUT: Final = b"\x02"
_VERSION_BYTES: Final = 2
_NONCE_BYTES: Final = 12

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Cipher(Protocol):
    """AES-256-GCM under one version of the key-encryption key, wherever that stands."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The closed text and its tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The clear text; `InvalidTag` where it does not open, `ModuleSilent` where nobody says."""


class Module(Protocol):
    """Keys that never leave where they stand, by their labels."""

    def cipher(self, label: str) -> Cipher:
        """The work of a key; raises `ModuleSilent` where there is none, `KeyLeaves`."""


class Wrapper:
    """Wraps family keys under the key-encryption key in use; opens what any version wrapped.

    AES-256-GCM bound to family and version rather than RFC 3394: a wrapped key that somebody moves
    to another family's row does not open, and it is a hundred times faster in Python. A random
    nonce is safe for 2^32 wraps under one key; the programme has 10 million families.
    """

    __slots__ = ("_ciphers", "kek")

    def __init__(self, kek: KeyVersions, module: Module | None = None) -> None:
        """`module`: where the versions stand that have a label; `KeyNeeded` where it is missing."""
        if kek.labels and module is None:
            raise KeyNeeded(kind="kek", version=min(kek.labels))
        self.kek = kek
        self._ciphers: dict[int, Cipher] = {v: AESGCM(secret) for v, secret in kek.secrets.items()}
        if module is not None:
            self._ciphers |= {v: module.cipher(label) for v, label in kek.labels.items()}

    async def beside(self, work: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
        """Work that wraps or unwraps many; a security module takes a while, and others go on."""
        if self.kek.labels:
            return await asyncio.to_thread(work, *args, **named)
        return work(*args, **named)

    def wrap(self, family: str, version: int, secret: bytes) -> bytes:
        """The stored form of a family's key: layout, version of the key-encryption key, nonce and
        closed text, 63 bytes."""
        nonce = os.urandom(_NONCE_BYTES)
        in_use = self.kek.in_use
        closed = self._ciphers[in_use].encrypt(nonce, secret, _bound(family, version))
        return _LAYOUT + in_use.to_bytes(_VERSION_BYTES) + nonce + closed

    def unwrap(self, family: str, version: int, wrapped: bytes) -> bytes:
        """The 32 bytes of a family's key; `WrapBroken` when the stored form does not open,
        `ModuleSilent`."""
        kek, rest = _split(wrapped)
        cipher = self._ciphers.get(kek)
        try:
            if cipher is not None:
                nonce, closed = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
                return cipher.decrypt(nonce, closed, _bound(family, version))
        except (InvalidTag, ValueError):
            pass  # ValueError: cut so short that no nonce is left
        raise WrapBroken(family=family, version=version, kek=kek)


def _split(wrapped: bytes) -> tuple[int, bytes]:
    """The version of the key-encryption key, 0 for an unknown layout, and what is closed."""
    layout, rest = wrapped[:1], wrapped[1:]
    if layout == _LAYOUT:
        return int.from_bytes(rest[:_VERSION_BYTES]), rest[_VERSION_BYTES:]
    return int(layout == _FIRST), rest


def _bound(family: str, version: int) -> bytes:
    return f"key|{family}|{version}".encode()
