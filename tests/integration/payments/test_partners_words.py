"""A partner's word is proven before it counts, and one partner's trouble is its own alone."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.payments.domain.payment.state import Transfer
from services.payments.partners.in_flight import InFlight
from services.payments.tables.ledger import books
from tests.doors import sent
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, books_of, houses
from tests.integration.payments.office import Office, exhausted

VILLAGE = [*houses(3, "BNI"), *houses(2, "BRI", first=4)]
AT_BNI, AT_BRI = VILLAGE[:3], VILLAGE[3:]
PAID_BY_BNI = "/banks/BNI/credit-files"
Change = Callable[[list[str]], list[str]]


async def checked(office: Office) -> None:
    """The village's list is frozen and its accounts are checked."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    await office.pay()


async def ordered(office: Office) -> None:
    """The village's money is ordered, and no file has left."""
    await checked(office)
    await office.ordered()


def line_of(payment: str, change: Change) -> Callable[[httpx.Response], httpx.Response]:
    """Turns an answer into one whose line of a payment is changed, sums made to fit."""

    def turned(response: httpx.Response) -> httpx.Response:
        if response.status_code != 200:
            return response
        rows = [row.split(",") for row in response.text.splitlines()]
        rows = [change(row) if row[1:2] == [payment] else row for row in rows]
        lines = [row for row in rows if row[0] == "D"]
        good = [row for row in lines if row[2] in ("CREDITED", "OK")]
        if len(lines[0]) == 5:
            digits = [int(row[3]) if row[3].isdigit() and len(row[3]) < 20 else 0 for row in lines]
            paid = sum(n for row, n in zip(lines, digits, strict=True) if row in good)
            rows[-1] = ["T", str(len(lines)), str(sum(digits)), str(len(good)), str(paid)]
        else:
            rows[-1] = ["T", str(len(lines)), str(len(good))]
        text = "".join(",".join(row) + "\n" for row in rows)
        return httpx.Response(200, content=text.encode())

    return turned


def says(word: str) -> Change:
    """Another word about a line; of one that is not credited, there is no reference."""
    return lambda row: [*row[:2], word, *row[3:4], *([""] if len(row) == 5 else [])]


async def run_shown(office: Office) -> dict[str, Any]:
    """The first tahap's regular run as a reader sees it."""
    [shown] = (await office.seen(f"/tahap/{TAHAP_1}"))["runs"]
    assert isinstance(shown, dict)
    return shown


@pytest.mark.parametrize("word", ["PENDING", "credited", ""])
async def test_a_line_of_which_a_bank_says_neither_yes_nor_no_stays_open_and_is_asked_again(
    office: Office, word: str
) -> None:
    await ordered(office)
    office.world.instead[PAID_BY_BNI] = line_of(AT_BNI[0].payment(), says(word))
    await office.pay()

    assert await office.transfers(AT_BNI[:1]) == [Transfer.INSTRUCTED]
    assert await office.transfers([*AT_BNI[1:], *AT_BRI]) == [Transfer.CREDITED] * 4
    shown = await run_shown(office)
    assert shown["phase"] == "AWAITING_BANKS"
    assert "neither yes nor no" in str(shown["trouble"])
    assert [each["partner"] for each in shown["partners_in_trouble"]] == ["BNI"]
    assert shown["unknown"] == {"count": 1, "rupiah": EARLY_CHILD_IDR}

    office.world.instead.clear()
    await office.pay()
    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5
    assert (await office.tahap()).closed is not None
    assert (await books(office.store)).broken == []


@pytest.mark.parametrize("word", ["ok", "PENDING", ""])
async def test_the_treasurys_unknown_word_fails_nobodys_account(office: Office, word: str) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    office.world.instead["account-checks"] = line_of(AT_BNI[0].payment(), says(word))
    await office.pay()

    assert await sent(office.store, "AccountCheckFailed") == []
    shown = await run_shown(office)
    assert (shown["phase"], shown["order"]) == ("CHECKING_ACCOUNTS", None)
    assert "neither yes nor no" in str(shown["trouble"])

    office.world.instead.clear()
    await office.pay()
    assert (await run_shown(office))["phase"] == "ORDER_READY"


@pytest.mark.parametrize(
    "change",
    [
        lambda row: [*row[:3], "9" * 5_000, row[4]],
        lambda row: [*row[:4], "REF\0001"],
        lambda row: [*row[:4], "R" * 3_000],
        lambda row: [*row[:3], str(EARLY_CHILD_IDR + 1), row[4]],
        lambda row: ["D", VILLAGE[4].payment(), *row[2:]],
    ],
    ids=["5,000 digits", "NUL", "3,000 characters", "another amount", "another's payment"],
)
async def test_an_answer_with_an_odd_field_is_that_banks_trouble_and_nothing_of_it_is_booked(
    office: Office, change: Change
) -> None:
    await ordered(office)
    office.world.instead[PAID_BY_BNI] = line_of(AT_BNI[2].payment(), change)
    await office.pay()

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    assert await office.transfers(AT_BRI) == [Transfer.CREDITED] * 2
    shown = await run_shown(office)
    assert [each["partner"] for each in shown["partners_in_trouble"]] == ["BNI"]
    assert "9" * 16 not in str(shown["trouble"])

    office.world.instead.clear()
    await office.pay()
    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5


async def test_a_bank_that_answers_500_for_ever_holds_up_neither_others_nor_other_tahaps(
    office: Office,
) -> None:
    await ordered(office)
    office.world.instead["/banks/BNI"] = lambda _: httpx.Response(500)
    await office.pay()
    assert await office.transfers(AT_BRI) == [Transfer.CREDITED] * 2
    await office.arrived(AT_BRI, tahap="2023-2")
    await office.frozen("2023-2")
    await office.pay()
    await office.ordered("2023-2")
    await office.pay()

    assert await office.transfers(AT_BRI, "2023-2") == [Transfer.CREDITED] * 2
    [shown] = (await run_shown(office))["partners_in_trouble"]
    assert (shown["partner"], "status=500" in shown["error"]) == ("BNI", True)


async def test_a_bank_that_hangs_holds_up_neither_others_nor_other_tahaps(office: Office) -> None:
    await ordered(office)
    office.world.hanging = {"/banks/BNI"}
    payer = office.payer()
    payer.exchange.in_flight = InFlight(patience_s=0.05)
    try:
        await exhausted(payer.step)
        assert await office.transfers(AT_BRI) == [Transfer.CREDITED] * 2
        await office.arrived(AT_BRI, tahap="2023-2")
        await office.frozen("2023-2")
        await exhausted(payer.step)
        await office.ordered("2023-2")
        await exhausted(payer.step)
    finally:
        await payer.exchange.in_flight.aclose()

    assert await office.transfers(AT_BRI, "2023-2") == [Transfer.CREDITED] * 2
    office.world.hanging = set()
    await office.pay()
    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5


async def test_a_fault_of_tls_is_that_banks_alone(office: Office) -> None:
    """It is an error of the operating system's kind, of which others are everybody's trouble."""
    await ordered(office)
    fault = ssl.SSLError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca")
    fault.reason = "TLSV1_ALERT_UNKNOWN_CA"

    def refused(_: httpx.Request) -> httpx.Response:
        raise fault

    office.world.taken_over["/banks/BNI"] = refused
    await office.pay()

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    assert await office.transfers(AT_BRI) == [Transfer.CREDITED] * 2
    assert "error=SSLError, tls=TLSV1_ALERT_UNKNOWN_CA" in str((await run_shown(office))["trouble"])


async def test_an_answer_longer_than_its_lines_can_be_is_not_read_to_its_end(
    office: Office,
) -> None:
    await ordered(office)
    office.world.instead[PAID_BY_BNI] = lambda _: httpx.Response(200, content=b"H," * 5_000_000)
    await office.pay()

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    assert "bytes_max" in str((await run_shown(office))["trouble"])
