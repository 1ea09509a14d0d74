import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.privacy.pseudonyms import Pseudonymizer

KEY = bytes(range(32))
NIK = "6103014903800001"

tokens = Pseudonymizer(KEY)
rows = st.lists(st.none() | st.text(max_size=6), max_size=4)


def test_the_same_person_has_the_same_token_wherever_the_key_is_the_same() -> None:
    assert tokens.nik(NIK) == Pseudonymizer(bytes(KEY)).nik(NIK)


def test_a_token_is_the_first_half_of_hmac_sha256_over_kind_and_value() -> None:
    # printf 'nik:6103014903800001' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f
    assert tokens.nik(NIK) == "380872233a8d337280834446435b87d0"


def test_another_key_gives_another_token() -> None:
    assert tokens.nik(NIK) != Pseudonymizer(bytes(32)).nik(NIK)


def test_a_number_that_is_a_nik_and_a_card_has_two_tokens() -> None:
    assert tokens.nik(NIK) != tokens.card(NIK)


def test_the_named_kinds_are_kinds_like_any_other() -> None:
    assert tokens.nik(NIK) == tokens.of("nik", NIK)
    assert tokens.card(NIK) == tokens.of("card", NIK)


def test_a_kind_with_a_colon_is_refused_because_it_could_imitate_another() -> None:
    with pytest.raises(ValueError, match="colon"):
        tokens.of("nik:61", "03")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonymizer(bytes(31))


@given(rows, rows)
def test_two_rows_share_a_fingerprint_only_if_they_are_equal(
    one: list[str | None], other: list[str | None]
) -> None:
    assert (tokens.fingerprint(*one) == tokens.fingerprint(*other)) == (one == other)


def test_fields_do_not_run_together() -> None:
    assert tokens.fingerprint("ab", "c") != tokens.fingerprint("a", "bc")
    assert tokens.fingerprint("a", "") != tokens.fingerprint("a")
    assert tokens.fingerprint("1:a") != tokens.fingerprint("a")


def test_not_told_is_not_told_to_be_empty() -> None:
    assert tokens.fingerprint(None) != tokens.fingerprint("")
    assert tokens.fingerprint(None) != tokens.fingerprint("-")


def test_no_row_imitates_a_persons_token() -> None:
    assert tokens.fingerprint(f"nik:{NIK}") != tokens.nik(NIK)


def test_a_pseudonymizer_does_not_show_its_key() -> None:
    assert KEY.hex() not in repr(tokens)
