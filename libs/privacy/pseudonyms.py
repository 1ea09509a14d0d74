"""Pseudonyms: keyed tokens by which services match people and rows without knowing them."""

from __future__ import annotations

import hashlib
import hmac

TOKEN_KEY_BYTES_MIN = 32
TOKEN_BYTES = 16  # of the 32 that HMAC-SHA256 gives: 2^64 tokens until one is expected twice


class Pseudonymizer:
    """Turns values into tokens of 32 hex digits under one key.

    Equal values of a kind give equal tokens wherever the key is the same, so a person in registry
    is the same person in conditionality. The key is what makes a token a pseudonym: all NIKs of a
    birth date can be tried in seconds, so it lives outside every database. Values are taken as
    they are; who reads them from the outside trims them first.
    """

    __slots__ = ("_rows", "_tokens")

    def __init__(self, key: bytes) -> None:
        """`key`: at least 32 random bytes; `ValueError` for a shorter one."""
        if len(key) < TOKEN_KEY_BYTES_MIN:
            raise ValueError(f"A token key has at least {TOKEN_KEY_BYTES_MIN} bytes")
        self._tokens = hmac.new(key, digestmod=hashlib.sha256)
        # Rows have a key of their own, so that no row can be made to look like a person's token.
        self._rows = hmac.new(hmac.digest(key, b"rows", "sha256"), digestmod=hashlib.sha256)

    def nik(self, text: str) -> str:
        """The token of a person's number (NIK)."""
        return self.of("nik", text)

    def card(self, text: str) -> str:
        """The token of a family card's number (no_kk)."""
        return self.of("card", text)

    def of(self, kind: str, text: str) -> str:
        """The token of a value of any kind; `kind` holds no colon, `text` may hold anything."""
        if ":" in kind:
            raise ValueError("The kind of a token holds no colon")
        return _hex(self._tokens, f"{kind}:{text}".encode())

    def fingerprint(self, *fields: str | None) -> str:
        """The token of a whole row: equal rows, and only those, are equal.

        Fields are framed by their length, so that no two rows run together alike, and None (not
        given) differs from the empty text (given as empty).
        """
        return _hex(self._rows, b"".join(map(_frame, fields)))


def _frame(field: str | None) -> bytes:
    if field is None:
        return b"-"
    encoded = field.encode()
    return b"%d:%b" % (len(encoded), encoded)


def _hex(keyed: hmac.HMAC, message: bytes) -> str:
    once = keyed.copy()  # the key is worked in once, not per value: a third faster
    once.update(message)
    return once.digest()[:TOKEN_BYTES].hex()
