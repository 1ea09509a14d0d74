"""A family whose key is destroyed behind the freeze stands in no file; everybody else is paid."""

from __future__ import annotations

import asyncpg

from libs.chassis.settings import Settings
from libs.privacy.keys import KeyRing
from services.payments.domain.payment.state import Transfer
from services.payments.tables.ledger import books
from tests.doors import as_role, runtime_role, sent
from tests.integration.payments.houses import EARLY_CHILD_IDR, House, books_of, houses
from tests.integration.payments.office import Office
from tests.integration.payments.steps import (
    until_checking,
    until_dispatched,
    until_instructed,
)

VILLAGE = [*houses(3, "BNI"), *houses(2, "BRI", first=4)]
ERASED, OTHERS = [VILLAGE[0], VILLAGE[3]], [VILLAGE[1], VILLAGE[2], VILLAGE[4]]


async def frozen(office: Office, lived_in: list[House] = VILLAGE) -> None:
    """A frozen list that nobody has begun to pay."""
    office.world.accounts.update(books_of(lived_in))
    await office.arrived(lived_in)
    await office.frozen()


async def erase(office: Office, settings: Settings, *lived_in: House) -> None:
    """Destroy the keys of houses; no process that goes on has them in memory."""
    eraser = as_role(settings.bus_url, runtime_role("eraser"))
    async with asyncpg.create_pool(eraser, min_size=1, max_size=1) as pool:
        for house in lived_in:
            assert await KeyRing(pool, settings.kek).destroy(house.family)
    for house in lived_in:
        office.elsewhere.keys._cache.forget(house.family)


async def all_but_the_erased_are_paid(office: Office) -> None:
    """The others have their money, the erased are deferred by name, and the books explain it."""
    assert office.world.credited() == {house.payment(): EARLY_CHILD_IDR for house in OTHERS}
    assert await office.transfers(ERASED) == [Transfer.DEFERRED] * 2
    assert await office.transfers(OTHERS) == [Transfer.CREDITED] * 3
    outstanding = (await office.tahap()).outstanding
    assert set(outstanding) == {house.family for house in ERASED}
    run = await office.run()
    assert run.reconciled is not None
    assert {line.reason for line in run.deferred} == {"KEY_DESTROYED"}
    assert (await books(office.store)).broken == []


async def test_keys_destroyed_behind_the_freeze_leave_their_families_out_of_the_check(
    office: Office, settings: Settings
) -> None:
    await frozen(office)
    await erase(office, settings, *ERASED)
    await office.pay()
    await office.ordered()
    await office.pay()

    assert len(await sent(office.store, "AccountCheckFailed")) == 0
    await all_but_the_erased_are_paid(office)


async def test_keys_destroyed_behind_the_order_leave_their_families_out_of_the_banks_files(
    office: Office, settings: Settings
) -> None:
    await frozen(office)
    await office.pay()
    await office.ordered()
    await until_instructed(office)
    await erase(office, settings, *ERASED)
    await office.pay()

    await all_but_the_erased_are_paid(office)


async def test_keys_destroyed_while_the_treasury_is_away_do_not_hold_its_file_up(
    office: Office, settings: Settings
) -> None:
    await frozen(office)
    office.world.unreachable.add("treasury")
    await until_checking(office)
    await erase(office, settings, *ERASED)
    office.world.unreachable.clear()
    await office.pay()
    await office.ordered()
    await office.pay()

    await all_but_the_erased_are_paid(office)


async def test_keys_destroyed_while_the_banks_are_away_do_not_hold_their_files_up(
    office: Office, settings: Settings
) -> None:
    await frozen(office)
    await office.pay()
    await office.ordered()
    office.world.unreachable.add("banks")
    await until_dispatched(office)
    await erase(office, settings, *ERASED)
    office.world.unreachable.clear()
    await office.pay()

    await all_but_the_erased_are_paid(office)


async def test_a_bank_that_has_the_file_is_believed_though_a_key_is_gone(
    office: Office, settings: Settings
) -> None:
    await frozen(office)
    await office.pay()
    await office.ordered()
    office.world.unheard = {"/banks/"}
    await office.pay()
    await erase(office, settings, *ERASED)
    office.world.unheard.clear()
    await office.pay()

    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5


async def test_a_whole_village_that_is_erased_closes_its_run_on_zeros(
    office: Office, settings: Settings
) -> None:
    await frozen(office, VILLAGE[:2])
    await erase(office, settings, *VILLAGE[:2])
    await office.pay()

    run = await office.run()
    assert run.reconciled is not None
    assert run.reconciled.instructed.count == 0
    assert office.world.credited() == {}
