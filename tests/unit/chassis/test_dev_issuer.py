from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from joserfc import jwt

from libs.chassis.dev_issuer import KEY_SET, LIFETIME_S_MAX, PRIVATE_KEY, Issuer


def test_the_private_key_is_its_owners_alone(issuer: Issuer, issuer_dir: Path) -> None:
    assert stat.S_IMODE((issuer_dir / PRIVATE_KEY).stat().st_mode) == 0o600
    assert stat.S_IMODE(issuer_dir.stat().st_mode) == 0o700


def test_the_key_set_holds_no_private_part(issuer: Issuer, issuer_dir: Path) -> None:
    [key] = json.loads((issuer_dir / KEY_SET).read_text())["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert key["kid"] == issuer.key.kid


def test_an_issuer_is_the_same_when_it_is_opened_again(issuer: Issuer, issuer_dir: Path) -> None:
    before = (issuer_dir / KEY_SET).read_bytes()
    (issuer_dir / KEY_SET).unlink()
    again = Issuer.open(issuer_dir)
    assert again.key.kid == issuer.key.kid
    assert (issuer_dir / KEY_SET).read_bytes() == before


def test_a_token_says_who_may_do_what_where_and_until_when(issuer: Issuer) -> None:
    token = issuer.token("officer-7", ["b:write", "a:read"], ["61.03"], lifetime_s=60)
    read = jwt.decode(token, issuer.key, algorithms=["ES256"])
    assert read.header == {"alg": "ES256", "typ": "at+jwt", "kid": issuer.key.kid}
    assert (read.claims["sub"], read.claims["scope"]) == ("officer-7", "a:read b:write")
    assert read.claims["regions"] == ["61.03"]
    assert read.claims["exp"] - read.claims["iat"] == 60


@pytest.mark.parametrize("lifetime_s", [0, -1, LIFETIME_S_MAX + 1])
def test_a_token_lives_for_a_while_and_not_for_long(issuer: Issuer, lifetime_s: int) -> None:
    with pytest.raises(ValueError, match="lives from 1 to 600 seconds"):
        issuer.token("officer-7", [], lifetime_s=lifetime_s)


def test_what_is_shown_of_an_issuer_is_not_its_key(issuer: Issuer) -> None:
    assert "ECKey" not in repr(issuer)
