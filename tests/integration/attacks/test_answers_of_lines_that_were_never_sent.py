"""A bank's own answer names lines that nobody sent, or one twice: its run stands, all others go on.

The attacker is in the bank: its certificate, its key and its file are right, and each figure fits.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from services.payments.domain.payment.state import Transfer
from services.payments.tables.ledger import books
from services.payments.workers.run_worker import Payer
from simulators.bank import bank_reference
from tests.integration.attacks.test_bank_address_taken_over import AT_BNI, AT_BRI, BNI, ordered
from tests.integration.payments.bank_door import bank_door, payer_at, right_ones
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1
from tests.integration.payments.office import Office, exhausted

Lines = list[str]
NOBODY_S = str(uuid.uuid5(uuid.NAMESPACE_URL, "a payment that there is not"))


def credited(payment: str) -> str:
    return f"D,{payment},CREDITED,{EARLY_CHILD_IDR},{bank_reference('BNI', payment, 'CREDITED')}"


def one_twice(lines: Lines) -> Lines:
    return [*lines, lines[0]]


def one_in_another_s_place(lines: Lines) -> Lines:
    return [lines[0], lines[0], *lines[2:]]


def one_of_nobody_more(lines: Lines) -> Lines:
    return [*lines, credited(NOBODY_S)]


def nobody_s_in_one_s_place(lines: Lines) -> Lines:
    return [credited(NOBODY_S), *lines[1:]]


def another_bank_s_in_one_s_place(lines: Lines) -> Lines:
    return [credited(AT_BRI[0].payment()), *lines[1:]]


def one_left_out(lines: Lines) -> Lines:
    return lines[1:]


def answering(change: Callable[[Lines], Lines]) -> Callable[[httpx.Response], httpx.Response]:
    """The bank's answer with other lines, each sum made to fit them."""

    def turned(answer: httpx.Response) -> httpx.Response:
        if answer.status_code != 200:
            return answer
        head, *lines, _ = answer.text.splitlines()
        listed = change(lines)
        figures = f"{len(listed)},{len(listed) * EARLY_CHILD_IDR}"
        return httpx.Response(200, text="\n".join([head, *listed, f"T,{figures},{figures}", ""]))

    return turned


@pytest_asyncio.fixture
async def payer(office: Office, tmp_path: Path) -> AsyncIterator[Payer]:
    """A leader of payments that asks the banks at their address, over https."""
    _, both = right_ones()
    async with (
        bank_door(office.world, both, tmp_path) as banks,
        payer_at(office, banks, both, tmp_path) as payer,
    ):
        yield payer


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (one_twice, "field=X-Record-Count"),
        (one_in_another_s_place, "line=3, field=payment"),
        (one_of_nobody_more, "field=X-Record-Count"),
        (nobody_s_in_one_s_place, "payment="),
        (another_bank_s_in_one_s_place, "payment="),
        (one_left_out, "field=X-Record-Count"),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
async def test_nothing_is_booked_of_an_answer_with_other_lines_and_no_other_bank_waits(
    office: Office, payer: Payer, change: Callable[[Lines], Lines], why: str
) -> None:
    await ordered(office)
    office.world.instead[BNI] = answering(change)

    await exhausted(payer.step)

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    assert await office.transfers(AT_BRI) == [Transfer.CREDITED] * 2
    [run] = (await office.seen(f"/tahap/{TAHAP_1}"))["runs"]
    [trouble] = run["partners_in_trouble"]
    assert (trouble["partner"], why in trouble["error"]) == ("BNI", True), trouble
    assert (await books(office.store)).broken == []

    office.world.instead.clear()
    await office.pay()
    assert await office.transfers([*AT_BNI, *AT_BRI]) == [Transfer.CREDITED] * 5
