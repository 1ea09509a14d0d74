"""Money moves by two people who approve the same hash; and who may see what."""

from __future__ import annotations

import pytest
import pytest_asyncio

from libs.chassis.settings import Settings
from services.payments.domain.payment.state import Transfer
from services.payments.main import SERVICE
from tests.doors import operations
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, books_of, houses
from tests.integration.payments.office import CHECKER, MAKER, Office

VILLAGE = houses(4)
PATH = f"/tahap/{TAHAP_1}"
RUN_PATH = f"{PATH}/runs/REGULAR"
STALE = "0" * 64


@pytest_asyncio.fixture
async def ready(office: Office) -> Office:
    """A tahap whose list stands to be frozen."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    return office


async def hash_of_list(office: Office) -> str:
    """The hash that stands to be approved."""
    digest: str = (await office.seen(PATH))["list"]["hash"]
    return digest


# -- Freeze


async def test_nobody_approves_their_own_freeze(ready: Office) -> None:
    digest = {"hash": await hash_of_list(ready)}
    made = await ready.asked_by(MAKER, "make", f"{PATH}/freeze-proposal", digest)
    assert made.status_code == 204

    answer = await ready.asked_by(MAKER, "check", f"{PATH}/freeze-approval", digest)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/same-person")
    assert (await ready.seen(PATH))["phase"] == "FREEZE_PROPOSED"


@pytest.mark.parametrize("step", ["proposal", "approval"])
async def test_a_hash_that_does_not_stand_is_neither_proposed_nor_approved(
    ready: Office, step: str
) -> None:
    digest = {"hash": await hash_of_list(ready)}
    if step == "approval":
        await ready.asked_by(MAKER, "make", f"{PATH}/freeze-proposal", digest)
    who = (MAKER, "make") if step == "proposal" else (CHECKER, "check")

    answer = await ready.asked_by(*who, f"{PATH}/freeze-{step}", {"hash": STALE})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/stale-hash")


async def test_a_later_line_takes_the_ground_from_a_proposal(ready: Office) -> None:
    digest = {"hash": await hash_of_list(ready)}
    await ready.asked_by(MAKER, "make", f"{PATH}/freeze-proposal", digest)
    lines = [await ready.elsewhere.line(house, revision=2) for house in VILLAGE]
    await ready.take(*lines, ready.elsewhere.list_closed(lines))
    await ready.join()

    answer = await ready.asked_by(CHECKER, "check", f"{PATH}/freeze-approval", digest)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/nothing-proposed")
    assert (await ready.seen(PATH))["phase"] == "READY"


async def test_what_is_asked_twice_under_one_key_happens_once(ready: Office) -> None:
    body = {"hash": await hash_of_list(ready)}
    who = ready.door.who(MAKER, "payments:make") | {"If-Match": await ready.tag(PATH)}
    path = f"{PATH}/freeze-proposal"

    first = await ready.door.post(path, who, key="key-1", json=body)
    again = await ready.door.post(path, who, key="key-1", json=body)

    assert (first.status_code, again.status_code) == (204, 204)
    assert again.headers["idempotency-replayed"] == "true"


# -- Order


@pytest_asyncio.fixture
async def checked(ready: Office) -> Office:
    """A frozen list whose accounts are checked."""
    await ready.approved("freeze", PATH, await hash_of_list(ready))
    await ready.pay()
    return ready


async def test_a_run_waits_for_its_order_and_says_what_it_comes_to(checked: Office) -> None:
    shown = await checked.seen(PATH)
    [run] = shown["runs"]

    assert (shown["phase"], run["phase"]) == ("PAYING", "ORDER_READY")
    assert (run["order"]["count"], run["order"]["rupiah"]) == (4, 4 * EARLY_CHILD_IDR)
    assert (run["count"], run["check_failed"]["count"], run["trouble"]) == (4, 0, None)


async def test_nobody_approves_their_own_order_and_no_stale_one(checked: Office) -> None:
    digest = {"hash": (await checked.seen(PATH))["runs"][0]["order"]["hash"]}
    stale = await checked.asked_by(MAKER, "make", f"{RUN_PATH}/order-proposal", {"hash": STALE})
    await checked.asked_by(MAKER, "make", f"{RUN_PATH}/order-proposal", digest)
    own = await checked.asked_by(MAKER, "check", f"{RUN_PATH}/order-approval", digest)
    other = await checked.asked_by(CHECKER, "check", f"{RUN_PATH}/order-approval", {"hash": STALE})

    assert [each.status_code for each in (stale, own, other)] == [409, 409, 409]
    assert own.json()["type"] == "/problems/same-person"
    await checked.pay()
    assert await checked.transfers(VILLAGE) == [Transfer.ENTITLED] * 4


async def test_an_approved_order_is_paid_and_the_tahap_closes(checked: Office) -> None:
    digest = (await checked.seen(PATH))["runs"][0]["order"]["hash"]

    await checked.approved("order", RUN_PATH, digest)
    await checked.pay()

    shown = await checked.seen(PATH)
    [run] = shown["runs"]
    assert (shown["phase"], run["phase"]) == ("CLOSED", "RECONCILED")
    assert (run["credited"]["rupiah"], run["unknown"]["rupiah"]) == (4 * EARLY_CHILD_IDR, 0)
    assert (await checked.seen("/ledger/check")) == {"broken": [], "tahaps": [TAHAP_1]}
    assert sum((await checked.seen("/ledger/balances")).values()) == 0


# -- Who may see and do what


async def test_every_operation_wants_a_token_and_a_scope_of_its_own(
    office: Office, settings: Settings
) -> None:
    asked = operations(SERVICE.application(settings))
    stranger = office.door.who("stranger", "somewhere:else") | {"Idempotency-Key": "once"}

    for method, path in asked:
        nobody = await office.door.client.request(method, path)
        somebody = await office.door.client.request(method, path, headers=stranger)
        assert (path, nobody.status_code, somebody.status_code) == (path, 401, 403)


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("check", f"{PATH}/freeze-proposal"),
        ("make", f"{PATH}/freeze-approval"),
        ("check", f"{RUN_PATH}/order-proposal"),
        ("make", f"{RUN_PATH}/order-approval"),
    ],
)
async def test_making_and_checking_are_two_rights(ready: Office, scope: str, path: str) -> None:
    answer = await ready.asked_by("anybody", scope, path, {"hash": STALE})
    assert answer.status_code == 403


async def test_a_payment_of_another_region_is_as_unknown_as_one_that_is_not_there(
    checked: Office,
) -> None:
    house = VILLAGE[0]

    for regions, status in ((("61",), 200), (("61.03",), 200), (("61.04",), 404), ((), 404)):
        who = checked.door.who("reader-1", "payments:read", regions=regions)
        for path in (f"/payments/{house.payment()}", f"/families/{house.family}/payments"):
            answer = await checked.door.client.get(path, headers=who)
            assert (path, regions, answer.status_code) == (path, regions, status)
