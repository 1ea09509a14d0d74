"""Whoever is killed, and wherever: the same files go out, and everybody is paid once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from hashlib import sha256

import asyncpg
import pytest

from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.store.watermarks import Positions
from services.payments.contract import COMMITMENT_TOPIC
from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Transfer
from services.payments.partners.files import FileOf, Renderer
from services.payments.tables.ledger import books
from services.payments.tables.run_lines import RunMovedMeanwhile
from tests.doors import sent
from tests.integration.payments.houses import EARLY_CHILD_IDR, House, books_of, houses
from tests.integration.payments.office import Office, exhausted
from tests.servers import eventually

PAID = [*houses(3, "BNI"), *houses(2, "BRI", first=4)]
FAILING = House(6, "BTN", closed_since=date(2023, 4, 6))
VILLAGE = [*PAID, FAILING]

# What a payer does for the village: behind the order, where most of it is; and in all.
TRANSACTIONS = 14
REQUESTS = 14


class Killed(ConnectionError):
    """The process is gone: a fault of the infrastructure, which is nobody's own."""


class MortalStore(Store):
    """A store whose process dies at its n-th transaction, before the commit or behind it."""

    def dies(self, at: int, *, behind: bool) -> None:
        """Say where."""
        self.left, self.behind = at, behind

    @asynccontextmanager
    async def transaction(self, context: Context) -> AsyncIterator[Transaction]:
        """As of a living store, until it is time."""
        self.left -= 1
        mine = self.left  # another bank's transaction may begin meanwhile
        if mine < 0:
            raise Killed
        async with super().transaction(context) as unit:
            yield unit
            if mine == 0 and not self.behind:
                raise Killed
        if mine == 0:
            raise Killed


def mortal(office: Office, at: int, *, behind: bool) -> MortalStore:
    """The office's store, in the hands of a process that will die."""
    store = MortalStore(office.store.pool, office.store.source)
    store.dies(at, behind=behind)
    return store


async def assert_paid_once(office: Office) -> None:
    """The books and the banks agree, file by file and rupiah by rupiah."""
    assert office.world.credited() == {house.payment(): EARLY_CHILD_IDR for house in PAID}
    assert await office.transfers(PAID) == [Transfer.CREDITED] * 5
    assert await office.transfers([FAILING]) == [Transfer.FAILED]
    assert (await office.tahap()).closed is not None
    assert (await books(office.store)).broken == []
    for bodies in office.world.files.values():
        assert len(set(bodies)) == 1


async def paid_in_spite_of(office: Office, kill: int, *, behind: bool) -> int:
    """Pay with payers that die at their `kill`-th transaction and others that take over.

    One begins before the order, one behind it; answers how many died.
    """
    died = 0
    for begin in (None, office.ordered):
        if begin is not None:
            await begin()
        try:
            await exhausted(office.payer(mortal(office, kill, behind=behind)).step)
        except Killed:
            died += 1
        await office.pay()
    return died


@pytest.mark.parametrize("behind", [False, True], ids=["before-commit", "behind-commit"])
@pytest.mark.parametrize("kill", range(1, TRANSACTIONS + 1))
async def test_a_payer_killed_at_any_transaction_is_taken_over_and_pays_once(
    office: Office, kill: int, behind: bool
) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()

    died = await paid_in_spite_of(office, kill, behind=behind)

    assert died >= 1
    await assert_paid_once(office)


@pytest.mark.parametrize("lost", range(1, REQUESTS + 1))
async def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_id(
    office: Office, lost: int
) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    office.world.cut_at = lost

    for begin in (None, office.ordered):
        if begin is not None:
            await begin()
        await office.pay()
        await office.pay()

    assert office.world.cuts == 1
    await assert_paid_once(office)


async def test_a_leader_that_was_replaced_moves_no_run_back(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    await office.pay()
    await office.ordered()
    payer, replaced = office.payer(), office.payer()
    while (await office.run()).funds is None:
        assert await payer.step()
    seen = await replaced._job(await open_run(office))
    assert seen is not None
    while (await open_run(office))["step"] != "INSTRUCT-DONE":
        assert await payer.step()
    stands = await open_run(office)

    with pytest.raises(RunMovedMeanwhile):
        await replaced._instruct(seen)

    assert await open_run(office) == stands


async def open_run(office: Office) -> asyncpg.Record:
    """The one run on its way, as its row says."""
    [row] = await office.store.pool.fetch("SELECT * FROM run_open")
    return row


async def test_a_file_that_is_sent_again_is_the_same_file(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    await office.pay()
    await office.ordered()
    payer = office.payer()
    while not (await office.run()).files:
        await payer.step()
    [file, *_] = (await office.run()).files
    path = f"/banks/{file.bank}/credit-files/{file.file}"
    office.world.unreachable = {path}
    await office.pay()
    office.world.unreachable = set()

    await office.pay()

    [body] = set(office.world.files[path])
    assert body.decode().startswith(f"H,1,CREDIT,{file.file},2023-04-20\n")
    await assert_paid_once(office)


async def test_a_file_that_is_measured_and_not_sent_does_not_stay_in_memory(
    office: Office,
) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    payer = office.payer()
    while not (await office.run()).checks:
        await payer.step()
    [check] = (await office.run()).checks
    which = FileOf(check.tahap, check.kind, check.file, None, date(2023, 4, 5))
    renderer = Renderer(office.store, office.elsewhere.keys, cached_s=0.0)

    rendered = await renderer.measure(which)

    await eventually(lambda: not renderer._measured)
    made = b"".join([chunk async for chunk in renderer.content(which)])
    assert rendered is not None
    assert rendered.sha256 == sha256(made).hexdigest()


async def test_who_looks_at_the_run_sees_that_a_partner_is_silent(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    office.world.unreachable = {"treasury"}
    await office.pay()

    [run] = (await office.seen("/tahap/2023-1"))["runs"]
    assert "did not answer" in run["trouble"]

    office.world.unreachable = set()
    await office.pay()
    [run] = (await office.seen("/tahap/2023-1"))["runs"]
    assert run["trouble"] is None


# -- The hold that was decided a second before dispatch -------------------------------------------


async def test_no_bank_file_leaves_before_conditionalitys_last_hold_is_here(
    office: Office,
) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    await office.pay()
    await office.ordered()
    hold = office.elsewhere.effect("Suspended", PAID[0], "2023-1")
    place = {COMMITMENT_TOPIC: {hold.partition: office.elsewhere.commitment.position}}
    head = office.elsewhere.commitment.position
    office.world.upstream = Positions("first", head, head, place, {}, 0)

    await office.pay()
    assert not [path for path in office.world.files if path.startswith("/banks")]

    await office.take(hold)
    await office.pay()
    assert (await office.payment(PAID[0])).hold.status is HoldStatus.HELD
    [credited] = [m for m in await sent(office.store, "PaymentCredited") if m.key == PAID[0].family]
    assert credited.body["hold"] == "HELD"
