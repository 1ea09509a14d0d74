"""A family that two people hold is not paid, whatever step its money is at, and once afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from libs.chassis.settings import Settings
from services.payments.contract import ADMINISTRATIVE_HOLD
from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Transfer
from services.payments.domain.shared.ids import supplementary
from services.payments.domain.tahap.messages import Deferral
from services.payments.tables.holds import hold_readings
from services.payments.tables.ledger import books
from tests.integration.payments.gate import Gate, held_or_through
from tests.integration.payments.houses import (
    EARLY_CHILD_IDR,
    REGION,
    TAHAP_1,
    House,
    books_of,
    houses,
)
from tests.integration.payments.office import CHECKER, MAKER, Office, exhausted
from tests.integration.payments.steps import (
    until_checking,
    until_dispatched,
    until_entitled,
    until_instructed,
)
from tests.servers import eventually

VILLAGE = [*houses(3), House(4, "BRI")]
HELD, OTHERS = VILLAGE[0], VILLAGE[1:]
FIRST = supplementary(1)
TAHAP_PATH = f"/tahap/{TAHAP_1}"
TERMS = {"reason": "DATA_UNDER_REVIEW", "evidence": "BA-12/DINSOS/2023"}
ROUNDS = 5
HOLDS_A_ROUND = 24


def path(house: House = HELD) -> str:
    """Where a house's hold stands."""
    return f"/families/{house.family}/holds"


async def asked(
    office: Office, subject: str, scope: str, step: str, body: object, house: House = HELD
) -> httpx.Response:
    """The answer to a person's step of a hold, on what they saw just now."""
    who = office.door.who(subject, f"payments:{scope}")
    reader = office.door.who("reader-1", "payments:read")
    looked = await office.door.client.get(path(house), headers=reader)
    who["If-Match"] = looked.headers.get("etag", '"0"')
    return await office.door.post(path(house) + step, who, json=body)


async def hold(office: Office, house: House = HELD, **terms: str) -> None:
    """Two people hold a house."""
    proposed = await asked(office, MAKER, "make", "", TERMS | terms, house)
    assert proposed.status_code == 204, proposed.text
    approved = await asked(office, CHECKER, "check", "/approval", None, house)
    assert approved.status_code == 204, approved.text


async def let_go(office: Office, house: House = HELD) -> None:
    """Two people end a house's hold."""
    proposed = await asked(office, MAKER, "make", "/end-proposal", {"reason": "DONE"}, house)
    assert proposed.status_code == 204, proposed.text
    approved = await asked(office, CHECKER, "check", "/end-approval", None, house)
    assert approved.status_code == 204, approved.text


async def frozen_by_two(office: Office) -> None:
    """Two people freeze the list as it is shown to them."""
    shown = (await office.seen(TAHAP_PATH))["list"]
    candidates = shown["deferred_candidates"]
    await office.approved("freeze", TAHAP_PATH, shown["hash"], deferred=candidates)


async def listed(office: Office) -> None:
    """A tahap's list is whole."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)


async def paid_to_the_end(office: Office) -> None:
    """Whatever is left to be done of the regular run is done."""
    await office.pay()
    if (await office.run()).order is None:
        await office.ordered()
        await office.pay()


async def paid_once_afterwards(office: Office) -> None:
    """The held house alone was left over, and its money comes when the hold has ended."""
    assert (await office.tahap()).outstanding == (HELD.family,)
    assert (await office.payment(HELD)).transfer is Transfer.DEFERRED
    assert all(HELD.payment() not in row for row in office.world.credited())
    await let_go(office)
    await office.supplemented(FIRST)
    assert office.world.credited() == {
        **{house.payment(): EARLY_CHILD_IDR for house in OTHERS},
        HELD.payment(kind=FIRST): EARLY_CHILD_IDR,
    }
    assert (await office.tahap()).closed is not None
    assert (await books(office.store)).broken == []


# -- At every step --------------------------------------------------------------------------------


async def test_who_is_held_before_the_list_is_ready_is_deferred_by_name(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in VILLAGE]
    await office.take(*lines, office.elsewhere.list_closed(lines))
    await hold(office)
    judged = [office.elsewhere.evaluation(house) for house in VILLAGE]
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))
    await office.join()

    shown = (await office.seen(TAHAP_PATH))["list"]

    assert shown["deferred_candidates"] == [{"family": HELD.family, "reason": "ON_HOLD"}]
    assert shown["held"] == shown["deferred_candidates"]
    assert shown["count"] == 3
    held = {reading.labels: reading.value for reading in await hold_readings(office.store)}
    assert held == {("HOLD",): 1, ("EXCLUSION",): 0}
    await frozen_by_two(office)
    await paid_to_the_end(office)
    await paid_once_afterwards(office)


async def test_a_freeze_that_was_proposed_before_a_hold_is_stale(office: Office) -> None:
    await listed(office)
    before = (await office.seen(TAHAP_PATH))["list"]["hash"]
    proposal = {"hash": before, "deferred": []}
    await office.asked_by(MAKER, "make", f"{TAHAP_PATH}/freeze-proposal", proposal)
    await hold(office)

    approval = {"hash": before}
    at_once = await office.asked_by(CHECKER, "check", f"{TAHAP_PATH}/freeze-approval", approval)
    await office.join()
    later = await office.asked_by(CHECKER, "check", f"{TAHAP_PATH}/freeze-approval", approval)

    assert at_once.json()["type"] == "/problems/list-moved"
    assert later.json()["type"] == "/problems/nothing-proposed"
    await frozen_by_two(office)
    await paid_to_the_end(office)
    await paid_once_afterwards(office)


async def nothing(office: Office) -> None:
    """The list is frozen, and nobody is entitled yet."""


async def proposed(office: Office) -> None:
    """The order is proposed and not approved."""
    await office.pay()
    order = (await office.seen(TAHAP_PATH))["runs"][0]["order"]
    body = {"hash": order["hash"]}
    answer = await office.asked_by(MAKER, "make", f"{TAHAP_PATH}/runs/REGULAR/order-proposal", body)
    assert answer.status_code == 204, answer.text


async def ordered(office: Office) -> None:
    """The order is approved, and its funds are not released yet."""
    await office.pay()
    await office.ordered()


async def instructed(office: Office) -> None:
    """Every payment of the order is instructed, and no file is committed."""
    await ordered(office)
    await until_instructed(office)


STEPS: dict[str, Callable[[Office], Awaitable[None]]] = {
    "frozen": nothing,
    "entitled": until_entitled,
    "account check sent": until_checking,
    "accounts checked": lambda office: office.pay(),
    "order proposed": proposed,
    "order approved": ordered,
    "a second before dispatch": instructed,
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
async def test_who_is_held_before_dispatch_is_not_paid(
    office: Office, step: Callable[[Office], Awaitable[None]]
) -> None:
    await listed(office)
    await office.frozen()
    await step(office)

    await hold(office)
    await paid_to_the_end(office)

    await paid_once_afterwards(office)


async def test_a_request_of_an_order_falls_when_a_family_in_it_is_held(office: Office) -> None:
    await listed(office)
    await office.frozen()
    await proposed(office)
    before = await office.run()
    assert before.request is not None

    await hold(office)
    await office.pay()

    assert (await office.run()).request is None


async def test_behind_dispatch_a_hold_is_refused_and_says_which_file_has_the_family(
    office: Office,
) -> None:
    await listed(office)
    await office.frozen()
    await ordered(office)
    office.world.unreachable.add("banks")
    await until_dispatched(office)
    await asked(office, MAKER, "make", "", TERMS)

    answer = await asked(office, CHECKER, "check", "/approval", None)

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/already-dispatched"
    assert "2023-1-REGULAR-BNI-1-" in answer.json()["detail"]
    assert (await office.seen(path()))["state"] == "PROPOSED"
    await hold(office, from_tahap="2023-2")
    assert (await office.seen(path()))["state"] == "HELD"


# -- A hold and a file at once --------------------------------------------------------------------


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_either_the_file_lacks_the_held_family_or_its_hold_came_too_late(
    office: Office, round_: int
) -> None:
    town = [House(n, ("BNI", "BRI", "BTN", "MANDIRI")[n % 4]) for n in range(1, HOLDS_A_ROUND + 1)]
    office.world.accounts.update(books_of(town))
    await office.arrived(town)
    await office.frozen()
    await instructed(office)
    for house in town:
        await asked(office, MAKER, "make", "", TERMS, house)

    office.world.unreachable.add("banks")
    sending = asyncio.create_task(until_dispatched(office))
    answers = [await asked(office, CHECKER, "check", "/approval", None, house) for house in town]
    await sending
    office.world.unreachable.clear()
    await office.pay()

    credited = office.world.credited()
    for house, answer in zip(town, answers, strict=True):
        held = answer.status_code == 204
        assert held or answer.json()["type"] == "/problems/already-dispatched"
        assert (house.payment() in credited) is not held
    run = await office.run()
    assert run.ordered == run.instructed + run.uninstructed
    assert run.reconciled is not None
    assert (await books(office.store)).broken == []


async def test_a_hold_waits_for_a_file_that_is_just_being_committed(office: Office) -> None:
    of_one_bank = VILLAGE[:3]  # another bank's file would wait too, and be taken for the hold
    office.world.accounts.update(books_of(of_one_bank))
    await office.arrived(of_one_bank)
    await office.frozen()
    await instructed(office)
    await asked(office, MAKER, "make", "", TERMS)
    stopped = Gate(office.store, "SELECT EXISTS (SELECT FROM events WHERE type = 'BankFileSent')")

    sending = asyncio.create_task(exhausted(office.payer(stopped).step))
    await asyncio.wait_for(stopped.before_commit.wait(), 5)
    approving = asyncio.create_task(asked(office, CHECKER, "check", "/approval", None))
    await eventually(lambda: held_or_through(office.store, approving))
    stopped.go_on.set()
    answer, _ = await asyncio.gather(approving, sending)

    assert answer.json()["type"] == "/problems/already-dispatched"
    assert HELD.payment() in office.world.credited()


# -- Its end, and what becomes of the money -------------------------------------------------------


async def deferred_at_the_freeze(office: Office, **terms: str) -> None:
    """A tahap that was paid but for one family, which two people hold."""
    await listed(office)
    await hold(office, HELD, **terms)
    await office.join()
    await frozen_by_two(office)
    await paid_to_the_end(office)


async def opened(office: Office, body: object) -> httpx.Response:
    """The answer to a maker who opens a supplementary run."""
    return await office.asked_by(MAKER, "make", f"{TAHAP_PATH}/supplementary-runs", body)


async def test_no_supplementary_run_pays_who_is_still_held(office: Office) -> None:
    await deferred_at_the_freeze(office)

    nobody = await opened(office, {})
    by_name = await opened(office, {"families": [HELD.family]})

    assert nobody.json()["type"] == "/problems/not-deferred"
    assert (by_name.status_code, by_name.json()["count"]) == (201, 0)
    assert (await office.tahap()).lists[1].proposal is not None
    [again] = (await office.seen(TAHAP_PATH))["runs"][1]["deferred_candidates"]
    assert again == {"family": HELD.family, "reason": "ON_HOLD"}


async def test_a_hold_ends_with_its_last_day_of_itself(office: Office) -> None:
    await deferred_at_the_freeze(office, last_day="2023-06-30")

    too_early = await opened(office, {"day": "2023-06-30"})
    in_time = await opened(office, {"day": "2023-07-01"})

    assert too_early.json()["type"] == "/problems/not-deferred"
    assert in_time.status_code == 201, in_time.text


@pytest.mark.parametrize("day", ["2100-12-31", "2023-01-01"])
async def test_no_run_counts_for_a_day_that_has_not_come_nor_one_before_its_tahap(
    office: Office, day: str
) -> None:
    await deferred_at_the_freeze(office, last_day="2100-12-30")

    refused = await opened(office, {"day": day, "families": [HELD.family]})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/malformed")
    assert "day" in refused.json()["detail"], refused.text
    assert len((await office.tahap()).lists) == 1


async def test_who_is_held_again_leaves_the_supplementary_run_too(office: Office) -> None:
    await deferred_at_the_freeze(office)
    await let_go(office)
    await office.opened_supplementary(FIRST)
    await hold(office, reason="NEW_DOUBTS")
    await office.pay()

    assert (await office.run(kind=FIRST)).reconciled is not None
    await let_go(office)
    await office.supplemented(supplementary(2))

    assert (await office.payment(HELD, kind=supplementary(2))).transfer is Transfer.CREDITED
    assert len(office.world.credited()) == 4


async def test_what_conditionality_decided_meanwhile_is_carried_to_the_payment(
    office: Office,
) -> None:
    await listed(office)
    await office.frozen()
    await instructed(office)
    await hold(office)
    await office.pay()
    await office.take(office.elsewhere.effect("Suspended", HELD, TAHAP_1))
    await let_go(office)

    await office.supplemented(FIRST)

    assert (await office.payment(HELD, kind=FIRST)).hold.status is HoldStatus.HELD
    assert (await office.balances())["family_blocked"] == EARLY_CHILD_IDR


async def test_the_money_of_an_excluded_family_lapses_with_its_tahap_and_its_reason(
    office: Office,
) -> None:
    await deferred_at_the_freeze(office, kind="EXCLUSION", reason="FRAUD_PROVEN")

    closed = (await office.tahap()).closed

    assert closed is not None
    assert closed.lapsed == (Deferral(HELD.family, "FRAUD_PROVEN"),)


async def test_a_tahap_that_waits_is_closed_when_who_is_left_over_is_excluded(
    office: Office,
) -> None:
    await deferred_at_the_freeze(office)
    await hold(office, kind="EXCLUSION", reason="FRAUD_PROVEN")

    await office.closed(TAHAP_PATH)

    closed = (await office.tahap()).closed
    assert closed is not None
    assert closed.lapsed == (Deferral(HELD.family, "FRAUD_PROVEN"),)


# -- Who may, and what is shown -------------------------------------------------------------------


async def test_nobody_approves_the_hold_that_they_proposed(office: Office) -> None:
    await listed(office)
    await asked(office, MAKER, "make", "", TERMS)

    answer = await asked(office, MAKER, "check", "/approval", None)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/same-person")


async def test_what_was_changed_since_it_was_looked_at_is_not_approved(office: Office) -> None:
    await listed(office)
    await asked(office, MAKER, "make", "", TERMS)
    who = office.door.who(CHECKER, "payments:check")
    await asked(office, MAKER, "make", "", TERMS | {"kind": "EXCLUSION"})

    answer = await office.door.post(f"{path()}/approval", who | {"If-Match": '"1"'})

    assert (answer.status_code, answer.json()["type"]) == (412, "/problems/version-stale")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("evidence", "6103014903800001"),
        ("evidence", "what Ibu Sari said"),
        ("reason", "gone"),
        ("from_tahap", "2023"),
        ("last_day", "tomorrow"),
        ("kind", "FOREVER"),
    ],
)
async def test_bad_terms_are_refused_by_name_and_never_repeated(
    office: Office, field: str, value: str
) -> None:
    await listed(office)

    answer = await asked(office, MAKER, "make", "", TERMS | {field: value})

    assert answer.status_code in (409, 422)
    assert field in answer.text
    assert value not in answer.text


async def test_a_hold_lies_within_the_regions_of_a_token(office: Office) -> None:
    await listed(office)
    await hold(office)
    far = {"regions": ["11"]}
    reader = office.door.who("reader-2", "payments:read", **far)
    maker = office.door.who("maker-2", "payments:make", **far)
    near = office.door.who("reader-3", "payments:read", regions=[REGION[:5]])

    looked = await office.door.client.get(path(), headers=reader)
    made = await office.door.post(path(), maker, json=TERMS)
    nobody = await office.door.client.get("/holds", headers=reader)
    asked_for = await office.door.client.get("/holds", headers=reader, params={"region": "61"})
    found = await office.door.client.get("/holds", headers=near)

    assert (looked.status_code, made.status_code) == (404, 404)
    assert nobody.json()["items"] == asked_for.json()["items"] == []
    assert [each["family"] for each in found.json()["items"]] == [HELD.family]


async def test_a_family_that_was_never_listed_is_unknown(office: Office) -> None:
    answer = await asked(office, MAKER, "make", "", TERMS)

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/family-unknown")


async def test_held_families_are_found_by_state_reason_and_page(office: Office) -> None:
    await listed(office)
    await hold(office, VILLAGE[0])
    await hold(office, VILLAGE[1], reason="COURT_ORDER")
    await asked(office, MAKER, "make", "", TERMS, VILLAGE[2])
    await asked(office, MAKER, "make", "/end-proposal", {"reason": "DONE"}, VILLAGE[1])

    async def found(query: str) -> dict[str, str]:
        page: dict[str, Any] = await office.seen(f"/holds{query}")
        return {each["family"]: each["state"] for each in page["items"]}

    whole = {
        VILLAGE[0].family: "HELD",
        VILLAGE[1].family: "END_PROPOSED",
        VILLAGE[2].family: "PROPOSED",
    }
    assert await found("") == whole
    assert await found("?state=HELD") == {VILLAGE[0].family: "HELD"}
    assert await found("?reason=COURT_ORDER") == {VILLAGE[1].family: "END_PROPOSED"}
    assert await found("?region=61.03&limit=10") == whole


async def test_a_hold_that_cannot_be_read_hides_no_other_one(
    office: Office, settings: Settings
) -> None:
    await listed(office)
    for house in VILLAGE[:2]:
        await hold(office, house)
    torn, whole = (house.family for house in VILLAGE[:2])
    connection = await asyncpg.connect(settings.bus_url)  # the service itself may change no event
    await connection.execute(
        "UPDATE events SET data = '[]' WHERE stream_id = $1", ADMINISTRATIVE_HOLD.stream(torn)
    )
    await connection.close()

    page = await office.seen("/holds")

    assert [each["family"] for each in page["items"]] == [whole]
    assert page["unreadable"] == [torn]


async def test_held_families_are_pages_in_order(office: Office) -> None:
    await listed(office)
    for house in VILLAGE[:3]:
        await hold(office, house)
    whole = [house.family for house in VILLAGE[:3]]

    first = await office.seen("/holds?limit=2")
    second = await office.seen(f"/holds?limit=2&cursor={first['next']}")
    assert [each["family"] for each in first["items"] + second["items"]] == sorted(whole)
