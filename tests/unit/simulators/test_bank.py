from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest

from simulators.misbehaviour import Misbehaviour
from tests.unit.simulators.conftest import Start
from tests.unit.simulators.given import (
    ACCOUNT_NO,
    CLOSED_NO,
    DORMANT_NO,
    NAME,
    NIK,
    Row,
    digest_of,
    headers_of,
    payment_id,
    request_file,
    sha256_of,
    total,
)

FILE = "/banks/BNI/credit-files/2023-1-BNI"
EVERY_ANSWER = [
    Row(payment_id(1)),
    Row(payment_id(2), account_no="999"),
    Row(payment_id(3), account_no=CLOSED_NO),
    Row(payment_id(4), account_no=DORMANT_NO),
    Row(payment_id(5), nik="6103014903800009"),
    Row(payment_id(6), name="SURYANI, H."),
    Row(payment_id(7), name="agustina suryani", amount=225_000),
]
STATUSES = [
    "CREDITED",
    "ACCOUNT_NOT_FOUND",
    "ACCOUNT_CLOSED",
    "ACCOUNT_DORMANT",
    "NIK_MISMATCH",
    "NAME_MISMATCH",
    "CREDITED",
]


async def put(
    client: httpx.AsyncClient, rows: Sequence[Row], file_id: str = "2023-1-BNI", bank: str = "BNI"
) -> httpx.Response:
    body = request_file(rows, file_id=file_id)
    return await client.put(
        f"/banks/{bank}/credit-files/{file_id}",
        content=body,
        headers=headers_of(body, len(rows), total(rows)),
    )


async def result(client: httpx.AsyncClient, file_id: str = "2023-1-BNI") -> list[list[str]]:
    answer = await client.get(f"/banks/BNI/credit-files/{file_id}")
    assert answer.status_code == 200
    return [line.split(",") for line in answer.text.splitlines()]


def witnessed(directory: Path, bank: str = "BNI") -> list[str]:
    """The lines of what a bank's journal says it decided, repetitions left out."""
    lines = (directory / f"{bank}.journal").read_text().splitlines()
    return [line for line in lines if line.startswith("L,")]


def left_in(directory: Path) -> str:
    return "".join(path.read_text() for path in directory.iterdir())


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert NIK not in answer.text
    assert NAME not in answer.text
    return answer.status_code, answer.json()["code"]


async def test_each_payment_is_credited_or_told_why_not(banks: httpx.AsyncClient) -> None:
    taken = await put(banks, EVERY_ANSWER)
    assert (taken.status_code, taken.json()) == (
        202,
        {
            "file": "2023-1-BNI",
            "count": 7,
            "sum": total(EVERY_ANSWER),
            "sha256": sha256_of(request_file(EVERY_ANSWER)),
        },
    )

    header, *lines, trailer = await result(banks)

    assert header == [
        "H",
        "1",
        "CREDIT_RESULT",
        "2023-1-BNI",
        "2023-04-20",
        sha256_of(request_file(EVERY_ANSWER)),
    ]
    assert [line[:4] for line in lines] == [
        ["D", row.reference, status, str(row.amount)]
        for row, status in zip(EVERY_ANSWER, STATUSES, strict=True)
    ]
    assert [bool(line[4]) for line in lines] == [status == "CREDITED" for status in STATUSES]
    assert trailer == ["T", "7", str(total(EVERY_ANSWER)), "2", str(1_350_000 + 225_000)]


async def test_a_result_proves_itself_by_its_headers(banks: httpx.AsyncClient) -> None:
    await put(banks, EVERY_ANSWER)

    answer = await banks.get(FILE)

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-digest"] == digest_of(answer.content)
    assert answer.headers["x-record-count"] == "7"
    assert answer.headers["x-control-sum"] == str(total(EVERY_ANSWER))


async def test_the_same_file_again_is_answered_again_and_credited_once(
    banks: httpx.AsyncClient, tmp_path: Path
) -> None:
    first = await put(banks, EVERY_ANSWER)
    before = await result(banks)

    again = await put(banks, EVERY_ANSWER)

    assert (again.status_code, again.json()) == (200, first.json())
    assert await result(banks) == before
    assert len(witnessed(tmp_path)) == 7


async def test_many_uploads_of_one_file_at_once_are_one(
    banks: httpx.AsyncClient, tmp_path: Path
) -> None:
    answers = await asyncio.gather(*(put(banks, EVERY_ANSWER) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert len(witnessed(tmp_path)) == 7


async def test_other_bytes_under_a_taken_id_are_a_contradiction(
    banks: httpx.AsyncClient, tmp_path: Path
) -> None:
    await put(banks, [Row()])

    assert refused(await put(banks, [Row(name="ANOTHER")])) == (409, "FILE_CONTRADICTS")
    assert len(witnessed(tmp_path)) == 1


async def test_a_payment_asked_for_in_another_file_is_not_credited_twice(
    banks: httpx.AsyncClient, tmp_path: Path
) -> None:
    await put(banks, [Row()])
    (_, first, _) = await result(banks)

    await put(banks, [Row(), Row(payment_id(2))], "2023-1-BNI-2")

    (_, again, other, _) = await result(banks, "2023-1-BNI-2")
    assert again == first
    assert other[1:3] == [payment_id(2), "CREDITED"]
    assert len(witnessed(tmp_path)) == 2


async def test_a_payment_that_failed_stays_failed_whatever_is_asked_later(
    banks: httpx.AsyncClient,
) -> None:
    await put(banks, [Row(account_no=CLOSED_NO)])

    await put(banks, [Row(account_no=ACCOUNT_NO)], "2023-1-BNI-2")

    (_, line, _) = await result(banks, "2023-1-BNI-2")
    assert line[2] == "ACCOUNT_CLOSED"


async def test_a_known_payment_with_another_amount_refuses_the_whole_file(
    banks: httpx.AsyncClient, tmp_path: Path
) -> None:
    await put(banks, [Row()])

    answer = await put(banks, [Row(payment_id(2)), Row(amount=1)], "2023-1-BNI-2")

    assert refused(answer) == (409, "PAYMENT_CONTRADICTS")
    assert len(witnessed(tmp_path)) == 1
    assert (await banks.get(f"/banks/BNI/payments/{payment_id(2)}")).status_code == 404


async def test_banks_do_not_know_of_each_others_payments(banks: httpx.AsyncClient) -> None:
    await put(banks, [Row()])

    assert (await put(banks, [Row(bank="BRI")], "2023-1-BRI", bank="BRI")).status_code == 202
    assert refused(await banks.get(f"/banks/BTN/payments/{payment_id(1)}")) == (
        404,
        "UNKNOWN_PAYMENT",
    )


async def test_an_enquiry_says_what_became_of_a_payment(banks: httpx.AsyncClient) -> None:
    await put(banks, EVERY_ANSWER)
    (_, credited, failed, *_) = await result(banks)

    found = (await banks.get(f"/banks/BNI/payments/{credited[1]}")).json()
    assert found == {
        "reference": credited[1],
        "status": "CREDITED",
        "amount": 1_350_000,
        "bank_reference": credited[4],
    }
    found = (await banks.get(f"/banks/BNI/payments/{failed[1]}")).json()
    assert (found["status"], found["bank_reference"]) == ("ACCOUNT_NOT_FOUND", None)


async def test_a_refused_file_leaves_nothing_and_may_come_again_mended(
    banks: httpx.AsyncClient, tmp_path: Path
) -> None:
    rows = [Row(), Row(payment_id(2))]
    body = request_file(rows, trailer=(2, 1))

    answer = await banks.put(FILE, content=body, headers=headers_of(body, 2, total(rows)))

    assert refused(answer) == (422, "SUM_DIFFERS")
    assert refused(await banks.get(FILE)) == (404, "UNKNOWN_FILE")
    assert witnessed(tmp_path) == []
    assert (await put(banks, rows)).status_code == 202


async def test_a_reference_twice_in_a_file_is_refused_with_its_line(
    banks: httpx.AsyncClient,
) -> None:
    answer = await put(banks, [Row(), Row(payment_id(2)), Row()])

    assert refused(answer) == (422, "DUPLICATE_REFERENCE")
    assert answer.json()["line"] == 4


async def test_a_refused_file_is_read_to_its_end_so_that_the_refusal_arrives(
    banks: httpx.AsyncClient,
) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(50):
            yield b"nonsense\n"
            sent += 1

    answer = await banks.put(FILE, content=body(), headers=headers_of(b""))

    assert refused(answer) == (422, "MALFORMED_RECORD")
    assert sent == 50


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/banks/BCA/credit-files/1", "UNKNOWN_BANK"),
        ("/banks/BCA/payments/1", "UNKNOWN_BANK"),
        ("/banks/BNI/credit-files/1", "UNKNOWN_FILE"),
        ("/banks/BNI/payments/1", "UNKNOWN_PAYMENT"),
        ("/banks/BNI/credit-files/a%20b", "MALFORMED_ID"),
        (f"/banks/BNI/credit-files/{'x' * 65}", "MALFORMED_ID"),
        ("/banks/BNI/payments/a.b", "MALFORMED_ID"),
    ],
)
async def test_what_is_not_known_is_told_by_its_code(
    banks: httpx.AsyncClient, path: str, code: str
) -> None:
    assert refused(await banks.get(path))[1] == code


async def test_a_file_without_headers_is_refused(banks: httpx.AsyncClient) -> None:
    answer = await banks.put(FILE, content=request_file())

    assert refused(answer) == (400, "HEADER_MISSING")


async def test_an_answer_may_take_its_time(start_banks: Start) -> None:
    async with start_banks(answer_after_asks=2) as banks:
        await put(banks, [Row()])

        for _ in range(2):
            waiting = await banks.get(FILE)
            assert (waiting.status_code, waiting.headers["retry-after"]) == (202, "1")
        assert (await banks.get(FILE)).status_code == 200


async def test_a_new_start_answers_as_the_old_one_did(start_banks: Start, tmp_path: Path) -> None:
    async with start_banks() as banks:
        await put(banks, EVERY_ANSWER)
        before = (await banks.get(FILE)).content
        paid = (await banks.get(f"/banks/BNI/payments/{payment_id(1)}")).json()

    async with start_banks() as banks:
        assert (await banks.get(FILE)).content == before
        assert (await banks.get(f"/banks/BNI/payments/{payment_id(1)}")).json() == paid
        assert (await put(banks, EVERY_ANSWER)).status_code == 200
        assert refused(await put(banks, [Row()])) == (409, "FILE_CONTRADICTS")
        assert refused(await put(banks, [Row(amount=1)], "2")) == (409, "PAYMENT_CONTRADICTS")
    assert len(witnessed(tmp_path)) == 7


async def test_nothing_personal_is_left_behind(
    start_banks: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with start_banks() as banks:
        await put(banks, EVERY_ANSWER)
        assert (await put(banks, [Row(amount=0)], "2")).status_code == 422
        answered = (await banks.get(FILE)).text

    left = left_in(tmp_path) + caplog.text + answered
    assert payment_id(1) in left
    for personal in {value for row in EVERY_ANSWER for value in row[2:5]}:
        assert personal not in left


async def test_a_bank_that_accepts_duplicates_credits_twice(
    start_banks: Start, tmp_path: Path
) -> None:
    async with start_banks(Misbehaviour.ACCEPT_DUPLICATES) as banks:
        await put(banks, [Row()])
        await put(banks, [Row()], "2023-1-BNI-2")

    assert len(witnessed(tmp_path)) == 2


async def test_a_stray_line_is_counted_like_the_others(start_banks: Start) -> None:
    async with start_banks(Misbehaviour.STRAY_LINE) as banks:
        await put(banks, [Row()])
        answer = await banks.get(FILE)
        (_, asked, stray, trailer) = await result(banks)

    assert asked[1] == payment_id(1)
    assert stray[2:4] == ["CREDITED", "1"]
    assert trailer == ["T", "2", "1350001", "2", "1350001"]
    assert answer.headers["x-record-count"] == "2"


async def test_a_contradicting_bank_changes_its_mind_after_the_first_answer(
    start_banks: Start,
) -> None:
    async with start_banks(Misbehaviour.CONTRADICT) as banks:
        await put(banks, EVERY_ANSWER)
        (_, first, *_, trailer) = await result(banks)
        (_, second, *others, changed) = await result(banks)

    assert (first[2], trailer[3]) == ("CREDITED", "2")
    assert (second[2:], changed[3]) == (["ACCOUNT_CLOSED", "1350000", ""], "1")
    assert [line[2] for line in others] == STATUSES[1:]
