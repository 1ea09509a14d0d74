"""Every way to make a token that is not right, with every other: none gets in."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from libs.chassis.issuers import read_issuers
from libs.chassis.limits import Limits
from tests.integration.attacks.two_issuers import BANK, MINISTRY, Token, issuers_file, key_of
from tests.tiers import NIGHTLY
from tests.unit.chassis.service import calling, service, settings_for

OTHER: Final = {MINISTRY: BANK, BANK: MINISTRY}
STRANGER: Final = ECKey.generate_key("P-256", {"kid": "stranger"})

HEADERS: Final[Mapping[str, Callable[[str], dict[str, Any]]]] = {
    "right": lambda issuer: {},
    "alg none": lambda issuer: {"alg": "none"},
    "alg HS256": lambda issuer: {"alg": "HS256"},
    "alg of the other": lambda issuer: {"alg": Token(OTHER[issuer]).header()["alg"]},
    "alg RS256": lambda issuer: {"alg": "RS256"},
    "alg a list": lambda issuer: {"alg": ["ES256", "PS256"]},
    "typ of the other": lambda issuer: {"typ": Token(OTHER[issuer]).header()["typ"]},
    "typ missing": lambda issuer: {"typ": None},
    "kid of the other": lambda issuer: {"kid": key_of(OTHER[issuer]).kid},
    "kid a path": lambda issuer: {"kid": "../keys"},
    "jku": lambda issuer: {"jku": "https://evil.test/keys"},
    "jwk": lambda issuer: {"jwk": STRANGER.as_dict(private=False)},
    "x5u": lambda issuer: {"x5u": "https://evil.test/cert"},
    "crit": lambda issuer: {"crit": ["exp"]},
    "b64": lambda issuer: {"crit": ["b64"], "b64": False},
}
CLAIMS: Final[Mapping[str, Callable[[str], dict[str, Any]]]] = {
    "right": lambda issuer: {},
    "of the other": lambda issuer: {"iss": OTHER[issuer]},
    "of nobody": lambda issuer: {"iss": "https://evil.test"},
    "no issuer": lambda issuer: {"iss": None},
    "for others": lambda issuer: {"aud": ["account", "bank"]},
    "ended": lambda issuer: {"exp": int(time.time()) - 60},
    "without end": lambda issuer: {"exp": None},
    "ends at NaN": lambda issuer: {"exp": float("nan")},
    "lives too long": lambda issuer: {"exp": int(time.time()) + 3_600},
    "not yet": lambda issuer: {"nbf": int(time.time()) + 60},
    "of tomorrow": lambda issuer: {"iat": int(time.time()) + 86_400},
    "about nobody": lambda issuer: {"sub": ""},
}
SIGNED: Final[Mapping[str, Callable[[str, bytes], bytes]]] = {
    "right": lambda issuer, signed: with_key(key_of(issuer), signed),
    "not": lambda issuer, signed: b"",
    "by a stranger": lambda issuer, signed: with_key(STRANGER, signed),
    "by the other": lambda issuer, signed: with_key(key_of(OTHER[issuer]), signed),
    "by the public key": lambda issuer, signed: hmac.digest(
        key_of(issuer).as_pem(private=False), signed, "sha256"
    ),
}


def with_key(key: ECKey | RSAKey, signed: bytes) -> bytes:
    """The signature of a key over these bytes, whatever their header says."""
    return JWSRegistry.algorithms["ES256" if isinstance(key, ECKey) else "PS256"].sign(signed, key)


def coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def forged(issuer: str, header: str, claims: str, signed: str) -> str:
    right = Token(issuer)
    said = (right.header(**HEADERS[header](issuer)), right.claims(**CLAIMS[claims](issuer)))
    parts = [{name: value for name, value in part.items() if value is not None} for part in said]
    first = ".".join(coded(json.dumps(part).encode()) for part in parts)
    return f"{first}.{coded(SIGNED[signed](issuer, first.encode()))}"


@pytest.mark.parametrize("issuer", [MINISTRY, BANK] if NIGHTLY else [BANK])
async def test_of_all_tokens_only_the_right_one_is_believed(issuer: str, tmp_path: Path) -> None:
    limits = replace(Limits(), refused_tokens_a_second=10**6, refused_tokens_burst_max=10**6)
    settings = settings_for(tmp_path, issuers=read_issuers(issuers_file(tmp_path)), limits=limits)
    believed, refused = [], 0
    async with calling(service(settings)) as client:
        for ways in product(HEADERS, CLAIMS, SIGNED):
            bearer = {"Authorization": f"Bearer {forged(issuer, *ways)}"}
            answer = await client.get("/things/whoami", headers=bearer)
            if answer.status_code == 401:
                refused += 1
            else:
                believed.append((answer.status_code, ways))
    assert believed == [(200, ("right", "right", "right"))]
    assert refused == len(HEADERS) * len(CLAIMS) * len(SIGNED) - 1
