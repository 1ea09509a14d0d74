"""A late exception, through conditionality, payments and projection, to money that is released."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

import pytest_asyncio

from services.conditionality.main import SERVICE as CONDITIONALITY
from services.payments.contract import TAHAP_TOPIC
from services.payments.tables.ledger import books
from services.projection.main import SERVICE as PROJECTION
from simulators.books import Account, Status, comparable
from tests.doors import Door, front_door, sent, service_settings
from tests.integration.carried import Services
from tests.integration.conditionality.kit import bench_at
from tests.integration.payments.office import office_at
from tests.integration.payments.world import World
from tests.integration.projection.kit import desk_at
from tests.integration.registry.kit import register_at
from tests.integration.test_appeals_journey import (
    ACCOUNT,
    CARD,
    MOTHER,
    TAHAP,
    decided,
    given_a_family_that_failed,
)
from tests.servers import Postgres

SCOPES = ("conditionality:investigate", "conditionality:approve", "conditionality:read")


@pytest_asyncio.fixture
async def services(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Services]:
    """A family that was not at the weighing; its money is held."""
    async with AsyncExitStack() as stack:
        settings = {
            name: await stack.enter_async_context(service_settings(postgres, tmp_path, name))
            for name in ("registry", "conditionality", "payments", "projection")
        }
        register = await stack.enter_async_context(register_at(settings["registry"]))
        bench = await stack.enter_async_context(bench_at(settings["conditionality"]))
        holder = Account(comparable("ROSITA DJAFAR"), MOTHER, Status.ACTIVE, date.min)
        world = World(tmp_path / "journals", {("BNI", ACCOUNT): holder})
        office = await stack.enter_async_context(office_at(settings["payments"], tmp_path, world))
        office.elsewhere.keys = register.keys
        desk = await stack.enter_async_context(desk_at(settings["projection"]))
        senders = {TAHAP_TOPIC: register.tahaps}
        found = Services(register, bench, office, desk, settings, senders=senders)
        await given_a_family_that_failed(found)
        yield found


async def approved(door: Door, seen: str, approval: str, name: str, body: object = None) -> int:
    """The status of a decision that somebody takes on what is shown."""
    return (await decided(door, seen, approval, door.who(name, *SCOPES), body)).status_code


async def test_a_late_exception_releases_the_money_by_three_people_and_the_why_names_it(
    services: Services, tmp_path: Path
) -> None:
    settings = services.settings
    family = (await services.register.state_of(CARD)).family
    assert (await services.desk.row_of(family, TAHAP))["disposition"] == "BLOCKED"

    async with front_door(CONDITIONALITY, settings["conditionality"], tmp_path) as door:
        flood = {"reason": "DISASTER", "first_day": "2023-04-01", "last_day": "2023-06-30"}
        body = flood | {"region": "61.03.01"}
        proposed = await door.post("/exceptions", door.who("officer-1", *SCOPES), json=body)
        exception = proposed.json()["exception"]
        seen, yes = f"/exceptions/{exception}", {"decision": "APPROVED"}
        assert await approved(door, seen, f"{seen}/decision", "officer-1", yes) == 409
        assert await approved(door, seen, f"{seen}/decision", "supervisor-1", yes) == 204
        await services.bench.re_decide()
        await services.carry()
        assert (await services.desk.row_of(family, TAHAP))["disposition"] == "BLOCKED"

        cycle = f"/commitments/{family}"
        approval = f"{cycle}/corrections/1/approval"
        for had_part in ("officer-1", "supervisor-1"):
            assert await approved(door, cycle, approval, had_part) == 409
        assert await approved(door, cycle, approval, "head-1") == 204
        await services.carry()

    [released] = await sent(services.office.store, "PaymentReleased")
    assert (released.body["family"], released.body["tahap"]) == (family, TAHAP)
    assert (await books(services.office.store)).broken == []
    async with front_door(PROJECTION, settings["projection"], tmp_path) as projection:
        path = f"/families/{family}/tahap/{TAHAP}/why"
        why = await projection.client.get(path, headers=projection.who("desk", "projection:read"))
    said = [step["text"]["en"] for step in why.json()["steps"] if step["kind"] == "LATER"]
    assert any(f"exception {exception} (DISASTER)" in text for text in said)
