"""Whoever holds one trusted identity provider, or its keys, says more than it may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from libs.chassis.issuers import read_issuers
from tests.integration.attacks.two_issuers import BANK, MINISTRY, Token, issuers_file, key_of
from tests.unit.chassis.service import calling, service, settings_for


@pytest.fixture
def issuers(tmp_path: Path) -> Path:
    """The file by which both are trusted."""
    return issuers_file(tmp_path)


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
