"""Families that the registry re-opened behind a frozen list are paid beside it, once."""

from __future__ import annotations

from dataclasses import replace

import pytest_asyncio

from libs.events.consumer.parking import list_parked
from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Transfer
from services.payments.domain.shared.ids import supplementary
from services.payments.tables.ledger import books
from tests.doors import sent
from tests.integration.payments.houses import (
    EARLY_CHILD_IDR,
    TAHAP_1,
    books_of,
    houses,
)
from tests.integration.payments.office import MAKER, Office

VILLAGE = houses(6)
REOPENED, LISTED = VILLAGE[0], VILLAGE[1:]
GRADUATED = replace(REOPENED, graduated=True)
FIRST = supplementary(1)
TAHAP_PATH = f"/tahap/{TAHAP_1}"


@pytest_asyncio.fixture
async def paid(office: Office) -> Office:
    """A tahap that was paid and closed, in which one family waited without a line."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.paid(LISTED)
    assert (await office.tahap()).closed is not None
    return office


async def credited_once(office: Office) -> None:
    """Everybody was credited once, and the books agree."""
    assert office.world.credited() == {
        **{house.payment(): EARLY_CHILD_IDR for house in LISTED},
        REOPENED.payment(kind=FIRST): EARLY_CHILD_IDR,
    }
    assert (await books(office.store)).broken == []


async def test_a_reopened_family_is_paid_by_a_supplementary_run_of_a_closed_tahap(
    paid: Office,
) -> None:
    await paid.take(await paid.elsewhere.line(REOPENED, reopening=1))
    waiting = await paid.tahap()
    assert (waiting.closed, waiting.outstanding) == (None, (REOPENED.family,))
    await paid.take(paid.elsewhere.evaluation(REOPENED))

    await paid.supplemented(FIRST)

    await credited_once(paid)
    assert (await paid.tahap()).closed is not None


async def test_an_evaluation_that_comes_before_its_line_is_kept(paid: Office) -> None:
    await paid.take(paid.elsewhere.evaluation(REOPENED))
    await paid.take(await paid.elsewhere.line(REOPENED, reopening=1))

    await paid.supplemented(FIRST)

    await credited_once(paid)


async def test_a_line_that_comes_twice_is_one_payment(paid: Office) -> None:
    line = await paid.elsewhere.line(REOPENED, reopening=1)
    again = await paid.elsewhere.line(REOPENED, reopening=1)
    await paid.take(line, paid.elsewhere.evaluation(REOPENED))
    await paid.take(again)
    await paid.supplemented(FIRST)
    await paid.take(await paid.elsewhere.line(REOPENED, reopening=1))

    assert len(await sent(paid.store, "FamilyAwaited")) == 1
    answer = await paid.asked_by(MAKER, "make", f"{TAHAP_PATH}/supplementary-runs", {})
    assert answer.status_code == 409, answer.text
    await credited_once(paid)


async def test_a_family_that_has_not_been_judged_yet_is_not_taken_up(paid: Office) -> None:
    await paid.take(await paid.elsewhere.line(REOPENED, reopening=1))

    answer = await paid.asked_by(MAKER, "make", f"{TAHAP_PATH}/supplementary-runs", {})

    assert answer.status_code == 409, answer.text


async def test_a_graduated_family_keeps_its_line_on_the_list_that_was_approved(
    office: Office,
) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.paid([GRADUATED, *LISTED])
    query = "SELECT family, roster_hash, line::text, evaluated FROM list_line ORDER BY family"
    approved = await office.store.pool.fetch(query)

    await office.take(await office.elsewhere.line(REOPENED, reopening=1))
    await office.take(office.elsewhere.evaluation(REOPENED))
    await office.supplemented(FIRST)

    assert await office.store.pool.fetch(query) == approved
    await credited_once(office)


async def test_a_line_that_comes_while_the_regular_run_is_entitled_is_no_part_of_it(
    office: Office,
) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived([GRADUATED, *LISTED])
    await office.frozen()
    await office.take(await office.elsewhere.line(REOPENED, reopening=1))
    await office.take(office.elsewhere.evaluation(REOPENED))

    await office.pay()
    await office.ordered()
    await office.pay()

    assert (await office.run()).reconciled is not None
    assert (await office.tahap()).closed is None
    assert (await office.payment(REOPENED)).transfer is Transfer.NONE
    await office.supplemented(FIRST)
    await credited_once(office)


async def test_a_failed_cycle_of_a_reopened_family_is_blocked(paid: Office) -> None:
    await paid.take(await paid.elsewhere.line(REOPENED, reopening=1))
    await paid.take(
        paid.elsewhere.evaluation(REOPENED, result="FAILED"),
        paid.elsewhere.effect("Suspended", REOPENED, TAHAP_1),
    )

    await paid.supplemented(FIRST)

    assert (await paid.payment(REOPENED, kind=FIRST)).hold.status is HoldStatus.HELD
    assert (await paid.balances())["family_blocked"] == EARLY_CHILD_IDR


async def test_a_person_who_was_paid_with_another_family_is_not_paid_again(
    office: Office,
) -> None:
    elsewhere = replace(REOPENED, child=LISTED[0].person)
    office.world.accounts.update(books_of(VILLAGE))
    await office.paid(LISTED)
    await office.take(await office.elsewhere.line(elsewhere, reopening=1))
    await office.take(office.elsewhere.evaluation(elsewhere))

    await office.opened_supplementary(FIRST)
    await office.pay()

    assert (await office.payment(REOPENED, kind=FIRST)).transfer is Transfer.WITHHELD
    assert REOPENED.payment(kind=FIRST) not in office.world.credited()


async def test_a_family_that_the_list_pays_is_not_paid_beside_it(paid: Office) -> None:
    await paid.take(await paid.elsewhere.line(LISTED[0], reopening=1))

    [parked] = await list_parked(paid.store)
    assert "another run would pay it twice" in parked.error
    assert (await paid.tahap()).outstanding == ()
    assert (await paid.tahap()).closed is not None


async def test_nobody_is_taken_in_beside_a_list_that_is_still_open(office: Office) -> None:
    await office.arrived(LISTED)

    await office.take(await office.elsewhere.line(REOPENED, reopening=1))

    [parked] = await list_parked(office.store)
    assert "An earlier step is still open" in parked.error
    assert (await office.tahap()).outstanding == ()


async def test_who_lapsed_at_the_close_is_not_owed_by_anothers_reopening(
    office: Office,
) -> None:
    lapsed = LISTED[0]
    office.world.accounts.update(books_of(VILLAGE))
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in LISTED]
    judged = [office.elsewhere.evaluation(house) for house in LISTED[1:]]
    await office.take(*lines, office.elsewhere.list_closed(lines))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged, parked=[lapsed]))
    await office.join()
    shown = (await office.seen(TAHAP_PATH))["list"]
    deferred = shown["deferred_candidates"]
    await office.approved("freeze", TAHAP_PATH, shown["hash"], deferred=deferred)
    await office.pay()
    await office.ordered()
    await office.pay()
    await office.closed(TAHAP_PATH, (lapsed.family, "MOVED_ABROAD"))

    await office.take(await office.elsewhere.line(REOPENED, reopening=1))

    assert (await office.tahap()).outstanding == (REOPENED.family,)
