"""A birth that is reported after its family was left off a list, through all four services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
import pytest_asyncio

from libs.chassis.settings import Settings
from libs.events.bus import Record
from libs.events.consumer.inbox import Consumer
from libs.events.store.postgres import Store
from services.payments.contract import COMMITMENT_TOPIC, PAYMENT_TOPIC, ROSTER_TOPIC, TAHAP_TOPIC
from services.payments.domain.shared.ids import supplementary
from services.payments.tables.ledger import books
from services.projection.contract import FAMILY_TOPIC
from services.registry.main import SERVICE
from simulators.books import Account, Status, comparable
from tests.doors import TOPICS, Sender, deliver, front_door, sent, service_settings
from tests.integration.conditionality.kit import Bench, bench_at
from tests.integration.payments.houses import EARLY_CHILD_IDR
from tests.integration.payments.office import Office, office_at
from tests.integration.payments.world import World
from tests.integration.projection.kit import Desk, desk_at
from tests.integration.registry.kit import Register, family, life_event, member, register_at
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


@dataclass(slots=True)
class Services:
    """Four services by their parts; what one publishes is carried to who reads it."""

    register: Register
    bench: Bench
    office: Office
    desk: Desk
    settings: Mapping[str, Settings]
    senders: dict[str, Sender] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)

    async def carry(self) -> None:
        """Carry every message that was published since the last time, until there is none."""
        while any([await self._carry(*each) for each in self._published()]):
            pass

    def _published(self) -> list[tuple[str, Store]]:
        stores = self.register.store, self.bench.store, self.office.store
        return list(zip(("registry", "conditionality", "payments"), stores, strict=True))

    async def _carry(self, service: str, store: Store) -> bool:
        messages = await sent(store)
        new = messages[self.carried.get(service, 0) :]
        self.carried[service] = len(messages)
        for message in new:
            topic = TOPICS.sent_on(message.topic, date.max)[-1]
            sender = self.senders.setdefault(topic, Sender(topic))
            value = TOPICS.value(topic, message.type, message.value)
            record = sender.record(message.type, message.key, msgspec.json.decode(value))
            assert record.value == value
            for consumer in self._readers(record):
                await deliver(consumer, record)
        return bool(new)

    def _readers(self, record: Record) -> list[Consumer]:
        parts = self.register, self.bench, self.office, self.desk
        readers: Mapping[str, tuple[int, ...]] = {
            ROSTER_TOPIC: (1, 2),
            COMMITMENT_TOPIC: (0, 2, 3),
            TAHAP_TOPIC: (0, 1, 3),
            PAYMENT_TOPIC: (3,),
            FAMILY_TOPIC: (3,),
        }
        return [parts[reader].consumer for reader in readers.get(record.topic, ())]


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
        found = Services(register, bench, office, desk, settings, {TAHAP_TOPIC: register.tahaps})
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


async def paid_to_the_end(services: Services) -> None:
    """The tahap is announced, listed, judged, frozen, ordered and paid."""
    await services.office.announce(TAHAP)
    await services.carry()
    await services.register.list_all()
    await services.carry()
    while await services.bench.close():
        await services.carry()
    await services.office.join()
    await services.office.frozen(TAHAP)
    await services.carry()
    await services.office.pay()
    await services.office.ordered(TAHAP)
    await services.office.pay()
    await services.carry()


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
