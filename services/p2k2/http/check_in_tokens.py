"""Tokens for check-in: signed words that name a session and a family to this service alone.

A token is a compact JWS (RFC 7515) by an Ed25519 key that follows from the token key, one a version
of it; who scans without a network proves it by the public key on the list. The family stands there
by a name of its own for each session, so a token tells nobody whose it is.
"""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from libs.privacy.recognition import Recognition
from services.p2k2.domain.check_in import CheckInForged, Ticket
from services.p2k2.domain.days import Span

ALGORITHM: Final = "Ed25519"
TOKEN_CHARACTERS_MAX: Final = 500


class CheckInTokens:
    """Makes tokens under the version of the token key that is in use, and reads those of all."""

    def __init__(self, recognition: Recognition) -> None:
        versions, self._fingerprint = recognition.versions, recognition.fingerprint
        self._in_use = str(versions.in_use)
        self._keys = {str(number): _key(secret) for number, secret in versions.secrets.items()}

    @property
    def public(self) -> dict[str, str]:
        """The key that proves new tokens, as a JWK (RFC 8037)."""
        x = self._keys[self._in_use].as_dict(private=False)["x"]
        return {"kty": "OKP", "crv": ALGORITHM, "x": str(x), "kid": self._in_use}

    def name(self, session: str, family: str) -> str:
        """The name of a family at one session."""
        return self._fingerprint("check-in", session, family)

    def issue(self, ticket: Ticket) -> str:
        """The token of a ticket."""
        begins, ends = (int(at.timestamp()) for at in ticket.span)
        body = [ticket.session, ticket.who, ticket.listed, begins, ends]
        header = {"alg": ALGORITHM, "kid": self._in_use}
        key = self._keys[self._in_use]
        return jws.serialize_compact(header, json.dumps(body), key, [ALGORITHM])

    def _named(self, signed: Any) -> OKPKey:
        return self._keys[signed.headers()["kid"]]

    def read(self, token: str) -> Ticket:
        """The ticket of a token. Raises `CheckInForged` for what this service has not signed."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise CheckInForged
        try:
            signed = jws.deserialize_compact(token, self._named, [ALGORITHM])
        except (JoseError, ValueError, TypeError, LookupError):
            raise CheckInForged from None
        session, who, listed, *span = json.loads(signed.payload)
        return Ticket(session, who, listed, Span(*(datetime.fromtimestamp(s, UTC) for s in span)))


def _key(secret: bytes) -> OKPKey:
    # Pseudonyms are made of other texts under this secret, so that none of them is the seed.
    seed = hmac.digest(secret, b"check-in", "sha256")
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return OKPKey.import_key({"kty": "OKP", "crv": ALGORITHM, "x": _text(public), "d": _text(seed)})


def _text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")
