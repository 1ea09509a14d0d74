"""Work lists: what stands on each and leaves it, by region, in order, and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from libs.chassis.settings import Settings
from libs.events.store import migrate
from services.projection.contract import (
    CASE_TOPIC,
    COMMITMENT_TOPIC,
    FAMILY_TOPIC,
    PAYMENT_TOPIC,
    SESSION_TOPIC,
    TAHAP_TOPIC,
)
from services.projection.main import SERVICE
from services.projection.tables import worklists
from services.projection.tables.figures import FiguresWanted, figures
from services.projection.tables.worklists import ListName, SortName, WorkWanted
from tests.doors import NATION, ROOT, Door, front_door, service_settings
from tests.integration.projection.kit import Desk, desk_at
from tests.servers import Postgres

TAHAP: Final = "2023-1"
HERE, BESIDE = "61.03.01.2026", "61.04.05.2001"
ANA, BUDI, CITRA, DEWI = (str(UUID(int=number << 100)) for number in range(1, 5))
PLACES: Final = {ANA: HERE, BUDI: HERE, CITRA: BESIDE, DEWI: BESIDE}
CASE: Final = str(UUID(int=9 << 100))
MIGRATIONS: Final = ROOT / "services" / "projection" / "migrations"
OTHER_CASE: Final = str(UUID(int=8 << 100))


@dataclass(frozen=True)
class Projection:
    """Projection's parts, and its door beside them."""

    desk: Desk
    door: Door
    settings: Settings

    async def take(self, topic: str, kind: str, family: str, **facts: Any) -> None:
        """A message about a family and the tahap arrives."""
        about = {"family": family, "tahap": TAHAP, "payment": family}
        await self.desk.take(self.desk.said(topic, kind, **about | facts))

    async def listed(
        self, name: ListName, regions: Sequence[str] = NATION, sort: SortName = "id", **by: Any
    ) -> list[tuple[str | None, str]]:
        """The (family, reason) of a list's rows in order."""
        wanted = WorkWanted(name, tuple(regions), sort=sort, **{"tahap": TAHAP} | by)
        rows = await worklists.work(self.desk.reading, wanted, None, 100)
        return [(row.family, row.reason) for row in rows]

    async def asked(self, path: str, regions: Sequence[str] = NATION, **query: Any) -> Any:
        who = self.door.who("reader-1", "projection:read", regions=regions)
        return await self.door.client.get(path, headers=who, params=query)


@pytest_asyncio.fixture
async def projection(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Projection]:
    """Four families were entitled; Ana is blocked, Budi's and Citra's account failed."""
    async with (
        service_settings(postgres, tmp_path, "projection") as settings,
        desk_at(settings) as desk,
        front_door(SERVICE, settings, tmp_path) as door,
    ):
        found = Projection(desk, door, settings)
        await desk.take(desk.said(TAHAP_TOPIC, "ClosingAnnounced", tahap=TAHAP))
        for family, region in PLACES.items():
            await found.take(FAMILY_TOPIC, "FamilyRegistered", family, region=region)
            await found.take(PAYMENT_TOPIC, "PaymentEntitled", family, region=region, amount=100)
        await found.take(PAYMENT_TOPIC, "PaymentCredited", ANA, hold="HELD")
        await found.take(PAYMENT_TOPIC, "AccountCheckFailed", BUDI, code="NAME_MISMATCH")
        await found.take(PAYMENT_TOPIC, "AccountCheckFailed", CITRA, code="ACCOUNT_CLOSED")
        yield found


async def test_money_waits_until_it_moves(projection: Projection) -> None:
    assert await projection.listed("blocked") == [(ANA, "HELD")]
    assert await projection.listed("failed-accounts") == [
        (BUDI, "NAME_MISMATCH"),
        (CITRA, "ACCOUNT_CLOSED"),
    ]
    await projection.take(PAYMENT_TOPIC, "PaymentReleased", ANA, at_tahap="2023-2")
    assert await projection.listed("blocked") == []
    await projection.take(PAYMENT_TOPIC, "PaymentDeferred", DEWI, reason="PARKED")
    assert await projection.listed("deferred") == [(DEWI, "PARKED")]


async def test_what_two_people_decide_waits_until_they_have(projection: Projection) -> None:
    await projection.take(PAYMENT_TOPIC, "AdministrativeHoldPlaced", ANA, number=1)
    await projection.take(COMMITMENT_TOPIC, "CorrectionProposed", BUDI, correction=1)
    await projection.take(COMMITMENT_TOPIC, "CorrectionProposed", BUDI, correction=2)
    await projection.take(FAMILY_TOPIC, "ReopeningProposed", CITRA, reopening=1, late=[])
    await projection.take(COMMITMENT_TOPIC, "InvestigationOpened", DEWI)

    held: Any = {"tahap": None}
    assert await projection.listed("on-hold", **held) == [(ANA, "DATA_UNDER_REVIEW")]
    assert await projection.listed("corrections") == [(BUDI, "UNVERIFIED")]
    assert await projection.listed("reopenings") == [(CITRA, "")]
    assert await projection.listed("investigations") == [(DEWI, "INVESTIGATION")]
    # A hold and a proposal stand where the family lives; nobody else sees them.
    assert await projection.listed("on-hold", ("61.03",), **held) != []
    assert await projection.listed("on-hold", ("61.04",), **held) == []
    assert await projection.listed("corrections", ("61.04",)) == []

    await projection.take(PAYMENT_TOPIC, "AdministrativeHoldEnded", ANA, number=1)
    await projection.take(COMMITMENT_TOPIC, "CorrectionRejected", BUDI, correction=2)
    await projection.take(FAMILY_TOPIC, "FamilyReopened", CITRA, reopening=1, region=BESIDE)
    await projection.take(COMMITMENT_TOPIC, "Cleared", DEWI, cycle="2023-2")

    for name in ("on-hold", "corrections", "reopenings", "investigations"):
        assert await projection.listed(name, **held) == [], name


async def test_what_is_not_verified_and_who_was_absent(projection: Projection) -> None:
    missing = {"member": 1, "duty": "SD", "month": "2023-01", "outcome": "UNVERIFIED"}
    facts = {"result": "UNVERIFIED", "duties": [missing | {"reason": "NO_RECORD"}] * 2}
    await projection.take(COMMITMENT_TOPIC, "CycleEvaluated", ANA, **facts)
    await projection.take(COMMITMENT_TOPIC, "EvaluationAnnounced", ANA)
    await projection.take(COMMITMENT_TOPIC, "CycleEvaluated", BUDI, result="FAILED", counter=2)
    await projection.take(COMMITMENT_TOPIC, "CycleEvaluated", DEWI, result="FAILED", counter=1)
    await projection.take(SESSION_TOPIC, "SessionHeld", CITRA, session="S1", region=BESIDE)
    await projection.take(
        SESSION_TOPIC, "AttendanceRecorded", CITRA, session="S1", marks=[[CITRA, "A", ""]]
    )

    assert await projection.listed("unverified") == [(ANA, "SD")]
    assert await projection.listed("next-failure") == [(BUDI, "FAILED")]
    assert await projection.listed("sessions-missed") == [(CITRA, "ABSENT")]


async def test_a_case_stands_as_its_steps_say_on_any_day(projection: Projection) -> None:
    case: dict[str, Any] = {"case": CASE, "region": HERE}
    await projection.take(CASE_TOPIC, "CaseReceived", ANA, **case, received_on="2023-03-20")
    await projection.take(CASE_TOPIC, "AppealOpened", ANA, **case, effect="HOLD")
    await projection.take(
        CASE_TOPIC, "CaseEscalated", ANA, **case, on="2023-03-28", due_on="2023-04-12"
    )

    async def counted() -> dict[str, Any]:
        wanted = FiguresWanted("cases", TAHAP, NATION, "NATION")
        rows = await figures(projection.desk.reading, wanted, None, 10)
        return {row.key: {name: n for name, n in row.figures.items() if n} for row in rows}

    at_closing = {"REGENCY": {"cases": 1, "open": 1}}
    every: Any = {"tahap": None}
    assert await counted() == at_closing
    assert await projection.listed("cases", **every) == [(ANA, "AMOUNT_WRONG")]
    assert await projection.listed("cases", ("61.04",), **every) == []
    assert await projection.listed("appeals") == [(ANA, "HOLD")]

    await projection.take(CASE_TOPIC, "AppealDecided", ANA, **case, outcome="UPHELD")
    await projection.take(CASE_TOPIC, "CaseResolved", ANA, **case, level="REGENCY", on="2023-04-13")

    assert await projection.listed("appeals") == []
    assert await projection.listed("cases", **every) == []
    assert await counted() == at_closing  # as it stood on the closing's day


@pytest.mark.parametrize("first", ["case", "answer"])
async def test_an_appeal_waits_until_a_decision_counts_and_a_refused_one_for_nobody(
    projection: Projection, first: str
) -> None:
    case: dict[str, Any] = {"case": CASE, "region": HERE, "effect": "HOLD"}
    await projection.take(CASE_TOPIC, "CaseReceived", ANA, **case, received_on="2023-03-20")
    appeal: dict[str, Any] = {"case": CASE, "against": "HOLD"}
    words: list[tuple[str, str, dict[str, Any]]] = [
        (CASE_TOPIC, "AppealDecided", case | {"outcome": "UPHELD", "decision": 1}),
        (COMMITMENT_TOPIC, "AppealDecisionRefused", appeal | {"decision": 1, "reason": "X"}),
    ]
    await projection.take(CASE_TOPIC, "AppealOpened", ANA, **case)
    for topic, kind, body in words if first == "case" else reversed(words):
        await projection.take(topic, kind, ANA, **body)

    assert await projection.listed("appeals") == [(ANA, "HOLD")]
    again = case | {"outcome": "REJECTED", "decision": 2}
    await projection.take(CASE_TOPIC, "AppealDecided", ANA, **again)
    assert await projection.listed("appeals") == []

    other: dict[str, Any] = {"case": OTHER_CASE, "region": HERE, "effect": "HOLD"}
    await projection.take(CASE_TOPIC, "CaseReceived", BUDI, **other, received_on="2023-03-20")
    words = [
        (CASE_TOPIC, "AppealOpened", other),
        (COMMITMENT_TOPIC, "AppealNotPaused", appeal | {"case": OTHER_CASE, "reason": "NO_EFFECT"}),
    ]
    for topic, kind, body in words if first == "case" else reversed(words):
        await projection.take(topic, kind, BUDI, **body)
    assert await projection.listed("appeals") == [(BUDI, "HOLD")]
    refused = appeal | {"case": OTHER_CASE, "reason": "ANOTHER_IS_OPEN"}
    await projection.take(COMMITMENT_TOPIC, "AppealNotPaused", BUDI, **refused)
    assert await projection.listed("appeals") == []
    before = await rows_of_appeals(projection)
    await as_an_older_release_left_them(projection)
    assert await rows_of_appeals(projection) == before


async def rows_of_appeals(projection: Projection) -> list[tuple[Any, ...]]:
    query = "SELECT decision, refused_decision, refused FROM appeal ORDER BY case_id"
    return [tuple(row) for row in await projection.desk.store.pool.fetch(query)]


async def as_an_older_release_left_them(projection: Projection) -> None:
    """Appeals without these columns, which the migration finds in the timelines."""
    name = "020_refused_appeals.sql"
    down = (MIGRATIONS / name).read_text().split("-- migrate:down")[1]
    connection = await asyncpg.connect(projection.settings.bus_url)
    try:
        await connection.execute(down)
        await connection.execute("DELETE FROM migrations WHERE name = $1", f"projection/{name}")
    finally:
        await connection.close()
    await migrate.apply(projection.settings.bus_url, [MIGRATIONS], {})


async def test_a_list_is_filtered_sorted_paged_and_a_file(projection: Projection) -> None:
    path = "/work-lists/failed-accounts"
    pages: list[Any] = []
    cursor: dict[str, str] = {}
    for _ in range(2):
        answer = await projection.asked(path, limit=1, sort="-rupiah", **cursor)
        pages += [item["family"] for item in answer.json()["items"]]
        cursor = {"cursor": answer.json()["next"]}
    assert pages == [BUDI, CITRA]
    assert cursor == {"cursor": None}

    whole = await projection.asked(f"{path}/file", area="61.04", reason="ACCOUNT_CLOSED")
    assert whole.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(whole.text))
    assert (row["family"], row["name"], row["rupiah"]) == (CITRA, "SANDAI", "100")
    foreign = await projection.asked(path, ("11",))
    assert foreign.json()["items"] == []

    for query, status, code in (
        ({"area": "99"}, 404, "place-unknown"),
        ({"sort": "name"}, 422, "invalid-request"),
        ({"reason": "a b"}, 422, "invalid-request"),
    ):
        refused = await projection.asked(path, **query)
        assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{code}")
    missing = await projection.asked("/work-lists/unverified")
    assert missing.json()["type"] == "/problems/tahap-missing"
    assert (await projection.asked("/work-lists/wealth")).status_code == 422
