"""A tahap's list is ready when both halves are whole, in whichever order and shape they come."""

from __future__ import annotations

import pytest

from services.payments.contract import ROSTER_TOPIC
from services.payments.domain.shared.totals import Totals
from tests.doors import sent
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, houses, unsent
from tests.integration.payments.office import Office

HOUSES = houses(20)
TAHAP_2 = "2023-2"


@pytest.mark.parametrize("roster_first", [True, False])
async def test_a_list_is_ready_in_whichever_order_its_halves_arrive(
    office: Office, roster_first: bool
) -> None:
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in HOUSES]
    judged = [office.elsewhere.evaluation(house) for house in HOUSES]
    roster = [*lines, office.elsewhere.list_closed(lines)]
    evaluations = [*judged, office.elsewhere.evaluation_closed(judged)]
    first, second = (roster, evaluations) if roster_first else (evaluations, roster)

    await office.take(*first)
    await office.join()
    assert (await office.tahap()).lists[0].ready is None

    await office.take(*second)
    await office.join()
    ready = (await office.tahap()).lists[0].ready
    assert ready is not None
    assert (ready.count, ready.rupiah) == (20, 20 * EARLY_CHILD_IDR)
    assert ready.missing == ()


async def test_the_hash_does_not_depend_on_the_order_of_arrival(office: Office) -> None:
    await office.arrived(HOUSES)
    first = (await office.tahap()).lists[0].ready

    await office.join()

    assert (await office.tahap()).lists[0].ready == first
    assert len(await sent(office.store, "BucketRequested")) == 0


async def test_a_list_waits_for_the_last_line(office: Office) -> None:
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in HOUSES]
    judged = [office.elsewhere.evaluation(house) for house in HOUSES]
    closed = office.elsewhere.evaluation_closed(judged)

    await office.take(*lines, office.elsewhere.list_closed(lines))
    late = [record for record in judged if record.partition == judged[0].partition]
    await office.take(*[record for record in (*judged, closed) if record not in late])
    await office.join()
    assert (await office.tahap()).lists[0].ready is None

    await office.take(*late, *([closed] if closed.partition == judged[0].partition else []))
    await office.join()
    assert (await office.tahap()).lists[0].ready is not None


async def test_a_family_parked_at_conditionality_is_missing_and_the_list_is_ready(
    office: Office,
) -> None:
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in HOUSES]
    judged = [office.elsewhere.evaluation(house) for house in HOUSES[1:]]
    await office.take(*lines, office.elsewhere.list_closed(lines))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged, parked=HOUSES[:1]))

    await office.join()

    ready = (await office.tahap()).lists[0].ready
    assert ready is not None
    assert ready.missing == (HOUSES[0].family,)
    assert ready.count == 19


async def test_a_family_that_registry_withheld_can_only_be_deferred_for_its_reason(
    office: Office,
) -> None:
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in HOUSES[1:]]
    judged = [office.elsewhere.evaluation(house) for house in HOUSES[1:]]
    withheld = {HOUSES[0].family: "KEY_DESTROYED"}
    await office.take(*lines, office.elsewhere.list_closed(lines, withheld=withheld))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))
    await office.join()

    shown = (await office.seen(f"/tahap/{TAHAP_1}"))["list"]
    candidates = shown["deferred_candidates"]
    assert candidates == [{"family": HOUSES[0].family, "reason": "KEY_DESTROYED"}]
    assert (shown["count"], shown["listed_expected"]) == (19, 19)
    await office.approved("freeze", f"/tahap/{TAHAP_1}", shown["hash"], deferred=candidates)
    [frozen] = await sent(office.store, "ListFrozen")
    assert frozen.body["deferred"] == candidates


async def test_families_whom_the_end_of_the_roster_only_counts_are_deferred_by_name(
    office: Office,
) -> None:
    await office.announce()
    there, gone = office.elsewhere, {house.family: "KEY_DESTROYED" for house in HOUSES[:3]}
    lines = [await there.line(house) for house in HOUSES[3:]]
    judged = [there.evaluation(house) for house in HOUSES[3:]]
    await office.take(*lines, there.withheld(gone), there.list_closed(lines, more=3))
    await office.take(*judged, there.evaluation_closed(judged))
    await office.join()

    shown = (await office.seen(f"/tahap/{TAHAP_1}"))["list"]
    assert (shown["count"], shown["missing"]) == (17, [])
    assert shown["withheld"] == {"KEY_DESTROYED": 3}
    await office.approved("freeze", f"/tahap/{TAHAP_1}", shown["hash"])
    [frozen] = await sent(office.store, "ListFrozen")
    assert (frozen.body["deferred"], frozen.body["withheld"]) == ([], 3)
    page = (await office.seen(f"/tahap/{TAHAP_1}/deferred"))["items"]
    assert {each["family"]: each["reason"] for each in page} == gone
    deferred = await sent(office.store, "PaymentDeferred")
    assert {each.body["family"]: each.body["reason"] for each in deferred} == gone


async def test_a_list_is_not_ready_before_everybody_withheld_is_named(office: Office) -> None:
    await office.announce()
    there, gone = office.elsewhere, {HOUSES[0].family: "KEY_DESTROYED"}
    lines = [await there.line(house) for house in HOUSES[3:]]
    judged = [there.evaluation(house) for house in HOUSES[3:]]
    await office.take(*lines, there.withheld(gone), there.list_closed(lines, more=3))
    await office.take(*judged, there.evaluation_closed(judged))
    await office.join()

    assert (await office.seen(f"/tahap/{TAHAP_1}"))["phase"] == "COLLECTING"


async def test_a_family_whose_entitlement_cannot_be_computed_can_only_be_deferred(
    office: Office,
) -> None:
    await office.announce()
    odd = await office.elsewhere.line_body(HOUSES[0], TAHAP_1)
    odd["members"][0]["closing"] = ["NO_SUCH_CATEGORY"]
    lines = [await office.elsewhere.line(house) for house in HOUSES[1:]]
    lines.append(office.elsewhere.roster.record("FamilyListed", HOUSES[0].family, odd))
    judged = [office.elsewhere.evaluation(house) for house in HOUSES]
    await office.take(*lines, office.elsewhere.list_closed(lines))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))
    await office.join()

    shown = (await office.seen(f"/tahap/{TAHAP_1}"))["list"]
    candidates = shown["deferred_candidates"]
    assert candidates == [{"family": HOUSES[0].family, "reason": "CANNOT_BE_ENTITLED"}]
    assert (shown["count"], shown["rupiah"]) == (19, 19 * EARLY_CHILD_IDR)
    await office.approved("freeze", f"/tahap/{TAHAP_1}", shown["hash"], deferred=candidates)
    await office.pay()
    entitled = (await office.run()).entitled
    assert entitled is not None
    assert entitled.entitled == Totals(19, 19 * EARLY_CHILD_IDR)


async def test_a_line_parked_here_counts_as_received_and_its_family_is_missing(
    office: Office,
) -> None:
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in HOUSES[1:]]
    broken = await office.elsewhere.line_body(HOUSES[0], TAHAP_1)
    broken["members"] = "nobody can read this"
    lines.append(office.elsewhere.roster.record("FamilyListed", HOUSES[0].family, broken))
    judged = [office.elsewhere.evaluation(house) for house in HOUSES]
    await office.take(*lines, office.elsewhere.list_closed(lines))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))

    await office.join()

    ready = (await office.tahap()).lists[0].ready
    assert ready is not None
    assert ready.missing == (HOUSES[0].family,)
    assert ready.count == 19


async def test_a_line_that_is_not_the_one_that_was_counted_is_asked_for_again(
    office: Office,
) -> None:
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in HOUSES]
    body = await office.elsewhere.line_body(HOUSES[0], TAHAP_1) | {"region": "61.71.01.1001"}
    counted_in = unsent(ROSTER_TOPIC, "FamilyListed", HOUSES[0].family, body)
    judged = [office.elsewhere.evaluation(house) for house in HOUSES]
    closed = office.elsewhere.list_closed([counted_in, *lines[1:]])
    await office.take(*lines)
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))
    await office.take(closed)

    await office.join()

    [asked] = await sent(office.store, "BucketRequested")
    assert asked.body["topic"] == ROSTER_TOPIC
    assert asked.body["buckets"] == [HOUSES[0].family[:2]]
    assert (await office.tahap()).lists[0].ready is None


async def test_a_line_is_asked_for_again_though_those_of_the_next_tahap_came_with_it(
    office: Office,
) -> None:
    await office.announce()
    await office.announce(TAHAP_2)
    lines = [await office.elsewhere.line(house) for house in HOUSES]
    body = await office.elsewhere.line_body(HOUSES[0], TAHAP_1) | {"region": "61.71.01.1001"}
    counted_in = unsent(ROSTER_TOPIC, "FamilyListed", HOUSES[0].family, body)
    judged = [office.elsewhere.evaluation(house) for house in HOUSES]
    closed = office.elsewhere.list_closed([counted_in, *lines[1:]])
    next_lines = [await office.elsewhere.line(house, TAHAP_2) for house in HOUSES]
    await office.take(*lines, closed, *next_lines)
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))

    await office.join()

    [asked] = await sent(office.store, "BucketRequested")
    assert asked.body["tahap"] == TAHAP_1
    assert asked.body["buckets"] == [HOUSES[0].family[:2]]


async def test_the_owner_sends_the_bucket_again_and_the_list_is_ready(office: Office) -> None:
    await office.announce()
    true = await office.elsewhere.line_body(HOUSES[0], TAHAP_1)
    family, wrong = HOUSES[0].family, true | {"region": "61.71.01.1001"}
    lines = [await office.elsewhere.line(house) for house in HOUSES[1:]]
    came = office.elsewhere.roster.record("FamilyListed", family, wrong)
    judged = [office.elsewhere.evaluation(house) for house in HOUSES]
    counted_in = unsent(ROSTER_TOPIC, "FamilyListed", family, true)
    await office.take(*lines, came, office.elsewhere.list_closed([counted_in, *lines]))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))
    await office.join()

    assert (await office.tahap()).lists[0].ready is None

    await office.take(office.elsewhere.roster.record("FamilyListed", family, true))
    await office.join()

    ready = (await office.tahap()).lists[0].ready
    assert ready is not None
    assert ready.count == 20
