"""Turns a year's expected files back into what projection and the registry would answer."""

from __future__ import annotations

import json
import uuid
from datetime import date
from pathlib import Path

from cli.client.year import cards_in_order
from cli.demo.outputs import (
    CASES,
    ELIGIBILITY,
    ENTITLEMENTS,
    GROUP_COLUMNS,
    GROUPS,
    INDICATORS,
    LEARNING,
    CaseStanding,
    Designation,
    Entitlement,
    GroupInTahap,
    Identity,
    LearningFamily,
    Member,
    Results,
    Row,
    Sessions,
    read_csv,
)

YEAR = uuid.UUID("5d0c6c1e-0000-4000-8000-000000002023")


def family_of(card: str) -> str:
    return str(uuid.uuid5(YEAR, card))


def members_of(directory: Path) -> dict[str, list[str]]:
    """{card: its members' NIKs in the order of arrival}, babies of later events included."""
    niks: dict[str, list[str]] = {}
    for file in ("members.csv", "life_events.csv"):
        for _, row in read_csv(directory / file):
            known = niks.setdefault(row["no_kk"], [])
            if row["nik"] and row["nik"] not in known:
                known.append(row["nik"])
    return niks


def results_of(directory: Path) -> Results:
    """In order of family id, as the pages come."""
    members = members_of(directory)
    expected = directory / "expected"
    designations = [
        Designation(family_of(row["no_kk"]), row["status"], row["reason"])
        for _, row in read_csv(expected / ELIGIBILITY)
    ]
    identities = [
        Identity(
            family_of(card),
            card,
            tuple(Member(n, nik) for n, nik in enumerate(members[card], 1)),
        )
        for card in cards_in_order(directory)
    ]
    entitlements = [_entitlement(row, members) for _, row in read_csv(expected / ENTITLEMENTS)]
    return Results(
        sorted(designations, key=lambda each: each.family),
        sorted(entitlements, key=lambda each: (each.tahap, each.family)),
        sorted(identities, key=lambda each: each.family),
        _sessions(expected, entitlements[0].tahap[:4]),
    )


def cases_of(directory: Path) -> list[CaseStanding]:
    """In order of their numbers, as the pages come."""
    cases = [
        CaseStanding(
            reference=row["complaint_no"],
            start_level=row["start_level"],
            level=row["level"],
            due_on=date.fromisoformat(row["due_on"]),
            escalations=int(row["escalations"]),
            status=row["status"],
            overdue=row["overdue"] == "Y",
            resolution=row["resolution"],
        )
        for _, row in read_csv(directory / "expected" / CASES)
    ]
    return sorted(cases, key=lambda case: case.reference)


def _sessions(expected: Path, year: str) -> Sessions:
    groups: dict[str, list[GroupInTahap]] = {}
    for _, row in read_csv(expected / GROUPS):
        counts = (int(row[name]) for name in GROUP_COLUMNS[2:])
        group = GroupInTahap(row["group_id"], *counts)
        groups.setdefault(f"{year}-{row['tahap']}", []).append(group)
    families = [
        LearningFamily(
            family_of(row["no_kk"]),
            int(row["sessions_attended"]),
            tuple(filter(None, row["modules_completed"].split(";"))),
        )
        for _, row in read_csv(expected / LEARNING)
    ]
    indicators = json.loads((expected / INDICATORS).read_text())
    of_tahap = {f"{year}-{number}": counts for number, counts in indicators.items()}
    return Sessions(groups, families, of_tahap)


def _entitlement(row: Row, members: dict[str, list[str]]) -> Entitlement:
    niks = row["failing_members"].split(";") if row["failing_members"] else []
    numbers = (members[row["no_kk"]].index(nik) + 1 for nik in niks)
    return Entitlement(
        tahap=f"{2025 if 'cut' in row else 2023}-{row['tahap']}",
        family=family_of(row["no_kk"]),
        region=row["region_code"],
        components=row["components"],
        amount=int(row["amount"]),
        commitment=row["commitment"],
        failing=tuple(sorted(numbers)),
        disposition=row["disposition"],
        account_check=row["account_check"],
        transfer=row["transfer"],
        released=int(row["released"]),
        returned=int(row["returned"]),
        cut=int(row.get("cut") or 0),
    )
