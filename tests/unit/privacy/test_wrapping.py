import pytest

from libs.privacy.errors import WrapBroken
from libs.privacy.wrapping import Wrapper

KEK, SECRET = bytes(range(32)), bytes(range(32, 64))
FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
OTHER_FAMILY = "4a1b2c3d-0000-4000-8000-000000000001"

wrapper = Wrapper(KEK)
wrapped = wrapper.wrap(FAMILY, 1, SECRET)


def test_a_wrapped_key_opens_again_and_hides_the_key() -> None:
    assert Wrapper(bytes(KEK)).unwrap(FAMILY, 1, wrapped) == SECRET
    assert len(wrapped) == 61
    assert SECRET not in wrapped


def test_a_wrapped_key_in_another_familys_row_does_not_open() -> None:
    with pytest.raises(WrapBroken):
        wrapper.unwrap(OTHER_FAMILY, 1, wrapped)


def test_a_wrapped_key_of_another_version_does_not_open() -> None:
    with pytest.raises(WrapBroken):
        wrapper.unwrap(FAMILY, 2, wrapped)


def test_another_key_encryption_key_opens_nothing() -> None:
    with pytest.raises(WrapBroken):
        Wrapper(bytes(32)).unwrap(FAMILY, 1, wrapped)


@pytest.mark.parametrize("length", range(61))
def test_a_wrapped_key_that_was_cut_does_not_open(length: int) -> None:
    with pytest.raises(WrapBroken):
        wrapper.unwrap(FAMILY, 1, wrapped[:length])


def test_a_wrapped_key_of_another_layout_does_not_open() -> None:
    with pytest.raises(WrapBroken):
        wrapper.unwrap(FAMILY, 1, b"\x02" + wrapped[1:])


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_encryption_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Wrapper(bytes(length))
