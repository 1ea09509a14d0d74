"""An appeal against the hold of money, through complaints, conditionality and payments."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import httpx
import pytest_asyncio

from libs.events.bus.connect import connect
from libs.events.consumer.inbox import Consumer
from libs.events.store.handle import handle
from libs.events.store.postgres import Store
from services.complaints.consumers import ANSWERS
from services.complaints.main import SERVICE as COMPLAINTS
from services.conditionality import policy
from services.conditionality.contract import PERSON
from services.conditionality.domain.person import RecordVisits, Visit
from services.conditionality.main import SERVICE as CONDITIONALITY
from services.payments.contract import TAHAP_TOPIC
from services.payments.tables.ledger import books
from services.projection.main import SERVICE as PROJECTION
from simulators.books import Account, Status, comparable
from tests.doors import CONTEXT, TOPICS, Door, deliver, front_door, sent, service_settings
from tests.integration.carried import Services
from tests.integration.conditionality.kit import bench_at, months_of
from tests.integration.payments.office import office_at
from tests.integration.payments.world import World
from tests.integration.projection.kit import desk_at
from tests.integration.registry.kit import family, member, register_at
from tests.servers import Postgres

TAHAP: Final = "2023-2"
CARD: Final = "6103010101010001"
MOTHER, CHILD, ACCOUNT = "6103014505900001", "6103011708200001", "300000000001"
SCOPES: Final = ("complaints:receive", "complaints:read", "complaints:decide")


@pytest_asyncio.fixture
async def services(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Services]:
    """A family that was not at the weighing; its money is held, and appeals pause."""
    async with AsyncExitStack() as stack:
        names = ("registry", "conditionality", "payments", "projection", "complaints")
        settings = {
            name: await stack.enter_async_context(service_settings(postgres, tmp_path, name))
            for name in names
        }
        pause = {n: replace(each, appeals_pause=True) for n, each in policy.load().items()}
        register = await stack.enter_async_context(register_at(settings["registry"]))
        bench = await stack.enter_async_context(bench_at(settings["conditionality"], pause))
        holder = Account(comparable("ROSITA DJAFAR"), MOTHER, Status.ACTIVE, date.min)
        world = World(tmp_path / "journals", {("BNI", ACCOUNT): holder})
        office = await stack.enter_async_context(office_at(settings["payments"], tmp_path, world))
        office.elsewhere.keys = register.keys
        desk = await stack.enter_async_context(desk_at(settings["projection"]))
        store = await Store.connect(settings["complaints"].database_url, "complaints")
        stack.push_async_callback(store.close)
        bus = await connect(settings["complaints"].bus_url)
        stack.push_async_callback(bus.close)
        cases = store, Consumer(store, bus, "complaints", (ANSWERS,), TOPICS)
        senders = {TAHAP_TOPIC: register.tahaps}
        found = Services(register, bench, office, desk, settings, cases, senders)
        await given_a_family_that_failed(found)
        yield found


async def given_a_family_that_failed(services: Services) -> None:
    """Found eligible in the first tahap, absent from the weighing in the second, which is paid."""
    register, bench = services.register, services.bench
    await register.take("families", family(CARD, MOTHER, account_no=ACCOUNT))
    child = member(CARD, CHILD, born="2020-12-17", relationship="CHILD")
    await register.take("members", member(CARD, MOTHER), child)
    first = register.announcement("2023-1")
    for part in (register, bench, services.desk):
        await deliver(part.consumer, first)
    await register.list_all()
    absent = RecordVisits(tuple(Visit(m, "WEIGHING", attended=False) for m in months_of(TAHAP)))
    async with bench.store.transaction(replace(CONTEXT, actor="posyandu-1")) as unit:
        await handle(unit, PERSON, f"person-{register.pseudonymizer.nik(CHILD)}", absent)
    await services.paid_to_the_end(TAHAP)


async def decided(
    door: Door, seen: str, path: str, who: dict[str, str], body: object = None
) -> httpx.Response:
    """A decision on what was seen."""
    tag = (await door.client.get(seen, headers=who)).headers["ETag"]
    return await door.post(path, who | {"If-Match": tag}, json=body)


async def test_an_upheld_appeal_releases_the_money_and_its_case_says_so(
    services: Services, tmp_path: Path
) -> None:
    settings, desk = services.settings, services.desk
    family_id = (await services.register.state_of(CARD)).family
    assert (await desk.row_of(family_id, TAHAP))["disposition"] == "BLOCKED"

    async with (
        front_door(COMPLAINTS, settings["complaints"], tmp_path) as complaints,
        front_door(CONDITIONALITY, settings["conditionality"], tmp_path) as conditionality,
    ):
        first, second = (complaints.who(f"officer-{number}", *SCOPES) for number in (1, 2))
        complaint = {
            "category": "SUSPENSION_APPEAL",
            "channel": "FACE_TO_FACE",
            "region": "61.03.01.2026",
            "received_on": "2023-07-20",
            "family": family_id,
        }
        received = await complaints.post("/cases", first, json=complaint)
        case = received.json()["case"]
        appeal = {"tahap": TAHAP, "effect": "HOLD", "received_on": "2023-07-20"}
        await complaints.post(f"/cases/{case}/appeal", first, json=appeal)
        await services.carry()
        remedy = f"/cases/{case}/remedy"
        assert (await complaints.client.get(remedy, headers=first)).json()["appeal"]["pauses"]

        decision = f"/cases/{case}/appeal/decision"
        answer = await decided(complaints, remedy, decision, second, {"outcome": "UPHELD"})
        assert answer.status_code == 204, answer.text
        await services.carry()
        [order] = (await complaints.client.get(remedy, headers=first)).json()["orders"]
        assert order["answer"] == "PROPOSED"
        assert (await desk.row_of(family_id, TAHAP))["disposition"] == "BLOCKED"

        scopes = "conditionality:approve", "conditionality:read"
        seen = f"/commitments/{family_id}"
        approval = f"{seen}/corrections/1/approval"
        for had_part in ("officer-1", "officer-2", "posyandu-1"):
            who = conditionality.who(had_part, *scopes)
            assert (await decided(conditionality, seen, approval, who)).status_code == 409
        who = conditionality.who("supervisor-1", *scopes)
        answer = await decided(conditionality, seen, approval, who)
        assert answer.status_code == 204, answer.text
        await services.carry()
        ended = (await complaints.client.get(remedy, headers=first)).json()

    async with front_door(PROJECTION, settings["projection"], tmp_path) as projection:
        path = f"/families/{family_id}/tahap/{TAHAP}/why"
        why = await projection.client.get(path, headers=projection.who("desk", "projection:read"))
    appeals = [s["text"]["en"] for s in why.json()["steps"] if s["kind"] == "APPEAL"]
    assert [case in text for text in appeals] == [True, True, True]
    [released] = await sent(services.office.store, "PaymentReleased")
    assert (released.body["family"], released.body["tahap"]) == (family_id, TAHAP)
    assert (ended["appeal"]["ended"], ended["orders"][0]["answer"]) == ("UPHELD", "DONE")
    assert (await books(services.office.store)).broken == []
