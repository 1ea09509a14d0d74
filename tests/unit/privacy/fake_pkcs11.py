"""A security module in memory, by the names of python-pkcs11, which a test may stop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class PKCS11Error(RuntimeError):
    """The one error that the module has for everything, as SoftHSM does."""


class NoSuchKey(PKCS11Error):
    """No key has this label."""


Attribute = Enum("Attribute", ["KEY_TYPE", "EXTRACTABLE", "SENSITIVE", "PRIVATE"])
KeyType = Enum("KeyType", ["AES", "DES3"])


class ObjectClass(Enum):
    """The kinds of what a token keeps."""

    SECRET_KEY = auto()


class Mechanism(Enum):
    """The work of a key."""

    AES_GCM = auto()


class GCMParams(NamedTuple):
    """The nonce, what is bound to the text, and the bits of the tag."""

    nonce: bytes
    aad: bytes
    tag_bits: int


@dataclass
class Token:
    """The part that stays, whatever becomes of sessions."""

    keys: dict[str, tuple[bytes, Mapping[Attribute, Any]]] = field(default_factory=dict)
    session: int = 0
    runs: bool = True


TOKEN = Token()


@dataclass
class Key:
    """A key as one session has it."""

    session: int
    secret: bytes
    attributes: Mapping[Attribute, Any]

    @property
    def key_length(self) -> int:
        return len(self.secret) * 8

    def __getitem__(self, attribute: Attribute) -> Any:
        return self.attributes[attribute]

    def encrypt(self, data: bytes, mechanism: Mechanism, mechanism_param: GCMParams) -> bytes:
        return self._cipher().encrypt(mechanism_param.nonce, data, mechanism_param.aad)

    def decrypt(self, data: bytes, mechanism: Mechanism, mechanism_param: GCMParams) -> bytes:
        try:
            return self._cipher().decrypt(mechanism_param.nonce, data, mechanism_param.aad)
        except (InvalidTag, ValueError):
            raise PKCS11Error from None

    def _cipher(self) -> AESGCM:
        if not TOKEN.runs or self.session != TOKEN.session:
            raise PKCS11Error
        return AESGCM(self.secret)


@dataclass
class Session:
    """A session, until the next one is opened."""

    number: int

    def get_key(self, _kind: ObjectClass, label: str) -> Key:
        if label not in TOKEN.keys:
            raise NoSuchKey
        return Key(self.number, *TOKEN.keys[label])

    def generate_key(
        self, kind: KeyType, bits: int, *, label: str, template: Mapping[Attribute, Any], **_: Any
    ) -> None:
        attributes = {Attribute.KEY_TYPE: kind, **template}
        TOKEN.keys[label] = os.urandom(bits // 8), attributes


class Library:
    """The vendor's library."""

    def reinitialize(self) -> None:
        TOKEN.session += 1

    def get_token(self, token_label: str) -> Library:
        return self

    def open(self, *, rw: bool, user_pin: str) -> Session:
        if not TOKEN.runs:
            raise PKCS11Error
        return Session(TOKEN.session)


def lib(_path: str) -> Library:
    """The library at a path."""
    return Library()
