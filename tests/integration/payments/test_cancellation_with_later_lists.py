"""A tahap is cancelled with whom a later list took up: all is taken back, and paid anew once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Transfer
from services.payments.tables.ledger import books
from tests.doors import sent
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, House, books_of
from tests.integration.payments.office import Office
from tests.integration.payments.steps import until_entitled
from tests.integration.payments.test_cancellation import (
    PATH,
    announced_again,
    approved,
    proposed,
)
from tests.integration.payments.test_cancellation_behind_freeze import left_of
from tests.integration.payments.test_deferred_lines import (
    FIRST,
    OTHERS,
    OUT,
    VILLAGE,
    frozen,
    taken_out,
)

REOPENED = House(9)


async def withdrawn(office: Office, village: Sequence[House] = VILLAGE) -> None:
    """Conditionality takes back every cycle of the tahap."""
    there = office.elsewhere
    await office.take(*(there.effect("CycleWithdrawn", house, TAHAP_1) for house in village))


async def supplemented(office: Office) -> None:
    """A held family left the regular run, and the supplementary one that took it up is instructed.

    No bank has a file: what conditionality had decided is not known yet.
    """
    await office.arrived(VILLAGE, failed=[OUT])
    await office.frozen()
    await until_entitled(office)
    await taken_out(office, OUT)
    await office.opened_supplementary(FIRST)
    await office.pay()
    office.world.unreachable.add("conditionality")
    await office.ordered(kind=FIRST)
    await office.ordered()
    await office.pay()
    assert (await office.payment(OUT, kind=FIRST)).transfer is Transfer.INSTRUCTED
    assert (await office.payment(OUT, kind=FIRST)).hold.status is HoldStatus.HELD
    assert await office.transfers(OTHERS) == [Transfer.INSTRUCTED] * 3


async def cancelled(office: Office) -> None:
    """Two people cancel the tahap, which no bank has a file of."""
    assert (await proposed(office)).status_code == 204
    done = await approved(office)
    assert done.status_code == 204, done.text


async def taken_back(office: Office) -> None:
    """Nothing is left of the cancelled revision, in no table and on no account."""
    assert (await office.seen(PATH))["phase"] == "CANCELLED"
    assert await left_of(office) == {}
    assert await office.balances() == {}
    assert (await books(office.store)).broken == []
    for kind in ("REGULAR", FIRST):
        payment = await office.payment(OUT, kind=kind)
        assert (payment.transfer, payment.hold.status) == (Transfer.NONE, HoldStatus.NONE)


@pytest.mark.parametrize("withdrawn_first", [True, False], ids=["cycles-first", "payments-first"])
@pytest.mark.parametrize("again", [True, False], ids=["supplementary-again", "regular"])
async def test_a_supplementary_run_is_cancelled_with_its_tahap_and_paid_anew_once(
    office: Office, withdrawn_first: bool, again: bool
) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await supplemented(office)

    await cancelled(office)
    if withdrawn_first:
        await withdrawn(office)
    await office.undone()
    if not withdrawn_first:
        await withdrawn(office)

    await taken_back(office)
    assert len(await sent(office.store, "OrderCancelled")) == 2
    office.world.unreachable.clear()
    await announced_again(office)
    await office.listed(VILLAGE, revision=2)
    await office.frozen()
    if again:
        await until_entitled(office)
        await taken_out(office, OUT)
    await office.pay()
    await office.ordered()
    await office.pay()
    if again:
        await office.supplemented(FIRST)

    paid = OUT.payment(kind=FIRST) if again else OUT.payment()
    assert office.world.credited() == {
        **{house.payment(): EARLY_CHILD_IDR for house in OTHERS},
        paid: EARLY_CHILD_IDR,
    }
    # Its cycle was kept this time: what held the payment before holds it no more.
    assert await office.balances() == {
        "family_available": 4 * EARLY_CHILD_IDR,
        "state_treasury": -4 * EARLY_CHILD_IDR,
    }
    assert (await office.tahap()).closed is not None
    assert (await books(office.store)).broken == []


async def test_a_supplementary_list_that_waits_for_its_freeze_goes_with_its_tahap(
    office: Office,
) -> None:
    await frozen(office)
    await until_entitled(office)
    await taken_out(office, OUT)
    opening = f"/tahap/{TAHAP_1}/supplementary-runs"
    assert (await office.asked_by("maker-1", "make", opening, {})).status_code == 201

    await cancelled(office)
    await office.undone()

    await taken_back(office)
    assert (await office.tahap()).lists == ()


async def test_once_a_bank_has_a_file_of_either_run_the_tahap_is_not_cancelled(
    office: Office,
) -> None:
    await frozen(office)
    await until_entitled(office)
    await taken_out(office, OUT)
    await office.opened_supplementary(FIRST)
    await office.pay()
    await office.ordered(kind=FIRST)
    await office.pay()
    assert OUT.payment(kind=FIRST) in office.world.credited()

    answer = await proposed(office)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/too-late-to-cancel")
    assert FIRST in answer.json()["detail"]


async def test_a_family_that_was_reopened_beside_the_list_is_handed_back_with_it(
    office: Office,
) -> None:
    await frozen(office)
    await office.pay()
    await office.take(await office.elsewhere.line(REOPENED, reopening=1))
    await office.take(office.elsewhere.evaluation(REOPENED))
    assert (await office.tahap()).outstanding == (REOPENED.family,)

    await cancelled(office)
    await office.undone()
    await withdrawn(office, [*VILLAGE, REOPENED])

    assert await left_of(office) == {}
    assert (await office.tahap()).outstanding == ()
    # A line of the cancelled announcement that comes late waits for nobody.
    await office.take(await office.elsewhere.line(REOPENED, reopening=1))
    assert await left_of(office) == {}
    await announced_again(office)
    await office.listed(VILLAGE, revision=2)
    await office.frozen()
    await office.take(await office.elsewhere.line(REOPENED, revision=2, reopening=2))
    assert (await office.tahap()).outstanding == (REOPENED.family,)
