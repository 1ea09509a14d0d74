"""Numbers of persons that somebody outside closed for the platform: as JWE, to its public keys.

A writer on a topic knows persons by their numbers and shall not show them to whoever keeps the
topic. So each is a compact JWE (RFC 7516): ECDH-ES on P-256 and A256GCM, nothing compressed, the
plaintext the digits alone. Its `kid` names the version of our key, of which the private half stands
with the one service that opens it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry, decrypt_compact
from joserfc.jwk import ECKey

from libs.privacy.errors import PrivacyError
from libs.privacy.versions import KeyVersions

ALGORITHM: Final = "ECDH-ES"
ENCRYPTION: Final = "A256GCM"
JWE_CHARACTERS_MAX: Final = 1_000
KID: Final = re.compile(r"inbound-([1-9][0-9]{0,4})")

_REGISTRY: Final = JWERegistry(algorithms=[ALGORITHM, ENCRYPTION])
_HEADERS: Final = frozenset({"alg", "enc", "kid", "epk", "typ", "cty", "apu", "apv"})


class Unopened(Enum):
    """Why a closed number cannot be opened."""

    NOT_A_JWE = "It is no compact JWE of ECDH-ES and A256GCM with a key of ours in `kid`."
    KEY_UNKNOWN = "Its `kid` is none of our keys, or one that is out of use."
    BROKEN = "It was closed for another key, or changed since."


class NumberUnopened(PrivacyError):
    """A closed number cannot be opened; says why, and quotes nothing of it."""

    def __init__(self, why: Unopened) -> None:
        super().__init__(why=why.name)
        self.why = why


class NumberKeys:
    """The versions of the key that numbers are closed for, each a private key on P-256."""

    def __init__(self, versions: KeyVersions) -> None:
        """Raises ValueError where a secret is no key of the curve: one in 2^32 is none."""
        self.in_use = versions.in_use
        self._private = {kid_of(v): _key_of(secret) for v, secret in versions.secrets.items()}

    def public_set(self) -> dict[str, list[dict[str, str]]]:
        """The public halves as a JWK set, the one to close with first."""
        first = kid_of(self.in_use)
        kids = sorted(self._private, key=lambda kid: (kid != first, kid))
        return {"keys": [_published(kid, self._private[kid]) for kid in kids]}

    def open(self, closed: str) -> str:
        """The text that was closed; raises `NumberUnopened`."""
        kid = _kid_in(closed)
        key = self._private.get(kid)
        if key is None:
            raise NumberUnopened(Unopened.KEY_UNKNOWN)
        try:
            opened = decrypt_compact(closed, key, registry=_REGISTRY).plaintext
            return (opened or b"").decode("ascii")
        except (JoseError, ValueError, TypeError, KeyError):
            raise NumberUnopened(Unopened.BROKEN) from None


def kid_of(version: int) -> str:
    """The name of a version, as a JWE says which key it was closed for."""
    return f"inbound-{version}"


def _kid_in(closed: str) -> str:
    """The key that a compact JWE names in its protected header, which is checked whole."""
    try:
        if len(closed) > JWE_CHARACTERS_MAX or closed.count(".") != 4:
            raise ValueError
        part = closed.partition(".")[0].encode("ascii")
        header: Any = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
        if not isinstance(header, Mapping) or not header.keys() <= _HEADERS:
            raise ValueError  # `zip` and `crit` too
        kid = header["kid"]
        if (header["alg"], header["enc"]) != (ALGORITHM, ENCRYPTION) or not isinstance(kid, str):
            raise ValueError
    except (ValueError, KeyError, RecursionError):
        raise NumberUnopened(Unopened.NOT_A_JWE) from None
    return kid


def _key_of(secret: bytes) -> ECKey:
    private = ec.derive_private_key(int.from_bytes(secret), ec.SECP256R1())
    return ECKey.import_key(private)


def _published(kid: str, key: ECKey) -> dict[str, str]:
    public: dict[str, Any] = key.as_dict(private=False)
    shown = {name: str(public[name]) for name in ("kty", "crv", "x", "y")}
    return {**shown, "use": "enc", "alg": ALGORITHM, "kid": kid}
