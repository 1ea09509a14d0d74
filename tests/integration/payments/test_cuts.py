"""A tahap of which some is cut, from the evaluations to its books, with the real banks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from libs.events.bus import Record
from services.payments.domain.payment.state import Credited
from services.payments.domain.run.messages import DeferredLine
from services.payments.domain.shared.ids import REGULAR, supplementary
from services.payments.tables.deferrals import take_out
from services.payments.tables.ledger import books
from tests.doors import CONTEXT, sent
from tests.integration.payments.houses import (
    EARLY_CHILD_IDR,
    TAHAP_1,
    House,
    books_of,
    houses,
)
from tests.integration.payments.office import CHECKER, MAKER, Office
from tests.integration.payments.steps import until_instructed

CASE: Final = "7c0f4d2e-51b7-4c37-9a52-0e8d6f1b2a90"
KEPT = houses(3, "BNI")
CUT = House(4, "BNI")
CUT_AND_REFUSED = House(5, "BRI", closed_since=date(2023, 4, 6))
CUT_WITHOUT_ACCOUNT = House(6, "BTN", closed_since=date(2023, 4, 5))
FAILED = [CUT, CUT_AND_REFUSED, CUT_WITHOUT_ACCOUNT]
VILLAGE = [*KEPT, *FAILED]
OFF = EARLY_CHILD_IDR // 10
DUE = EARLY_CHILD_IDR - OFF
PATH = f"/tahap/{TAHAP_1}"
FIRST = supplementary(1)


async def arrived(office: Office, failed: Sequence[House] = FAILED, percent: int = 10) -> None:
    """The village is listed and judged; the failed cycles order a cut and hold nothing."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in VILLAGE]
    judged = [
        office.elsewhere.evaluation(house, result="FAILED", cut_percent=percent)
        if house in failed
        else office.elsewhere.evaluation(house)
        for house in VILLAGE
    ]
    await office.take(*lines, office.elsewhere.list_closed(lines))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))
    await office.join()


async def paid(office: Office) -> None:
    await office.frozen()
    await office.pay()
    await office.ordered()
    await office.pay()


async def test_the_list_shows_what_is_cut_before_anybody_approves_it(office: Office) -> None:
    await arrived(office)

    shown = (await office.seen(PATH))["list"]

    assert (shown["rupiah"], shown["cut"]) == (6 * EARLY_CHILD_IDR, 3 * OFF)


async def test_banks_are_told_the_amount_less_the_cut_and_the_books_explain_the_rest(
    office: Office,
) -> None:
    await arrived(office)
    await paid(office)

    credited = {house.payment(): EARLY_CHILD_IDR for house in KEPT} | {CUT.payment(): DUE}
    assert office.world.credited() == credited
    moved = await office.moved()
    assert moved["FUNDS_RELEASED"] == moved["INSTRUCTED"] == 3 * EARLY_CHILD_IDR + 2 * DUE
    assert (moved["FAILED"], moved["CUT"]) == (DUE, 2 * OFF)
    balances = await office.balances()
    assert balances == {
        "family_available": 3 * EARLY_CHILD_IDR + DUE,
        "benefit_cut": 2 * OFF,
        "state_treasury": -(3 * EARLY_CHILD_IDR + DUE + 2 * OFF),
    }
    assert sum(balances.values()) == 0
    assert (await books(office.store)).broken == []


async def test_an_entitlement_stays_whole_and_names_the_evaluation_of_its_cut(
    office: Office,
) -> None:
    await arrived(office)
    await paid(office)

    payment = await office.payment(CUT)
    assert isinstance(payment, Credited)
    assert (payment.terms.amount, payment.terms.cut) == (EARLY_CHILD_IDR, OFF)
    entitled = {m.body["family"]: m.body for m in await sent(office.store, "PaymentEntitled")}
    cut = entitled[CUT.family]
    assert (cut["amount"], cut["cut"], cut["cut_percent"], cut["evaluation"]) == (
        EARLY_CHILD_IDR,
        OFF,
        10,
        1,
    )
    assert entitled[KEPT[0].family]["cut"] == 0


async def test_a_cycle_corrected_before_the_freeze_makes_another_list_to_approve(
    office: Office,
) -> None:
    await arrived(office)
    before = (await office.seen(PATH))["list"]

    again = office.elsewhere.evaluation(CUT, revision=2)
    judged = [
        *(office.elsewhere.evaluation(house) for house in KEPT),
        again,
        *(
            office.elsewhere.evaluation(house, result="FAILED", cut_percent=10)
            for house in FAILED[1:]
        ),
    ]
    await office.take(again, office.elsewhere.evaluation_closed(judged))
    await office.join()

    after = (await office.seen(PATH))["list"]
    assert (after["rupiah"], after["cut"]) == (before["rupiah"], 2 * OFF)
    assert after["hash"] != before["hash"]


async def test_a_cycle_corrected_behind_the_freeze_moves_no_money_by_itself(
    office: Office,
) -> None:
    await arrived(office)
    await office.frozen()
    await office.take(lifted(office))
    await office.pay()
    await office.ordered()
    await office.pay()

    assert office.world.credited()[CUT.payment()] == DUE
    assert (await books(office.store)).broken == []
    [row] = await owed(office)
    assert (row["payment"], row["amount"], row["case"]) == (CUT.payment(), OFF, CASE)
    assert row["reason"] == "NO_RUN_PAYS_ARREARS"


def lifted(office: Office, house: House = CUT) -> Record:
    """Conditionality's word that a case has a cut lifted."""
    return office.elsewhere.evaluation(house, revision=2, case=CASE)


async def owed(office: Office, *regions: str, **query: str) -> list[dict[str, Any]]:
    """The arrears that somebody of these regions sees."""
    who = office.door.who("reader-2", "payments:read", regions=regions or ("*",))
    answer = await office.door.client.get("/arrears", headers=who, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_what_is_owed_since_a_correction_stands_on_a_list_until_it_is_owed_no_more(
    office: Office,
) -> None:
    await arrived(office)
    await paid(office)
    before = await office.balances()

    await office.take(lifted(office), lifted(office, CUT_AND_REFUSED), lifted(office, KEPT[0]))
    await office.take(lifted(office))  # the message comes again

    [row] = await owed(office)
    expected = {"payment": CUT.payment(), "tahap": TAHAP_1, "family": CUT.family, "amount": OFF}
    assert row | expected == row
    assert await owed(office, row["region"][:5], tahap=TAHAP_1, region="61") == [row]
    assert await owed(office, "11") == await owed(office, tahap="2023-2") == []
    assert [m.body["amount"] for m in await sent(office.store, "ArrearOwed")] == [OFF]
    assert await office.balances() == before

    failed = office.elsewhere.evaluation(CUT, result="FAILED", cut_percent=10, revision=3)
    await office.take(failed, lifted(office))

    assert await owed(office) == []
    assert [m.body["amount"] for m in await sent(office.store, "ArrearOwed")] == [OFF, 0]


async def test_a_correction_and_the_freeze_at_once_end_in_a_list_without_the_cut_or_in_an_arrear(
    office: Office,
) -> None:
    await arrived(office, failed=[CUT])
    seen = {"hash": (await office.seen(PATH))["list"]["hash"], "deferred": []}
    made = await office.asked_by(MAKER, "make", f"{PATH}/freeze-proposal", seen)
    assert made.status_code == 204, made.text

    approval = office.asked_by(CHECKER, "check", f"{PATH}/freeze-approval", {"hash": seen["hash"]})
    approved, _ = await asyncio.gather(approval, office.take(lifted(office)))

    if approved.status_code == 204:
        await office.pay()
        await office.ordered()
        await office.pay()
    else:
        assert approved.json()["type"] == "/problems/list-moved"
        judged = [office.elsewhere.evaluation(house) for house in VILLAGE if house != CUT]
        await office.take(office.elsewhere.evaluation_closed([*judged, lifted(office)]))
        await office.join()
        await paid(office)
    cut = 0 if approved.status_code != 204 else OFF
    assert office.world.credited()[CUT.payment()] == EARLY_CHILD_IDR - cut
    assert sum(row["amount"] for row in await owed(office)) == cut
    assert (await books(office.store)).broken == []


async def test_a_correction_while_banks_answer_is_owed_once(office: Office) -> None:
    await arrived(office, failed=[CUT])
    await office.frozen()
    await office.pay()
    await office.ordered()

    await asyncio.gather(office.pay(), office.take(lifted(office), lifted(office)))
    await office.pay()

    assert office.world.credited()[CUT.payment()] == DUE
    assert [row["amount"] for row in await owed(office)] == [OFF]
    assert [m.body["amount"] for m in await sent(office.store, "ArrearOwed")] == [OFF]
    assert (await books(office.store)).broken == []


async def test_a_line_that_leaves_behind_the_order_is_cut_once_by_the_run_that_pays_it(
    office: Office,
) -> None:
    await arrived(office)
    await office.frozen()
    await office.pay()
    await office.ordered()
    await until_instructed(office)
    line = DeferredLine(CUT.payment(), CUT.family, CUT.bank, DUE, "ON_HOLD")
    async with office.store.transaction(CONTEXT) as unit:
        await take_out(unit, (TAHAP_1, REGULAR), [line])
    await office.pay()
    assert (await office.moved())["CUT"] == OFF  # of the family whose transfer failed

    await office.supplemented(FIRST)

    assert office.world.credited()[CUT.payment(kind=FIRST)] == DUE
    assert (await office.moved())["CUT"] == 2 * OFF
    assert (await office.balances())["benefit_cut"] == 2 * OFF
    assert (await books(office.store)).broken == []


async def test_an_evaluation_that_would_cut_more_than_all_is_parked_and_holds_up_nobody(
    office: Office,
) -> None:
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in KEPT]
    wrong = office.elsewhere.evaluation(KEPT[0], result="FAILED", cut_percent=101)
    right = [office.elsewhere.evaluation(house) for house in KEPT[1:]]
    await office.take(*lines, office.elsewhere.list_closed(lines))
    await office.take(wrong, *right, office.elsewhere.evaluation_closed([wrong, *right]))
    await office.join()

    ready = (await office.tahap()).lists[0].ready
    assert ready is not None
    assert (ready.count, ready.missing) == (2, (KEPT[0].family,))
