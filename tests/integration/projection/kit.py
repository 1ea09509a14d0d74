"""Words in which projection's integration tests speak: messages as their golden examples."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from libs.chassis.reading import Reading
from libs.chassis.settings import Settings
from libs.events.bus import Record
from libs.events.bus.connect import connect
from libs.events.consumer.inbox import Consumer
from libs.events.store.postgres import Store
from services.projection.consumers import SUBSCRIPTIONS
from services.projection.contract import COMMITMENT_TOPIC, FAMILY_TOPIC, PAYMENT_TOPIC
from services.projection.tables import read_models
from tests.doors import NATION, TOPICS, Sender, deliver

CONTRACTS: Final = Path(__file__).parents[3] / "contracts"
FAMILY: Final = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
THIRD: Final = "2023-3"
AMOUNT: Final = 1_350_000  # of every payment, as the golden example has it


def payment_of(tahap: str) -> str:
    """The payment of a tahap."""
    return f"c0b1a2d3-e4f5-5a6b-8c7d-9e0f1a2b3c4{tahap[-1]}"


@dataclass(slots=True)
class Desk:
    """Projection without its loops: each message is the test's."""

    store: Store
    consumer: Consumer
    reading: Reading
    senders: dict[str, Sender] = field(default_factory=dict)

    def said(self, topic: str, kind: str, **changes: Any) -> Record:
        """A message as its golden example has it, but for these fields."""
        version = topic.rpartition(".")[2]
        body = json.loads((CONTRACTS / topic / f"{kind}.{version}.example.json").read_text())
        sender = self.senders.setdefault(topic, Sender(topic))
        return sender.record(kind, FAMILY, body | {"family": FAMILY} | changes)

    def judged(self, kind: str, **changes: Any) -> Record:
        """A message of conditionality about the family."""
        return self.said(COMMITMENT_TOPIC, kind, **changes)

    def paid(self, kind: str, tahap: str, **changes: Any) -> Record:
        """A message of payments about the family's payment of a tahap."""
        return self.said(PAYMENT_TOPIC, kind, tahap=tahap, payment=payment_of(tahap), **changes)

    def graduated(self, tahap: str) -> Record:
        """The registry says that the family leaves for want of a category."""
        return self.said(FAMILY_TOPIC, "FamilyGraduated", tahap=tahap)

    async def take(self, *records: Record) -> None:
        """Consume messages."""
        await deliver(self.consumer, *records)

    async def blocked(self, *tahaps: str) -> None:
        """The family failed in these tahaps, and their money was credited and blocked."""
        for counter, tahap in enumerate(tahaps, start=1):
            await self.take(
                self.judged("CycleEvaluated", tahap=tahap, counter=counter),
                self.paid("PaymentEntitled", tahap),
                self.paid("PaymentCredited", tahap, hold="HELD"),
            )

    async def row(self, tahap: str) -> dict[str, Any]:
        """The family's row of a tahap."""
        [row] = await read_models.entitlements(
            self.reading, read_models.EntitlementsWanted(tahap, NATION), None, 10
        )
        return row

    async def row_of(self, family: str, tahap: str) -> dict[str, Any]:
        """A family's row of a tahap, among others."""
        wanted = read_models.EntitlementsWanted(tahap, NATION)
        rows = await read_models.entitlements(self.reading, wanted, None, 10)
        [row] = [row for row in rows if row["family"] == family]
        return row


@asynccontextmanager
async def desk_at(settings: Settings) -> AsyncIterator[Desk]:
    """Projection's parts on its databases."""
    bus = await connect(settings.bus_url)
    store = await Store.connect(settings.database_url, "projection")
    reader = await Store.connect(settings.reader_url, "projection")
    consumer = Consumer(store, bus, "projection", SUBSCRIPTIONS, TOPICS)
    try:
        yield Desk(store, consumer, Reading(reader.pool))
    finally:
        await reader.close()
        await store.close()
        await bus.close()
