"""The key-encryption key: how a family's key is stored so that its database alone opens nothing."""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.privacy.errors import WrapBroken
from libs.privacy.versions import KeyVersions

_FIRST: Final = b"\x01"  # without a version: under the first key-encryption key
_LAYOUT: Final = b"\x02"
_VERSION_BYTES: Final = 2
_NONCE_BYTES: Final = 12


class Wrapper:
    """Wraps family keys under the key-encryption key in use; opens what any version wrapped.

    AES-256-GCM bound to family and version rather than RFC 3394: a wrapped key that somebody moves
    to another family's row does not open, and it is a hundred times faster in Python. A random
    nonce is safe for 2^32 wraps under one key; the programme has 10 million families.
    """

    __slots__ = ("_ciphers", "in_use")

    def __init__(self, kek: KeyVersions) -> None:
        self.in_use = kek.in_use
        self._ciphers = {version: AESGCM(secret) for version, secret in kek.secrets.items()}

    def wrap(self, family: str, version: int, secret: bytes) -> bytes:
        """The stored form of a family's key: layout, version of the key-encryption key, nonce and
        closed text, 63 bytes."""
        nonce = os.urandom(_NONCE_BYTES)
        closed = self._ciphers[self.in_use].encrypt(nonce, secret, _bound(family, version))
        return _LAYOUT + self.in_use.to_bytes(_VERSION_BYTES) + nonce + closed

    def unwrap(self, family: str, version: int, wrapped: bytes) -> bytes:
        """The 32 bytes of a family's key; `WrapBroken` when the stored form does not open."""
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
