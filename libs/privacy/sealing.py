"""Sealed fields: a person's values as text that only the family's key opens, and only in place."""

from __future__ import annotations

import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.privacy.errors import KeyDestroyed, KeyMissing, NotSealed, SealBroken

LAYOUT = "s1"
NONCE_BYTES = 12  # random: a family's key seals some hundreds of values, 2^32 would be too many
TAG_BYTES = 16

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# What is not of the URL-safe alphabet becomes what is of none, and is refused.
_STANDARD = bytes.maketrans(b"-_+/", b"+/\0\0")


@dataclass(frozen=True, slots=True)
class FamilyKey:
    """A family's key: its newest version, which seals, and all of them, which open.

    `secrets` maps each version (from 1) to its 32 bytes; empty when the key was destroyed.
    """

    family: str
    version: int
    secrets: Mapping[int, bytes] = field(repr=False)


def seal(key: bytes, version: int, family: str, name: str, clear: str) -> str:
    """Seal one field of a family: `s1.<version>.<nonce and AES-256-GCM text, base64url>`.

    The value opens only for the same family, field name and key version: they are its additional
    data, so a sealed NIK cannot be passed off as another family's, or as an account number.
    Draws a random nonce, so it belongs to the edge of a service, never to a domain.
    """
    return _seal(AESGCM(key), version, family, name, clear)


def unseal(key: bytes, family: str, name: str, sealed: str) -> str:
    """The clear value of a sealed field.

    Raises `NotSealed` for text of another layout, `SealBroken` for another key, family or field
    and for a value that was changed. Neither says anything of the value.
    """
    version, closed = _split(sealed)
    return _open(AESGCM(key), version, closed, family, name)


def version_of(sealed: str) -> int:
    """The version of the key that sealed a value; `NotSealed` for text of another layout."""
    return _split(sealed)[0]


class Sealer:
    """Seals and opens fields of one batch of families, each with its own key.

    Live as long as the batch: it holds keys in the open, and a key that is destroyed meanwhile
    goes on working here.
    """

    __slots__ = ("_ciphers", "_keys")

    def __init__(self, keys: Mapping[str, FamilyKey]) -> None:
        """`keys`: by family id, as `KeyRing.create` and `KeyRing.fetch` answer them."""
        self._keys = keys
        self._ciphers: dict[tuple[str, int], AESGCM] = {}

    def seal(self, family: str, name: str, clear: str) -> str:
        """Seal one field under the family's newest key; `KeyMissing`, `KeyDestroyed`."""
        version = self._key(family).version
        return _seal(self._cipher(family, version), version, family, name, clear)

    def unseal(self, family: str, name: str, sealed: str) -> str:
        """Open one field, whatever version sealed it; raises as `unseal`, and as `seal` does."""
        version, closed = _split(sealed)
        return _open(self._cipher(family, version), version, closed, family, name)

    def _key(self, family: str) -> FamilyKey:
        key = self._keys.get(family)
        if key is None:
            raise KeyMissing(family=family)
        if not key.secrets:
            raise KeyDestroyed(family=family)
        return key

    def _cipher(self, family: str, version: int) -> AESGCM:
        cipher = self._ciphers.get((family, version))
        if cipher is None:
            secret = self._key(family).secrets.get(version)
            if secret is None:
                raise KeyMissing(family=family, version=version)
            cipher = self._ciphers[family, version] = AESGCM(secret)
        return cipher


def _seal(cipher: AESGCM, version: int, family: str, name: str, clear: str) -> str:
    nonce = os.urandom(NONCE_BYTES)
    closed = nonce + cipher.encrypt(nonce, clear.encode(), _associated_data(version, family, name))
    text = binascii.b2a_base64(closed, newline=False).translate(_URL_SAFE, b"=")
    return f"{LAYOUT}.{version}.{text.decode()}"


def _open(cipher: AESGCM, version: int, closed: bytes, family: str, name: str) -> str:
    nonce, text = closed[:NONCE_BYTES], closed[NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, text, _associated_data(version, family, name)).decode()
    except InvalidTag:
        raise SealBroken(family=family, field=name, version=version) from None


def _associated_data(version: int, family: str, name: str) -> bytes:
    return f"{family}|{name}|{version}".encode()


def _split(sealed: str) -> tuple[int, bytes]:
    """The key version and the bytes (nonce, closed text, tag) of a sealed value."""
    layout, _, rest = sealed.partition(".")
    version, _, text = rest.partition(".")
    if layout != LAYOUT or not (version.isascii() and version.isdigit()):
        raise NotSealed
    try:
        standard = text.encode().translate(_STANDARD)  # seven times as fast as that of a str
        padded = standard + b"=" * (-len(standard) % 4)
        closed = binascii.a2b_base64(padded, strict_mode=True)
    except ValueError:
        raise NotSealed from None  # the cause would carry the text
    if len(closed) < NONCE_BYTES + TAG_BYTES:
        raise NotSealed
    return int(version), closed
