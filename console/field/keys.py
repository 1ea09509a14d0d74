"""The key that opens what was entered without a network: its public half seals in the browser.

An entry is a compact JWE (RFC 7516: ECDH-ES on P-256, A256GCM). Nobody but us opens it, its writer
neither. Each version of PKH_FIELD_KEY_FILE makes a key of its own, named by `kid`: a new one seals,
older ones open what still waits.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import cache
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol

from libs.events.domain.persons import folded_name
from libs.privacy.versions import KeyVersions

ALGORITHMS: Final = ("ECDH-ES", "A256GCM")
ENTRY_CHARACTERS_MAX: Final = 400_000
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256: a private key is a number from 1 to below it (FIPS 186-5)."""
_SCALAR_BYTES: Final = 48
"""So many that the remainder favours no key (FIPS 186-5, A.2.1)."""


class EntryBroken(Exception):
    """An entry was not sealed to a key that is kept here, or was changed on the way."""


@dataclass(frozen=True, slots=True)
class FieldKeys:
    """The versions of the key, and what each of them knows of a person."""

    versions: KeyVersions

    @property
    def public(self) -> dict[str, str]:
        """The key that seals new entries, as a JWK with its `kid`."""
        version = self.versions.in_use
        shown = _key(self.versions.secrets[version]).as_dict(private=False)
        return {name: str(shown[name]) for name in ("kty", "crv", "x", "y")} | {"kid": str(version)}

    def labels(self, person: str) -> list[str]:
        """The names under which a person's entries may lie in a browser, that of new ones first.

        They tell nobody whose they are, and open nothing.
        """
        first = self.versions.in_use
        numbers = sorted(self.versions.secrets, key=lambda version: version != first)
        return [hashlib.sha256(self._pledge(n, person).encode()).hexdigest()[:32] for n in numbers]

    def pledge(self, person: str) -> str:
        """A word that stands in a person's entries, sealed: whoever was not signed in as they are
        does not know it, and so enters nothing in their name."""
        return self._pledge(self.versions.in_use, person)

    def opened(self, entry: str, person: str) -> tuple[bytes, str]:
        """The content of an entry, and the pledge that it must hold; raises `EntryBroken`."""
        if len(entry) > ENTRY_CHARACTERS_MAX:
            raise EntryBroken
        try:
            found = jwe.decrypt_compact(entry, self._named, list(ALGORITHMS))
            version = int(str(found.headers()["kid"]))
        except (JoseError, ValueError, TypeError, LookupError):
            raise EntryBroken from None
        if found.plaintext is None:
            raise EntryBroken
        return found.plaintext, self._pledge(version, person)

    def _named(self, sealed: GuestProtocol) -> ECKey:
        return _key(self.versions.secrets[int(str(sealed.headers()["kid"]))])

    def _pledge(self, version: int, person: str) -> str:
        named = f"pledge\n{folded_name(person)}".encode()
        return hmac.new(self.versions.secrets[version], named, hashlib.sha256).hexdigest()


@cache
def _key(secret: bytes) -> ECKey:
    """The key that follows from a secret, the same each time."""
    made = HKDF(hashes.SHA256(), _SCALAR_BYTES, None, b"console field").derive(secret)
    scalar = int.from_bytes(made) % (_ORDER - 1) + 1
    return ECKey.import_key(ec.derive_private_key(scalar, ec.SECP256R1()))
