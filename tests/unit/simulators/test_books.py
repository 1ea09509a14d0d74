from datetime import date
from pathlib import Path

import pytest

from simulators.books import Account, BooksBroken, Status, comparable, load
from tests.unit.simulators.given import ACCOUNT_NO, BOOKS, NIK, write_books

HEADER = "bank_code,account_no,holder_name,holder_nik,opened_on,status,status_since\r\n"


def test_the_books_are_found_by_bank_and_account_number(tmp_path: Path) -> None:
    assert load(write_books(tmp_path / "books.csv")) == BOOKS


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_both_line_ends_are_read(tmp_path: Path, line_end: str) -> None:
    path = tmp_path / "books.csv"
    text = HEADER + f"BNI,1,NAMA,{NIK},2021-06-01,DORMANT,2023-02-09\r\n"
    path.write_bytes(text.replace("\r\n", line_end).encode())

    assert load(path) == {("BNI", "1"): Account("NAMA", NIK, Status.DORMANT, date(2023, 2, 9))}


@pytest.mark.parametrize(
    "row",
    [
        f"BNI,1,NAMA,{NIK},2021-06-01,FROZEN,2021-06-01",
        f"BNI,1,NAMA,{NIK},2021-06-01,CLOSED,yesterday",
        f"BNI,1,NAMA,{NIK}",
    ],
)
def test_broken_books_name_the_line_and_nothing_that_stands_in_it(tmp_path: Path, row: str) -> None:
    path = tmp_path / "books.csv"
    path.write_text(HEADER + row + "\r\n", encoding="utf-8", newline="")

    with pytest.raises(BooksBroken, match="line 2") as refusal:
        load(path)

    assert NIK not in repr(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("broken", [b"BNI,1,\xff", b'BNI,1,"NAMA'])
def test_books_that_are_no_csv_in_utf_8_are_told_so(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "books.csv"
    path.write_bytes(HEADER.encode() + broken)

    with pytest.raises(BooksBroken, match=r"behind line \d of books\.csv: no CSV in UTF-8"):
        load(path)


def test_an_account_stands_in_the_books_once(tmp_path: Path) -> None:
    path = tmp_path / "books.csv"
    row = f"BNI,{ACCOUNT_NO},NAMA,{NIK},2021-06-01,ACTIVE,2021-06-01\r\n"
    path.write_text(HEADER + row * 2, encoding="utf-8", newline="")

    with pytest.raises(BooksBroken, match="line 3"):
        load(path)


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        ("agustina suryani", "AGUSTINA SURYANI"),
        ("  AGUSTINA \t SURYANI. ", "AGUSTINA SURYANI"),
        ("H. AGUSTINA-SURYANI, S.Pd", "H AGUSTINA SURYANI S PD"),
        ("SITI 2 NUR'AINI", "SITI NUR AINI"),
        ("ANDRÉ", "ANDR"),
        ("123", ""),
    ],
)
def test_names_are_compared_by_their_letters(name: str, compared: str) -> None:
    assert comparable(name) == compared
