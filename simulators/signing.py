"""Signatures of treasury and banks: each signs its answers, and takes what the programme signed.

A detached JWS over the Content-Digest of a body, as README.md describes it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.responses import JSONResponse
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from simulators.refusals import Code, Refusal

HEADER = "X-JWS-Signature"
SENDER = "PKH"
ALGORITHM = {"Ed25519": "Ed25519", "P-256": "ES256"}


def digest_of(body: bytes) -> str:
    """A body's hash as the header Content-Digest has it."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@dataclass(frozen=True, slots=True)
class Signing:
    """One partner's own key, and the keys of whom it takes files from, by key id."""

    own: Mapping[str, Any]
    senders: Mapping[str, Mapping[str, Any]]

    def headers(self, digest: str) -> dict[str, str]:
        """The header that signs a body of this digest."""
        algorithm = ALGORITHM[self.own["crv"]]
        header = {"alg": algorithm, "kid": self.own["kid"]}
        whole = jws.serialize_compact(header, digest, _key(self.own), algorithms=[algorithm])
        protected, _, signature = whole.split(".")
        return {HEADER: f"{protected}..{signature}"}

    def require(self, headers: Mapping[str, str], digest: str) -> None:
        """Raise `Refusal` unless the programme signed a body of this digest."""
        signature = headers.get(HEADER, "")
        try:
            protected = signature.split("..")[0]
            named = json.loads(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))
            sender = self.senders[named["kid"]]
            algorithm = ALGORITHM[sender["crv"]]
            jws.deserialize_compact(signature, _key(sender), [algorithm], payload=digest)
        except (JoseError, ValueError, TypeError, KeyError):
            raise Refusal(Code.SIGNATURE_REFUSED) from None


def load(own: Path, register: Path) -> dict[str, Signing]:
    """{partner: its signing} of a JWK set of private keys, and the register of public ones."""
    senders = {key["kid"]: key for key in _keys(register) if key["partner"] == SENDER}
    return {key["partner"]: Signing(key, senders) for key in _keys(own)}


def signed_json(signing: Signing | None, body: object, status: int) -> JSONResponse:
    """A JSON answer, signed where its sender has a key."""
    answer = JSONResponse(body, status)
    if signing is not None:
        answer.headers.update(signing.headers(digest_of(bytes(answer.body))))
    return answer


def _keys(path: Path) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["keys"]
    return keys


def _key(entry: Mapping[str, Any]) -> OKPKey | ECKey:
    parts = {name: entry[name] for name in ("kty", "crv", "x", "y", "d") if name in entry}
    return OKPKey.import_key(parts) if entry["crv"] == "Ed25519" else ECKey.import_key(parts)
