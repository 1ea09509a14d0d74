"""Whoever holds one trusted identity provider, or its keys, makes tokens for what it may not say.

Two are trusted: the ministry's, whose people may do things in all regions, and a bank's, which may
let its own people read in Kalimantan Barat. The bank's signs with an RSA key and calls its tokens
JWT; the ministry's does neither.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from structlog.testing import capture_logs

from libs.chassis.issuers import read_issuers
from tests.unit.chassis.service import calling, service, settings_for

MINISTRY: Final = "https://sso.ministry.test/realms/pkh"
BANK: Final = "https://login.bank.test"


@cache
def key_of(issuer: str) -> ECKey | RSAKey:
    if issuer == BANK:
        return RSAKey.generate_key(2_048, {"kid": "bank-1", "use": "sig"})
    return ECKey.generate_key("P-256", {"kid": "ministry-1", "alg": "ES256"})


@pytest.fixture
def issuers(tmp_path: Path) -> Path:
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


OURS, THEIRS = Token(MINISTRY), Token(BANK)


def public_pem() -> bytes:
    return key_of(BANK).as_pem(private=False)


ATTACKS: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "the ministry's name with the bank's key": (
        "key",
        lambda: OURS.signed(OURS.header(alg="PS256", kid="bank-1"), key_of(BANK)),
    ),
    "the ministry's name and key id with the bank's key": (
        "algorithm",
        lambda: OURS.signed(OURS.header(alg="PS256"), key_of(BANK)),
    ),
    "an issuer that nobody trusts": ("issuer", lambda: OURS.signed(iss="https://evil.test")),
    "the ministry's name with a slash": ("issuer", lambda: OURS.signed(iss=f"{MINISTRY}/")),
    "no issuer": ("malformed", lambda: OURS.signed(iss=["a"])),
    "the bank's audience of the ministry": (
        "invalid-claim",
        lambda: OURS.signed(aud=["pkh-platform"]),
    ),
    "an algorithm that only its key knows": (
        "algorithm",
        lambda: THEIRS.signed(THEIRS.header(alg="RS256")),
    ),
    "RS256 turned into HS256": (
        "algorithm",
        lambda: THEIRS.by_hand(THEIRS.header(alg="HS256"), public_pem()),
    ),
    "HS256 under the name of PS256": (
        "signature",
        lambda: THEIRS.by_hand(THEIRS.header(), public_pem()),
    ),
    "alg none": ("algorithm", lambda: THEIRS.by_hand(THEIRS.header(alg="none"))),
    "a type of another issuer": ("type", lambda: OURS.signed(OURS.header(typ="JWT"))),
    "an access token's type where identity tokens are known by a mark": (
        "type",
        lambda: THEIRS.signed(THEIRS.header(typ="at+jwt")),
    ),
    "an identity token": ("mark", lambda: THEIRS.signed(typ="ID")),
    "jku": ("header", lambda: THEIRS.signed(THEIRS.header(jku="https://evil.test/keys"))),
    "x5u": ("header", lambda: THEIRS.signed(THEIRS.header(x5u="https://evil.test/cert"))),
    "crit": ("header", lambda: THEIRS.signed(THEIRS.header(crit=["b64"], b64=True))),
    "a scope beyond the issuer's": (
        "scope-beyond-issuer",
        lambda: THEIRS.signed(scope="things:read things:write"),
    ),
    "a scope beyond the issuer's among roles": (
        "scope-beyond-issuer",
        lambda: OURS.signed(resource_access={"pkh": {"roles": ["payments:check"]}}),
    ),
    "a region beyond the issuer's": (
        "region-beyond-issuer",
        lambda: THEIRS.signed(employee={"number": "4711", "places": ["61.03", "11"]}),
    ),
    "the nation from an issuer of one province": (
        "region-beyond-issuer",
        lambda: THEIRS.signed(employee={"number": "4711", "places": ["*"]}),
    ),
    "the province written longer": (
        "regions",
        lambda: THEIRS.signed(employee={"number": "4711", "places": ["61.031"]}),
    ),
    "a person of the bank's": ("person", lambda: OURS.signed(sub="bank:4711")),
    "a person of the bank's typed otherwise": ("person", lambda: OURS.signed(sub="BANK:4711")),
    "nobody": ("person", lambda: THEIRS.signed(employee={"places": []})),
    "a person where none is looked for": ("person", lambda: THEIRS.signed(employee="4711")),
    "a list of scopes under the standard's name": (
        "malformed",
        lambda: THEIRS.signed(scope=["things:read"]),
    ),
    "scopes that are no words": (
        "malformed",
        lambda: OURS.signed(resource_access={"pkh": {"roles": [["things:write"]]}}),
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_token_that_says_more_than_its_issuer_may_is_refused(
    attack: str, issuers: Path, tmp_path: Path
) -> None:
    reason, made = ATTACKS[attack]
    app = service(settings_for(tmp_path, issuers=read_issuers(issuers)))
    async with calling(app, made()) as client:
        with capture_logs() as logged:
            answer = await client.get("/things/in/61.03")
    assert answer.status_code == 401
    assert [line["reason"] for line in logged if line["event"] == "token refused"] == [reason]


@pytest.mark.parametrize(
    ("token", "subject"), [(OURS, "officer-7"), (THEIRS, "bank:4711")], ids=["ministry", "bank"]
)
async def test_each_issuer_says_what_it_may(
    token: Token, subject: str, issuers: Path, tmp_path: Path
) -> None:
    app = service(settings_for(tmp_path, issuers=read_issuers(issuers)))
    async with calling(app, token.signed()) as client:
        known = await client.get("/things/whoami")
        written = await client.put("/things/ball", json={"nik": "6103014107900001"})
    assert known.json() == {"subject": subject, "regions": ["61.03"]}
    assert written.status_code == 403


async def test_a_denied_person_is_one_issuers_and_no_others(issuers: Path, tmp_path: Path) -> None:
    denied = tmp_path / "denied"
    denied.write_text("bank:officer-7\n")
    settings = settings_for(tmp_path, issuers=read_issuers(issuers), denied_file=denied)
    async with calling(service(settings), THEIRS.signed()) as client:
        assert (await client.get("/things/whoami")).status_code == 401
    async with calling(service(settings), OURS.signed()) as client:
        assert (await client.get("/things/whoami")).status_code == 200
