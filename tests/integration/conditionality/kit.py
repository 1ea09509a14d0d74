"""Words in which conditionality's integration tests speak: facts, roster lines, results."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from libs.chassis.settings import Settings
from libs.events.bus import Record
from libs.events.bus.connect import connect
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.subscription import Handler, Subscription
from libs.events.domain.list_proof import Buckets
from libs.events.store.handle import handle
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.privacy.pseudonyms import Pseudonymizer
from libs.privacy.recognition import Recognition
from services.conditionality import policy
from services.conditionality.consumers import subscriptions
from services.conditionality.contract import (
    CASE_TOPIC,
    PERSON,
    ROSTER_TOPIC,
    SESSION_TOPIC,
    TAHAP_TOPIC,
)
from services.conditionality.domain.person import RecordSchoolMonths, SchoolMonth
from services.conditionality.workers.closer import Closer, Repeater
from services.conditionality.workers.inbound import OutsideReports
from services.conditionality.workers.judging import RuleSetPolicies
from services.conditionality.workers.re_decider import ReDecider
from services.conditionality.workers.withdrawer import Withdrawer
from tests.doors import MOMENT, TOPICS, Sender, Sent, deliver, sent

RULE_SET: Final = "2021-2024"
TAHAP, NEXT_TAHAP = "2023-1", "2023-2"
CASE, ORDER = "7c0f4d2e-51b7-4c37-9a52-0e8d6f1b2a90", "b1d0a6f3-2f6b-4f0e-8c11-5d9f7a3c4e21"
GOOD, BAD = 0, 10  # days absent of 20: within the threshold and far below it


def families(partition: int | None = None) -> Iterator[str]:
    """Family ids, the same every time; those of one partition of the roster where one is named."""
    count = TOPICS.partitions[ROSTER_TOPIC]
    for number in range(10_000):
        family = str(uuid.uuid5(uuid.NAMESPACE_OID, f"family {number}"))
        if partition is None or TOPICS.partition(ROSTER_TOPIC, family) == partition % count:
            yield family


def months_of(tahap: str) -> list[str]:
    """The three months of a tahap."""
    number = int(tahap[-1])
    return [f"{tahap[:4]}-{month:02d}" for month in range(3 * number - 2, 3 * number + 1)]


def nik_of(family: str) -> str:
    """The number of a family's only pupil."""
    return f"{int(family[:8], 16):016}"


@dataclass(slots=True)
class Bench:
    """Conditionality without its HTTP interface and without its loops: each step is the test's."""

    store: Store
    pseudonymizer: Pseudonymizer
    consumer: Consumer
    policies: RuleSetPolicies
    outside: OutsideReports
    roster: Sender = field(default_factory=lambda: Sender(ROSTER_TOPIC))
    tahaps: Sender = field(default_factory=lambda: Sender(TAHAP_TOPIC))
    cases: Sender = field(default_factory=lambda: Sender(CASE_TOPIC))
    sessions: Sender = field(default_factory=lambda: Sender(SESSION_TOPIC))

    # -- Facts

    async def school(
        self,
        family: str,
        absent: int,
        *,
        months: Sequence[str] = tuple(months_of(TAHAP)),
        actor: str = "school-1",
    ) -> None:
        """The family's pupil was so many of 20 days absent in each of these months."""
        records = tuple(SchoolMonth(month, 20, absent, 0, 0) for month in months)
        stream_id = f"person-{self.pseudonymizer.nik(nik_of(family))}"
        async with self.store.transaction(Context(MOMENT, actor)) as unit:
            await handle(unit, PERSON, stream_id, RecordSchoolMonths(records))

    # -- Messages

    def line(self, family: str, tahap: str = TAHAP, *, revision: int = 1, **changes: Any) -> Record:
        """The registry's line of a family with one pupil."""
        pupil = {
            "member": 3,
            "token": self.pseudonymizer.nik(nik_of(family)),
            "seniority": 0,
            "months": [["SD"]] * 3,
            "closing": ["SD"],
        }
        body = {
            "tahap": tahap,
            "months": months_of(tahap),
            "rule_set": RULE_SET,
            "revision": revision,
            "family": family,
            "outcome": "LISTED",
            "region": "61.03.01.2026",
            "payee_valid": True,
            "members": [pupil],
        }
        return self.roster.record("FamilyListed", family, body | changes)

    def registered(
        self, family: str, *, region: str = "61.03.01.2026", pupil: str = "", decided: bool = False
    ) -> Record:
        """The registry's word that a pupil, its own or another family's, is a family's."""
        persons = [self.pseudonymizer.nik(nik_of(pupil or family))]
        body = {"family": family, "region": region, "persons": persons, "decided": decided}
        return self.roster.record("PersonsRegistered", family, body)

    def graduated(self, family: str, tahap: str = TAHAP) -> Record:
        """The line of a family that leaves the programme."""
        return self.line(family, tahap, outcome="GRADUATED_NATURAL", members=[], payee_valid=False)

    def list_closed(
        self, listed: int, *, graduated: int = 0, tahap: str = TAHAP, revision: int = 1
    ) -> Record:
        """The registry's word that its list is complete."""
        body = {
            "tahap": tahap,
            "revision": revision,
            "cut": 1,
            "listed": listed,
            "graduated": graduated,
            "buckets": {},
        }
        return self.roster.record("ListClosed", tahap, body)

    def announced(self, tahap: str = TAHAP, revision: int = 1) -> Record:
        """Payments' word that a final closing begins."""
        body = {
            "tahap": tahap,
            "months": months_of(tahap),
            "closing_date": "2023-03-31" if tahap == TAHAP else "2023-06-30",
            "policies": {"rule_set": RULE_SET},
            "after": {"conditionality": 0},
            "revision": revision,
        }
        return self.tahaps.record("ClosingAnnounced", tahap, body)

    def cancelled(self, tahap: str = TAHAP, revision: int = 1) -> Record:
        """Payments' word that a tahap is cancelled."""
        body = {"tahap": tahap, "revision": revision}
        return self.tahaps.record("TahapCancelled", tahap, body)

    def appeal(
        self, family: str, tahap: str = TAHAP, effect: str = "HOLD", **changes: Any
    ) -> Record:
        """Complaints' word that a family's case appeals against what followed from a cycle."""
        body: dict[str, Any] = {"case": CASE, "family": family, "tahap": tahap, "effect": effect}
        body |= {"received_on": "2023-04-20", "regions": ["*"]}
        return self.cases.record("AppealOpened", CASE, body | changes)

    def appeal_decided(
        self, family: str, outcome: str, tahap: str = TAHAP, **changes: Any
    ) -> Record:
        """Complaints' word that two people have decided the appeal."""
        body: dict[str, Any] = {"case": CASE, "family": family, "tahap": tahap, "effect": "HOLD"}
        body |= {"outcome": outcome, "decided_on": "2023-05-20", "regions": ["*"]}
        return self.cases.record("AppealDecided", CASE, body | changes)

    def ordered(
        self, family: str, order: str = ORDER, ordered: str = "REEVALUATE_CYCLE", **changes: Any
    ) -> Record:
        """A case's order of two people."""
        body: dict[str, Any] = {"order": order, "case": CASE, "ordered": ordered, "family": family}
        body |= {"asked_on": "2023-05-20", "tahap": TAHAP, "regions": ["*"]}
        asked = {"asked_by": ["officer-8", "officer-9"]}
        return self.cases.record("OrderRequested", CASE, body | asked | changes)

    async def withdraw(self) -> None:
        """Withdraw all that a cancelled tahap has judged."""
        withdrawer = Withdrawer(self.store, self.policies, chunk=1)
        while await withdrawer.step():
            pass

    def frozen(self, *deferred: str, tahap: str = TAHAP) -> Record:
        """Payments' word that the list is frozen but for these families."""
        body = {"tahap": tahap, "deferred": [{"family": family} for family in deferred]}
        return self.tahaps.record("ListFrozen", tahap, body)

    def asked_again(self, topic: str, *buckets: str, tahap: str = TAHAP) -> Record:
        """Payments' wish for some buckets of a topic's lines."""
        body = {"tahap": tahap, "topic": topic, "buckets": buckets, "attempt": 1}
        return self.tahaps.record("BucketRequested", tahap, body)

    async def take(self, *records: Record) -> None:
        """Consume messages."""
        await deliver(self.consumer, *records)

    def gated(self, gate: Handler) -> Consumer:
        """A second member of the group, whose roster handler ends by passing `gate`."""
        reads = [
            _then(each, gate) if each.topic == ROSTER_TOPIC else each
            for each in self.consumer.subscriptions
        ]
        return replace(self.consumer, subscriptions=reads)

    # -- The leader's work

    async def close(self) -> bool:
        """The closer had something to close."""
        return await Closer(self.store).step()

    async def repeat(self) -> None:
        """Say again whatever was asked for."""
        repeater = Repeater(self.store, chunk=1)
        while await repeater.step():
            pass

    async def re_decide(self) -> None:
        """Have the re-decider follow the log to its end."""
        re_decider = ReDecider(self.store, self.policies)
        while await re_decider.step():
            pass

    # -- Results

    async def evaluated(self, family: str, tahap: str = TAHAP) -> list[tuple[int, str]]:
        """(revision, result) of each evaluation of a family's cycle."""
        found = [m.body for m in await sent(self.store, "CycleEvaluated") if m.key == family]
        return [(body["revision"], body["result"]) for body in found if body["tahap"] == tahap]

    async def followed(self, family: str) -> list[str]:
        """The events that followed from a family's evaluations, by type."""
        found = await sent(self.store)
        return [m.type for m in found if m.key == family and m.type != "CycleEvaluated"]

    async def closings(self) -> list[Mapping[str, Any]]:
        """Each time that the evaluation was closed."""
        return [message.body for message in await sent(self.store, "EvaluationClosed")]

    async def latest(self, tahap: str = TAHAP) -> Buckets:
        """The proof that belongs to the latest evaluation of each family."""
        lines: dict[str, bytes] = {}
        for message in await sent(self.store, "CycleEvaluated"):
            if message.body["tahap"] == tahap:
                lines[message.key] = message.value
        return Buckets.of(lines.items())

    async def head(self) -> int:
        """The last position of the log."""
        return (await self.store.head())[0]

    async def decided(self) -> int:
        """The events of the log, but for those that say who read what."""
        query = "SELECT count(*) FROM events WHERE stream_id NOT LIKE 'reads-%'"
        return int(await self.store.pool.fetchval(query))

    async def corrections(self) -> list[Sent]:
        """Everything that was ever said of corrections."""
        return [m for m in await sent(self.store) if m.type.startswith("Correction")]


def _then(subscription: Subscription, gate: Handler) -> Subscription:
    async def handler(unit: Any, messages: Any) -> None:
        await subscription.handler(unit, messages)
        await gate(unit, messages)

    return replace(subscription, handler=handler)


@asynccontextmanager
async def bench_at(
    settings: Settings, policies: RuleSetPolicies | None = None
) -> AsyncIterator[Bench]:
    """Conditionality's parts on its databases, by the shipped policies or others."""
    bus = await connect(settings.bus_url)
    store = await Store.connect(settings.database_url, "conditionality")
    try:
        policies = policies or policy.load()
        keys = settings.inbound_keys
        assert keys is not None
        outside = OutsideReports(
            Recognition(settings.token_key, store.pool), keys, policy.load_writers()
        )
        reads = subscriptions(policies, outside)
        consumer = Consumer(store, bus, "conditionality", reads, TOPICS)
        persons = Pseudonymizer(settings.token_key.secrets[1])
        yield Bench(store, persons, consumer, policies, outside)
    finally:
        await store.close()
        await bus.close()
