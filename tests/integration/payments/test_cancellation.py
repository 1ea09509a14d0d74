"""Two people cancel or correct a tahap; the money that it named is paid once, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Transfer
from tests.doors import sent
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, books_of, houses
from tests.integration.payments.office import CHECKER, MAKER, Office

VILLAGE = houses(5)
LATER = "2023-2"
PATH = f"/tahap/{TAHAP_1}"
ANA, BEN = "planner-1", "head-1"
REASON = {"reason": "WRONG_DATES"}
TERMS: dict[str, Any] = {
    "tahap": TAHAP_1,
    "months": ["2023-01", "2023-02", "2023-03"],
    "closing_date": "2023-03-31",
    "account_check_date": "2023-04-05",
    "credit_date": "2023-04-28",
}


@pytest_asyncio.fixture
async def ready(office: Office) -> Office:
    """A tahap whose list stands to be frozen, with one family that has failed."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE, failed=VILLAGE[:1])
    return office


async def proposed(office: Office, what: str = "cancellation", **changes: object) -> httpx.Response:
    """The answer to a proposal to cancel or to correct."""
    body = REASON | (TERMS | changes if what == "correction" else changes)
    return await office.asked_by(ANA, "announce", f"{PATH}/{what}-proposal", body)


async def approved(office: Office, what: str = "cancellation", who: str = BEN) -> httpx.Response:
    """The answer to an approval of what stands."""
    body = {"hash": (await office.seen(PATH))["proposal"]["hash"]}
    if what == "correction":
        body |= {"after": {}}
    return await office.asked_by(who, "announce", f"{PATH}/{what}-approval", body)


async def rows_of(office: Office) -> int:
    """Rows of the tahap's list."""
    found: int = await office.store.pool.fetchval(
        """SELECT (SELECT count(*) FROM list_line) + (SELECT count(*) FROM list_count)
                + (SELECT count(*) FROM list_proof) + (SELECT count(*) FROM list_open)"""
    )
    return found


# -- Cancelling


async def test_two_people_cancel_a_tahap_and_nothing_of_its_list_is_left(ready: Office) -> None:
    assert (await proposed(ready)).status_code == 204
    shown = (await ready.seen(PATH))["proposal"]
    assert (shown["what"], shown["reason"], shown["maker"]) == ("CANCELLATION", "WRONG_DATES", ANA)
    assert (await approved(ready)).status_code == 204
    assert (await ready.seen(PATH))["phase"] == "CANCELLING"
    await ready.undone()

    assert (await ready.seen(PATH))["phase"] == "CANCELLED"
    assert await rows_of(ready) == 0
    [message] = await sent(ready.store, "TahapCancelled")
    assert message.body == {
        "tahap": TAHAP_1,
        "revision": 1,
        "reason": "WRONG_DATES",
        "maker": ANA,
        "checker": BEN,
    }


async def test_nobody_cancels_what_they_proposed(ready: Office) -> None:
    await proposed(ready)

    answer = await approved(ready, who=ANA)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/same-person")
    assert (await ready.seen(PATH))["phase"] == "READY"


async def test_a_withdrawn_cancellation_cancels_nothing(ready: Office) -> None:
    await proposed(ready)
    gone = await ready.asked_by(BEN, "announce", f"{PATH}/announcement-withdrawal", {})

    assert gone.status_code == 204
    assert (await ready.seen(PATH))["proposal"] is None
    assert (await ready.seen(PATH))["phase"] == "READY"


async def test_a_tahap_that_a_later_one_rests_on_is_not_cancelled(ready: Office) -> None:
    await ready.arrived(VILLAGE[:1], LATER)

    answer = await proposed(ready)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/later-tahap-stands")


async def test_a_tahap_that_waits_behind_a_cancelled_one_goes_on_by_itself(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    stray = [await office.elsewhere.line(house, LATER) for house in VILLAGE[:1]]
    for tahap in (TAHAP_1, LATER):
        await office.announce(tahap)
    assert (await proposed(office)).status_code == 204
    assert (await office.seen(PATH))["proposal"]["behind"] == [LATER]
    assert (await approved(office)).status_code == 204
    await office.undone()

    assert (await announced(office))[2:] == [
        ("TahapCancelled", LATER, 1),
        ("TahapCancelled", TAHAP_1, 1),
        ("ClosingAnnounced", LATER, 2),
    ]
    [_, first, again] = [m.body for m in await sent(office.store, "ClosingAnnounced")]
    assert first | {"revision": 2} == again
    assert (await office.seen(PATH))["phase"] == "CANCELLED"

    await office.take(*stray)  # the registry had begun in that moment, and took it back
    assert await office.store.pool.fetchval("SELECT count(*) FROM list_line") == 0
    await office.listed(VILLAGE, LATER, revision=2)
    await office.frozen(LATER)
    await office.pay()
    await office.ordered(LATER)
    await office.pay()
    assert await office.transfers(VILLAGE, LATER) == [Transfer.CREDITED] * 5


async def announced(office: Office) -> list[tuple[str, str, int]]:
    """(type, tahap, revision) of what the other services are told, in order."""
    found = await sent(office.store, "ClosingAnnounced", "TahapCancelled")
    return [(each.type, each.body["tahap"], each.body["revision"]) for each in found]


async def test_a_tahap_is_corrected_before_one_that_waits_behind_it(ready: Office) -> None:
    await ready.announce(LATER)
    assert (await proposed(ready, "correction")).status_code == 204
    shown = (await ready.seen(PATH))["proposal"]
    assert (shown["what"], shown["behind"]) == ("CORRECTION", [LATER])
    assert (await approved(ready, "correction")).status_code == 204
    await ready.undone()

    assert (await announced(ready))[2:] == [
        ("TahapCancelled", LATER, 1),
        ("TahapCancelled", TAHAP_1, 1),
        ("ClosingAnnounced", TAHAP_1, 2),
        ("ClosingAnnounced", LATER, 2),
    ]
    for tahap in (TAHAP_1, LATER):
        shown = await ready.seen(f"/tahap/{tahap}")
        assert (shown["phase"], shown["revision"]) == ("COLLECTING", 2)
    assert (await ready.seen(PATH))["credit_date"] == "2023-04-28"


async def test_a_cancelled_tahap_is_announced_again_before_one_that_waits(office: Office) -> None:
    for tahap in (TAHAP_1, LATER):
        await office.announce(tahap)
    await proposed(office)
    await approved(office)
    await office.undone()
    await announced_again(office)
    await office.undone()

    assert (await announced(office))[5:] == [
        ("TahapCancelled", LATER, 2),
        ("ClosingAnnounced", TAHAP_1, 2),
        ("ClosingAnnounced", LATER, 3),
    ]
    await office.take(await office.elsewhere.line(VILLAGE[0], LATER))  # of a revision before
    assert await rows_of(office) == 2  # the two open lists


async def test_a_tahap_whose_list_begins_before_the_approval_does_not_make_way(
    office: Office,
) -> None:
    for tahap in (TAHAP_1, LATER):
        await office.announce(tahap)
    await proposed(office)
    await office.take(await office.elsewhere.line(VILLAGE[0], LATER))

    answer = await approved(office)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/later-tahap-stands")
    assert await sent(office.store, "TahapCancelled") == []


@pytest.mark.parametrize("round_", range(4))
async def test_of_a_freeze_and_a_cancellation_at_once_one_is_taken(
    ready: Office, round_: int
) -> None:
    digest = (await ready.seen(PATH))["list"]["hash"]
    await ready.asked_by(MAKER, "make", f"{PATH}/freeze-proposal", {"hash": digest})
    await proposed(ready)
    seen = await ready.tag(PATH)
    cancel = {"hash": (await ready.seen(PATH))["proposal"]["hash"]}

    answers = await asyncio.gather(
        ready.asked_by(CHECKER, "check", f"{PATH}/freeze-approval", {"hash": digest}, seen=seen),
        ready.asked_by(BEN, "announce", f"{PATH}/cancellation-approval", cancel, seen=seen),
    )

    assert sorted(answer.status_code for answer in answers) == [204, 412]
    frozen, cancelled = [answer.status_code == 204 for answer in answers]
    assert (await ready.seen(PATH))["phase"] == ("PAYING" if frozen else "CANCELLING")
    assert len(await sent(ready.store, "TahapCancelled")) == int(cancelled)
    assert len(await sent(ready.store, "ListFrozen")) == int(frozen)


async def test_a_line_of_a_cancelled_list_that_comes_late_is_passed_by(office: Office) -> None:
    lines = [await office.elsewhere.line(house) for house in VILLAGE]
    judged = [office.elsewhere.evaluation(house) for house in VILLAGE]
    await office.announce()
    await proposed(office)
    await approved(office)
    await office.undone()

    await office.take(*lines, office.elsewhere.list_closed(lines))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))

    assert await rows_of(office) == 0


# -- Announced again


async def announced_again(office: Office) -> None:
    """Two people announce the cancelled tahap anew."""
    made = await office.asked_by(ANA, "announce", "/tahap", TERMS)
    body = {"hash": made.json()["hash"], "after": {}}
    done = await office.asked_by(BEN, "announce", f"{PATH}/announcement-approval", body)
    assert done.status_code == 204, done.text


async def withdrawn(office: Office) -> None:
    """Conditionality takes back every cycle of the tahap."""
    await office.take(
        *(office.elsewhere.effect("CycleWithdrawn", house, TAHAP_1) for house in VILLAGE)
    )


async def test_a_cancelled_tahap_is_announced_again_and_each_family_is_paid_once(
    ready: Office,
) -> None:
    await proposed(ready)
    await approved(ready)
    early = await ready.asked_by(ANA, "announce", "/tahap", TERMS)
    hasty = await ready.asked_by(
        BEN,
        "announce",
        f"{PATH}/announcement-approval",
        {"hash": early.json()["hash"], "after": {}},
    )
    await ready.undone()
    await withdrawn(ready)
    assert (hasty.status_code, hasty.json()["type"]) == (409, "/problems/step-not-reached")

    await announced_again(ready)
    assert (await ready.seen(PATH))["revision"] == 2
    await ready.listed(VILLAGE, failed=VILLAGE[1:2], revision=2)
    await ready.frozen()
    await ready.pay()
    await ready.ordered()
    await ready.pay()

    assert ready.world.credited() == {house.payment(): EARLY_CHILD_IDR for house in VILLAGE}
    first, second = [await ready.payment(house) for house in VILLAGE[:2]]
    assert (first.hold.status, second.hold.status) == (HoldStatus.NONE, HoldStatus.HELD)
    assert (await ready.seen("/ledger/check"))["broken"] == []


# -- Correcting


async def test_a_correction_announces_anew_when_the_old_list_is_taken_back(ready: Office) -> None:
    assert (await proposed(ready, "correction")).status_code == 204
    shown = (await ready.seen(PATH))["proposal"]
    assert (shown["what"], shown["terms"]["credit_date"]) == ("CORRECTION", "2023-04-28")
    assert (await approved(ready, "correction")).status_code == 204
    assert len(await sent(ready.store, "ClosingAnnounced")) == 1
    await ready.undone()

    stands = await ready.seen(PATH)
    assert (stands["phase"], stands["revision"]) == ("COLLECTING", 2)
    assert stands["credit_date"] == "2023-04-28"
    sent_types = [m.type for m in await sent(ready.store, "ClosingAnnounced", "TahapCancelled")]
    assert sent_types == ["ClosingAnnounced", "TahapCancelled", "ClosingAnnounced"]


async def test_lines_of_the_corrected_announcement_alone_make_its_list(ready: Office) -> None:
    late = [await ready.elsewhere.line(house) for house in VILLAGE[:2]]
    await proposed(ready, "correction")
    await approved(ready, "correction")
    await ready.undone()
    await withdrawn(ready)

    await ready.take(*late, ready.elsewhere.list_closed(late))
    await ready.listed(VILLAGE[2:], revision=2)

    shown = await ready.seen(PATH)
    assert (shown["phase"], shown["list"]["count"]) == ("READY", 3)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"months": ["2023-01", "2023-03"]}, "announcement-refused"),
        ({"tahap": "2023-2"}, "announcement-refused"),
    ],
)
async def test_a_correction_is_checked_as_an_announcement_is(
    ready: Office, changes: dict[str, object], problem: str
) -> None:
    answer = await proposed(ready, "correction", **changes)

    assert (answer.status_code, answer.json()["type"]) == (409, f"/problems/{problem}")


async def test_a_correction_asks_the_services_again_at_its_approval(ready: Office) -> None:
    await proposed(ready, "correction")
    ready.world.rule_sets["registry"]["2021-2024"] = "nobody has read the law"

    answer = await approved(ready, "correction")

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/rule-set-not-run")
    assert (await ready.seen(PATH))["phase"] == "READY"
