"""Pseudonyms: keyed tokens by which services match people and rows without knowing them."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

TOKEN_KEY_BYTES_MIN = 32
TOKEN_BYTES = 16  # of the 32 that HMAC-SHA256 gives: 2^64 tokens until one is expected twice

# The card may have a digit too few or too many, or three letters at its end; an account is longer.
_NUMBER: Final = re.compile(r"[0-9]{1,34}|[0-9]{13}[A-Z]{3}")


def plain_number(text: str) -> str:
    """A number of a person, card or account in the one spelling that tokens are made of.

    That is NFKC, and then the digits 0-9 alone (three capitals may end an odd NIK). ValueError,
    which quotes nothing, where anything else is left: an invisible character would be a second
    token of one person.
    """
    number = unicodedata.normalize("NFKC", text)
    if not _NUMBER.fullmatch(number):
        raise ValueError("A number has digits alone")
    return number


def rows_key(key: bytes) -> bytes:
    """The key of fingerprints that follows from a token key."""
    return hmac.digest(key, b"rows", "sha256")


class Pseudonymizer:
    """Turns values into tokens of 32 hex digits under one key.

    Equal values of a kind give equal tokens wherever the key is the same, so a person in registry
    is the same person in conditionality. The key is what makes a token a pseudonym: all NIKs of a
    birth date can be tried in seconds, so it lives outside every database. A number has one token
    in whatever characters it was written (`plain_number`), and what is no number has none.
    """

    __slots__ = ("_rows", "_stands_for", "_tokens")

    def __init__(
        self,
        key: bytes,
        rows: bytes | None = None,
        stands_for: Mapping[str, str] | None = None,
    ) -> None:
        """`key`: at least 32 random bytes; `ValueError` for a shorter one. `rows` makes the
        fingerprints, and follows from `key` where none is given. `stands_for` answers for each
        token the one that was made first, under an older key; LookupError for what is not in it.
        """
        if len(key) < TOKEN_KEY_BYTES_MIN:
            raise ValueError(f"A token key has at least {TOKEN_KEY_BYTES_MIN} bytes")
        self._tokens = hmac.new(key, digestmod=hashlib.sha256)
        # Rows have a key of their own, so that no row can be made to look like a person's token.
        self._rows = hmac.new(rows or rows_key(key), digestmod=hashlib.sha256)
        self._stands_for = stands_for

    def nik(self, text: str) -> str:
        """The token of a person's number (NIK); ValueError for what is none."""
        return self._of("nik", plain_number(text))

    def card(self, text: str) -> str:
        """The token of a family card's number (no_kk); ValueError for what is none."""
        return self._of("card", plain_number(text))

    def account(self, bank: str, text: str) -> str:
        """The token of an account's number at a bank; ValueError for what is none."""
        return self._of("account", f"{bank} {plain_number(text)}")

    def nameless(self, fingerprint: str) -> str:
        """The token of a person of whom no number is known: of their row, and nobody else's."""
        return self._of("row", fingerprint)

    def _of(self, kind: str, text: str) -> str:
        token = _hex(self._tokens, f"{kind}:{text}".encode())
        if self._stands_for is None:
            return token
        try:
            return self._stands_for[token]
        except KeyError:
            raise LookupError("A number was not asked for before its token") from None

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
