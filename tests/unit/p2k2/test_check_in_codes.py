from datetime import date

import pytest

from services.p2k2.http.check_in_codes import Code, Heading, picture, sheet
from tests.qr_reading import text_of_png, text_of_svg, texts_of_page

# As long as tokens are: a header, a session and a family's name there, and a signature.
TOKENS = tuple(f"eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiMSJ9.{c * 150}.{c * 86}" for c in "abc")
FAMILIES = tuple(f"{n}f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11" for n in (1, 2, 3))


@pytest.mark.parametrize("token", [*TOKENS, TOKENS[0][:100]])
def test_a_picture_says_the_token(token: str) -> None:
    assert text_of_png(picture(token, "png")) == token
    assert text_of_svg(picture(token, "svg").decode()) == token


def test_a_sheet_has_a_code_for_each_family_and_names_nobody() -> None:
    codes = [Code(*pair) for pair in zip(FAMILIES, TOKENS, strict=True)]

    page = sheet(Heading("S0000001", "G6101082007-1", date(2023, 1, 20)), codes)

    assert texts_of_page(page) == list(TOKENS)
    assert "Presensi P2K2 S0000001" in page
    assert "2023-01-20 · 3 keluarga" in page
    assert [f"{n} · {family[:8]}" in page for n, family in enumerate(FAMILIES, 1)] == [True] * 3
    assert [family in page for family in FAMILIES] == [False] * 3
    assert "//" not in page  # nothing of another place


def test_a_sheet_of_nobody_is_a_page_all_the_same() -> None:
    page = sheet(Heading("S0000001", "G6101082007-1", date(2023, 1, 20)), [])

    assert "0 keluarga" in page
    assert texts_of_page(page) == []
