"""Four services by their parts, with two families in them; what one publishes the others read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from libs.chassis.settings import Settings
from libs.events.bus import Record
from libs.events.consumer.inbox import Consumer
from libs.events.store.postgres import Store
from services.payments.contract import COMMITMENT_TOPIC, PAYMENT_TOPIC, ROSTER_TOPIC, TAHAP_TOPIC
from services.registry.contract import FAMILY_TOPIC
from simulators.books import Account, Status, comparable
from tests.doors import Sender, deliver, sent, service_settings
from tests.integration.conditionality.kit import Bench, bench_at
from tests.integration.payments.office import Office, office_at
from tests.integration.payments.world import World
from tests.integration.projection.kit import Desk, desk_at
from tests.integration.registry.kit import Register, family, member, register_at
from tests.servers import Postgres

CARDS: Final = ("6103010101010001", "6103010101010002")


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
    told: Mapping[str, Settings]
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
            sender = self.senders.setdefault(message.topic, Sender(message.topic))
            record = sender.record(message.type, message.key, message.body)
            assert record.value == message.value
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
        return [parts[reader].consumer for reader in readers[record.topic]]

    async def listed_and_judged(self) -> None:
        """Carry, list, judge and join whatever there is to; what is cancelled is taken back."""
        await self.carry()
        await self.bench.withdraw()
        await self.register.list_all()
        await self.carry()
        while await self.bench.close():
            await self.carry()
        await self.office.join()

    async def paid(self, tahap: str) -> None:
        """Take a frozen list through the banks."""
        await self.carry()
        await self.office.pay()
        await self.office.ordered(tahap)
        await self.office.pay()
        await self.carry()


@asynccontextmanager
async def services_at(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Services]:
    """Two families with a child each, both of whom were found eligible at the first closing."""
    async with AsyncExitStack() as stack:
        told = {
            name: await stack.enter_async_context(service_settings(postgres, tmp_path, name))
            for name in ("registry", "conditionality", "payments", "projection")
        }
        register = await stack.enter_async_context(register_at(told["registry"]))
        bench = await stack.enter_async_context(bench_at(told["conditionality"]))
        accounts = {
            ("BNI", account_of(card)): Account(
                comparable("ROSITA DJAFAR"), mother_of(card), Status.ACTIVE, date.min
            )
            for card in CARDS
        }
        world = World(tmp_path / "journals", accounts)
        office = await stack.enter_async_context(office_at(told["payments"], tmp_path, world))
        office.elsewhere.keys = register.keys
        desk = await stack.enter_async_context(desk_at(told["projection"]))
        found = Services(register, bench, office, desk, told, {TAHAP_TOPIC: register.tahaps})
        await _given_families(found)
        yield found


async def _given_families(services: Services) -> None:
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
