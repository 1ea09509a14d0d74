"""The sessions of each sample year come to its expected files, by the messages about them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.client.year import read_calendar, rows
from libs.chassis.forms import day
from libs.events.bus import Record
from services.p2k2 import policy
from services.p2k2.domain.curriculum import lesson
from services.projection.contract import FAMILY_TOPIC, PAYMENT_TOPIC, SESSION_TOPIC, TAHAP_TOPIC
from services.projection.tables import figures, sessions
from tests.doors import NATION, ROOT
from tests.integration.projection.kit import Desk

YEARS = ["kalbar-small", "kalbar-2023", "kalbar-2025"]
MODULES = policy.load().modules


def family_of(card: str) -> str:
    """The family of a card, the same every time."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, card))


def cells(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a file."""
    return (row for _, row in rows(file))


def tahaps_said(desk: Desk, year: Path) -> Iterator[Record]:
    """Each tahap is announced, and its families are paid or graduate, as the year expects."""
    ids = {str(tahap.number): tahap for tahap in read_calendar(year)}
    for tahap in ids.values():
        announced = {"tahap": tahap.id, "months": list(tahap.months)}
        yield desk.said(TAHAP_TOPIC, "ClosingAnnounced", **announced)
    for row in cells(year / "expected" / "entitlements.csv"):
        about = {"family": family_of(row["no_kk"]), "tahap": ids[row["tahap"]].id}
        if row["disposition"] == "GRADUATED_NATURAL":
            yield desk.said(FAMILY_TOPIC, "FamilyGraduated", **about)
        else:
            payment = str(uuid.uuid4())
            yield desk.said(PAYMENT_TOPIC, "PaymentEntitled", payment=payment, **about)


def sessions_said(desk: Desk, year: Path) -> Iterator[Record]:
    """Families join their groups, sessions are held, and who was there is told."""
    members: dict[str, list[str]] = {}
    for row in cells(year / "families.csv"):
        members.setdefault(row["group_id"], []).append(family_of(row["no_kk"]))
    for group, families in members.items():
        yield desk.said(SESSION_TOPIC, "FamiliesJoined", group=group, families=families)
    marks: dict[str, list[tuple[str, str, str]]] = {}
    for row in cells(year / "p2k2_attendance.csv"):
        mark = family_of(row["no_kk"]), row["status"], ""
        marks.setdefault(row["session_id"], []).append(mark)
    for row in cells(year / "p2k2_sessions.csv"):
        number, group, on = row["session_id"], row["group_id"], row["held_on"]
        meant = lesson(MODULES, row["module"], int(row["session"]), day(on))
        facts = {"module": meant.module, "number": meant.number, "sessions": meant.sessions}
        held = {"session": number, "group": group, "on": on, "rank": meant.rank, **facts}
        yield desk.said(SESSION_TOPIC, "SessionHeld", **held)
        came = {"session": number, "group": group, "on": on, "marks": marks.get(number, [])}
        yield desk.said(SESSION_TOPIC, "AttendanceRecorded", **came)


@pytest.mark.parametrize("name", YEARS)
async def test_a_sample_years_sessions_come_to_its_expected_files(desk: Desk, name: str) -> None:
    year = ROOT / "examples" / name
    await desk.take(*tahaps_said(desk, year), *sessions_said(desk, year))

    groups, families = [], {}
    for tahap in read_calendar(year):
        found = await sessions.groups(desk.reading, tahap.id, NATION, None, 1_000)
        groups += [{"tahap": str(tahap.number), **_texts(row)} for row in found]
        whole, part = (await figures.indicators(desk.reading, NATION, tahap.id))["P2K2"]
        expected = json.loads((year / "expected" / "indicators.json").read_text())
        counted = {"p2k2_families": whole, "p2k2_reached": part}
        assert counted.items() <= expected[str(tahap.number)].items()
    for row in await sessions.learning_families(desk.reading, tahap.id[:4], NATION, None, 10_000):
        completed = ";".join(row["modules_completed"])
        families[row["family"]] = (str(row["sessions_attended"]), completed)

    assert groups == list(cells(year / "expected" / "p2k2_groups.csv"))
    assert families == {
        family_of(row["no_kk"]): (row["sessions_attended"], row["modules_completed"])
        for row in cells(year / "expected" / "p2k2_families.csv")
    }


def _texts(row: dict[str, Any]) -> dict[str, str]:
    """A group's row as the file has it."""
    counts = {name: str(value) for name, value in row.items() if name not in ("group", "region")}
    return {"group_id": row["group"], **counts}
