"""A partner's answer is taken in its agreed form alone; an unknown word is neither yes nor no."""

from __future__ import annotations

from datetime import date

import pytest

from services.payments.domain.shared.totals import Totals
from services.payments.partners.answers import (
    AnotherFileTaken,
    Answer,
    AnswerIncomplete,
    AnswerMalformed,
    Verdict,
    read_answer,
)
from services.payments.partners.files import FileOf, Rendered

ONE, TWO = "c0b1a2d3-e4f5-5a6b-8c7d-9e0f1a2b3c4d", "0a9b8c7d-6e5f-5a3b-9c1d-2e3f4a5b6c7d"
CREDIT = FileOf("2023-1", "REGULAR", "2023-1-BNI", "BNI", date(2023, 4, 20))
CHECK = FileOf("2023-1", "REGULAR", "2023-1-CHECK", None, date(2023, 4, 5))
SHA256 = "5f2b7c1e" * 8
HEAD = f"H,1,CREDIT_RESULT,2023-1-BNI,2023-04-20,{SHA256}"
CHECK_HEAD = f"H,1,ACCOUNT_CHECK_RESULT,2023-1-CHECK,2023-04-05,{SHA256}"
PAID = f"D,{ONE},CREDITED,1350000,BNI-8C1F0E2D-3B4A5968"
REFUSED = f"D,{TWO},ACCOUNT_CLOSED,225000,"
SUMS = "T,2,1575000,1,1350000"


def answer(*rows: str) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def committed(count: int, rupiah: int) -> Rendered:
    """A file as it was committed."""
    return Rendered(ONE, TWO, Totals(count, rupiah), SHA256)


def test_a_banks_answer_is_taken_line_by_line() -> None:
    assert read_answer(CREDIT, committed(2, 1_575_000), answer(HEAD, PAID, REFUSED, SUMS)) == {
        ONE: Answer("CREDITED", Verdict.YES, "BNI-8C1F0E2D-3B4A5968", 1_350_000),
        TWO: Answer("ACCOUNT_CLOSED", Verdict.NO, "", 225_000),
    }


def test_the_treasurys_answer_is_taken_line_by_line() -> None:
    read = read_answer(
        CHECK,
        committed(2, 900_000),
        answer(CHECK_HEAD, f"D,{ONE},OK", f"D,{TWO},NAME_MISMATCH", "T,2,1"),
    )

    assert [each.verdict for each in read.values()] == [Verdict.YES, Verdict.NO]


@pytest.mark.parametrize("word", ["PENDING", "credited", "ok", "OK", "", "CREDITED ", "BLOCKED"])
def test_an_unknown_word_of_a_bank_is_neither_yes_nor_no(word: str) -> None:
    odd = f"D,{TWO},{word},225000,"

    read = read_answer(CREDIT, committed(2, 1_575_000), answer(HEAD, PAID, odd, SUMS))[TWO]

    assert read.verdict is Verdict.OPEN


@pytest.mark.parametrize("word", ["ok", "PENDING", "", "CREDITED"])
def test_an_unknown_word_of_the_treasury_is_neither_yes_nor_no(word: str) -> None:

    read = read_answer(
        CHECK, committed(1, 900_000), answer(CHECK_HEAD, f"D,{ONE},{word}", "T,1,0")
    )[ONE]

    assert read.verdict is Verdict.OPEN


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (f"D,{ONE},CREDITED,{'9' * 5_000},REF-1", "amount"),
        (f"D,{ONE},CREDITED,-1350000,REF-1", "amount"),
        (f"D,{ONE},CREDITED,1350000.0,REF-1", "amount"),
        (f"D,{ONE},CREDITED,١٣٥٠٠٠٠,REF-1", "amount"),
        (f"D,{ONE},CREDITED,01350000,REF-1", "amount"),
        (f"D,{ONE},CREDITED,1350000,", "reference"),
        (f"D,{ONE},CREDITED,1350000,REF\0001", "reference"),
        (f"D,{ONE},CREDITED,1350000,{'R' * 3_000}", "reference"),
        (f'D,{ONE},CREDITED,1350000,"REF\n1"', "reference"),
        (f"D,{ONE},CREDITED,1350000,=cmd|calc", "reference"),
        (f"D,{ONE},{'A' * 41},1350000,REF-1", "word"),
        (f"D,{ONE},CREDI\0TED,1350000,REF-1", "word"),
    ],
)
def test_a_field_that_is_not_as_agreed_refuses_the_answer_and_is_named(
    line: str, field: str
) -> None:
    with pytest.raises(AnswerMalformed) as refused:
        read_answer(CREDIT, committed(1, 1_350_000), answer(HEAD, line, "T,1,1350000,1,1350000"))

    assert (refused.value.facts["line"], refused.value.facts["field"]) == (2, field)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "rows",
    [
        (HEAD, PAID, PAID, "T,2,2700000,2,2700000"),
        (HEAD, PAID, REFUSED, "T,2,1575000,1,225000"),
        (HEAD, PAID, REFUSED, "T,3,1575000,1,1350000"),
        (HEAD, PAID, REFUSED),
        (HEAD.replace("2023-04-20", "2023-04-21"), PAID, "T,1,1350000,1,1350000"),
        (HEAD.replace("2023-1-BNI", "2023-1-BRI"), PAID, "T,1,1350000,1,1350000"),
        (HEAD, f"{PAID},MORE", "T,1,1350000,1,1350000"),
        (HEAD.removesuffix(f",{SHA256}"), PAID, REFUSED, SUMS),
        (HEAD.removesuffix(SHA256), PAID, REFUSED, SUMS),
        (HEAD.upper(), PAID, REFUSED, SUMS),
        (HEAD,),
        (),
    ],
)
def test_an_answer_that_is_not_whole_is_none(rows: tuple[str, ...]) -> None:
    with pytest.raises(AnswerMalformed):
        read_answer(CREDIT, committed(2, 1_575_000), answer(*rows))


@pytest.mark.parametrize("body", [b"\xff\xfe", b'"', b"\x00", b"H" * 200_000])
def test_bytes_that_are_no_file_are_refused(body: bytes) -> None:
    with pytest.raises(AnswerMalformed):
        read_answer(CREDIT, committed(1, 0), body)


def test_an_answer_to_another_file_than_was_committed_is_an_incident() -> None:
    another = HEAD.replace(SHA256, "0" * 64)

    with pytest.raises(AnotherFileTaken):
        read_answer(CREDIT, committed(2, 1_575_000), answer(another, PAID, REFUSED, SUMS))


@pytest.mark.parametrize(
    ("count", "rupiah"), [(2, 1_575_001), (3, 1_575_000)], ids=["rupiah", "lines"]
)
def test_an_answer_whose_sums_are_not_the_committed_file_s_is_not_taken(
    count: int, rupiah: int
) -> None:
    with pytest.raises(AnswerIncomplete):
        read_answer(CREDIT, committed(count, rupiah), answer(HEAD, PAID, REFUSED, SUMS))
