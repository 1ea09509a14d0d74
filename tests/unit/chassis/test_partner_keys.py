"""A signature counts by a dated register, which is read whole or refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from libs.chassis.dev_partner_keys import OWN, REGISTER, SIMULATED, make_partner_keys
from libs.chassis.partner_keys import KeysRefused, NoSigningKey, PartnerKeys
from libs.chassis.settings import SettingRefused, partner_keys
from simulators.signing import load

DIGEST = "sha-256=:vFWH8T8kYcNPLqhJGLYoyvGgE8xmKjFTcGtnE0AhOkE=:"
OTHER = DIGEST.replace("vFWH", "aFWH")
Change = Callable[[list[dict[str, Any]]], object]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    make_partner_keys(tmp_path, ("BNI", "BRI"))
    return tmp_path


def read(directory: Path, days: int = 0) -> PartnerKeys:
    """The keys as they count some days from now."""
    at = datetime.now(UTC) + timedelta(days=days)
    return PartnerKeys.read(directory / REGISTER, directory / OWN, lambda: at)


def changed(path: Path, change: Change) -> None:
    keys = json.loads(path.read_text())["keys"]
    change(keys)
    path.write_text(json.dumps({"keys": keys}))


def bni(directory: Path) -> str:
    """The bank's signature over the digest."""
    signing = load(directory / SIMULATED, directory / REGISTER)["BNI"]
    return signing.headers(DIGEST)["X-JWS-Signature"]


def test_a_partner_is_believed_by_its_own_key_over_the_very_body(directory: Path) -> None:
    keys, signature = read(directory), bni(directory)

    assert keys.fault("BNI", DIGEST, signature) is None
    assert keys.fault("BNI", OTHER, signature) == "its signature is not over it"
    assert keys.fault("BRI", DIGEST, signature) == "its key is another partner's"


def test_what_we_sign_a_partner_takes(directory: Path) -> None:
    signature = read(directory).sign(DIGEST)

    for partner in load(directory / SIMULATED, directory / REGISTER).values():
        partner.require({"X-JWS-Signature": signature}, DIGEST)
    assert read(directory).fault("PKH", DIGEST, signature) is None
    assert signature.count("..") == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "it is not signed"),
        ("", "it is not signed"),
        ("e30", "its signature is malformed"),
        ("e30..AAAA", "its signature is malformed"),
        ("W10..AAAA", "its signature is malformed"),
        ("%%..AAAA", "its signature is malformed"),
        ("A" * 2_000 + "..AAAA", "its signature is malformed"),
        # The bank's own key id, and "none" as the algorithm.
        ("eyJhbGciOiAibm9uZSIsICJraWQiOiAiYm5pLTEifQ..", "its signature is malformed"),
        ("eyJhbGciOiAibm9uZSIsICJraWQiOiAiYm5pLTEifQ..AAAA", "its signature is not over it"),
    ],
)
def test_what_is_no_signature_is_none(directory: Path, given: str | None, why: str) -> None:
    assert read(directory).fault("BNI", DIGEST, given) == why


def test_a_key_counts_on_its_days_alone(directory: Path) -> None:
    signature = bni(directory)
    first = datetime.now(UTC).date()
    last = {"valid_to": (first + timedelta(days=1)).isoformat()}
    changed(directory / REGISTER, lambda keys: keys[1].update(last))

    said = [read(directory, days).fault("BNI", DIGEST, signature) for days in range(3)]

    assert said == [None, None, "its key is not valid today"]


def test_a_key_that_left_the_register_is_unknown(directory: Path) -> None:
    signature = bni(directory)
    changed(directory / REGISTER, lambda keys: keys.pop(1))

    assert read(directory).fault("BNI", DIGEST, signature) == "its key is unknown"


def test_a_key_of_the_other_curve_is_as_good(directory: Path) -> None:
    key = ECKey.generate_key("P-256").as_dict(private=True)
    named = {"partner": "BNI", "kid": "bni-2", "valid_from": "2023-01-01", "valid_to": None}
    public = {name: value for name, value in key.items() if name != "d"}
    changed(directory / REGISTER, lambda keys: keys.append(public | named))
    changed(directory / SIMULATED, lambda keys: keys.__setitem__(0, key | named))

    assert read(directory).fault("BNI", DIGEST, bni(directory)) is None


def test_our_key_that_began_last_signs_and_one_day_none_does(directory: Path) -> None:
    first = datetime.now(UTC).date()
    last = {"valid_to": (first + timedelta(days=3)).isoformat()}
    changed(directory / REGISTER, lambda keys: keys[0].update(last))

    assert read(directory, 3).sign(DIGEST)
    with pytest.raises(NoSigningKey):
        read(directory, 4)


@pytest.mark.parametrize(
    ("file", "change", "why"),
    [
        (REGISTER, lambda keys: keys.clear(), "holds no keys"),
        (REGISTER, lambda keys: keys[1].pop("partner"), "key=2, why=names no partner"),
        (REGISTER, lambda keys: keys[1].update(partner="bni"), "names no partner"),
        (REGISTER, lambda keys: keys[1].pop("kid"), "has no kid"),
        (REGISTER, lambda keys: keys[1].update(crv="P-521"), "is of no curve"),
        (REGISTER, lambda keys: keys[1].update(d="AAAA"), "has a private part"),
        (REGISTER, lambda keys: keys[1].pop("valid_from"), "valid_from"),
        (REGISTER, lambda keys: keys[1].update(valid_from="20230101"), "valid_from"),
        (REGISTER, lambda keys: keys[1].update(valid_to="2001-01-01"), "valid_to"),
        (REGISTER, lambda keys: keys[1].update(x="AAAA"), "is no such key"),
        (REGISTER, lambda keys: keys[1].pop("x"), "is no such key"),
        (REGISTER, lambda keys: keys[2].update(kid="bni-1"), "key=3, why=has the kid"),
        (REGISTER, lambda keys: keys.append("BTN"), "key=4, why=is no object"),
        (REGISTER, lambda keys: keys.pop(0), "no key of PKH in the register"),
        (REGISTER, lambda keys: keys[0].update(x=keys[1]["x"]), "no key of PKH in the register"),
        (OWN, lambda keys: keys[0].pop("d"), "has no private part"),
        (OWN, lambda keys: keys[0].update(partner="BNI"), "no key of PKH in the register"),
    ],
)
def test_a_mistake_in_the_keys_is_named_at_start(
    directory: Path, file: str, change: Change, why: str
) -> None:
    changed(directory / file, change)

    with pytest.raises(KeysRefused) as refused:
        read(directory)
    assert why in str(refused.value)
    named = {"PKH_PARTNER_KEYS_FILE": REGISTER, "PKH_SIGNING_KEYS_FILE": OWN}
    env = {variable: str(directory / name) for variable, name in named.items()}
    with pytest.raises(SettingRefused, match="PKH_PARTNER_KEYS_FILE"):
        partner_keys(env)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": 7}', "\x00"])
def test_what_is_no_key_set_is_refused(directory: Path, text: str) -> None:
    (directory / REGISTER).write_text(text)

    with pytest.raises(KeysRefused):
        read(directory)


def test_whoever_asks_partners_needs_both_files() -> None:
    with pytest.raises(SettingRefused, match="must be set to ask partners"):
        partner_keys({})


def test_a_partner_s_last_day_is_that_of_the_key_that_counts_longest(directory: Path) -> None:
    assert read(directory).last_days() == {}
    later = {"valid_to": "2031-05-01"}
    changed(directory / REGISTER, lambda keys: keys[1].update(later))
    changed(
        directory / REGISTER,
        lambda keys: keys.append(keys[1] | {"kid": "bni-0", "valid_to": "2031-04-01"}),
    )

    assert read(directory).last_days() == {"BNI": date(2031, 5, 1)}
