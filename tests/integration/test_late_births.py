"""A birth that is reported after its family was left off a list, through all four services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest_asyncio

from services.payments.domain.shared.ids import supplementary
from services.payments.tables.ledger import books
from services.registry.main import SERVICE
from tests.doors import front_door
from tests.integration.payments.houses import EARLY_CHILD_IDR
from tests.integration.registry.kit import life_event
from tests.integration.registry.terms import with_term
from tests.integration.services import CARDS, Services, child_of, services_at
from tests.servers import Postgres

TAHAP: Final = "2023-2"
WAITING: Final = CARDS[0]
FIRST: Final = supplementary(1)


@pytest_asyncio.fixture
async def services(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Services]:
    """Rules by which a family waits 90 days; the child of one of two families dies."""
    async with services_at(postgres, tmp_path) as found:
        found.register.rule_sets = with_term(90)
        died = life_event("DEATH", WAITING, "2023-05-02", "2023-05-10", nik=child_of(WAITING))
        await found.register.take("life-events", died)
        yield found


async def paid_to_the_end(services: Services) -> None:
    """The tahap is announced, listed, judged, frozen, ordered and paid."""
    await services.office.announce(TAHAP)
    await services.listed_and_judged()
    await services.office.frozen(TAHAP)
    await services.paid(TAHAP)


async def test_a_late_birth_is_approved_and_pays_exactly_what_the_family_was_owed(
    services: Services, tmp_path: Path
) -> None:
    register, office, desk = services.register, services.office, services.desk
    await paid_to_the_end(services)
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
    told = services.told["registry"]
    async with front_door(SERVICE, told, tmp_path) as registry:
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
