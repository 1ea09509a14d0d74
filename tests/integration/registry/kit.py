"""Words in which the registry's integration tests speak: files, a register by its parts, lists."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from fastapi import FastAPI

from libs.chassis.auth import Principal
from libs.chassis.csv_upload import Columns, read_rows
from libs.chassis.imports import Take
from libs.chassis.service import Running
from libs.chassis.settings import Settings
from libs.events.bus import Bus, Record
from libs.events.bus.connect import connect
from libs.events.consumer.inbox import Consumer
from libs.events.store.handle import handle_many
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.privacy.days import Days
from libs.privacy.keys import KeyRing
from libs.privacy.pseudonyms import Pseudonymizer
from libs.privacy.recognition import Recognition
from services.registry.consumers import subscriptions
from services.registry.contract import FAMILY, TAHAP_TOPIC
from services.registry.domain.family.commands import Command, DecideChange
from services.registry.domain.family.state import Family
from services.registry.http.csv_commands import CsvImport, RowsReport
from services.registry.http.csv_rows import FAMILY_COLUMNS, LIFE_EVENT_COLUMNS, MEMBER_COLUMNS
from services.registry.main import SERVICE as REGISTRY
from services.registry.partners.payments import Payments
from services.registry.policy import RuleSets, load_rule_sets
from services.registry.policy.look_ups import load_look_ups
from services.registry.tables.waiting_changes import waiting_changes
from services.registry.workers.lister import Lister
from services.registry.workers.reviewer import Reviewer
from services.registry.workers.shared_payees import SharedPayees
from services.registry.workers.unlister import Unlister
from tests.doors import (
    CONTEXT,
    MOMENT,
    NATION,
    TOPICS,
    Door,
    Sender,
    Sent,
    application,
    deliver,
    door,
    sent,
)
from tests.servers import eventually

IMPORT: Final = "registry:import"
IMPORTER: Final = Principal("importer-1", frozenset({IMPORT}), NATION)
FILES: Final[Mapping[str, Columns]] = {
    "families": FAMILY_COLUMNS,
    "members": MEMBER_COLUMNS,
    "life-events": LIFE_EVENT_COLUMNS,
}
CHECKER: Final = "supervisor-1"
DAY: Final = MOMENT.date()
REGION: Final = "61.03.01.2026"

_FAMILY: Final = {
    "dtks_id": "DTKS-1",
    "dtks": "Y",
    "decile": "1",
    "region_code": REGION,
    "address": "JL. MELATI NO. 7",
    "rt": "001",
    "rw": "002",
    "bank_code": "BNI",
    "account_name": "ROSITA DJAFAR",
    "facilitator_id": "PD610301",
    "group_id": "G6103012026-1",
}
_MEMBER: Final = {"sex": "F", "relationship": "OTHER", "severe_disability": "N"}


# -- Files ----------------------------------------------------------------------------------------


def family(card: str, payee: str = "6103014101700001", **cells: str) -> dict[str, str]:
    """A row of families.csv; each card has an account of its own."""
    return _FAMILY | {"no_kk": card, "payee_nik": payee, "account_no": f"3{card[-11:]}"} | cells


def member(card: str, nik: str, born: str = "1990-05-05", **cells: str) -> dict[str, str]:
    """A row of members.csv; holds no category unless the birth date makes it one."""
    named = {"no_kk": card, "nik": nik, "birth_date": born, "name": f"NAME OF {nik[-4:]}"}
    return _MEMBER | named | cells


def child(card: str, nik: str) -> dict[str, str]:
    """A row of members.csv for a child of six, early until December, a pupil if enrolled."""
    return member(card, nik, born="2016-12-17", relationship="CHILD")


def life_event(
    type_: str, card: str, effective_on: str, reported_on: str, **cells: str
) -> dict[str, str]:
    """A row of life_events.csv."""
    dates = {"effective_on": effective_on, "reported_on": reported_on}
    return dates | {"type": type_, "no_kk": card} | cells


def as_csv(file: str, rows: Iterable[Mapping[str, str]], order: Sequence[str] = ()) -> str:
    """The text of a file of these rows, its columns in the given order."""
    text, rows = io.StringIO(), list(rows)
    used = [name for name in FILES[file].optional if any(name in row for row in rows)]
    writer = csv.DictWriter(text, order or [*FILES[file].required, *used], restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


async def hand_in(
    door: Door,
    file: str,
    text: str | bytes,
    *,
    key: str | None = None,
    partial: bool = False,
    regions: Sequence[str] = NATION,
) -> httpx.Response:
    """Post a file."""
    query = {"partial": "true"} if partial else {}
    who = door.who("importer-1", IMPORT, regions=regions)
    return await door.post(f"/imports/{file}", who, key=key, params=query, content=text)


async def handed_in(door: Door, file: str, *rows: Mapping[str, str]) -> None:
    """Post a file of these rows, each of which is taken."""
    answer = await hand_in(door, file, as_csv(file, rows))
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == len(rows), answer.text


# -- Changes that wait ----------------------------------------------------------------------------


async def differences(
    door: Door, person: str, *, regions: Sequence[str] = NATION, **filters: str
) -> httpx.Response:
    """The differences that waiting changes would make, as a person who may decide is shown them."""
    who = door.who(person, "registry:approve", regions=regions)
    return await door.client.get("/changes/diff", headers=who, params=filters)


async def decide(
    door: Door,
    person: str = "supervisor-1",
    decision: str = "APPROVED",
    *,
    regions: Sequence[str] = NATION,
    seen: httpx.Response | None = None,
    **filters: str,
) -> httpx.Response:
    """Decide on all changes that somebody is shown, or on those that somebody else was shown."""
    seen = seen or await differences(door, person, regions=regions, **filters)
    items = seen.json()["items"]
    body = {
        "decision": decision,
        "changes": [{"family": item["family"], "change": item["change"]} for item in items],
    }
    who = door.who(person, "registry:approve", regions=regions)
    return await door.post("/changes/decision", who | {"If-Match": seen.headers["ETag"]}, json=body)


# -- The register by its parts --------------------------------------------------------------------


@dataclass(slots=True)
class Register:
    """A registry without its HTTP interface and without its loops: each step is the test's."""

    store: Store
    keys: KeyRing
    recognition: Recognition
    consumer: Consumer
    rule_sets: RuleSets = field(default_factory=load_rule_sets)
    tahaps: Sender = field(default_factory=lambda: Sender(TAHAP_TOPIC))

    @property
    def pseudonymizer(self) -> Pseudonymizer:
        """The tokens under a key that was never changed."""
        return Pseudonymizer(self.recognition.versions.secrets[1])

    async def take(self, file: str, *rows: Mapping[str, str]) -> RowsReport:
        """Take a file in, as its route does."""
        csv_import = self.csv_import()
        takes: Mapping[str, Take[RowsReport]] = {
            "families": csv_import.families,
            "members": csv_import.members,
            "life-events": csv_import.life_events,
        }
        report = RowsReport(file)

        async def body() -> AsyncIterator[bytes]:
            yield as_csv(file, rows).encode()

        async with self.store.transaction(CONTEXT) as unit:
            async for batch in read_rows(body(), FILES[file], report):
                await takes[file](unit, batch, report)
        assert report.errors == []
        return report

    def csv_import(self) -> CsvImport:
        """The part that takes files in."""
        reviewer = Reviewer(self.keys, self.rule_sets)
        return CsvImport(self.keys, self.recognition, reviewer, IMPORTER)

    async def admit(self, *people: Mapping[str, str]) -> None:
        """Take further members of families that were judged in, by a document and two people."""
        await self.take("members", *({**row, "evidence": "BA-12/2023"} for row in people))
        await self.approve()

    async def approve(self) -> None:
        """Have another person let everything be that waits."""
        async with self.store.transaction(Context(MOMENT, CHECKER)) as unit:
            rows = await waiting_changes(unit, None, None, None, None, NATION, None, 1_000)
            commands: list[tuple[str, Command]] = [
                (f"family-{row.family}", DecideChange(row.change, "APPROVED", CHECKER, DAY))
                for row in rows
            ]
            outcomes = await handle_many(unit, FAMILY, commands)
            assert [outcome.error for outcome in outcomes] == [None] * len(rows)
            await self.csv_import().keep(unit, outcomes)

    async def state_of(self, card: str) -> Family:
        """The family of a card as it stands."""
        stream_id = await self.store.pool.fetchval(
            "SELECT stream_id FROM claims WHERE kind = 'card' AND token = $1",
            self.pseudonymizer.card(card),
        )
        return (await self.store.read(FAMILY, [stream_id]))[stream_id].state

    # -- Closings

    def announcement(
        self,
        tahap: str = "2023-1",
        after: int = 0,
        rule_set: str = "2021-2024",
        revision: int = 1,
    ) -> Record:
        """Payments' message that a final closing begins."""
        number = int(tahap[-1])
        months = [f"{tahap[:4]}-{month:02d}" for month in range(3 * number - 2, 3 * number + 1)]
        ends = {1: "03-31", 2: "06-30", 3: "09-30"}
        body = {
            "tahap": tahap,
            "months": months,
            "closing_date": f"{tahap[:4]}-{ends[number]}",
            "policies": {"rule_set": rule_set},
            "after": {"registry": after},
            "revision": revision,
        }
        return self.tahaps.record("ClosingAnnounced", tahap, body)

    async def cancel(self, tahap: str = "2023-1", revision: int = 1) -> None:
        """Consume the cancellation of a tahap."""
        body = {"tahap": tahap, "revision": revision}
        await deliver(self.consumer, self.tahaps.record("TahapCancelled", tahap, body))

    def unlister(self, chunk: int = 1_000) -> Unlister:
        """A leader that has just begun."""
        return Unlister(self.store, self.rule_sets, chunk)

    async def announce(self, tahap: str = "2023-1", *, after: int = 0, revision: int = 1) -> None:
        """Consume the announcement of a closing."""
        await deliver(self.consumer, self.announcement(tahap, after, revision=revision))

    def lister(self, chunk: int = 1_000) -> Lister:
        """A leader that has just begun."""
        return Lister(self.store, self.keys, self.payees(), self.rule_sets, chunk)

    def payees(self) -> SharedPayees:
        """The part that finds families on one account, or of one payee."""
        return SharedPayees(self.keys, self.recognition, self.rule_sets)

    async def list_all(self, chunk: int = 1_000) -> None:
        """Do all the work that the leader has."""
        lister, unlister = self.lister(chunk), self.unlister(chunk)
        while await lister.step() or await unlister.step():
            pass

    async def listed(self, tahap: str = "2023-1") -> None:
        """Announce a closing and make its list."""
        await self.announce(tahap)
        await self.list_all()

    async def listed_by_its_leader(self, tahap: str = "2023-1") -> None:
        """Announce a closing, and wait for the list of the service that runs beside us."""
        await self.announce(tahap)
        await self.closes(tahap)

    async def closes(self, tahap: str = "2023-1") -> None:
        """The service that runs beside us closes a list."""

        async def closed() -> bool:
            return tahap in [message.body["tahap"] for message in await self.closed()]

        await eventually(closed)

    async def lines(self, tahap: str = "2023-1") -> list[Sent]:
        """The lines of a tahap's list, in the order in which they were appended."""
        return [m for m in await sent(self.store, "FamilyListed") if m.body["tahap"] == tahap]

    async def line_of(self, card: str, tahap: str = "2023-1") -> Sent:
        """The one line of a family."""
        family_id = (await self.state_of(card)).family
        [line] = [line for line in await self.lines(tahap) if line.key == family_id]
        return line

    async def closed(self) -> list[Sent]:
        """The lists that are closed."""
        return await sent(self.store, "ListClosed")


@asynccontextmanager
async def register_at(settings: Settings) -> AsyncIterator[Register]:
    """A register's parts on its databases."""
    bus: Bus = await connect(settings.bus_url)
    store = await Store.connect(settings.database_url, "registry")
    try:
        async with asyncpg.create_pool(settings.keys_url, min_size=1, max_size=2) as pool:
            reads, keys = subscriptions(load_rule_sets()), KeyRing(pool, settings.kek)
            store.opener = Days(keys).of
            yield Register(
                store,
                keys,
                Recognition(settings.token_key, pool),
                Consumer(store, bus, "registry", reads, TOPICS),
            )
    finally:
        await store.close()
        await bus.close()


@asynccontextmanager
async def door_at(
    settings: Settings, directory: Path, register: Register, payments: Payments | None = None
) -> AsyncIterator[Door]:
    """The register's door without its loops; without payments it erases nobody."""
    bus = await connect(settings.bus_url)
    running = Running(settings, register.store, bus, TOPICS)
    reviewer = Reviewer(register.keys, register.rule_sets)
    parts = {
        "keys": register.keys,
        "csv_import": CsvImport(register.keys, register.recognition, reviewer),
        "recognition": register.recognition,
        "payments": payments,
        "payees": register.payees(),
        "look_ups": load_look_ups(),
    }

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        yield running.resources(**parts)

    try:
        with application(REGISTRY, settings, lifespan) as app:
            async with door(app, directory) as opened:
                yield opened
    finally:
        await bus.close()
