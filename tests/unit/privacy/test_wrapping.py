import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.privacy.errors import WrapBroken
from libs.privacy.rotation import wrapped_again
from libs.privacy.versions import KeyVersions
from libs.privacy.wrapping import Wrapper

FIRST, SECOND, SECRET = bytes(range(32)), bytes(range(1, 33)), bytes(range(32, 64))
KEK = KeyVersions.of(FIRST)
FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
OTHER_FAMILY = "4a1b2c3d-0000-4000-8000-000000000001"

wrapper = Wrapper(KEK)
wrapped = wrapper.wrap(FAMILY, 1, SECRET)


def test_a_wrapped_key_opens_again_and_hides_the_key() -> None:
    assert Wrapper(KeyVersions.of(FIRST)).unwrap(FAMILY, 1, wrapped) == SECRET
    assert len(wrapped) == 63
    assert SECRET not in wrapped


def test_a_wrapped_key_in_another_familys_row_does_not_open() -> None:
    with pytest.raises(WrapBroken):
        wrapper.unwrap(OTHER_FAMILY, 1, wrapped)


def test_a_wrapped_key_of_another_version_does_not_open() -> None:
    with pytest.raises(WrapBroken):
        wrapper.unwrap(FAMILY, 2, wrapped)


def test_another_key_encryption_key_opens_nothing() -> None:
    with pytest.raises(WrapBroken):
        Wrapper(KeyVersions.of(bytes(32))).unwrap(FAMILY, 1, wrapped)


@pytest.mark.parametrize("length", range(63))
def test_a_wrapped_key_that_was_cut_does_not_open(length: int) -> None:
    with pytest.raises(WrapBroken):
        wrapper.unwrap(FAMILY, 1, wrapped[:length])


def test_a_wrapped_key_of_another_layout_does_not_open() -> None:
    with pytest.raises(WrapBroken):
        wrapper.unwrap(FAMILY, 1, b"\x03" + wrapped[1:])


def test_a_key_from_before_there_were_versions_opens_under_the_first() -> None:
    nonce = bytes(12)
    bound = f"key|{FAMILY}|1".encode()
    old = b"\x01" + nonce + AESGCM(FIRST).encrypt(nonce, SECRET, bound)

    assert Wrapper(KeyVersions(2, {2: SECOND, 1: FIRST})).unwrap(FAMILY, 1, old) == SECRET


def test_a_key_is_wrapped_again_under_the_one_in_use_and_is_the_same_key() -> None:
    again = wrapped_again(Wrapper(KeyVersions(2, {2: SECOND, 1: FIRST})), FAMILY, 1, wrapped)

    assert Wrapper(KeyVersions(2, {2: SECOND})).unwrap(FAMILY, 1, again) == SECRET
    with pytest.raises(WrapBroken):
        wrapper.unwrap(FAMILY, 1, again)


def test_a_key_is_wrapped_under_the_one_in_use_while_another_only_opens() -> None:
    both = Wrapper(KeyVersions(1, {1: FIRST, 2: SECOND}))

    assert wrapper.unwrap(FAMILY, 1, both.wrap(FAMILY, 1, SECRET)) == SECRET


def test_a_key_that_says_another_version_than_it_is_under_does_not_open() -> None:
    both = Wrapper(KeyVersions(2, {2: SECOND, 1: FIRST}))

    with pytest.raises(WrapBroken):
        both.unwrap(FAMILY, 1, wrapped[:1] + (2).to_bytes(2) + wrapped[3:])
