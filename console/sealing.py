"""Keys of the console: what a browser or the database keeps for us opens to nobody else.

All come from the process's key (PKH_CURSOR_KEY_FILE, the same in every copy of the service). A
session's token is sealed under a key that its cookie is a part of: whoever has the database and
the process's key, and not the browser, opens none.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class NotOurs(Exception):
    """Something came back that was not sealed by us, or for something else."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals under keys made from one key, a purpose and what only the bearer has."""

    key: bytes = field(repr=False)

    def seal(self, purpose: str, plain: bytes, bearer: str = "") -> bytes:
        """Bytes that only `opened` of the same purpose and bearer turns back."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._key(purpose, bearer)).encrypt(nonce, plain, purpose.encode())

    def opened(self, purpose: str, sealed: bytes, bearer: str = "") -> bytes:
        """The plain bytes; raises `NotOurs`."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return AESGCM(self._key(purpose, bearer)).decrypt(nonce, rest, purpose.encode())
        except (InvalidTag, ValueError):
            raise NotOurs from None

    def word(self, purpose: str, bearer: str) -> str:
        """A word that nobody can guess, and that is the same each time."""
        return hmac.new(self._key(purpose, bearer), b"word", hashlib.sha256).hexdigest()

    def _key(self, purpose: str, bearer: str) -> bytes:
        info = f"console {purpose}".encode()
        return HKDF(hashes.SHA256(), KEY_BYTES, bearer.encode(), info).derive(self.key)
