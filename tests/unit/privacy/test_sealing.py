import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.privacy.errors import KeyDestroyed, KeyMissing, NotSealed, PrivacyError, SealBroken
from libs.privacy.sealing import FamilyKey, Sealer, seal, unseal, version_of

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
OTHER_FAMILY = "4a1b2c3d-0000-4000-8000-000000000001"
CANARY = "6103014903800001"


def one_key(family: str = FAMILY) -> dict[str, FamilyKey]:
    return {family: FamilyKey(family, 1, {1: KEY})}


@given(st.text(max_size=200))
def test_what_is_sealed_opens_again(clear: str) -> None:
    sealed = seal(KEY, 1, FAMILY, "payee_nik", clear)

    assert unseal(KEY, FAMILY, "payee_nik", sealed) == clear


def test_a_sealed_value_names_its_layout_and_key_version_and_hides_the_rest() -> None:
    layout, version, text = seal(KEY, 7, FAMILY, "payee_nik", CANARY).split(".")

    assert (layout, version) == ("s1", "7")
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    closed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert len(closed) == 12 + len(CANARY) + 16
    assert CANARY.encode() not in closed


def test_sealing_the_same_value_twice_shows_nobody_that_it_is_the_same() -> None:
    assert len({seal(KEY, 1, FAMILY, "payee_nik", CANARY) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "open_it",
    [
        pytest.param(lambda s: unseal(OTHER_KEY, FAMILY, "payee_nik", s), id="another key"),
        pytest.param(lambda s: unseal(KEY, OTHER_FAMILY, "payee_nik", s), id="another family"),
        pytest.param(lambda s: unseal(KEY, FAMILY, "account_no", s), id="another field"),
        pytest.param(
            lambda s: unseal(KEY, FAMILY, "payee_nik", s.replace("s1.1.", "s1.2.")),
            id="another key version",
        ),
        pytest.param(
            lambda s: unseal(KEY, FAMILY, "payee_nik", s[:-6] + ("A" * 6)), id="another text"
        ),
    ],
)
def test_a_sealed_value_opens_only_in_its_place(open_it: Callable[[str], str]) -> None:
    sealed = seal(KEY, 1, FAMILY, "payee_nik", CANARY)

    with pytest.raises(SealBroken) as refusal:
        open_it(sealed)

    assert_says_nothing(refusal.value, sealed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        CANARY,
        "s1",
        "s1.1",
        "s1.1.",
        "s1.x.AAAA",
        "s1.-1." + "A" * 40,
        "s1.²." + "A" * 40,
        "s2.1." + "A" * 40,
        "s1.1." + "A" * 36,
        "s1.1." + "A" * 41,
        "s1.1." + "!" * 40,
        "s1.1.AAAA=AAAA" + "A" * 40,
        "s1.1." + "é" * 40,
    ],
)
def test_text_of_another_layout_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(NotSealed) as refusal:
        unseal(KEY, FAMILY, "payee_nik", text)

    if text:
        assert_says_nothing(refusal.value, text)


def test_the_key_version_can_be_read_without_a_key() -> None:
    assert version_of(seal(KEY, 12, FAMILY, "payee_nik", CANARY)) == 12


def test_a_sealer_opens_what_a_single_key_sealed_and_the_other_way_round() -> None:
    sealer = Sealer(one_key())

    assert sealer.unseal(FAMILY, "payee_nik", seal(KEY, 1, FAMILY, "payee_nik", CANARY)) == CANARY
    assert unseal(KEY, FAMILY, "payee_nik", sealer.seal(FAMILY, "payee_nik", CANARY)) == CANARY


def test_a_sealer_seals_with_the_newest_version_and_opens_with_all() -> None:
    sealer = Sealer({FAMILY: FamilyKey(FAMILY, 2, {1: OTHER_KEY, 2: KEY})})
    older = seal(OTHER_KEY, 1, FAMILY, "payee_nik", CANARY)

    assert version_of(sealer.seal(FAMILY, "payee_nik", CANARY)) == 2
    assert sealer.unseal(FAMILY, "payee_nik", older) == CANARY


def test_a_sealer_keeps_families_apart() -> None:
    sealer = Sealer(one_key() | {OTHER_FAMILY: FamilyKey(OTHER_FAMILY, 1, {1: OTHER_KEY})})
    sealed = sealer.seal(FAMILY, "payee_nik", CANARY)

    with pytest.raises(SealBroken):
        sealer.unseal(OTHER_FAMILY, "payee_nik", sealed)


def test_a_family_outside_the_batch_has_no_key() -> None:
    with pytest.raises(KeyMissing):
        Sealer(one_key()).seal(OTHER_FAMILY, "payee_nik", CANARY)


def test_a_version_that_the_ring_never_had_is_missing() -> None:
    with pytest.raises(KeyMissing):
        Sealer(one_key()).unseal(FAMILY, "payee_nik", seal(KEY, 2, FAMILY, "payee_nik", CANARY))


def test_a_destroyed_key_neither_seals_nor_opens() -> None:
    sealer = Sealer({FAMILY: FamilyKey(FAMILY, 1, {})})

    with pytest.raises(KeyDestroyed):
        sealer.seal(FAMILY, "payee_nik", CANARY)
    with pytest.raises(KeyDestroyed):
        sealer.unseal(FAMILY, "payee_nik", seal(KEY, 1, FAMILY, "payee_nik", CANARY))


def test_a_key_does_not_show_its_secret() -> None:
    assert repr(one_key()[FAMILY]) == f"FamilyKey(family={FAMILY!r}, version=1)"


def assert_says_nothing(error: PrivacyError, text: str) -> None:
    chain = [repr(e) for e in (error, error.__cause__) if e is not None]
    assert error.__suppress_context__ or error.__context__ is None
    assert not any(CANARY in said or text in said for said in chain)
