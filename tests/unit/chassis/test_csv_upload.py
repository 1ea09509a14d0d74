"""Files as people send them: with quotes, marks, halves and holes."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from enum import Enum
from types import FrameType
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.chassis.csv_upload import (
    ERRORS_MAX,
    ROW_CHARS_MAX,
    ROWS_A_BATCH,
    TEXT_AT_LEAST,
    Columns,
    ImportReport,
    Row,
    RowError,
    read_rows,
)
from libs.chassis.forms import is_plain
from libs.chassis.problems import Refusal

NIK = "6103014107900001"
COLUMNS = Columns(("nik", "name"), ("note",))


async def _in_pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def _read(
    content: bytes, report: ImportReport, columns: Columns, size: int, rows_max: int
) -> list[Row]:
    batches = read_rows(_in_pieces(content, size), columns, report, rows_max)
    rows: list[Row] = []
    async for batch in batches:
        assert 0 < len(batch) <= ROWS_A_BATCH
        rows.extend(batch)
    return rows


def rows_of(
    content: bytes | str,
    report: ImportReport | None = None,
    columns: Columns = COLUMNS,
    size: int = 1 << 30,
    rows_max: int = 1_000_000,
) -> list[Row]:
    content = content.encode() if isinstance(content, str) else content
    report = report or ImportReport("people.csv")
    return asyncio.run(_read(content, report, columns, size, rows_max))


def refusal_of(content: bytes | str, columns: Columns = COLUMNS, size: int = 1 << 30) -> Refusal:
    with pytest.raises(Refusal) as refused:
        rows_of(content, columns=columns, size=size)
    assert NIK not in refused.value.detail
    return refused.value


# -- Files that are right -------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
def test_a_plain_file_is_read_whatever_its_line_ends_marks_and_pieces(
    mark: bytes, end: bytes, last: bool, size: int
) -> None:
    content = mark + end.join([b"nik,name", b"1,Budi", b"", b"2,\xc3\x89mile"]) + end * last
    assert rows_of(content, size=size) == [
        (2, {"nik": "1", "name": "Budi", "note": ""}),
        (4, {"nik": "2", "name": "Émile", "note": ""}),
    ]


def test_a_quoted_cell_may_hold_commas_and_doubled_quotes() -> None:
    content = 'name,note,nik\r\n"ROSITA, DJAFAR","said ""yes""",1\r\n"","""",2\r\n'
    for size in (1, 5, 1_000):
        assert rows_of(content, size=size) == [
            (2, {"name": "ROSITA, DJAFAR", "note": 'said "yes"', "nik": "1"}),
            (3, {"name": "", "note": '"', "nik": "2"}),
        ]


def test_columns_may_stand_in_any_order_and_a_file_may_have_no_rows() -> None:
    assert rows_of("name,nik\nBudi,1\n") == [(2, {"name": "Budi", "nik": "1", "note": ""})]
    assert rows_of("nik,name") == []


def test_a_row_of_another_length_is_refused_alone() -> None:
    report = ImportReport("people.csv")
    rows = rows_of("nik,name\n1,A\n2\n3,C,x\n4,D\n", report)
    assert [line for line, _ in rows] == [2, 5]
    sentence = "The row has not as many cells as the header."
    assert report.refused == 2
    assert report.errors == [
        RowError(3, "name", "CELLS", sentence),
        RowError(4, "number 3", "CELLS", sentence),
    ]


def test_a_report_counts_everything_and_lists_the_first() -> None:
    class Mistake(Enum):
        NIK_LENGTH = "A NIK has 16 digits."

    report = ImportReport("people.csv")
    for line in range(ERRORS_MAX + 5):
        report.refuse(line, "nik", Mistake.NIK_LENGTH)
    assert (report.refused, len(report.errors)) == (ERRORS_MAX + 5, ERRORS_MAX)
    assert report.errors[0] == RowError(0, "nik", "NIK_LENGTH", "A NIK has 16 digits.")


# -- Files that are wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 1 << 30])
@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "people.csv has no header at line 1."),
        (b"\n\n", "people.csv has no header at line 1."),
        (b"nik,name\n1,\xff", "people.csv is not UTF-8 at line 2, column 3."),
        (b"nik,name\n1,\xc3", "people.csv is not UTF-8 at line 2, column 3."),
        (b"\xff\xfen\x00i\x00", "people.csv is not UTF-8 at line 1, column 1."),
        (b"nik,name\n1,\xc3\xa9\x00", "people.csv holds a NUL character at line 2, column 4."),
        (b'nik,name\n1,A\n2,"B"x\n3,C\n', "people.csv has a stray quote at line 3, column 6."),
        (b'nik,name\n1,A\n2,"B"x', "people.csv has a stray quote at line 3, column 6."),
        (b'nik,name\n1,A"\n2,B\n', "people.csv has a stray quote at line 2, column 4."),
        (b'nik,name\n1, "A"\n', "people.csv has a stray quote at line 2, column 4."),
        (b'nik,name\n1,"A"B"\n', "people.csv has a stray quote at line 2, column 6."),
        (b"nik,name\r1,A\r", "people.csv holds a lone carriage return at line 1, column 9."),
        (b'nik,name\n1,"A\rB"\n', "people.csv holds a lone carriage return at line 2, column 5."),
        (b"nik,name\r\n1,A\n", "people.csv ends its lines in two ways at line 2, column 4."),
        (b"nik,name\n1,A\n2,B\r\n", "people.csv ends its lines in two ways at line 3, column 4."),
        (b"nik,name\n1,A\nnik,name\n", "people.csv has its header again at line 3, column 1."),
    ],
)
def test_a_malformed_file_is_told_where_it_breaks(content: bytes, detail: str, size: int) -> None:
    refused = refusal_of(content, size=size)
    assert (refused.status_code, refused.kind) == (422, "malformed-file")
    assert refused.detail == detail
    assert refused.members["file"] == "people.csv"


@pytest.mark.parametrize("size", [1, 3, 1 << 30])
@pytest.mark.parametrize(
    ("content", "column"),
    [
        ('nik,name\n1,"SITI,F\n2,AMINAH",F\n', 3),
        ('nik,name\n1,"SITI\n2,B\n', 3),
        ('nik,name\n1,"SITI', 3),
        ('nik,name\n1,"SITI""\n"\n', 3),
        ('nik,name\r\n"1\r\n",A\r\n', 1),
    ],
)
def test_a_line_end_within_quotes_is_refused_and_both_lines_are_named(
    content: str, column: int, size: int
) -> None:
    refused = refusal_of(content, size=size)
    assert refused.kind == "malformed-file"
    place = f"lines 2 and 3, at line 2, column {column}"
    assert refused.detail == f"people.csv has a line end within quotes, {place}."


ODD: dict[str, str] = {
    "a full-width digit": "\uff16",
    "an Arabic digit": "\u0666",
    "a space that does not break": "A\u00a0B",
    "a space of no width": "A\u200bB",
    "a byte order mark": "\ufeffA",
    "a mark that turns the direction": "\u202eA",
    "a tab": "A\tB",
    "an escape": "\x1b[2J",
    "letters not composed": "e\u0301",
    "letters of full width": "\uff21",
}


@pytest.mark.parametrize("cell", ODD.values(), ids=list(ODD))
def test_a_cell_that_is_not_what_it_looks_like_is_refused_by_line_and_column(cell: str) -> None:
    report = ImportReport("people.csv")
    rows = rows_of(f"nik,name,note\n1,A,\n2,{cell},\n3,Émile’s,\n", report)
    assert [line for line, _ in rows] == [2, 4]
    assert [(e.line, e.column, e.code) for e in report.errors] == [(3, "name", "CHARACTERS")]


@pytest.mark.parametrize("size", [1_000, TEXT_AT_LEAST, 1 << 30])
def test_a_long_file_is_refused_at_the_place_where_it_breaks(size: int) -> None:
    content = 'nik,name\n1,A\n2,"B"x\n' + "3,C\n" * TEXT_AT_LEAST
    assert (
        refusal_of(content, size=size).detail == "people.csv has a stray quote at line 3, column 6."
    )


@pytest.mark.parametrize("size", [1_000, TEXT_AT_LEAST, 1 << 30])
@pytest.mark.parametrize("cell", ["x" * ROW_CHARS_MAX, '"' + "x," * (ROW_CHARS_MAX // 2) + '"'])
def test_no_row_is_longer_than_the_limit(cell: str, size: int) -> None:
    content = f"nik,name\n1,A\n2,{cell}\n" + "3,C\n" * 100
    refused = refusal_of(content, size=size)
    assert refused.detail == "people.csv has too long a row at line 3."


def test_no_file_has_more_rows_than_the_limit() -> None:
    assert len(rows_of("nik,name\n" + "1,A\n" * 10, rows_max=10)) == 10
    with pytest.raises(Refusal) as refused:
        rows_of("nik,name\n" + "1,A\n" * 11, rows_max=10)
    assert refused.value.status_code == 413


@pytest.mark.parametrize(
    ("header", "members"),
    [
        ("nik", {"missing": ["name"], "unknown": [], "duplicate": []}),
        ("nik,name,nik", {"missing": [], "unknown": [], "duplicate": ["nik"]}),
        ("nik,name,colour", {"missing": [], "unknown": ["colour"], "duplicate": []}),
        ("nik,name,a2023b", {"missing": [], "unknown": ["number 3"], "duplicate": []}),
        (f"nik,name,{NIK}", {"missing": [], "unknown": ["number 3"], "duplicate": []}),
        ("nik;name", {"missing": ["nik", "name"], "unknown": ["number 1"], "duplicate": []}),
        (
            f"{NIK},siti",
            {
                "missing": ["nik", "name"],
                "unknown": ["number 1", "number 2"],
                "duplicate": [],
            },
        ),
    ],
)
def test_a_wrong_header_is_told_column_by_column_and_a_missing_one_quotes_nobody(
    header: str, members: dict[str, list[str]]
) -> None:
    refused = refusal_of(f"{header}\n")
    assert (refused.status_code, refused.kind) == (422, "wrong-columns")
    assert refused.members == {"file": "people.csv", "line": 1, **members}


# -- Whatever comes -------------------------------------------------------------------------------

cells = st.text(st.characters(codec="utf-8"), max_size=12).filter(is_plain)


@given(
    table=st.lists(st.tuples(cells, cells), max_size=20),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_writer_of_csv_writes_is_read_in_any_pieces(
    table: list[tuple[str, str]], end: str, quoting: Literal[0, 1]
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator=end, quoting=quoting)
    writer.writerows([("nik", "name"), *table])
    content = written.getvalue().encode()
    expected = [{"nik": a, "name": b, "note": ""} for a, b in table]
    for size in (1, 13, 1 << 30):
        assert [row for _, row in rows_of(content, size=size)] == expected


noise = st.lists(
    st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n", b"\r", b"\xc3", b"\xa9", b"\0", b"1,A\n"]),
    max_size=30,
).map(b"".join)


@given(noise)
def test_however_a_file_is_broken_it_is_read_or_refused_alike_in_any_pieces(middle: bytes) -> None:
    content = b"nik,name\n" + middle
    assert len({_outcome(content, size) for size in (1, 7, 1 << 30)}) == 1


def _outcome(content: bytes, size: int) -> str:
    report = ImportReport("people.csv")
    try:
        rows = rows_of(content, report, size=size)
    except Refusal as refusal:
        return str((refusal.kind, refusal.members))
    return str((rows, report.errors))


# -- How much and how fast ------------------------------------------------------------------------


def _year(rows: int) -> Iterator[bytes]:
    yield b"npsn,nisn,nik,month,effective_days,absent,permitted,sick\n"
    for number in range(rows):
        yield b"30141147,%010d,%d,2023-01,22,0,0,0\n" % (number, 6_104_000_000_000_000 + number)


YEAR = Columns(("npsn", "nisn", "nik", "month", "effective_days", "absent", "permitted", "sick"))
# It takes 18: a call for each cell more would double them.
CALLS_A_ROW_MAX = 22


def test_a_row_costs_the_same_calls_in_a_short_file_and_in_a_long_one() -> None:
    def calls(rows: int) -> int:
        content, count = b"".join(_year(rows)), 0

        def called(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal count
            count += event in {"call", "c_call"}

        before = sys.getprofile()
        sys.setprofile(called)
        try:
            rows_of(content, columns=YEAR, size=65_536)
        finally:
            sys.setprofile(before)
        return count

    short, long = calls(2_000), calls(8_000)
    assert long / 8_000 < CALLS_A_ROW_MAX
    assert long < short * 4.1


def test_memory_stays_flat_however_long_the_file_is() -> None:
    async def body(rows: int) -> AsyncIterator[bytes]:
        for line in _year(rows):
            yield line

    async def peak_of(rows: int) -> int:
        tracemalloc.start()
        async for _ in read_rows(body(rows), YEAR, ImportReport("year.csv")):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    short, long = asyncio.run(peak_of(5_000)), asyncio.run(peak_of(20_000))
    assert long < short * 1.2
