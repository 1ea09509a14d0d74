"""The one form of a day, a month, a number and a text that comes from outside."""

from __future__ import annotations

from datetime import date

import pytest

from libs.chassis import forms


def test_a_day_is_written_in_one_way() -> None:
    assert forms.day("2010-05-15") == date(2010, 5, 15)
    assert forms.day("1900-01-01") == date(1900, 1, 1)
    assert forms.day("2100-12-31") == date(2100, 12, 31)


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "20100515", "2010-W20-6", "2010-135", "2010-05-15T00:00", "2010-05-15Z"),
        *(" 2010-05-15", "2010-05-15 ", "2010-05-15\n", "+2010-05-15", "2010-5-15", "10-05-15"),
        *("2010-05-32", "2010-02-30", "2023-02-29", "2010-00-10", "15-05-2010", "2010/05/15"),
        *("0001-01-01", "1899-12-31", "2101-01-01", "9999-12-31", "2010\u201105\u201115"),
        *("٢٠١٠-٠٥-١٥", "２０１０-０５-１５"),
    ],
)
def test_any_other_way_to_write_a_day_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="no day") as refused:
        forms.day(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("text", ["2007-01", "2023-12", "2100-06"])
def test_a_month_of_the_programme_is_one(text: str) -> None:
    assert forms.MONTH.fullmatch(text)


@pytest.mark.parametrize("text", ["0000-01", "2006-12", "2101-01", "2023-13", "2023-1", "٢٠٢٣-٠٥"])
def test_no_other_month_is(text: str) -> None:
    assert not forms.MONTH.fullmatch(text)


@pytest.mark.parametrize("text", ["", "SITI RAHAYU", "Émile’s – §", "ꦲꦏ꧀ꦱꦫ", "北京"])
def test_a_text_that_is_what_it_looks_like_is_plain(text: str) -> None:
    assert forms.is_plain(text)


@pytest.mark.parametrize(
    "text",
    ["\u0661", "\uff11", "\u00a0", "\u200b", "\ufeff", "\u202e", "\t", "\x7f", "e\u0301", "\ud800"],
)
def test_a_text_with_something_that_does_not_show_is_not(text: str) -> None:
    assert not forms.is_plain(text)


@pytest.mark.parametrize(("text", "held"), [("", True), ("a\n", True), ("\0", False)])
def test_a_database_holds_every_text_but_a_nul_and_half_a_character(text: str, held: bool) -> None:
    assert forms.is_text(text) is held
    assert not forms.is_text(f"{text}\udc00")


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("6103014107900001", True),
        ("nik:6103014107900001@x", True),
        ("123456789012345678901", True),
        ("610301 410790 0001", True),
        ("6103-0141-0790-0001", True),
        ("officer-610301410790000", False),
        ("6103014107900a001", False),
        ("11111111-2222-3333-4444-555555555555", False),
        ("f:11111111-2222-3333-4444-555555555555:12", False),
    ],
)
def test_a_name_that_holds_somebodys_number_is_told_from_an_id(text: str, held: bool) -> None:
    assert forms.holds_number(text) is held
