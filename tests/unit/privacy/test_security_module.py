from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag

from libs.privacy.errors import KeyLeaves, KeyNeeded, ModuleSilent, WrapBroken
from libs.privacy.rotation import wrapped_again
from libs.privacy.security_module import ModuleAddress, SecurityModule
from libs.privacy.versions import KeyVersions
from libs.privacy.wrapping import Wrapper
from tests.unit.privacy import fake_pkcs11
from tests.unit.privacy.fake_pkcs11 import TOKEN, Attribute, KeyType

ADDRESS = ModuleAddress(Path("vendor.so"), "pkh", "1234")
LABEL = "kek-2"
SECRET, NONCE = bytes(range(32)), bytes(12)
FAMILY = str(uuid4())
STAYS = {
    Attribute.KEY_TYPE: KeyType.AES,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
}


@pytest.fixture
def module() -> SecurityModule:
    TOKEN.keys, TOKEN.runs = {}, True
    made = SecurityModule(ADDRESS, fake_pkcs11.__name__)
    assert made.make(LABEL)
    return made


def test_a_familys_key_goes_into_the_module_and_out_of_it(module: SecurityModule) -> None:
    old = Wrapper(KeyVersions.of(bytes(32)))
    into = Wrapper(KeyVersions(2, {1: bytes(32)}, labels={2: LABEL}), module)
    out = Wrapper(KeyVersions(3, {3: bytes(32)}, labels={2: LABEL}), module)

    inside = wrapped_again(into, FAMILY, 1, old.wrap(FAMILY, 1, SECRET))
    outside = wrapped_again(out, FAMILY, 1, inside)

    assert (len(inside), inside[1:3]) == (63, b"\x00\x02")
    assert Wrapper(KeyVersions(3, {3: bytes(32)})).unwrap(FAMILY, 1, outside) == SECRET


def test_a_wrapped_key_that_was_changed_or_moved_does_not_open(module: SecurityModule) -> None:
    wrapper = Wrapper(KeyVersions(2, labels={2: LABEL}), module)
    wrapped = wrapper.wrap(FAMILY, 1, SECRET)

    for family, odd in ((FAMILY, wrapped[:-1] + b"?"), (FAMILY, wrapped[:9]), ("b", wrapped)):
        with pytest.raises(WrapBroken):
            wrapper.unwrap(family, 1, odd)


def test_a_lost_session_is_opened_again(module: SecurityModule) -> None:
    cipher = module.cipher(LABEL)
    closed = cipher.encrypt(NONCE, SECRET, b"family")

    TOKEN.session += 1
    assert cipher.decrypt(NONCE, closed, b"family") == SECRET
    TOKEN.session += 1
    with pytest.raises(InvalidTag):
        cipher.decrypt(NONCE, closed, b"another")
    TOKEN.session += 1
    assert cipher.encrypt(NONCE, SECRET, b"family") == closed


def test_a_silent_module_makes_no_key_a_broken_one(module: SecurityModule) -> None:
    wrapper = Wrapper(KeyVersions(2, labels={2: LABEL}), module)
    wrapped = wrapper.wrap(FAMILY, 1, SECRET)

    TOKEN.runs = False
    with pytest.raises(ModuleSilent):
        wrapper.unwrap(FAMILY, 1, wrapped)
    TOKEN.runs = True
    assert wrapper.unwrap(FAMILY, 1, wrapped) == SECRET
    del TOKEN.keys[LABEL]
    TOKEN.session += 1
    with pytest.raises(ModuleSilent, match=f"with the key {LABEL}"):
        wrapper.unwrap(FAMILY, 1, wrapped)


@pytest.mark.parametrize(
    ("bits", "odd"),
    [
        (256, {Attribute.EXTRACTABLE: True}),
        (256, {Attribute.SENSITIVE: False}),
        (192, {Attribute.KEY_TYPE: KeyType.DES3}),
        (128, {}),
    ],
    ids=["extractable", "in the open", "of another kind", "too short"],
)
def test_a_key_that_may_leave_or_is_another_is_refused(
    module: SecurityModule, bits: int, odd: dict[Attribute, object]
) -> None:
    TOKEN.keys["odd"] = bytes(bits // 8), {**STAYS, **odd}

    with pytest.raises(KeyLeaves):
        module.cipher("odd")


def test_a_key_that_is_there_is_not_made_again(module: SecurityModule) -> None:
    before = dict(TOKEN.keys)

    assert not module.make(LABEL)
    assert before == TOKEN.keys
    with pytest.raises(ModuleSilent, match="no single key"):
        module.cipher("nobody-made-it")


def test_a_label_without_a_module_and_a_module_without_its_client_are_told() -> None:
    with pytest.raises(KeyNeeded, match="version=2"):
        Wrapper(KeyVersions(2, {1: bytes(32)}, labels={2: LABEL}))
    with pytest.raises(ModuleSilent, match=r"requirements-pkcs11\.lock"):
        SecurityModule(ADDRESS, "no_such_client")
