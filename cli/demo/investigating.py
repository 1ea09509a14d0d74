"""Answers the investigations of a tahap, as two officers do who know what the year's file says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.client.http import Client, Connected
from cli.client.investigations import (
    DECIDES,
    FINDS,
    LOOKS_AT,
    OUTCOMES,
    bring_finding,
    decide_finding,
    open_investigations,
    see,
)
from cli.client.screen import Screen
from cli.client.tahap_state import look_again
from cli.client.waiting import until_quiet
from cli.client.year import Tahap, rows
from cli.demo.fetching import identities
from cli.errors import Failed

INVESTIGATIONS: Final = "investigations.csv"
OPEN: Final = "OPEN"  # nobody has ended it
AT_ONCE_MAX: Final = 8  # families whose officers are at work at the same time


@dataclass(frozen=True, slots=True)
class Officers:
    """Who finds, and who lets the finding stand."""

    investigator: Client
    supervisor: Client

    @classmethod
    def of(cls, platform: Connected) -> Officers:
        """Two people with only the scopes that they need."""
        return cls(
            platform.client("investigator", LOOKS_AT, FINDS, "registry:identify"),
            platform.client("supervisor", LOOKS_AT, DECIDES),
        )


def findings_of(directory: Path) -> Mapping[str, str]:
    """The finding of each family's investigation, by card; none where there is no file."""
    path = directory / INVESTIGATIONS
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for line, row in rows(path, ("no_kk", "outcome")):
        if row["outcome"] not in OUTCOMES or not row["no_kk"]:
            raise Failed(f"{path}, line {line}: outcome is none of {', '.join(OUTCOMES)}.")
        found[row["no_kk"]] = row["outcome"]
    return found


async def answer_investigations(
    platform: Connected, tahap: Tahap, findings: Mapping[str, str], screen: Screen
) -> None:
    """Find and decide on every open investigation of a tahap of which `findings` knows.

    A family without a finding is left to the officers of another day. Saying the same thing twice
    changes nothing, so that this goes on where it was left.
    """
    officers = Officers.of(platform)
    opened = await open_investigations(officers.investigator, tahap.id)
    if not opened:
        return
    who = await identities(
        officers.investigator, [investigation.family for investigation in opened]
    )
    outcomes = {
        identity.family: findings[identity.no_kk] for identity in who if identity.no_kk in findings
    }
    gate = asyncio.Semaphore(AT_ONCE_MAX)

    async def answered(family: str, outcome: str) -> None:
        async with gate:
            await _answer(officers, family, tahap.id, outcome)

    await asyncio.gather(*(answered(family, outcome) for family, outcome in outcomes.items()))
    observer = platform.client("observer", "platform:read")
    await until_quiet(observer, tuple(platform.urls))
    screen.say(_summary(tahap.id, len(opened), Counter(outcomes.values())))


def _summary(tahap: str, opened: int, outcomes: Counter[str]) -> str:
    counts = (
        f"{outcomes['CONFIRMED']} confirmed",
        f"{outcomes['NOT_CONFIRMED']} not confirmed",
        f"{opened - outcomes.total()} wait for a finding",
    )
    return f"tahap {tahap}: {opened} families investigated · {' · '.join(counts)}"


async def _answer(officers: Officers, family: str, tahap: str, outcome: str) -> None:
    async def find() -> None:
        seen = await see(officers.investigator, family, tahap)
        if seen.value.outcome == OPEN:
            await bring_finding(officers.investigator, seen, outcome)

    async def decide() -> None:
        seen = await see(officers.supervisor, family, tahap)
        if seen.value.outcome == OPEN:
            await decide_finding(officers.supervisor, seen, "APPROVED")

    # Other officers may have ended it meanwhile; then there is nothing to add. A late fact may move
    # the family between a look and what is said of it.
    await look_again(find)
    await look_again(decide)
