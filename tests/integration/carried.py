"""Services by their parts in one process: what one publishes is carried to who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import msgspec

from libs.chassis.settings import Settings
from libs.events.bus import Record
from libs.events.consumer.inbox import Consumer
from libs.events.store.postgres import Store
from tests.doors import TOPICS, Sender, deliver, sent
from tests.integration.conditionality.kit import Bench
from tests.integration.payments.office import Office
from tests.integration.projection.kit import Desk
from tests.integration.registry.kit import Register


@dataclass(slots=True)
class Services:
    """Four services by their parts; what one publishes is carried to who reads it."""

    register: Register
    bench: Bench
    office: Office
    desk: Desk
    settings: Mapping[str, Settings]
    cases: tuple[Store, Consumer] | None = None
    senders: dict[str, Sender] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)

    async def carry(self) -> None:
        """Carry every message that was published since the last time, until there is none."""
        while any([await self._carry(*each) for each in self._published()]):
            pass

    def _published(self) -> list[tuple[str, Store]]:
        stores = self.register.store, self.bench.store, self.office.store
        published = list(zip(("registry", "conditionality", "payments"), stores, strict=True))
        return [*published, ("complaints", self.cases[0])] if self.cases else published

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
        consumers = [part.consumer for part in parts]
        if self.cases is not None:
            consumers.append(self.cases[1])
        return [
            consumer
            for consumer in consumers
            if record.topic in {each.topic for each in consumer.subscriptions}
        ]

    async def paid_to_the_end(self, tahap: str) -> None:
        """The tahap is announced, listed, judged, frozen, ordered and paid."""
        await self.office.announce(tahap)
        await self.carry()
        await self.register.list_all()
        await self.carry()
        while await self.bench.close():
            await self.carry()
        await self.office.join()
        await self.office.frozen(tahap)
        await self.carry()
        await self.office.pay()
        await self.office.ordered(tahap)
        await self.office.pay()
        await self.carry()
