"""Payments by its parts: its consumer, its two leaders and its door, each step the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from fastapi import FastAPI

from libs.chassis.service import Running
from libs.chassis.settings import Settings
from libs.events.bus import Record
from libs.events.bus.connect import connect
from libs.events.consumer.inbox import Consumer
from libs.events.store.handle import handle
from libs.events.store.postgres import Store
from libs.privacy.keys import KeyRing
from services.payments.consumers import SUBSCRIPTIONS
from services.payments.contract import ANNOUNCED_TO, PAYMENT, RUN, SERVICE, TAHAP
from services.payments.domain.payment.state import PaymentState, Unentitled
from services.payments.domain.run.messages import ApproveOrder, ProposeOrder
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.ids import REGULAR, order_id, request_id
from services.payments.domain.tahap.messages import (
    ApproveAnnouncement,
    ApproveFreeze,
    Circumstances,
    ProposeAnnouncement,
    ProposeFreeze,
    ServiceAnswer,
    Terms,
)
from services.payments.domain.tahap.state import TahapState
from services.payments.main import POLICIES
from services.payments.main import SERVICE as PAYMENTS
from services.payments.partners.client import Outside, Partners
from services.payments.partners.files import Renderer
from services.payments.tables.open_lists import open_list, open_run
from services.payments.tables.payments import run
from services.payments.tables.run_lines import order_of
from services.payments.workers.canceller import Canceller
from services.payments.workers.list_joiner import Joiner
from services.payments.workers.partner_exchange import Exchange
from services.payments.workers.ready_lists import ListMaker
from services.payments.workers.run_worker import Payer
from tests.doors import CONTEXT, TOPICS, Door, application, deliver, door
from tests.integration.payments.houses import TAHAP_1, Elsewhere, House, months_of
from tests.integration.payments.world import World

DATES: Final = {
    TAHAP_1: (date(2023, 3, 31), date(2023, 4, 5), date(2023, 4, 20)),
    "2023-2": (date(2023, 6, 30), date(2023, 7, 5), date(2023, 7, 20)),
}
MAKER, CHECKER = "operator-1", "supervisor-1"
PARTNERS: Final = Partners(
    "http://treasury", "http://banks", {name: f"http://{name}" for name in ANNOUNCED_TO}
)
RULE_SET: Final = "2021-2024"
ALONE: Final = Circumstances(
    answers=tuple(ServiceAnswer(name, 0, {RULE_SET: None}) for name in ANNOUNCED_TO)
)
"""Every service runs the rule set, and no other tahap stands."""
STEPS_MAX: Final = 1_000
QUIET_STEPS: Final = 3


@dataclass(slots=True)
class Office:
    """Payments without its HTTP interface and without its loops: each step is the test's."""

    store: Store
    elsewhere: Elsewhere
    consumer: Consumer
    world: World
    directory: Path
    door: Door

    async def take(self, *records: Record) -> None:
        """Consume messages, partition by partition."""
        await deliver(self.consumer, *records)

    # -- What people ask over HTTP

    async def asked_by(
        self, subject: str, scope: str, path: str, body: object, *, seen: str | None = None
    ) -> httpx.Response:
        """The answer to a POST of a person with one scope of payments.

        They decide on what they have `seen`; on what stands where they looked just now.
        """
        who = self.door.who(subject, f"payments:{scope}")
        if path.count("/") > 1:
            who["If-Match"] = seen or await self.tag(path)
        return await self.door.post(path, who, json=body)

    async def tag(self, path: str) -> str:
        """The ETag of the tahap that a path lies under; of none where there is none."""
        who = self.door.who("reader-1", "payments:read")
        answer = await self.door.client.get("/".join(path.split("/")[:3]), headers=who)
        tag: str = answer.headers.get("etag", '"0"')
        return tag

    async def seen(self, path: str) -> Any:
        """The answer to a reader of the whole nation."""
        who = self.door.who("reader-1", "payments:read")
        answer = await self.door.client.get(path, headers=who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def approved(
        self,
        what: str,
        path: str,
        digest: str,
        seen: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        """One person proposes a hash, another one approves it, having `seen` the same; both are
        taken."""
        proposal = {"hash": digest, **(seen or {}), **more}
        made = await self.asked_by(MAKER, "make", f"{path}/{what}-proposal", proposal)
        assert made.status_code == 204, made.text
        await self.require_current(path, made)
        approval = {"hash": digest, **(seen or {})}
        checked = await self.asked_by(CHECKER, "check", f"{path}/{what}-approval", approval)
        assert checked.status_code == 204, checked.text
        await self.require_current(path, checked)

    async def closed(self, path: str, *lapsed: tuple[str, str]) -> None:
        """Two people close a tahap, in which these families are not paid, each for a reason."""
        named = [{"family": family, "reason": reason} for family, reason in lapsed]
        made = await self.asked_by(MAKER, "make", f"{path}/close-proposal", {"lapsed": named})
        assert made.status_code == 204, made.text
        digest = {"hash": (await self.seen(path))["closing"]["hash"]}
        closed = await self.asked_by(CHECKER, "check", f"{path}/close-approval", digest)
        assert closed.status_code == 204, closed.text

    async def require_current(self, path: str, answer: httpx.Response) -> None:
        """A decision's answer has the version that the next decision rests on."""
        assert (await self.tag(path)).startswith(answer.headers["ETag"].removesuffix('"'))

    async def opened_supplementary(self, kind: str, tahap: str = TAHAP_1) -> None:
        """Two people open a supplementary run of everybody who has arrived."""
        opening, path = f"/tahap/{tahap}/supplementary-runs", f"/tahap/{tahap}/runs/{kind}"
        opened = await self.asked_by(MAKER, "make", opening, {})
        assert opened.status_code == 201, opened.text
        await self.require_current(path, opened)
        approval = {"hash": opened.json()["hash"]}
        frozen = await self.asked_by(CHECKER, "check", f"{path}/freeze-approval", approval)
        assert frozen.status_code == 204, frozen.text
        await self.require_current(path, frozen)

    async def supplemented(self, kind: str, tahap: str = TAHAP_1) -> None:
        """Open a supplementary run of everybody who has arrived, and take it to its books."""
        await self.opened_supplementary(kind, tahap)
        await self.pay()
        await self.ordered(tahap, kind)
        await self.pay()

    # -- What people do, without the door

    async def announce(self, tahap: str = TAHAP_1) -> None:
        """Two people announce a tahap."""
        terms = Terms(tahap, months_of(tahap), *DATES[tahap], {"rule_set": RULE_SET})
        stream, proposal = TAHAP.stream(tahap), ProposeAnnouncement(terms, {}, MAKER, ALONE)
        async with self.store.transaction(CONTEXT) as unit:
            waits = (await handle(unit, TAHAP, stream, proposal)).state.proposal
            if waits is not None:
                approval = ApproveAnnouncement(CHECKER, waits.hash, {}, ALONE)
                await handle(unit, TAHAP, stream, approval)
            await open_list(unit, tahap, 1)

    async def arrived(
        self, lived_in: Sequence[House], tahap: str = TAHAP_1, failed: Sequence[House] = ()
    ) -> None:
        """Announce a tahap and take the whole of its list in; the failed ones are held."""
        await self.announce(tahap)
        await self.listed(lived_in, tahap, failed)

    async def listed(
        self,
        lived_in: Sequence[House],
        tahap: str = TAHAP_1,
        failed: Sequence[House] = (),
        revision: int = 1,
    ) -> None:
        """Take the whole list of an announcement in, and join it; the failed ones are held."""
        there, results = self.elsewhere, dict.fromkeys(failed, "FAILED")
        lines = [await there.line(house, tahap, revision) for house in lived_in]
        judged = [
            there.evaluation(
                house,
                tahap,
                results.get(house, "COMPLIANT"),
                revision,
                roster_revision=revision,
            )
            for house in lived_in
            if not house.graduated
        ]
        held = [there.effect("Suspended", house, tahap, revision=revision) for house in failed]
        await self.take(*lines, there.list_closed(lines, tahap, revision=revision))
        proof = there.evaluation_closed(judged, tahap=tahap, revision=revision)
        await self.take(*judged, *held, proof)
        await self.join()

    async def undone(self) -> None:
        """Take back all that cancelled tahaps did."""
        await exhausted(self.canceller().step)

    def canceller(self, store: Store | None = None) -> Canceller:
        """A leader that has just begun to take back what was cancelled, a little at a time."""
        outside = outside_of(self.world, self.directory)
        return Canceller(store or self.store, outside, chunk=2, payments=2)

    async def join(self) -> None:
        """Do all that the joiner finds to do."""
        await exhausted(Joiner(self.store, self.lists()).step)

    def lists(self) -> ListMaker:
        """The part that makes lists ready."""
        return ListMaker(POLICIES, self.elsewhere.keys)

    async def frozen(self, tahap: str = TAHAP_1) -> None:
        """Two people freeze the list that stands."""
        ready = (await self.tahap(tahap)).lists[0].ready
        assert ready is not None, "the list is not ready"
        stream = TAHAP.stream(tahap)
        async with self.store.transaction(CONTEXT) as unit:
            seen = ready.diff.to_acknowledge if ready.diff else ""
            await handle(unit, TAHAP, stream, ProposeFreeze(MAKER, ready.hash, diff=seen))
            await handle(unit, TAHAP, stream, ApproveFreeze(CHECKER, ready.hash, diff=seen))
            await open_run(unit, tahap, REGULAR, (await self.tahap(tahap)).revision, None)

    async def ordered(self, tahap: str = TAHAP_1, kind: str = REGULAR) -> None:
        """Two people order the payments whose accounts passed."""
        async with self.store.transaction(CONTEXT) as unit:
            digest, totals = await order_of(unit, tahap, kind)
            figures = digest, totals.count, totals.rupiah
            named = tahap, kind, (await self.tahap(tahap)).revision
            await run(unit, tahap, kind, ProposeOrder(MAKER, request_id(*named), *figures))
            await run(unit, tahap, kind, ApproveOrder(CHECKER, order_id(*named), digest))

    def payer(self, store: Store | None = None) -> Payer:
        """A leader that has just begun."""
        own = store or self.store
        outside = outside_of(self.world, self.directory)
        exchange = Exchange(own, Renderer(own, self.elsewhere.keys), outside)
        return Payer(own, POLICIES, exchange)

    async def pay(self) -> None:
        """Do all that the payer finds to do."""
        await exhausted(self.payer().step)

    async def paid(
        self, lived_in: Sequence[House], tahap: str = TAHAP_1, failed: Sequence[House] = ()
    ) -> None:
        """A whole tahap, from its announcement to its books."""
        await self.arrived(lived_in, tahap, failed)
        await self.frozen(tahap)
        await self.pay()
        await self.ordered(tahap)
        await self.pay()

    # -- What stands

    async def tahap(self, tahap: str = TAHAP_1) -> TahapState:
        """The state of a tahap."""
        stream = TAHAP.stream(tahap)
        return (await self.store.read(TAHAP, [stream]))[stream].state

    async def run(self, tahap: str = TAHAP_1, kind: str = REGULAR) -> RunState:
        """The state of a run."""
        stream = RUN.stream(tahap, kind)
        found = await self.store.read(RUN, [stream])
        return found[stream].state if stream in found else RunState()

    async def payment(
        self, house: House, tahap: str = TAHAP_1, kind: str = REGULAR
    ) -> PaymentState:
        """The state of a house's payment."""
        stream = PAYMENT.stream(house.payment(tahap, kind))
        found = await self.store.read(PAYMENT, [stream])
        return found[stream].state if stream in found else Unentitled()

    async def transfers(self, lived_in: Sequence[House], tahap: str = TAHAP_1) -> list[str]:
        """The place that the money of each house has come to."""
        return [str((await self.payment(house, tahap)).transfer) for house in lived_in]

    async def balances(self) -> dict[str, int]:
        """Each account's balance, those at zero left out."""
        rows = await self.store.pool.fetch(
            """SELECT account, sum(amount)::bigint AS balance FROM (
                   SELECT debit AS account, amount FROM ledger
                   UNION ALL SELECT credit, -amount FROM ledger) AS sides
               GROUP BY account HAVING sum(amount) <> 0"""
        )
        return {row["account"]: row["balance"] for row in rows}

    async def moved(self) -> dict[str, int]:
        """Rupiah by the name of the movement."""
        rows = await self.store.pool.fetch(
            "SELECT name, sum(amount)::bigint AS rupiah FROM ledger GROUP BY name"
        )
        return {row["name"]: row["rupiah"] for row in rows}


async def exhausted(step: Callable[[], Awaitable[bool]]) -> None:
    """Have a leader step until it finds nothing to do, also when it has looked again.

    A file that was just sent is answered at the next look, so one quiet step is not the end.
    """
    quiet = 0
    for _ in range(STEPS_MAX):
        quiet = 0 if await step() else quiet + 1
        if quiet == QUIET_STEPS:
            return
    raise AssertionError("the leader finds no end")


@asynccontextmanager
async def office_at(settings: Settings, directory: Path, world: World) -> AsyncIterator[Office]:
    """Payments' parts on its database, and its door without the loops; `world` answers it."""
    (directory / "payments.token").write_text("a token")
    outside = outside_of(world, directory)
    bus = await connect(settings.bus_url)
    store = await Store.connect(settings.database_url, SERVICE)
    try:
        running = Running(settings, store, bus, TOPICS, subscriptions=SUBSCRIPTIONS)
        # The keys are made as the superuser: payments itself may only fetch them.
        async with (
            asyncpg.create_pool(settings.bus_url, min_size=1, max_size=2) as pool,
            opened(running, outside) as app,
            door(app, directory) as front,
        ):
            consumer = Consumer(store, bus, SERVICE, SUBSCRIPTIONS, TOPICS)
            keys = KeyRing(pool, settings.kek)
            yield Office(store, Elsewhere(keys), consumer, world, directory, front)
    finally:
        await store.close()
        await bus.close()


def outside_of(world: World, directory: Path) -> Outside:
    """The partners and other services, as payments asks them."""
    client = httpx.AsyncClient(transport=world)
    return Outside(client, client, PARTNERS, directory / "payments.token", world.keys)


@asynccontextmanager
async def opened(running: Running, outside: Outside) -> AsyncIterator[FastAPI]:
    """The service's interface, on a store whose loops the test turns by hand."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with running.closing:
            lists = ListMaker(POLICIES, await running.keys())
            yield running.resources(policies=POLICIES, outside=outside, lists=lists)

    with application(PAYMENTS, running.settings, lifespan) as app:
        yield app
