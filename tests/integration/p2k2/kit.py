"""Words in which p2k2's integration tests speak: assignments, sessions, attendance."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from libs.chassis.settings import Settings
from libs.events.bus import Record
from libs.events.bus.connect import connect
from libs.events.consumer.inbox import Consumer
from libs.events.store.postgres import Store
from libs.privacy.pseudonyms import Pseudonymizer
from services.p2k2.consumers import SUBSCRIPTIONS
from services.p2k2.contract import COMMITMENT_TOPIC, FAMILY_TOPIC, GROUP_TOPIC
from tests.doors import NATION, TOPICS, Door, Sender, deliver

ANA, BUDI, CITRA = (f"3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a1{n}" for n in range(3))
CARDS: Final = {ANA: "6103012001010001", BUDI: "6103012001010002", CITRA: "6103012001010003"}
GROUP, OTHER_GROUP, VILLAGE = "G6103012026-1", "G6103012026-2", "61.03.01.2026"
NUMBER: Final = "S0000001"
RECORD, READ = "p2k2:record", "p2k2:read"
MEETING: Final[dict[str, Any]] = {
    "group": GROUP,
    "facilitator": "PD610301",
    "on": "2023-01-05",
    "module": "KEUANGAN",
    "session": 1,
}
SESSION_HEADER: Final = "session_id,group_id,facilitator_id,held_on,module,session"
ATTENDANCE_HEADER: Final = "session_id,no_kk,status"


@dataclass(slots=True)
class Bench:
    """P2k2's consumer without its loops, and what others tell it."""

    store: Store
    pseudonymizer: Pseudonymizer
    consumer: Consumer
    groups: Sender = field(default_factory=lambda: Sender(GROUP_TOPIC))
    families: Sender = field(default_factory=lambda: Sender(FAMILY_TOPIC))
    commitments: Sender = field(default_factory=lambda: Sender(COMMITMENT_TOPIC))

    def assigned(self, family: str, group: str = GROUP, **changes: Any) -> Record:
        """Registry assigns a family to a group."""
        body = {
            "family": family,
            "card": self.pseudonymizer.card(CARDS[family]),
            "region": VILLAGE,
            "group": group,
            "facilitator": "PD610301",
            "since": None,
        }
        return self.groups.record("GroupAssigned", family, body | changes)

    def designated(self, family: str, status: str = "ELIGIBLE", tahap: str = "2023-1") -> Record:
        """Registry has judged a family."""
        body = {"family": family, "tahap": tahap, "status": status}
        return self.families.record("FamilyDesignated", family, body)

    def graduated(self, family: str, tahap: str = "2023-2") -> Record:
        """A family has left the programme."""
        body = {"family": family, "tahap": tahap}
        return self.families.record("FamilyGraduated", family, body)

    def unlisted(self, family: str, tahap: str) -> Record:
        """A tahap was cancelled, and with it what its list said of a family."""
        body = {"family": family, "tahap": tahap, "revision": 1}
        return self.families.record("FamilyUnlisted", family, body)

    def moved(self, family: str, region: str) -> Record:
        """A family lives elsewhere."""
        body = {"family": family, "effective_on": "2023-02-01", "region": region}
        return self.families.record("FamilyMoved", family, body)

    def erased(self, family: str) -> Record:
        """A family was erased."""
        return self.families.record("FamilyErased", family, {"family": family})

    def terminated(self, family: str, cycle: str = "2023-3") -> Record:
        """A family's participation was ended."""
        body = {"family": family, "cycle": cycle}
        return self.commitments.record("Terminated", family, body)

    def taken_back(self, family: str, tahap: str = "2023-3") -> Record:
        """Registry took the termination back that came with a tahap."""
        body = {"family": family, "tahap": tahap}
        return self.families.record("TerminationTakenBack", family, body)

    async def take(self, *records: Record) -> None:
        """Consume messages."""
        await deliver(self.consumer, *records)


@asynccontextmanager
async def bench_at(settings: Settings) -> AsyncIterator[Bench]:
    """P2k2's parts on its databases."""
    bus = await connect(settings.bus_url)
    store = await Store.connect(settings.database_url, "p2k2")
    try:
        consumer = Consumer(store, bus, "p2k2", SUBSCRIPTIONS, TOPICS)
        yield Bench(store, Pseudonymizer(settings.token_key.secrets[1]), consumer)
    finally:
        await store.close()
        await bus.close()


async def post(
    door: Door, step: str, body: object, *, number: str = NUMBER, regions: Sequence[str] = NATION
) -> httpx.Response:
    """A step of a session, by a facilitator's clerk; on what stands, where it needs that."""
    who = door.who("clerk-1", RECORD, READ, regions=regions)
    if step in ("correction", "cancellation"):
        shown = await door.client.get(
            f"/sessions/{number}", headers=door.who("reader-1", READ, regions=NATION)
        )
        who["If-Match"] = shown.headers.get("ETag", '"0"')
    return await door.post(f"/sessions/{number}/{step}", who, json=body)


async def shown(
    door: Door, number: str = NUMBER, *, regions: Sequence[str] = NATION
) -> httpx.Response:
    """A session as a reader sees it."""
    who = door.who("reader-1", READ, regions=regions)
    return await door.client.get(f"/sessions/{number}", headers=who)


def kind(answer: httpx.Response) -> str:
    """The code of a problem, with its status."""
    return f"{answer.status_code} {answer.json()['type'].rpartition('/')[2]}"


async def hand_in(
    door: Door,
    file: str,
    header: str,
    *rows: str,
    regions: Sequence[str] = NATION,
    partial: bool = False,
) -> dict[str, Any]:
    """The report of a file, whether it was taken or refused."""
    text = "\n".join((header, *rows)) + "\n"
    query = {"partial": "true"} if partial else {}
    who = door.who("clerk-1", RECORD, regions=regions)
    answer = await door.post(f"/imports/{file}", who, content=text, params=query)
    report: dict[str, Any] = answer.json().get("report", answer.json())
    return report


def refusals(report: Mapping[str, Any]) -> list[tuple[int, str, str]]:
    """(line, column, code) of each refused row."""
    return [(error["line"], error["column"], error["code"]) for error in report["errors"]]
