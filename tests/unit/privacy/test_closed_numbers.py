"""A number closed outside is opened by the version that it names, or it is said why not."""

from __future__ import annotations

import base64
import json

import pytest
from joserfc.jwe import encrypt_compact
from joserfc.jwk import ECKey, OctKey

from libs.privacy.closed_numbers import JWE_CHARACTERS_MAX, NumberKeys, NumberUnopened, Unopened
from libs.privacy.versions import KeyVersions
from tests.outside import closed

NUMBER = "6103010101900001"
FIRST, SECOND = bytes(range(1, 33)), bytes(range(2, 34))
KEYS = NumberKeys(KeyVersions.of(FIRST))
CLOSED = closed(NUMBER, KEYS.public_set())


def why(text: str, keys: NumberKeys = KEYS) -> Unopened:
    with pytest.raises(NumberUnopened) as refused:
        keys.open(text)
    assert NUMBER not in str(refused.value)
    assert text == "" or text not in str(refused.value)
    return refused.value.why


def with_header(text: str, **header: object) -> str:
    """A closed number whose protected header says something else."""
    part, rest = text.split(".", 1)
    found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) | header
    changed = base64.urlsafe_b64encode(json.dumps(found).encode()).decode().rstrip("=")
    return f"{changed}.{rest}"


def test_a_closed_number_is_opened_and_stands_nowhere_in_what_was_sent() -> None:
    assert KEYS.open(CLOSED) == NUMBER
    assert NUMBER not in CLOSED
    assert closed(NUMBER, KEYS.public_set()) != CLOSED


def test_what_is_published_closes_and_does_not_open() -> None:
    [key] = KEYS.public_set()["keys"]

    assert key.keys() == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert (key["kid"], key["crv"], key["use"]) == ("inbound-1", "P-256", "enc")


def test_a_new_version_is_closed_for_first_and_what_the_old_one_closed_still_opens() -> None:
    both = NumberKeys(KeyVersions(2, {1: FIRST, 2: SECOND}))

    assert [key["kid"] for key in both.public_set()["keys"]] == ["inbound-2", "inbound-1"]
    assert both.open(CLOSED) == NUMBER
    assert both.open(closed(NUMBER, both.public_set())) == NUMBER


def test_what_a_dropped_version_closed_says_so() -> None:
    later = NumberKeys(KeyVersions(2, {2: SECOND}))

    assert why(CLOSED, later) is Unopened.KEY_UNKNOWN


def test_what_was_closed_for_another_platform_s_key_is_broken() -> None:
    other = NumberKeys(KeyVersions.of(SECOND))

    assert why(closed(NUMBER, other.public_set())) is Unopened.BROKEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        NUMBER,
        "a.b.c.d.e",
        "....",
        CLOSED[:-30],
        CLOSED + "." + CLOSED,
        "é" * 20 + "....",
        "a" * JWE_CHARACTERS_MAX + "....",
        with_header(CLOSED, alg="dir"),
        with_header(CLOSED, enc="A128GCM"),
        with_header(CLOSED, zip="DEF"),
        with_header(CLOSED, crit=["x"], x=1),
        with_header(CLOSED, kid=1),
    ],
)
def test_what_is_no_jwe_of_ours_is_refused_before_any_key_is_used(text: str) -> None:
    assert why(text) in (Unopened.NOT_A_JWE, Unopened.BROKEN)


def test_a_header_that_was_changed_is_told() -> None:
    assert why(with_header(CLOSED, apu="YQ")) is Unopened.BROKEN
    assert why(with_header(CLOSED, epk={"kty": "EC"})) is Unopened.BROKEN


def test_a_symmetric_key_closes_nothing_for_us() -> None:
    header = {"alg": "dir", "enc": "A256GCM", "kid": "inbound-1"}
    forged = encrypt_compact(header, NUMBER, OctKey.import_key(FIRST))

    assert why(forged) is Unopened.NOT_A_JWE


def test_a_secret_that_is_no_key_of_the_curve_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        NumberKeys(KeyVersions.of(b"\xff" * 32))


def test_keys_have_no_repr_that_tells_them() -> None:
    assert isinstance(ECKey.import_key(dict(KEYS.public_set()["keys"][0])), ECKey)
    assert FIRST.hex() not in repr(KEYS)
