"""A tahap is cancelled behind its order: all of it is taken back, and it is paid anew once.

Until a bank's file is committed; from then on never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date

import httpx
import msgspec
import pytest

from libs.chassis.partner_keys import HEADER
from libs.chassis.settings import Settings
from services.payments.domain.ledger import TAKEN_BACK_BY
from services.payments.domain.payment.state import Transfer
from services.payments.partners.files import content_digest
from services.payments.partners.in_flight import InFlight
from services.payments.tables.ledger import books
from services.payments.tables.run_lines import RunMovedMeanwhile
from tests.doors import sent
from tests.integration.payments.gate import Gate, held_or_through
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, books_of, houses
from tests.integration.payments.office import Office, exhausted
from tests.integration.payments.steps import until_dispatched, until_instructed
from tests.integration.payments.test_cancellation import (
    PATH,
    announced_again,
    approved,
    proposed,
)
from tests.integration.payments.test_cancellation_behind_freeze import (
    VILLAGE,
    assert_paid_once,
    cancelled,
    frozen,
    left_of,
    paid_anew,
    withdrawn,
)
from tests.integration.payments.test_closed_lines import erase
from tests.integration.payments.test_crashes import Killed, mortal
from tests.servers import eventually

__all__ = ["frozen"]
ORDERED_IDR = 6 * EARLY_CHILD_IDR
ORDER = f"/payment-orders/SPM-{TAHAP_1}-REGULAR"
GIVEN_BACK = f"{ORDER}/cancellation"
TAKE_BACK_TRANSACTIONS = 12


# -- How far the order has come


async def ordered(office: Office) -> None:
    """Two people have ordered the payment, and the treasury was not asked yet."""
    await office.pay()
    await office.ordered()


async def unheard(office: Office) -> None:
    """The treasury has released the funds, and its answer was lost."""
    await ordered(office)
    office.world.unheard.add("payment-orders")
    await office.payer().step()
    office.world.unheard.clear()
    assert (await office.run()).funds is None


async def funded(office: Office) -> None:
    """The funds are released, and nobody is instructed yet."""
    await ordered(office)
    await office.payer().step()
    assert (await office.run()).funds is not None


async def instructing(office: Office) -> None:
    """Payments are instructed, and the step has not ended."""
    await ordered(office)
    with pytest.raises(Killed):
        await exhausted(office.payer(mortal(office, 3, behind=False)).step)
    assert await office.store.pool.fetchval("SELECT step FROM run_open") == "INSTRUCT"


async def instructed(office: Office) -> None:
    """Every payment of the order is instructed, and no file is committed."""
    await ordered(office)
    await until_instructed(office)


STEPS: dict[str, Callable[[Office], Awaitable[None]]] = {
    "ordered": ordered,
    "released-unheard": unheard,
    "funded": funded,
    "instructing": instructing,
    "instructed": instructed,
}


async def taken_back_in_the_books(office: Office) -> None:
    """Each row of the order has one that moves it back, and nothing stands anywhere."""
    moved = await office.moved()
    for name, back in TAKEN_BACK_BY.items():
        assert moved.get(name, 0) == moved.get(back, 0)
    assert await office.balances() == {}
    assert (await books(office.store)).broken == []


# -- Until a bank's file is committed


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
async def test_what_is_cancelled_behind_its_order_is_taken_back_and_paid_anew_once(
    frozen: Office, step: Callable[[Office], Awaitable[None]]
) -> None:
    await step(frozen)
    released = (ORDERED_IDR, 6) if step is not ordered else (0, 0)

    await cancelled(frozen)

    [back] = await sent(frozen.store, "OrderCancelled")
    assert (back.body["rupiah"], back.body["count"]) == released
    assert back.body["unrecorded"] is (step is unheard)
    assert (await frozen.moved()).get("FUNDS_CANCELLED", 0) == released[0]
    await taken_back_in_the_books(frozen)
    assert await left_of(frozen) == {}
    assert await frozen.transfers(VILLAGE) == [Transfer.NONE] * len(VILLAGE)

    await paid_anew(frozen)

    asked = [path for path in frozen.world.files if "payment-orders" in path]
    assert asked[-2:] == [GIVEN_BACK, f"{ORDER}-R2"]
    assert (await frozen.run()).order is not None
    await assert_paid_once(frozen)


async def test_what_is_corrected_behind_its_instructions_is_paid_in_full_and_once(
    frozen: Office,
) -> None:
    await instructed(frozen)

    assert (await proposed(frozen, "correction")).status_code == 204
    assert (await approved(frozen, "correction")).status_code == 204
    assert len(await sent(frozen.store, "ClosingAnnounced")) == 1
    await frozen.undone()
    await withdrawn(frozen)
    await taken_back_in_the_books(frozen)
    assert len(await sent(frozen.store, "ClosingAnnounced")) == 2
    await frozen.listed(VILLAGE, failed=VILLAGE[1:2], revision=2)
    await frozen.frozen()
    await frozen.pay()
    await frozen.ordered()
    await frozen.pay()

    await assert_paid_once(frozen)


async def test_who_was_deferred_behind_the_order_is_taken_back_with_it(
    office: Office, settings: Settings
) -> None:
    village = houses(3)  # of one bank, so that no other one's file is committed meanwhile
    office.world.accounts.update(books_of(village))
    await office.arrived(village)
    await office.frozen()
    await instructed(office)
    await erase(office, settings, village[0])
    await office.payer().step()
    assert (await office.payment(village[0])).transfer == Transfer.DEFERRED
    assert (await office.moved())["DEFERRED"] == EARLY_CHILD_IDR

    await cancelled(office)

    assert (await office.moved())["FUNDS_CANCELLED"] == 3 * EARLY_CHILD_IDR
    await taken_back_in_the_books(office)
    assert await left_of(office) == {}


# -- The treasury's answer


async def test_nothing_is_announced_anew_while_the_treasury_is_silent(frozen: Office) -> None:
    await instructed(frozen)
    frozen.world.unreachable.add(GIVEN_BACK)
    await proposed(frozen, "correction")
    await approved(frozen, "correction")

    await frozen.undone()

    shown, job = await frozen.seen(PATH), await frozen.seen(f"/jobs/tahap-{TAHAP_1}")
    assert (shown["phase"], "(error=LinkCut)" in shown["trouble"]) == ("CANCELLING", True)
    assert (job["state"], job["problem"]["detail"]) == ("FAILING", shown["trouble"])
    assert len(await sent(frozen.store, "ClosingAnnounced")) == 1
    await frozen.announce("2023-2")  # nothing else is held up
    assert (await books(frozen.store)).broken == []

    frozen.world.unreachable.clear()
    await frozen.undone()

    shown = await frozen.seen(PATH)
    assert (shown["phase"], shown["revision"], shown["trouble"]) == ("COLLECTING", 2, None)
    await taken_back_in_the_books(frozen)


async def test_a_request_for_the_funds_that_comes_late_releases_nothing(frozen: Office) -> None:
    await ordered(frozen)
    frozen.world.hanging.add(ORDER)
    payer = frozen.payer()
    payer.exchange.in_flight = InFlight(patience_s=0.05)
    await payer.step()
    [request] = [path for _, path in frozen.world.asked if path == ORDER]
    frozen.world.hanging.clear()

    await cancelled(frozen)
    run = (await sent(frozen.store, "PaymentOrdered"))[0].body
    body = msgspec.json.encode({name: run[name] for name in ("count", "rupiah", "hash")})
    headers = {
        "Content-Type": "application/json",
        HEADER: frozen.world.keys.sign(content_digest(body)),
    }
    async with httpx.AsyncClient(transport=frozen.world) as client:
        late = await client.put(f"http://treasury{request}", content=body, headers=headers)
    await payer.exchange.in_flight.aclose()

    assert (late.status_code, late.json()["code"]) == (409, "ORDER_CANCELLED")
    await paid_anew(frozen)
    await assert_paid_once(frozen)


@pytest.mark.parametrize(
    "change",
    [
        {"rupiah": 1},
        {"count": 5},
        {"count": 0, "rupiah": 0},
        {"count": 0, "rupiah": 0, "sp2d": ""},
        {"sp2d": "230951304099999"},
        {"sp2d": "an odd\nnumber"},
        {"receipt": ""},
        {"receipt": 7},
        {"rupiah": True},
        {"order": f"SPM-{TAHAP_1}-REGULAR-R2"},
        {"hash": "0" * 64},
    ],
    ids=repr,
)
async def test_a_word_of_the_treasury_that_cannot_be_is_not_believed(
    frozen: Office, change: dict[str, object]
) -> None:
    await funded(frozen)
    frozen.world.instead[GIVEN_BACK] = lambda answer: httpx.Response(
        answer.status_code, json=msgspec.json.decode(answer.content) | change
    )
    await proposed(frozen)
    await approved(frozen)

    await frozen.undone()

    shown = await frozen.seen(PATH)
    assert shown["phase"] == "CANCELLING"
    assert shown["trouble"] is not None
    assert "odd" not in shown["trouble"]
    assert await sent(frozen.store, "OrderCancelled") == []
    frozen.world.instead.clear()
    await frozen.undone()
    assert (await frozen.seen(PATH))["phase"] == "CANCELLED"
    await taken_back_in_the_books(frozen)


@pytest.mark.parametrize("behind", [False, True], ids=["before-commit", "behind-commit"])
@pytest.mark.parametrize("kill", range(9, TAKE_BACK_TRANSACTIONS))
async def test_a_take_back_of_funds_killed_at_any_transaction_is_taken_over(
    frozen: Office, kill: int, behind: bool
) -> None:
    await instructed(frozen)
    await proposed(frozen)
    await approved(frozen)

    with pytest.raises(Killed):
        await exhausted(frozen.canceller(mortal(frozen, kill, behind=behind)).step)
    await frozen.undone()

    assert len(await sent(frozen.store, "OrderCancelled")) == 1
    assert await left_of(frozen) == {}
    await taken_back_in_the_books(frozen)


# -- At once with the run's next step


@pytest.mark.parametrize("round_", range(4))
async def test_a_release_of_the_funds_and_a_cancellation_at_once_leave_nothing_behind(
    frozen: Office, round_: int
) -> None:
    await ordered(frozen)
    await proposed(frozen)

    _, answer = await asyncio.gather(frozen.payer().step(), approved(frozen))

    assert answer.status_code == 204, answer.text
    await frozen.undone()
    await withdrawn(frozen)
    await taken_back_in_the_books(frozen)
    await paid_anew(frozen)
    await assert_paid_once(frozen)


@pytest.mark.parametrize("round_", range(6))
async def test_of_a_banks_first_file_and_a_cancellation_at_once_one_is_taken(
    frozen: Office, round_: int
) -> None:
    await instructed(frozen)
    await proposed(frozen)

    _, answer = await asyncio.gather(until_dispatched_or_over(frozen), approved(frozen))

    files = await sent(frozen.store, "BankFileSent")
    if answer.status_code == 204:
        assert files == []
        await frozen.undone()
        await withdrawn(frozen)
        await paid_anew(frozen)
    else:
        assert answer.json()["type"] == "/problems/too-late-to-cancel"
        assert files
        await frozen.pay()
        assert len(frozen.world.credited()) == 6
    assert (await books(frozen.store)).broken == []
    assert len(frozen.world.credited()) == 6


async def until_dispatched_or_over(office: Office) -> None:
    """Have the payer go on until it finds nothing to do, and no answer of a bank is heard."""
    office.world.unreachable.add("banks")
    await exhausted(office.payer().step)
    office.world.unreachable.clear()


async def test_a_cancellation_waits_for_a_file_that_is_just_being_committed(
    office: Office,
) -> None:
    village = houses(3)  # of one bank: another one's file would wait too
    office.world.accounts.update(books_of(village))
    await office.arrived(village)
    await office.frozen()
    await instructed(office)
    await proposed(office)
    stopped = Gate(office.store, "SELECT EXISTS (SELECT FROM events WHERE type = 'BankFileSent')")

    sending = asyncio.create_task(exhausted(office.payer(stopped).step))
    await asyncio.wait_for(stopped.before_commit.wait(), 5)
    approving = asyncio.create_task(approved(office))
    await eventually(lambda: held_or_through(office.store, approving))
    stopped.go_on.set()
    answer, _ = await asyncio.gather(approving, sending)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/too-late-to-cancel")
    assert len(office.world.credited()) == 3


async def test_a_leader_that_hung_over_a_cancellation_leaves_the_next_run_alone(
    frozen: Office,
) -> None:
    hung = frozen.payer()
    [row] = await frozen.store.pool.fetch("SELECT * FROM run_open")
    late = await hung._job(row)
    assert late is not None
    await instructed(frozen)
    await cancelled(frozen)
    await announced_again(frozen)
    await frozen.listed(VILLAGE, failed=VILLAGE[1:2], revision=2)
    await frozen.frozen()

    with pytest.raises(RunMovedMeanwhile):
        await hung._further(late)

    assert (await frozen.run()).opened is None
    await frozen.pay()
    await frozen.ordered()
    await frozen.pay()
    await assert_paid_once(frozen)


async def test_a_canceller_that_hung_leaves_the_payments_of_the_next_revision_alone(
    frozen: Office,
) -> None:
    await instructed(frozen)
    await cancelled(frozen)
    await announced_again(frozen)
    await frozen.listed(VILLAGE, failed=VILLAGE[1:2], revision=2)
    await frozen.frozen()
    await instructed(frozen)
    await until_dispatched(frozen)

    assert not await frozen.canceller()._undo(TAHAP_1, 1, date(2023, 3, 31))

    await frozen.pay()
    await assert_paid_once(frozen)


# -- From then on never


async def test_a_tahap_is_never_cancelled_once_a_banks_file_is_committed(frozen: Office) -> None:
    await instructed(frozen)
    await proposed(frozen)
    await until_dispatched(frozen)

    refused = [
        await approved(frozen),
        await proposed(frozen),
        await proposed(frozen, "correction"),
    ]
    await frozen.pay()
    refused += [await approved(frozen), await proposed(frozen, "correction")]

    for answer in refused:
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/too-late-to-cancel")
    assert "step=BankFileSent" in refused[0].json()["detail"]
    assert await sent(frozen.store, "TahapCancelled") == []
    await assert_paid_once_as_listed(frozen)


async def assert_paid_once_as_listed(office: Office) -> None:
    """Each ordered payment is credited once, and the books agree."""
    credited = office.world.credited()
    assert set(credited.values()) == {EARLY_CHILD_IDR}
    assert sum(credited.values()) == ORDERED_IDR
    assert (await books(office.store)).broken == []
