"""Families that were deferred by name are paid by a supplementary run, once, as they stand then."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import pytest_asyncio

from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Credited, Transfer
from services.payments.domain.shared.ids import supplementary
from services.payments.tables.ledger import books
from tests.doors import deliver, waits_for_a_lock
from tests.integration.payments.gate import Gate, held_or_through
from tests.integration.payments.houses import EARLY_CHILD_IDR, REGION, TAHAP_1, books_of, houses
from tests.integration.payments.office import CHECKER, MAKER, Office, exhausted
from tests.servers import eventually

VILLAGE = houses(6)
LATE, IN_TIME = VILLAGE[0], VILLAGE[1:]
FIRST = supplementary(1)
SMA_IDR = 500_000
TAHAP_PATH = f"/tahap/{TAHAP_1}"
DEFERRED = [{"family": LATE.family, "reason": "PARKED_AT_CONDITIONALITY"}]


@pytest_asyncio.fixture
async def without_late(office: Office) -> Office:
    """A tahap that was paid but for one family, which conditionality had parked."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in VILLAGE]
    judged = [office.elsewhere.evaluation(house) for house in IN_TIME]
    await office.take(*lines, office.elsewhere.list_closed(lines))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged, parked=[LATE]))
    await office.join()
    shown = (await office.seen(TAHAP_PATH))["list"]
    candidates = shown["deferred_candidates"]
    assert candidates == DEFERRED
    await office.approved("freeze", TAHAP_PATH, shown["hash"], deferred=candidates)
    await office.pay()
    await office.ordered()
    await office.pay()
    return office


async def test_a_tahap_with_a_deferred_family_is_settled_and_not_closed(
    without_late: Office,
) -> None:
    state = await without_late.tahap()
    assert state.lists[0].settled
    assert state.closed is None
    assert state.outstanding == (LATE.family,)
    assert await without_late.transfers([LATE]) == [Transfer.DEFERRED]


@pytest.mark.parametrize(
    ("regions", "query", "listed"),
    [
        (("61",), "", True),
        (("*",), "?reason=PARKED_AT_CONDITIONALITY&region=61.03", True),
        (("*",), "?reason=ON_HOLD", False),
        (("*",), "?region=61.04", False),
        (("11",), "", False),
        ((), "", False),
    ],
)
async def test_deferred_families_are_listed_by_reason_within_the_tokens_regions(
    without_late: Office, regions: tuple[str, ...], query: str, *, listed: bool
) -> None:
    who = without_late.door.who("reader-1", "payments:read", regions=regions)
    answer = await without_late.door.client.get(f"{TAHAP_PATH}/deferred{query}", headers=who)

    found = [{"region": REGION, "answer": None, **each} for each in DEFERRED] if listed else []
    assert answer.json()["items"] == found


async def test_a_family_that_has_not_arrived_can_not_be_taken_up(without_late: Office) -> None:
    answer = await without_late.asked_by(MAKER, "make", f"{TAHAP_PATH}/supplementary-runs", {})
    assert answer.status_code == 409, answer.text


async def test_a_deferred_family_is_paid_once_when_it_has_arrived(without_late: Office) -> None:
    office = without_late
    await office.take(office.elsewhere.evaluation(LATE))

    await office.supplemented(FIRST)

    assert (await office.payment(LATE, kind=FIRST)).transfer is Transfer.CREDITED
    assert await office.transfers([LATE]) == [Transfer.DEFERRED]
    assert office.world.credited() == {
        **{house.payment(): EARLY_CHILD_IDR for house in IN_TIME},
        LATE.payment(kind=FIRST): EARLY_CHILD_IDR,
    }
    assert (await office.tahap()).closed is not None
    assert (await books(office.store)).broken == []


async def test_a_hold_on_the_deferred_payment_holds_the_one_that_takes_its_place(
    without_late: Office,
) -> None:
    office = without_late
    await office.take(
        office.elsewhere.evaluation(LATE, result="FAILED"),
        office.elsewhere.effect("Suspended", LATE, TAHAP_1),
    )

    await office.supplemented(FIRST)

    assert (await office.payment(LATE, kind=FIRST)).hold.status is HoldStatus.HELD
    assert (await office.balances())["family_blocked"] == EARLY_CHILD_IDR


async def test_an_effect_that_comes_behind_it_finds_the_supplementary_payment(
    without_late: Office,
) -> None:
    office = without_late
    await office.take(
        office.elsewhere.evaluation(LATE, result="FAILED"),
        office.elsewhere.effect("Suspended", LATE, TAHAP_1),
    )
    await office.supplemented(FIRST)

    await office.take(office.elsewhere.effect("Released", LATE, "2023-2", TAHAP_1))

    assert (await office.payment(LATE, kind=FIRST)).hold.status is HoldStatus.RELEASED
    assert "family_blocked" not in await office.balances()


async def test_whoever_opened_a_supplementary_list_does_not_approve_it(
    without_late: Office,
) -> None:
    office = without_late
    await office.take(office.elsewhere.evaluation(LATE))
    path = f"{TAHAP_PATH}/supplementary-runs"
    opened = (await office.asked_by(MAKER, "make", path, {})).json()

    path = f"{TAHAP_PATH}/runs/{FIRST}/freeze-approval"
    answer = await office.asked_by(MAKER, "check", path, {"hash": opened["hash"]})

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/same-person"


async def test_a_tahap_closes_when_its_deferred_families_are_named_as_lapsed(
    without_late: Office,
) -> None:
    office = without_late

    forgotten = await office.asked_by(MAKER, "make", f"{TAHAP_PATH}/close-proposal", {})
    assert forgotten.json()["type"] == "/problems/families-outstanding"

    await office.closed(TAHAP_PATH, (LATE.family, "NOT_REPLAYED"))
    closed = (await office.tahap()).closed
    assert closed is not None
    assert (closed.maker, closed.checker) == (MAKER, CHECKER)


async def test_one_person_does_not_close_a_tahap(without_late: Office) -> None:
    office, lapsed = without_late, [{"family": LATE.family, "reason": "NOT_REPLAYED"}]
    body = {"lapsed": lapsed}
    made = await office.asked_by(MAKER, "make", f"{TAHAP_PATH}/close-proposal", body)
    waits = (await office.seen(TAHAP_PATH))["closing"]

    own = {"hash": waits["hash"]}
    answer = await office.asked_by(MAKER, "check", f"{TAHAP_PATH}/close-approval", own)

    assert (made.status_code, waits["maker"], waits["lapsed"]) == (204, MAKER, lapsed)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/same-person")
    assert (await office.tahap()).closed is None


async def test_an_effect_that_meets_the_supplementary_entitlement_is_not_lost(
    without_late: Office,
) -> None:
    office, said = without_late, without_late.elsewhere
    await office.take(said.evaluation(LATE, result="FAILED"))
    held = said.effect("Suspended", LATE, TAHAP_1)
    await office.opened_supplementary(FIRST)
    stopped = Gate(office.store, f"SELECT EXISTS (SELECT FROM run_line WHERE kind = '{FIRST}')")

    entitling = asyncio.create_task(exhausted(office.payer(stopped).step))
    await asyncio.wait_for(stopped.before_commit.wait(), 5)
    holding = asyncio.create_task(office.take(held))
    await eventually(lambda: waits_for_a_lock(office.store, entitling, holding))
    stopped.go_on.set()
    await asyncio.gather(entitling, holding)
    await office.ordered(TAHAP_1, FIRST)
    await office.pay()

    assert (await office.payment(LATE, kind=FIRST)).hold.status is HoldStatus.HELD


async def test_a_line_that_meets_the_opening_of_its_list_is_what_people_approve(
    without_late: Office,
) -> None:
    office = without_late
    await office.take(office.elsewhere.evaluation(LATE))
    body = await office.elsewhere.line_body(LATE, TAHAP_1, revision=2)
    body["members"][0]["closing"] = ["SMA"]
    anew = office.elsewhere.roster.record("FamilyListed", LATE.family, body)
    stopped = Gate(office.store, "SELECT EXISTS (SELECT FROM list_line WHERE revision = 2)")
    consumer = replace(office.consumer, store=stopped)

    taking = asyncio.create_task(deliver(consumer, anew))
    await asyncio.wait_for(stopped.before_commit.wait(), 5)
    opening = asyncio.create_task(office.opened_supplementary(FIRST))
    await eventually(lambda: held_or_through(office.store, opening))
    stopped.go_on.set()
    await asyncio.gather(taking, opening)
    await office.pay()
    await office.ordered(TAHAP_1, FIRST)
    await office.pay()

    paid = await office.payment(LATE, kind=FIRST)
    assert isinstance(paid, Credited)
    assert paid.terms.amount == SMA_IDR
    assert (await office.tahap()).closed is not None
