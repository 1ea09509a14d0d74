"""A birth that is reported after its family was left off a list, through all four services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import Final

import pytest_asyncio

from services.payments.contract import TAHAP_TOPIC
from services.payments.domain.shared.ids import supplementary
from services.payments.tables.ledger import books
from services.registry.main import SERVICE
from simulators.books import Account, Status, comparable
from tests.doors import deliver, front_door, service_settings
from tests.integration.carried import Services
from tests.integration.conditionality.kit import bench_at
from tests.integration.payments.houses import EARLY_CHILD_IDR
from tests.integration.payments.office import office_at
from tests.integration.payments.world import World
from tests.integration.projection.kit import desk_at
from tests.integration.registry.kit import family, life_event, member, register_at
from tests.integration.registry.terms import with_term
from tests.servers import Postgres

TAHAP: Final = "2023-2"
CARDS: Final = ("6103010101010001", "6103010101010002")
WAITING, OTHER = CARDS
FIRST: Final = supplementary(1)


def mother_of(card: str) -> str:
    return f"61030145059000{card[-2:]}"


def child_of(card: str) -> str:
    return f"61030117082000{card[-2:]}"


def account_of(card: str) -> str:
    return f"3000000000{card[-2:]}"


@pytest_asyncio.fixture
async def services(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Services]:
    """Two families with a child each; rules by which a family waits 90 days."""
    async with AsyncExitStack() as stack:
        settings = {
            name: await stack.enter_async_context(service_settings(postgres, tmp_path, name))
            for name in ("registry", "conditionality", "payments", "projection")
        }
        register = await stack.enter_async_context(register_at(settings["registry"]))
        bench = await stack.enter_async_context(bench_at(settings["conditionality"]))
        accounts = {
            ("BNI", account_of(card)): Account(
                comparable("ROSITA DJAFAR"), mother_of(card), Status.ACTIVE, date.min
            )
            for card in CARDS
        }
        world = World(tmp_path / "journals", accounts)
        office = await stack.enter_async_context(office_at(settings["payments"], tmp_path, world))
        office.elsewhere.keys = register.keys
        desk = await stack.enter_async_context(desk_at(settings["projection"]))
        register.rule_sets = with_term(90)
        found = Services(
            register, bench, office, desk, settings, senders={TAHAP_TOPIC: register.tahaps}
        )
        await given_families(found)
        yield found


async def given_families(services: Services) -> None:
    """Both families are eligible; then the child of one of them dies."""
    register = services.register
    rows = [family(card, mother_of(card), account_no=account_of(card)) for card in CARDS]
    await register.take("families", *rows)
    for card in CARDS:
        child = member(card, child_of(card), born="2020-12-17", relationship="CHILD")
        await register.take("members", member(card, mother_of(card)), child)
    first = register.announcement("2023-1")
    for part in (register, services.bench, services.desk):
        await deliver(part.consumer, first)
    await register.list_all()
    died = life_event("DEATH", WAITING, "2023-05-02", "2023-05-10", nik=child_of(WAITING))
    await register.take("life-events", died)


async def test_a_late_birth_is_approved_and_pays_exactly_what_the_family_was_owed(
    services: Services, tmp_path: Path
) -> None:
    register, office, desk = services.register, services.office, services.desk
    await services.paid_to_the_end(TAHAP)
    waiting, other = [(await register.state_of(card)).family for card in CARDS]
    assert [(await desk.row_of(each, TAHAP))["disposition"] for each in (waiting, other)] == [
        "GRADUATION_PENDING",
        "PAID",
    ]
    assert (await office.tahap(TAHAP)).closed is not None

    born = life_event(
        "BIRTH", WAITING, "2023-05-05", "2023-07-12", nik="6103010505230001", name="BAYI",
        sex="F", birth_date="2023-05-05",
    )  # fmt: skip
    await register.take("life-events", born)
    settings = services.settings["registry"]
    async with front_door(SERVICE, settings, tmp_path) as registry:
        path = f"/reopenings/{waiting}/{TAHAP}"
        who = registry.who("supervisor-1", "registry:read", "registry:approve")
        tag = (await registry.client.get(path, headers=who)).headers["ETag"]
        body = {"decision": "APPROVED"}
        answer = await registry.post(f"{path}/decision", who | {"If-Match": tag}, json=body)
        assert answer.status_code == 204, answer.text
    await services.carry()
    assert (await desk.row_of(waiting, TAHAP))["disposition"] == "REOPENED"
    assert (await office.tahap(TAHAP)).outstanding == (waiting,)

    await office.supplemented(FIRST, TAHAP)
    await services.carry()

    assert sorted(office.world.credited().values()) == [EARLY_CHILD_IDR, EARLY_CHILD_IDR]
    row = await desk.row_of(waiting, TAHAP)
    assert (row["disposition"], row["amount"]) == ("PAID", EARLY_CHILD_IDR)
    assert (await office.tahap(TAHAP)).closed is not None
    assert (await books(office.store)).broken == []
