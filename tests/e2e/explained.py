"""Every family of a year that was run is asked why, tahap by tahap, and held against its files."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.client.http import Client, Connected, connected
from cli.client.year import read_calendar
from cli.demo.fetching import identities
from cli.demo.outputs import ENTITLEMENTS, Identity, read_csv
from localstack.platform import Options, Platform

Row = Mapping[str, str]
Published = dict[str, Any]


@dataclass(frozen=True)
class Explained:
    """Projection's answer about each (tahap number, card), and the platform that gave it."""

    year: Path
    front: Connected
    published: Mapping[tuple[str, str], Published]
    who: Mapping[str, Identity]
    closings: Mapping[str, str]

    def rows(self) -> Iterator[tuple[Row, Published]]:
        """Each expected row with its explanation."""
        for _, row in read_csv(self.year / "expected" / ENTITLEMENTS):
            yield row, self.published[row["tahap"], row["no_kk"]]

    def numbers(self, card: str, niks: str) -> set[int]:
        """The member numbers of NIKs joined by semicolons."""
        wanted = set(filter(None, niks.split(";")))
        return {each.member for each in self.who[card].members if each.nik in wanted}

    def attendance(self) -> dict[tuple[str, str], Row]:
        """The last school record of each (NIK, month)."""
        with (self.year / "school_attendance.csv").open(newline="", encoding="utf-8") as text:
            return {(row["nik"], row["month"]): row for row in csv.DictReader(text)}


def steps(explanation: Published, kind: str) -> list[Any]:
    """The steps of one kind."""
    return [step for step in explanation["steps"] if step["kind"] == kind]


@asynccontextmanager
async def explained(year: Path, data: Path) -> AsyncIterator[Explained]:
    """The platform that ran a year, started once more and asked about every family and tahap."""
    books = year / "bank_accounts.csv"
    async with Platform(Options(data, books=books)), connected(data) as front:
        found = {each.no_kk: each for each in await _families(front)}
        reader = front.client("officer", "projection:read")
        calendar = read_calendar(year)
        published: dict[tuple[str, str], Published] = {}
        for tahap in calendar:
            for card, family in found.items():
                published[str(tahap.number), card] = await why(reader, family.family, tahap.id)
        closings = {str(each.number): each.closing_date.isoformat() for each in calendar}
        yield Explained(year, front, published, found, closings)


async def why(reader: Client, family: str, tahap: str) -> Published:
    """Projection's answer about a family's money of a tahap."""
    path = f"/families/{family}/tahap/{tahap}/why"
    return await reader.get("projection", path, dict[str, Any])


async def _families(front: Connected) -> list[Identity]:
    reader = front.client("officer", "projection:read")
    pages = reader.pages("projection", "/designations", list[dict[str, Any]])
    families = [each["family"] async for page in pages for each in page]
    return await identities(front.client("officer", "registry:identify"), families)
