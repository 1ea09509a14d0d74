from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.refusals import Code, Refusal
from simulators.request_file import (
    RECORD_BYTES_MAX,
    Instruction,
    Kind,
    RequestReader,
    Whole,
    claimed,
)
from tests.unit.simulators.given import NIK, ON, Row, headers_of, payment_id, request_file, total

ROWS = [Row(), Row(payment_id(2), name='SURYANI, H. "TINA"', amount=225_000)]


def read(
    body: bytes, claim: Whole | None = None, chunk: int = 7, **limits: int
) -> list[Instruction]:
    reader = RequestReader(Kind.CREDIT, "2023-1-BNI", ("BNI",), **limits)
    found = [
        instruction
        for start in range(0, len(body), chunk)
        for instruction in reader.feed(body[start : start + chunk])
    ]
    reader.proven(claim or claimed(headers_of(body, len(ROWS), total(ROWS))))
    assert reader.on == ON
    return found


def refused(body: bytes, claim: Whole | None = None, **limits: int) -> tuple[Code, int | None]:
    with pytest.raises(Refusal) as refusal:
        read(body, claim, **limits)
    assert NIK not in repr(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
    return refusal.value.code, refusal.value.line


@given(st.integers(1, 400))
def test_a_file_reads_the_same_however_it_is_cut_into_chunks(chunk: int) -> None:
    assert read(request_file(ROWS), chunk=chunk) == [Instruction(*map_row(row)) for row in ROWS]


def map_row(row: Row) -> tuple[str, str, str, str, str, int]:
    return (*row[:5], int(row.amount))


def test_line_ends_may_be_crlf() -> None:
    assert read(request_file(ROWS, line_end="\r\n")) == read(request_file(ROWS))


def test_the_last_line_end_may_be_missing() -> None:
    assert len(read(request_file(ROWS).rstrip())) == 2


def test_names_of_any_script_are_taken() -> None:
    rows = [ROWS[0]._replace(name="ANDRÉ ꦱꦸꦂꦪ\u2028\x85"), ROWS[1]]

    assert read(request_file(rows))[0].name == "ANDRÉ ꦱꦸꦂꦪ\u2028\x85"


def test_odd_values_of_one_family_do_not_stop_the_others() -> None:
    rows = [ROWS[0]._replace(account_no="", name="", nik="0004116911860ABC"), ROWS[1]]

    assert len(read(request_file(rows))) == 2


def test_a_file_whose_lines_changed_places_is_as_good() -> None:
    assert len(read(request_file(ROWS[::-1]))) == 2


WHOLE = request_file(ROWS)


@pytest.mark.parametrize("cut", range(len(WHOLE) - 1))
def test_a_truncated_file_is_refused_wherever_it_ends(cut: int) -> None:
    claim = claimed(headers_of(WHOLE, len(ROWS), total(ROWS)))

    refused(WHOLE[:cut], claim)


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        pytest.param(b"", Code.TRAILER_MISSING, None, id="nothing"),
        pytest.param(b"\xef\xbb\xbf" + WHOLE, Code.MALFORMED_RECORD, 1, id="byte order mark"),
        pytest.param(WHOLE + b"\n", Code.MALFORMED_RECORD, 5, id="line after the trailer"),
        pytest.param(WHOLE + WHOLE, Code.MALFORMED_RECORD, 5, id="the file twice"),
        pytest.param(
            WHOLE.replace(b"D,", b"X,", 1), Code.MALFORMED_RECORD, 2, id="another kind of record"
        ),
        pytest.param(
            WHOLE.replace(b"AGUSTINA", b"\xff", 1), Code.MALFORMED_RECORD, 2, id="not UTF-8"
        ),
        pytest.param(
            WHOLE.replace(b"AGUSTINA", b'"AGUS\nTINA"', 1),
            Code.MALFORMED_RECORD,
            2,
            id="line break in a field",
        ),
        pytest.param(
            WHOLE.replace(b"AGUSTINA", b"A" * RECORD_BYTES_MAX, 1),
            Code.MALFORMED_RECORD,
            2,
            id="long record",
        ),
        pytest.param(b"H" * 5_000, Code.MALFORMED_RECORD, 1, id="no line end at all"),
        pytest.param(WHOLE[WHOLE.index(b"D,") :], Code.MALFORMED_RECORD, 1, id="header missing"),
        pytest.param(
            WHOLE[: WHOLE.rindex(b"T,")], Code.TRAILER_MISSING, None, id="trailer missing"
        ),
        pytest.param(WHOLE.replace(b"H,1", b"H,2"), Code.MALFORMED_RECORD, 1, id="layout"),
        pytest.param(
            request_file(ROWS, kind="ACCOUNT_CHECK"), Code.WRONG_KIND, 1, id="another kind"
        ),
        pytest.param(
            request_file(ROWS, file_id="2023-2-BNI"), Code.FILE_ID_DIFFERS, 1, id="another id"
        ),
        pytest.param(
            request_file([ROWS[0], ROWS[1]._replace(bank="BRI")]),
            Code.WRONG_BANK,
            3,
            id="another bank",
        ),
        pytest.param(request_file([]), Code.EMPTY_FILE, None, id="no records"),
        pytest.param(
            request_file(ROWS, trailer=(3, total(ROWS))),
            Code.COUNT_DIFFERS,
            None,
            id="trailer's count",
        ),
        pytest.param(
            request_file(ROWS, trailer=(2, total(ROWS) + 1)),
            Code.SUM_DIFFERS,
            None,
            id="trailer's sum",
        ),
        pytest.param(
            request_file([ROWS[0]]), Code.COUNT_DIFFERS, None, id="a line less than claimed"
        ),
    ],
)
def test_a_faulty_file_is_refused_with_its_code_and_line(
    body: bytes, code: Code, line: int | None
) -> None:
    assert refused(body) == (code, line)


@pytest.mark.parametrize("on", ["20230420", "2023-W16-4", "2023-4-20", "2023-02-30", "", "x" * 10])
def test_a_date_has_one_form(on: str) -> None:
    assert refused(request_file(ROWS, on=on)) == (Code.MALFORMED_RECORD, 1)


@pytest.mark.parametrize(
    "amount", ["0", "-1", "+1", "01", "1.0", "1e6", " 1", "", "1_000", "²", "1000000000000"]
)
def test_an_amount_is_a_whole_number_of_rupiah(amount: str) -> None:
    rows = [ROWS[0]._replace(amount=amount), ROWS[1]]

    assert refused(request_file(rows, trailer=(2, 0))) == (Code.MALFORMED_RECORD, 2)


@pytest.mark.parametrize("odd", ["", "x" * 37, "a b", "a,b", "=1+1", "é", "61.03"])
def test_a_reference_has_one_form(odd: str) -> None:
    rows = [ROWS[0]._replace(reference=odd), ROWS[1]]

    assert refused(request_file(rows)) == (Code.MALFORMED_RECORD, 2)


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        (lambda whole: Whole(3, whole.sum, whole.digest), Code.COUNT_DIFFERS),
        (lambda whole: Whole(whole.count, 1, whole.digest), Code.SUM_DIFFERS),
        (lambda whole: Whole(whole.count, whole.sum, "A" * 43 + "="), Code.DIGEST_DIFFERS),
    ],
)
def test_the_senders_claim_must_fit(claim: Callable[[Whole], Whole], code: Code) -> None:
    whole = claimed(headers_of(WHOLE, len(ROWS), total(ROWS)))

    assert refused(WHOLE, claim(whole)) == (code, None)


def test_an_account_check_may_ask_about_no_money() -> None:
    body = request_file([Row(amount=0)], kind="ACCOUNT_CHECK")
    reader = RequestReader(Kind.ACCOUNT_CHECK, "2023-1-BNI", ("BNI",))

    assert len(list(reader.feed(body))) == 1


def test_a_file_with_too_many_records_or_bytes_is_too_large() -> None:
    assert refused(WHOLE, records_max=1) == (Code.TOO_MANY_RECORDS, 3)
    assert refused(WHOLE, bytes_max=10)[0] is Code.FILE_TOO_LARGE


@pytest.mark.parametrize("name", ["content-digest", "x-record-count", "x-control-sum"])
def test_every_header_is_required_and_has_one_form(name: str) -> None:
    headers = headers_of(WHOLE)

    with pytest.raises(Refusal, match="HEADER_MISSING"):
        claimed({key: value for key, value in headers.items() if key != name})
    for odd in ("", "-1", "x", "sha-256=:AAAA:", "md5=:AAAA:"):
        with pytest.raises(Refusal, match="HEADER_MALFORMED"):
            claimed({**headers, name: odd})


def test_sha_256_is_found_among_other_digests() -> None:
    headers = headers_of(WHOLE)
    digest = headers["content-digest"]

    claim = claimed({**headers, "content-digest": f"sha-512=:AAAA:, {digest}"})

    assert claim == claimed(headers)
