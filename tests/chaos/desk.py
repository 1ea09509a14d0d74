"""A desk at which complaints come in and are decided while a year goes on and processes die.

What must come of its cases is told by the domain alone: one case for each complaint, resolved by
the level that had it, or passed on as often as terms were over by the day that was swept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import uuid5

from cli.client.http import Client, Connected
from cli.client.sweeps import SERVICE, sweep
from services.complaints import policy
from services.complaints.http.csv_commands import CASES as FILED

ASKS: Final = ("complaints:receive", "complaints:handle", "complaints:read")
COMPLAINTS_A_TAHAP: Final = 12
RESOLVED_OF: Final = 3
"""One of so many is resolved before anybody's term is held against a day."""
DAYS_BEFORE: Final = 45
"""The first complaint of a tahap came in so long before its closing: beyond the first two terms."""
START: Final = "DISTRICT"
LADDER: Final = policy.load().ladder


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to a complaint."""

    case: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A case as the office sees it."""

    case: str
    level: str
    received_on: date
    due_on: date | None
    status: str
    resolution: str
    escalations: int


@dataclass(slots=True)
class Desk:
    """Complaints of one village, by the case that each became."""

    platform: Connected
    village: str
    cases: dict[str, tuple[date, bool]] = field(default_factory=dict)
    """When each came in, and whether it was resolved."""
    swept: date = date.min

    async def day(self, closing: date) -> None:
        """Take complaints in, resolve some, and have terms held against the closing's day."""
        office = self.platform.client("officer", *ASKS)
        for number in range(COMPLAINTS_A_TAHAP):
            on = closing - timedelta(days=DAYS_BEFORE - 3 * number)
            complaint = {
                "category": "NO_CARD",
                "channel": "WEB",
                "region": self.village,
                "received_on": str(on),
                "text": "The card has not come.",
            }
            case = (await office.post(SERVICE, "/cases", complaint)).read(Told).case
            is_resolved = number % RESOLVED_OF == 0
            if is_resolved:
                await self._resolve(office, case)
            self.cases[case] = on, is_resolved
        await sweep(self.platform, closing)
        self.swept = max(self.swept, closing)

    async def _resolve(self, office: Client, case: str) -> None:
        seen = await office.see(SERVICE, f"/cases/{case}", Seen)
        answer = {"resolution": "UPHELD", "words": "It is on its way."}
        await office.post(SERVICE, f"/cases/{case}/resolution", answer, seen.if_match)

    async def differences(self, filed: Sequence[Mapping[str, str]]) -> list[str]:
        """Cases that stand otherwise than they must, and more or fewer than there were complaints.

        `filed` are the rows of the file of complaints.
        """
        office = self.platform.client("officer", *ASKS)
        found: list[str] = []
        for case, (on, is_resolved) in self.cases.items():
            seen = await office.get(SERVICE, f"/cases/{case}", Seen)
            turns = [] if is_resolved else LADDER.turns(START, on, self.swept)
            due_on = turns[-1].due_on if turns else LADDER.received(START, on).due_on
            expected = Seen(
                case,
                turns[-1].level if turns else START,
                on,
                due_on,
                "RESOLVED" if is_resolved else "OPEN",
                "UPHELD" if is_resolved else "",
                max(0, len(turns) - 1),
            )
            if seen != expected:
                found.append(f"case {seen} must be {expected}")
        listed = [
            row.case async for page in office.pages(SERVICE, "/cases", list[Told]) for row in page
        ]
        of_files = [str(uuid5(FILED, row["complaint_no"])) for row in filed]
        known = sorted([*self.cases, *of_files])
        if sorted(listed) != known:
            found.append(f"{len(listed)} cases, of {len(known)} complaints")
        return found
