"""An account check that leaves lines without an answer: two people let the run go on without."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from services.payments.domain.payment.state import Transfer
from services.payments.domain.shared.ids import supplementary
from services.payments.tables.ledger import books
from tests.doors import sent
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, House, books_of, houses
from tests.integration.payments.office import CHECKER, MAKER, Office
from tests.integration.payments.test_cancellation import approved as cancel_approved
from tests.integration.payments.test_cancellation import proposed as cancel_proposed
from tests.integration.payments.test_partners_words import line_of, run_shown, says

VILLAGE = [*houses(3), House(4, "BRI")]
SILENT, OTHERS = VILLAGE[0], VILLAGE[1:]
FIRST = supplementary(1)
CHECKS = "account-checks"
RUN = f"/tahap/{TAHAP_1}/runs/REGULAR"


async def unanswered(office: Office) -> str:
    """A run whose check says neither yes nor no of one line; the hash of that line."""
    office.world.accounts.update(books_of(VILLAGE))
    office.world.instead[CHECKS] = line_of(SILENT.payment(), says("PENDING"))
    await office.arrived(VILLAGE)
    await office.frozen()
    await office.pay()
    shown = (await run_shown(office))["unanswered"]
    assert (shown["count"], shown["rupiah"]) == (1, EARLY_CHILD_IDR)
    assert (shown["families"], shown["maker"]) == ([SILENT.family], None)
    return str(shown["hash"])


async def proposed(office: Office, digest: str) -> httpx.Response:
    """The answer to whoever proposes to go on without what has no answer."""
    return await office.asked_by(MAKER, "make", f"{RUN}/unanswered-proposal", {"hash": digest})


async def approved(
    office: Office, digest: str, who: str = CHECKER, seen: str | None = None
) -> httpx.Response:
    """The answer to whoever approves that."""
    path, body = f"{RUN}/unanswered-approval", {"hash": digest}
    return await office.asked_by(who, "check", path, body, seen=seen)


async def let_go(office: Office) -> None:
    """Two people have let the silent line go."""
    digest = await unanswered(office)
    assert (await proposed(office, digest)).status_code == 204
    assert (await approved(office, digest)).status_code == 204


async def deferred(office: Office) -> list[dict[str, Any]]:
    """The families that wait for a supplementary run."""
    items = (await office.seen(f"/tahap/{TAHAP_1}/deferred"))["items"]
    assert isinstance(items, list)
    return items


async def test_a_line_without_an_answer_is_deferred_by_two_people_and_the_others_are_paid(
    office: Office,
) -> None:
    await let_go(office)
    await office.pay()
    await office.ordered()
    await office.pay()

    assert office.world.credited() == {house.payment(): EARLY_CHILD_IDR for house in OTHERS}
    assert await office.transfers([SILENT]) == [Transfer.DEFERRED]
    run = await office.run()
    assert run.reconciled is not None
    [decided] = await sent(office.store, "UnansweredDeferred")
    assert (decided.body["maker"], decided.body["checker"]) == (MAKER, CHECKER)
    assert (decided.body["count"], decided.body["rupiah"]) == (1, EARLY_CHILD_IDR)
    [waits] = await deferred(office)
    assert (waits["family"], waits["answer"]) == (SILENT.family, None)
    assert waits["reason"] == "ACCOUNT_CHECK_UNANSWERED"
    job = await office.seen(f"/jobs/run-{TAHAP_1}-REGULAR")
    assert (job["state"], job["done"]) == ("DONE", 4)
    assert {step["state"] for step in job["steps"]} == {"DONE"}

    office.world.instead.clear()
    await office.supplemented(FIRST)

    assert sum(office.world.credited().values()) == 4 * EARLY_CHILD_IDR
    assert office.world.credited()[SILENT.payment(kind=FIRST)] == EARLY_CHILD_IDR
    assert (await office.tahap()).closed is not None
    assert (await books(office.store)).broken == []


@pytest.mark.parametrize("late", ["OK", "ACCOUNT_CLOSED"])
async def test_an_answer_that_comes_late_is_shown_and_pays_nobody(
    office: Office, late: str
) -> None:
    await let_go(office)
    office.world.instead[CHECKS] = line_of(SILENT.payment(), says(late))
    await office.pay()
    await office.ordered()
    await office.pay()

    assert SILENT.payment() not in office.world.credited()
    assert await office.transfers(VILLAGE) == [Transfer.DEFERRED, *[Transfer.CREDITED] * 3]
    assert [each["answer"] for each in await deferred(office)] == [late]
    assert (await books(office.store)).broken == []

    office.world.instead.clear()
    await office.supplemented(FIRST)
    assert sum(office.world.credited().values()) == 4 * EARLY_CHILD_IDR


async def test_an_answer_that_comes_behind_the_check_is_looked_for_with_the_books(
    office: Office,
) -> None:
    await let_go(office)
    await office.pay()
    assert [each["answer"] for each in await deferred(office)] == [None]
    office.world.instead.clear()
    await office.ordered()
    await office.pay()

    assert [each["answer"] for each in await deferred(office)] == ["OK"]
    assert SILENT.payment() not in office.world.credited()


async def test_a_line_that_is_answered_meanwhile_is_not_let_go(office: Office) -> None:
    digest = await unanswered(office)
    await proposed(office, digest)
    seen = await office.tag(RUN)
    office.world.instead[CHECKS] = line_of(OTHERS[0].payment(), says("PENDING"))
    await office.pay()

    answer = await approved(office, digest, seen=seen)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/stale-hash")
    office.world.instead.clear()
    await office.pay()
    await office.ordered()
    await office.pay()
    assert len(office.world.credited()) == 4


async def test_nobody_lets_go_what_they_proposed(office: Office) -> None:
    digest = await unanswered(office)
    await proposed(office, digest)

    answer = await approved(office, digest, who=MAKER)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/same-person")
    assert (await run_shown(office))["unanswered"]["maker"] == MAKER
    assert (await run_shown(office))["phase"] == "CHECKING_ACCOUNTS"


@pytest.mark.parametrize("round_", range(4))
async def test_of_an_approval_and_the_treasurys_answer_at_once_each_line_is_in_one_run(
    office: Office, round_: int
) -> None:
    digest = await unanswered(office)
    await proposed(office, digest)
    office.world.instead.clear()

    answer, _ = await asyncio.gather(approved(office, digest), office.pay())
    await office.pay()
    await office.ordered()
    await office.pay()

    gone = answer.status_code == 204
    assert len(office.world.credited()) == (3 if gone else 4)
    assert (await office.tahap()).outstanding == ((SILENT.family,) if gone else ())
    kept = await office.store.pool.fetchval("SELECT count(*) FROM payment_set_aside")
    assert kept == 0
    assert (await books(office.store)).broken == []


async def test_a_tahap_is_cancelled_with_the_lines_that_were_let_go(office: Office) -> None:
    await let_go(office)
    await cancel_proposed(office)
    await cancel_approved(office)
    await office.undone()

    assert await office.transfers(VILLAGE) == [Transfer.NONE] * 4
    assert await office.store.pool.fetchval("SELECT count(*) FROM unanswered_line") == 0
    assert (await office.tahap()).outstanding == ()
