"""A local issuer of bearer tokens: the platform's default where there is no identity provider.

It is a directory with a private key that only its owner reads, and the public key set that the
services are pointed to. Whoever can read that directory can be anybody, so it serves one machine.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from joserfc import jwt
from joserfc.jwk import ECKey

from libs.chassis.durable_files import replace_file
from libs.chassis.issuers import TrustedIssuer

PRIVATE_KEY: Final = "issuer-key.json"
KEY_SET: Final = "jwks.json"
ISSUER: Final = "https://issuer.pkh.local"
AUDIENCE: Final = "pkh"
LIFETIME_S_MAX: Final = 600


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs tokens that services with this issuer's key set believe."""

    issuer: str
    audience: str
    key: ECKey = field(repr=False)

    @staticmethod
    def trusted_in(directory: Path) -> tuple[TrustedIssuer]:
        """Whom services believe that have the key set of a directory."""
        return (TrustedIssuer.of_this_machine(ISSUER, AUDIENCE, directory / KEY_SET),)

    @classmethod
    def open(cls, directory: Path, issuer: str = ISSUER, audience: str = AUDIENCE) -> Self:
        """The issuer of a directory, made there on first use."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / PRIVATE_KEY
        if not path.exists():
            _write_new_key(path)
        key = ECKey.import_key(json.loads(path.read_text()))
        document = json.dumps({"keys": [key.as_dict(private=False)]})
        if not (directory / KEY_SET).exists() or (directory / KEY_SET).read_text() != document:
            replace_file(directory / KEY_SET, document, 0o644)
        return cls(issuer, audience, key)

    def token(
        self,
        subject: str,
        scopes: Collection[str],
        regions: Collection[str] = (),
        lifetime_s: int = LIFETIME_S_MAX,
        role: str | None = None,
    ) -> str:
        """A token for a subject, good for at most LIFETIME_S_MAX seconds from now.

        `regions` are dotted codes, "*" is all of them. Of a role's scopes those that are named are
        left, all of them where none is.
        """
        if not 0 < lifetime_s <= LIFETIME_S_MAX:
            raise ValueError(f"A token lives from 1 to {LIFETIME_S_MAX} seconds.")
        now = int(time.time())
        return jwt.encode(
            {"alg": "ES256", "typ": "at+jwt", "kid": str(self.key.kid)},
            {
                "iss": self.issuer,
                "aud": self.audience,
                "sub": subject,
                "scope": " ".join(sorted(scopes)),
                "regions": sorted(regions),
                **({} if role is None else {"role": role}),
                "iat": now,
                "nbf": now,
                "exp": now + lifetime_s,
                "jti": str(uuid.uuid4()),
            },
            self.key,
            algorithms=["ES256"],
        )

    def identity_token(self, subject: str, client: str, nonce: str) -> str:
        """Says to a client who signed in, in answer to its nonce; no service believes it."""
        now = int(time.time())
        return jwt.encode(
            {"alg": "ES256", "typ": "JWT", "kid": str(self.key.kid)},
            {
                "iss": self.issuer,
                "aud": client,
                "sub": subject,
                "nonce": nonce,
                "iat": now,
                "exp": now + LIFETIME_S_MAX,
            },
            self.key,
            algorithms=["ES256"],
        )


def _write_new_key(path: Path) -> None:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    replace_file(path, json.dumps(key.as_dict(private=True)), 0o600)
