"""A tahap is cancelled behind its freeze: what was entitled is void, and is paid anew once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

import pytest
import pytest_asyncio

from libs.chassis.settings import Settings
from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Transfer
from services.payments.tables.run_lines import RunMovedMeanwhile
from tests.doors import sent
from tests.integration.payments.houses import (
    EARLY_CHILD_IDR,
    TAHAP_1,
    House,
    books_of,
    houses,
)
from tests.integration.payments.office import CHECKER, MAKER, Office, exhausted
from tests.integration.payments.test_cancellation import (
    BEN,
    PATH,
    announced_again,
    approved,
    proposed,
)
from tests.integration.payments.test_closed_lines import erase
from tests.integration.payments.test_crashes import Killed, mortal

FAILING = House(6, "BTN", closed_since=date(2023, 4, 2))
TWINS = House(7, "BRI", child="t" * 32), House(8, "BRI", child="t" * 32)
PAID = [*houses(3), *houses(2, "BRI", first=4)]
VILLAGE = [*PAID, FAILING, *TWINS]
TAKE_BACK_TRANSACTIONS = 6
TABLES = ("list_line", "late_line", "payment_of", "run_line", "run_open", "cancellation_open")


@pytest_asyncio.fixture
async def frozen(office: Office) -> Office:
    """A tahap whose list is frozen, with a held family, a closed account and a person twice."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE, failed=VILLAGE[:1])
    await office.frozen()
    return office


async def steps(office: Office, count: int) -> None:
    """Have the payer take some steps."""
    payer = office.payer()
    for _ in range(count):
        await payer.step()


async def requested(office: Office) -> None:
    """One person requests the money of what passed."""
    await office.pay()
    digest = (await office.seen(PATH))["runs"][0]["order"]["hash"]
    path = f"{PATH}/runs/REGULAR/order-proposal"
    made = await office.asked_by(MAKER, "make", path, {"hash": digest})
    assert made.status_code == 204, made.text


async def cancelled(office: Office) -> None:
    """Two people cancel the tahap, and everybody takes back what they did."""
    await proposed(office)
    done = await approved(office)
    assert done.status_code == 204, done.text
    await office.undone()
    await withdrawn(office)


async def withdrawn(office: Office) -> None:
    """Conditionality takes back every cycle of the tahap."""
    there = office.elsewhere
    await office.take(*(there.effect("CycleWithdrawn", house, TAHAP_1) for house in VILLAGE))


async def paid_anew(office: Office, village: Sequence[House] = VILLAGE) -> None:
    """The tahap is announced anew, with another family that has failed, and paid."""
    await announced_again(office)
    await office.listed(village, failed=PAID[1:2], revision=2)
    await office.frozen()
    await office.pay()
    await office.ordered()
    await office.pay()


async def left_of(office: Office) -> dict[str, int]:
    """Rows of the tahap by table, where there are any."""
    counts = {
        table: await office.store.pool.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES
    }
    return {table: count for table, count in counts.items() if count}


async def assert_paid_once(office: Office) -> None:
    """Each family is paid once, the held one blocked, one of the twins, and the books agree."""
    credited = office.world.credited()
    twin = [house.payment() for house in TWINS if house.payment() in credited]
    assert len(twin) == 1
    assert credited == dict.fromkeys([*(x.payment() for x in PAID), *twin], EARLY_CHILD_IDR)
    first, second = [await office.payment(house) for house in PAID[:2]]
    assert (first.hold.status, second.hold.status) == (HoldStatus.NONE, HoldStatus.HELD)
    assert (await office.seen("/ledger/check"))["broken"] == []
    assert await office.balances() == {
        "state_treasury": -6 * EARLY_CHILD_IDR,
        "family_available": 5 * EARLY_CHILD_IDR,
        "family_blocked": EARLY_CHILD_IDR,
    }


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 4, 20])
async def test_what_is_cancelled_at_any_step_before_its_order_is_paid_anew_once(
    frozen: Office, taken: int
) -> None:
    await steps(frozen, taken)

    await cancelled(frozen)
    assert await left_of(frozen) == {}
    assert await frozen.transfers(VILLAGE) == [Transfer.NONE] * len(VILLAGE)
    assert await frozen.balances() == {}
    await paid_anew(frozen)

    await assert_paid_once(frozen)


async def test_what_is_cancelled_behind_its_request_is_paid_anew_once(frozen: Office) -> None:
    await requested(frozen)

    await cancelled(frozen)
    assert len(await sent(frozen.store, "PaymentVoided")) == len(VILLAGE)
    await paid_anew(frozen)

    checks = [path for path in frozen.world.files if "CHECK" in path]
    assert len(checks) == 2
    await assert_paid_once(frozen)


async def test_whoever_was_not_paid_for_a_twin_may_be_paid_when_the_twin_is_gone(
    frozen: Office,
) -> None:
    await frozen.pay()
    stand = {twin: (await frozen.payment(twin)).transfer for twin in TWINS}
    [twin] = [each for each, transfer in stand.items() if transfer is Transfer.WITHHELD]

    await cancelled(frozen)
    await paid_anew(frozen, [*PAID, FAILING, twin])

    assert twin.payment() in frozen.world.credited()
    await assert_paid_once(frozen)


async def test_families_that_left_the_run_are_on_the_next_list(
    office: Office, settings: Settings
) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    await erase(office, settings, PAID[2])
    await office.pay()
    assert (await office.payment(PAID[2])).transfer == Transfer.DEFERRED

    await cancelled(office)

    assert (await office.payment(PAID[2])).transfer == Transfer.NONE
    assert (await office.tahap()).outstanding == ()
    assert await left_of(office) == {}


@pytest.mark.parametrize("behind", [False, True], ids=["before-commit", "behind-commit"])
@pytest.mark.parametrize("kill", range(1, TAKE_BACK_TRANSACTIONS + 1))
async def test_a_take_back_killed_at_any_transaction_is_taken_over(
    frozen: Office, kill: int, behind: bool
) -> None:
    await frozen.pay()
    await proposed(frozen)
    await approved(frozen)

    dying = frozen.canceller(mortal(frozen, kill, behind=behind))
    dying.chunk, dying.payments = 4, 3
    with pytest.raises(Killed):
        await exhausted(dying.step)
    await frozen.undone()
    await withdrawn(frozen)

    assert await left_of(frozen) == {}
    assert len(await sent(frozen.store, "PaymentVoided")) == len(VILLAGE)
    await paid_anew(frozen)
    await assert_paid_once(frozen)


@pytest.mark.parametrize("round_", range(4))
async def test_of_an_order_and_a_cancellation_at_once_one_is_taken(
    frozen: Office, round_: int
) -> None:
    await requested(frozen)
    await proposed(frozen)
    shown, seen = await frozen.seen(PATH), await frozen.tag(PATH)
    order = {"hash": shown["runs"][0]["order"]["hash"]}
    cancel = {"hash": shown["proposal"]["hash"]}
    path = f"{PATH}/runs/REGULAR/order-approval"

    answers = await asyncio.gather(
        frozen.asked_by(CHECKER, "check", path, order, seen=seen),
        frozen.asked_by(BEN, "announce", f"{PATH}/cancellation-approval", cancel, seen=seen),
    )

    assert sorted(answer.status_code for answer in answers) == [204, 412]
    ordered, over = [answer.status_code == 204 for answer in answers]
    assert len(await sent(frozen.store, "PaymentOrdered")) == int(ordered)
    assert len(await sent(frozen.store, "TahapCancelled")) == int(over)


async def test_a_step_that_comes_behind_the_cancellation_does_nothing(frozen: Office) -> None:
    payer = frozen.payer()
    [row] = await frozen.store.pool.fetch("SELECT * FROM run_open")
    late = await payer._job(row)
    assert late is not None
    await cancelled(frozen)

    with pytest.raises(RunMovedMeanwhile):
        await payer._further(late)

    assert (await frozen.run()).opened is None


@pytest.mark.parametrize("taken", range(5))
async def test_a_step_of_the_run_and_a_cancellation_at_once_leave_nothing_behind(
    frozen: Office, taken: int
) -> None:
    payer = frozen.payer()
    for _ in range(taken):
        await payer.step()
    await proposed(frozen)

    _, done = await asyncio.gather(exhausted(payer.step), approved(frozen))
    if done.status_code == 412:  # the order became ready while they looked
        done = await approved(frozen)

    assert done.status_code == 204, done.text
    await frozen.undone()
    await withdrawn(frozen)
    assert await left_of(frozen) == {}
    await paid_anew(frozen)
    await assert_paid_once(frozen)
