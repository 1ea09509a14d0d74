from __future__ import annotations

import re
from collections.abc import Sequence

import httpx
import pytest

from tests.unit.simulators.conftest import Start
from tests.unit.simulators.given import (
    CLOSED_NO,
    NIK,
    Row,
    digest_of,
    headers_of,
    payment_id,
    request_file,
    sha256_of,
    total,
)

CHECK = "/account-checks/2023-1-CHECK"
ORDER = {"count": 1980, "rupiah": 2_345_000_000, "hash": "5f" * 32}
ROWS = [
    Row(payment_id(1)),
    Row(payment_id(2), account_no=CLOSED_NO),
    Row(payment_id(3), bank="BRI"),
    Row(payment_id(4), bank="BTN"),
]


async def put(
    client: httpx.AsyncClient, rows: Sequence[Row] = ROWS, on: str = "2023-04-20"
) -> httpx.Response:
    body = request_file(rows, kind="ACCOUNT_CHECK", file_id="2023-1-CHECK", on=on)
    return await client.put(CHECK, content=body, headers=headers_of(body, len(rows), total(rows)))


async def test_each_account_is_answered_from_the_books_of_its_bank(
    treasury: httpx.AsyncClient,
) -> None:
    taken = await put(treasury)
    assert taken.status_code == 202
    file = request_file(ROWS, kind="ACCOUNT_CHECK", file_id="2023-1-CHECK", on="2023-04-20")
    assert taken.json() == {
        "file": "2023-1-CHECK",
        "count": 4,
        "sum": 5_400_000,
        "sha256": sha256_of(file),
    }

    answer = await treasury.get(CHECK)

    assert answer.text.splitlines() == [
        f"H,1,ACCOUNT_CHECK_RESULT,2023-1-CHECK,2023-04-20,{sha256_of(file)}",
        f"D,{payment_id(1)},OK",
        f"D,{payment_id(2)},ACCOUNT_CLOSED",
        f"D,{payment_id(3)},OK",
        f"D,{payment_id(4)},ACCOUNT_NOT_FOUND",
        "T,4,2",
    ]
    assert answer.headers["content-digest"] == digest_of(answer.content)
    assert answer.headers["x-record-count"] == "4"
    assert NIK not in answer.text


async def test_accounts_are_looked_at_on_the_files_date(treasury: httpx.AsyncClient) -> None:
    await put(treasury, on="2023-04-19")

    assert f"D,{payment_id(2)},OK" in (await treasury.get(CHECK)).text


async def test_the_same_file_again_changes_nothing_and_another_is_refused(
    treasury: httpx.AsyncClient,
) -> None:
    await put(treasury)
    before = (await treasury.get(CHECK)).content

    assert (await put(treasury)).status_code == 200
    other = await put(treasury, ROWS[:1])

    assert (other.status_code, other.json()["code"]) == (409, "FILE_CONTRADICTS")
    assert (await treasury.get(CHECK)).content == before


async def test_a_payment_may_be_checked_again_in_another_file(
    start_treasury: Start,
) -> None:
    async with start_treasury() as treasury:
        await put(treasury)
        later = request_file(ROWS, kind="ACCOUNT_CHECK", file_id="2023-1-CHECK-2", on="2023-01-01")
        answer = await treasury.put(
            "/account-checks/2023-1-CHECK-2",
            content=later,
            headers=headers_of(later, 4, total(ROWS)),
        )

        assert answer.status_code == 202
        found = (await treasury.get("/account-checks/2023-1-CHECK-2")).text
        assert f"D,{payment_id(2)},OK" in found


async def test_funds_are_released_under_a_number_that_stays(start_treasury: Start) -> None:
    async with start_treasury() as treasury:
        first = await treasury.put("/payment-orders/SPM-2023-1", json=ORDER)
        again = await treasury.put("/payment-orders/SPM-2023-1", json=ORDER)
        asked = await treasury.get("/payment-orders/SPM-2023-1")

    async with start_treasury() as treasury:
        later = await treasury.put("/payment-orders/SPM-2023-1", json=ORDER)

    assert [r.status_code for r in (first, again, asked, later)] == [201, 200, 200, 200]
    assert first.json() == again.json() == asked.json() == later.json()
    assert first.json() == {
        "order": "SPM-2023-1",
        "sp2d": first.json()["sp2d"],
        **ORDER,
    }
    assert re.fullmatch(r"\d{15}", first.json()["sp2d"])


async def test_another_order_has_another_number(treasury: httpx.AsyncClient) -> None:
    numbers = {
        (await treasury.put(f"/payment-orders/SPM-{n}", json=ORDER)).json()["sp2d"]
        for n in range(5)
    }

    assert len(numbers) == 5


@pytest.mark.parametrize("change", [{"count": 1}, {"rupiah": 1}, {"hash": "00" * 32}])
async def test_an_order_with_other_figures_is_a_contradiction(
    treasury: httpx.AsyncClient, change: dict[str, int | str]
) -> None:
    await treasury.put("/payment-orders/SPM-2023-1", json=ORDER)

    answer = await treasury.put("/payment-orders/SPM-2023-1", json=ORDER | change)

    assert (answer.status_code, answer.json()["code"]) == (409, "ORDER_CONTRADICTS")


@pytest.mark.parametrize(
    "odd",
    [
        {"count": "1980"},
        {"count": 0},
        {"rupiah": -1},
        {"rupiah": 1.5},
        {"hash": "5F" * 32},
        {"payee": NIK},
    ],
)
async def test_a_malformed_order_is_refused_without_repeating_it(
    treasury: httpx.AsyncClient, odd: dict[str, object]
) -> None:
    answer = await treasury.put("/payment-orders/SPM-2023-1", json=ORDER | odd)

    assert (answer.status_code, answer.json()["code"]) == (422, "MALFORMED_ORDER")
    assert NIK not in answer.text


async def test_an_order_that_never_came_is_unknown(treasury: httpx.AsyncClient) -> None:
    answer = await treasury.get("/payment-orders/SPM-2023-9")

    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_ORDER")
    assert (await treasury.get(CHECK)).json()["code"] == "UNKNOWN_FILE"


@pytest.mark.parametrize("released", [True, False])
async def test_a_cancelled_order_gives_back_what_was_released_and_is_never_released_again(
    start_treasury: Start, released: bool
) -> None:
    order, cancellation = "/payment-orders/SPM-2023-1", "/payment-orders/SPM-2023-1/cancellation"
    async with start_treasury() as treasury:
        sp2d = (await treasury.put(order, json=ORDER)).json()["sp2d"] if released else ""
        first = await treasury.put(cancellation, json=ORDER)
        again = await treasury.put(cancellation, json=ORDER)

    async with start_treasury() as treasury:
        later = await treasury.put(cancellation, json=ORDER)
        late = await treasury.put(order, json=ORDER)
        asked = await treasury.get(order)
        other = await treasury.put("/payment-orders/SPM-2023-1-R2", json=ORDER)

    assert [r.status_code for r in (first, again, later)] == [201, 200, 200]
    assert first.json() == again.json() == later.json()
    nothing = {} if released else {"count": 0, "rupiah": 0}
    receipt = first.json()["receipt"]
    assert first.json() == ORDER | nothing | {
        "order": "SPM-2023-1",
        "sp2d": sp2d,
        "receipt": receipt,
    }
    assert re.fullmatch(r"\d{15}", receipt)
    for refused in (late, asked):
        assert (refused.status_code, refused.json()["code"]) == (409, "ORDER_CANCELLED")
    assert other.status_code == 201


@pytest.mark.parametrize("change", [{"count": 1}, {"rupiah": 1}, {"hash": "00" * 32}])
@pytest.mark.parametrize("before", ["", "/cancellation"], ids=["released", "cancelled"])
async def test_a_cancellation_with_other_figures_is_a_contradiction(
    treasury: httpx.AsyncClient, before: str, change: dict[str, int | str]
) -> None:
    await treasury.put(f"/payment-orders/SPM-2023-1{before}", json=ORDER)

    answer = await treasury.put("/payment-orders/SPM-2023-1/cancellation", json=ORDER | change)

    assert (answer.status_code, answer.json()["code"]) == (409, "ORDER_CONTRADICTS")


async def test_a_check_may_take_its_time(start_treasury: Start) -> None:
    async with start_treasury(answer_after_asks=1) as treasury:
        await put(treasury)

        assert (await treasury.get(CHECK)).status_code == 202
        assert (await treasury.get(CHECK)).status_code == 200
