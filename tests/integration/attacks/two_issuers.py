"""Two identity providers that are trusted, each for something else, and whoever holds one of them.

The ministry's people may do things in all regions; a bank may let its own read in Kalimantan Barat.
The bank signs with an RSA key and calls its tokens JWT; the ministry does neither.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

MINISTRY: Final = "https://sso.ministry.test/realms/pkh"
BANK: Final = "https://login.bank.test"


@cache
def key_of(issuer: str) -> ECKey | RSAKey:
    if issuer == BANK:
        return RSAKey.generate_key(2_048, {"kid": "bank-1", "use": "sig"})
    return ECKey.generate_key("P-256", {"kid": "ministry-1", "alg": "ES256"})


def issuers_file(tmp_path: Path) -> Path:
    """The file by which both are trusted."""
    for name, issuer in (("ministry", MINISTRY), ("bank", BANK)):
        keys = {"keys": [key_of(issuer).as_dict(private=False)]}
        (tmp_path / name).write_text(json.dumps(keys))
    described = [
        {
            "issuer": MINISTRY,
            "audience": "pkh",
            "keys": str(tmp_path / "ministry"),
            "may_say": {"scopes": ["things:read", "things:write"], "regions": ["*"]},
            "claims": {"scopes": "resource_access.pkh.roles"},
        },
        {
            "issuer": BANK,
            "audience": "pkh-platform",
            "keys": str(tmp_path / "bank"),
            "may_say": {"scopes": ["things:read"], "regions": ["61"]},
            "algorithms": ["PS256"],
            "types": ["JWT"],
            "marks": {"typ": "Bearer"},
            "claims": {"person": "employee.number", "regions": "employee.places"},
            "prefix": "bank:",
        },
    ]
    file = tmp_path / "issuers.yaml"
    file.write_text(yaml.safe_dump({"issuers": described}))
    return file


@dataclass
class Token:
    """A right token of an issuer, but for what is changed."""

    issuer: str

    def header(self, **changes: Any) -> dict[str, Any]:
        alg, typ = ("ES256", "at+jwt") if self.issuer == MINISTRY else ("PS256", "JWT")
        return {"alg": alg, "typ": typ, "kid": key_of(self.issuer).kid} | changes

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        common = {"iss": self.issuer, "sub": "officer-7", "iat": now, "exp": now + 300}
        own: dict[str, dict[str, Any]] = {
            MINISTRY: {
                "aud": ["account", "pkh"],
                "scope": "openid profile",
                "resource_access": {"pkh": {"roles": ["things:read", "uma_authorization"]}},
                "regions": ["61.03"],
            },
            BANK: {
                "aud": "pkh-platform",
                "typ": "Bearer",
                "scope": "openid things:read",
                "employee": {"number": "4711", "places": ["61.03"]},
            },
        }
        return common | own[self.issuer] | changes

    def signed(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        header = header or self.header()
        registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        payload = json.dumps(self.claims(**claims)).encode()
        return jws.serialize_compact(header, payload, key or key_of(self.issuer), registry=registry)

    def by_hand(self, header: dict[str, Any], mac_key: bytes | None = None) -> str:
        """Unsigned, or with an HMAC in place of the signature."""
        parts = [json.dumps(part).encode() for part in (header, self.claims())]
        signed = ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts)
        mac = b"" if mac_key is None else hmac.digest(mac_key, signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
