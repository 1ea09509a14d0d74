"""Reads what a year came to: projection's rows, and who the families are from the registry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, TypeVar

from cli.client.http import Client, Connected
from cli.client.sweeps import sweep
from cli.demo.compare import COUNTED
from cli.demo.figures import UnmetDuty
from cli.demo.outputs import (
    CaseStanding,
    Designation,
    Entitlement,
    GroupInTahap,
    Identity,
    LearningFamily,
    Results,
    Sessions,
)

IDENTITIES: Final = 1_000  # looked up at a time
PURPOSE: Final = "REPORT"


R = TypeVar("R")


async def fetch_results(platform: Connected, tahaps: Sequence[str]) -> Results:
    """Every designation, the rows of these tahaps, and the identity of every family in them.

    The identities are looked up under a subject and a scope of their own; the registry writes
    each look-up down.
    """
    reader = platform.client("reporter", "projection:read")
    designations = await _all(reader, "/designations", list[Designation])
    entitlements = [
        row
        for tahap in tahaps
        for row in await _all(reader, "/entitlements", list[Entitlement], tahap=tahap)
    ]
    families = sorted({row.family for row in designations} | {row.family for row in entitlements})
    people = await identities(platform.client("reporter", "registry:identify"), families)
    return Results(designations, entitlements, people, await _sessions(reader, tahaps))


async def fetch_cases(platform: Connected, closed: date) -> list[CaseStanding]:
    """The cases of filed complaints, as they stood at the end of the last closing's day."""
    await sweep(platform, closed)
    reader = platform.client("reporter", "complaints:read")
    return await _all(reader, "/standings", list[CaseStanding], "complaints", on=str(closed))


async def _sessions(reader: Client, tahaps: Sequence[str]) -> Sessions:
    groups = {
        tahap: await _all(reader, f"/tahap/{tahap}/groups", list[GroupInTahap]) for tahap in tahaps
    }
    years = sorted({tahap[:4] for tahap in tahaps})
    families = [
        row
        for year in years
        for row in await _all(reader, "/learning-families", list[LearningFamily], year=year)
    ]
    indicators = {}
    for tahap in tahaps:
        counts = await reader.get("projection", f"/tahap/{tahap}/indicators", dict[str, int | bool])
        indicators[tahap] = {name: counts[name] for name in COUNTED}
    return Sessions(groups, families, indicators)


async def fetch_duties(platform: Connected, tahaps: Iterable[str]) -> dict[str, list[UnmetDuty]]:
    """By tahap: in how many families a duty was not passed, and why."""
    reader = platform.client("reporter", "projection:read")
    return {
        tahap: await _all(reader, f"/tahap/{tahap}/unmet-duties", list[UnmetDuty])
        for tahap in tahaps
    }


async def _all(
    reader: Client, path: str, kind: type[list[R]], service: str = "projection", **query: str
) -> list[R]:
    pages = reader.pages(service, path, kind, **query)
    return [row async for page in pages for row in page]


async def identities(identifier: Client, families: Sequence[str]) -> list[Identity]:
    """Who these families are, in clear; needs registry:identify, and the registry notes it."""
    found: list[Identity] = []
    for start in range(0, len(families), IDENTITIES):
        asked = families[start : start + IDENTITIES]
        wanted = {"purpose": PURPOSE, "families": asked}
        answer = await identifier.post("registry", "/identities/lookup", wanted)
        found += answer.read(list[Identity])
    return found
