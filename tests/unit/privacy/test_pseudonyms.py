import hmac
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import example, given
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


# -- Numbers


digits = st.text("0123456789", min_size=16, max_size=16)
scripts = st.sampled_from(["０", "𝟎", "𝟘", "𝟢", "𝟬", "𝟶"])  # zero, full width and mathematical


@given(digits, st.lists(scripts, min_size=16, max_size=16))
def test_a_number_has_one_token_in_whatever_digits_it_is_written(
    nik: str, zeros: list[str]
) -> None:
    written = "".join(chr(ord(zero) + int(digit)) for zero, digit in zip(zeros, nik, strict=True))
    assert tokens.nik(written) == tokens.nik(nik)
    assert tokens.card(written) == tokens.card(nik)


@given(digits, st.integers(0, 16), st.characters(codec="utf-8", exclude_characters="0123456789"))
@example(NIK, 16, "\u200b")
@example(NIK, 3, "\u00ad")
@example(NIK, 0, "\ufeff")
@example(NIK, 16, " ")
@example(NIK, 16, "\u0663")
def test_a_number_with_anything_in_it_has_no_second_token(nik: str, at: int, odd: str) -> None:
    written, token = nik[:at] + odd + nik[at:], None
    with suppress(ValueError):
        token = tokens.nik(written)
    decimal = unicodedata.normalize("NFKC", odd)
    assert (token is not None) == (decimal.isascii() and decimal.isdigit())
    assert token != tokens.nik(nik)


@pytest.mark.parametrize("text", ["", "ghost-1", "6.10302E+15", "6103 0149 0380 0001", "-" + NIK])
def test_what_is_no_number_has_no_token_and_is_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="digits alone") as refused:
        tokens.nik(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("nik", ["610404461102015", "0004116911860ABC"])
def test_an_odd_number_of_a_card_keeps_the_token_that_it_has(nik: str) -> None:
    message = f"nik:{nik}".encode()
    assert tokens.nik(nik) == hmac.digest(KEY, message, "sha256")[:16].hex()


def test_an_account_is_one_at_its_bank_in_whatever_digits_it_is_written() -> None:
    assert tokens.account("BNI", "３０") == tokens.account("BNI", "30")
    assert tokens.account("BNI", "30") != tokens.account("BRI", "30")


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
