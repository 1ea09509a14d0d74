"""A line that leaves a run by name: its family is paid once, by a supplementary run."""

from __future__ import annotations

import pytest

from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Transfer
from services.payments.domain.run.messages import DeferredLine
from services.payments.domain.shared.errors import AlreadyDispatched, StepNotReached
from services.payments.domain.shared.ids import REGULAR, supplementary
from services.payments.domain.shared.totals import Totals
from services.payments.tables.deferrals import take_out
from services.payments.tables.ledger import books
from tests.doors import CONTEXT
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, House, books_of, houses
from tests.integration.payments.office import Office
from tests.integration.payments.steps import (
    until_checking,
    until_dispatched,
    until_entitled,
    until_instructed,
)

VILLAGE = [*houses(3), House(4, "BRI")]
OUT, OTHERS = VILLAGE[0], VILLAGE[1:]
AT_BRI = VILLAGE[3]
FIRST = supplementary(1)
ONE = Totals(1, EARLY_CHILD_IDR)


async def frozen(office: Office, lived_in: list[House] = VILLAGE) -> None:
    """A frozen list that nobody has begun to pay."""
    office.world.accounts.update(books_of(lived_in))
    await office.arrived(lived_in)
    await office.frozen()


async def taken_out(office: Office, house: House, kind: str = REGULAR) -> None:
    """A house's line leaves a run."""
    payment = house.payment(kind=kind)
    line = DeferredLine(payment, house.family, house.bank, EARLY_CHILD_IDR, "ON_HOLD")
    async with office.store.transaction(CONTEXT) as unit:
        await take_out(unit, (TAHAP_1, kind), [line])


async def paid_once(office: Office) -> None:
    """Everybody was paid by the run that they stood in, and the books explain each rupiah."""
    assert office.world.credited() == {
        **{house.payment(): EARLY_CHILD_IDR for house in OTHERS},
        OUT.payment(kind=FIRST): EARLY_CHILD_IDR,
    }
    assert (await office.tahap()).closed is not None
    assert (await books(office.store)).broken == []
    balances = await office.balances()
    assert balances == {
        "family_available": 4 * EARLY_CHILD_IDR,
        "state_treasury": -4 * EARLY_CHILD_IDR,
    }


async def test_a_line_that_leaves_before_the_check_is_neither_checked_nor_ordered(
    office: Office,
) -> None:
    await frozen(office)
    await until_entitled(office)
    await taken_out(office, OUT)

    await office.pay()
    await office.ordered()
    await office.pay()

    assert all(OUT.payment().encode() not in file for file in office.world.sent())
    assert await office.transfers([OUT]) == [Transfer.DEFERRED]
    await office.supplemented(FIRST)
    await paid_once(office)


async def test_a_line_that_leaves_after_the_check_is_not_ordered(office: Office) -> None:
    await frozen(office)
    await office.pay()
    await taken_out(office, OUT)

    await office.ordered()
    await office.pay()

    run = await office.run()
    assert run.ordered == run.instructed == Totals(3, 3 * EARLY_CHILD_IDR)
    await office.supplemented(FIRST)
    await paid_once(office)


async def test_a_line_that_leaves_behind_the_order_stands_in_no_file_and_its_money_goes_back(
    office: Office,
) -> None:
    await frozen(office)
    await office.pay()
    await office.ordered()
    await until_instructed(office)
    await taken_out(office, OUT)

    await office.pay()

    run = await office.run()
    assert (run.ordered, run.instructed) == (ONE + ONE + ONE + ONE, ONE + ONE + ONE)
    assert run.reconciled is not None
    assert run.reconciled.deferred == ONE
    assert (await office.moved())["DEFERRED"] == EARLY_CHILD_IDR
    [shown] = (await office.seen(f"/tahap/{TAHAP_1}"))["runs"]
    assert shown["deferred"] == {"count": 1, "rupiah": EARLY_CHILD_IDR}
    assert shown["unknown"] == {"count": 0, "rupiah": 0}
    await office.supplemented(FIRST)
    await paid_once(office)


async def test_the_only_line_of_a_bank_leaves_and_that_bank_is_sent_no_file(
    office: Office,
) -> None:
    await frozen(office)
    await office.pay()
    await office.ordered()
    await until_instructed(office)
    await taken_out(office, AT_BRI)

    await office.pay()

    assert [file.bank for file in (await office.run()).files] == ["BNI"]
    assert (await office.tahap()).outstanding == (AT_BRI.family,)


async def test_nothing_leaves_the_file_of_a_bank_that_is_committed(office: Office) -> None:
    await frozen(office)
    await office.pay()
    await office.ordered()
    office.world.unreachable.add("banks")
    await until_dispatched(office)

    with pytest.raises(AlreadyDispatched):
        await taken_out(office, OUT)

    assert await office.transfers([OUT]) == [Transfer.INSTRUCTED]


async def test_nothing_leaves_while_the_treasury_has_the_check(office: Office) -> None:
    await frozen(office)
    office.world.unreachable.add("treasury")
    await until_checking(office)

    with pytest.raises(StepNotReached):
        await taken_out(office, OUT)


async def test_a_person_stays_paid_once_when_the_line_that_claimed_them_has_left(
    office: Office,
) -> None:
    twin = House(9, child=OUT.person)
    lived_in = sorted([*VILLAGE, twin], key=lambda house: house.family)
    await frozen(office, lived_in)
    await office.pay()
    one = OUT if (await office.payment(OUT)).transfer is Transfer.ENTITLED else twin
    await taken_out(office, one)
    await office.ordered()
    await office.pay()

    await office.supplemented(FIRST)

    assert (await office.payment(one, kind=FIRST)).transfer is Transfer.CREDITED
    assert sum(office.world.credited().values()) == 4 * EARLY_CHILD_IDR


async def test_what_left_two_runs_is_paid_by_the_third_with_all_that_was_decided_of_it(
    office: Office,
) -> None:
    await frozen(office)
    await office.pay()
    await taken_out(office, OUT)
    await office.opened_supplementary(FIRST)
    await office.pay()
    await office.take(office.elsewhere.effect("Suspended", OUT, TAHAP_1))
    await taken_out(office, OUT, FIRST)

    await office.supplemented(supplementary(2))

    third = await office.payment(OUT, kind=supplementary(2))
    assert (third.transfer, third.hold.status) == (Transfer.CREDITED, HoldStatus.HELD)
    assert list(office.world.credited()) == [OUT.payment(kind=supplementary(2))]
