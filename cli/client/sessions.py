"""Group sessions as p2k2 tells of them, and the steps by which people report them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from cli.client.http import Client, Seen

SERVICE: Final = "p2k2"
LOOKS_AT: Final = "p2k2:read"
RECORDS: Final = "p2k2:record"


@dataclass(frozen=True, slots=True)
class SessionInList:
    """A session: of which group, when, and on what."""

    number: str
    group: str
    facilitator: str
    on: str
    module: str
    session: int
    standing: str

    def __str__(self) -> str:
        what = f"{self.module} {self.session}"
        return f"{self.number} {self.standing} · {self.on} {self.group} · {what}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A family's attendance: H, I or A."""

    family: str
    status: str


@dataclass(frozen=True, slots=True)
class Session(SessionInList):
    """A session with its marks and corrections."""

    marks: tuple[Mark, ...]
    corrections: int

    def __str__(self) -> str:
        counts = Counter(mark.status for mark in self.marks)
        marks = f"present {counts['H']}, excused {counts['I']}, absent {counts['A']}"
        what = f"{self.on} {self.group} · {self.module} {self.session} · by {self.facilitator}"
        corrected = f" · corrected {self.corrections} times" if self.corrections else ""
        return f"{self.number} {self.standing} · {what} · {marks}{corrected}"


@dataclass(frozen=True, slots=True)
class GroupInList:
    """A group, and how many families belong to it; `warning` where these are too few or many."""

    group: str
    region: str
    facilitator: str
    families: int
    warning: str

    def __str__(self) -> str:
        warning = f" {self.warning}" if self.warning else ""
        size = f"{self.families} families{warning}"
        return f"{self.group} {self.region} · {size} · {self.facilitator}"


@dataclass(frozen=True, slots=True)
class ModuleOfGroup:
    """So many sessions of a module, of how many, were held in a year."""

    module: str
    sessions: int
    of: int
    present: int
    marks: int

    def __str__(self) -> str:
        held = f"{self.module} {self.sessions} of {self.of}"
        return f"{held} · present {self.present} of {self.marks}"


@dataclass(frozen=True, slots=True)
class Group:
    """A group, what it covered in a year, and the months that it missed."""

    group: str
    region: str
    facilitator: str
    families: tuple[str, ...]
    warning: str
    reached: int
    target_percent: int
    modules: tuple[ModuleOfGroup, ...]
    missed_months: tuple[str, ...]

    def lines(self) -> list[str]:
        """The group as lines to print."""
        families = len(self.families)
        counts = self.group, self.region, self.facilitator, families, self.warning
        return [
            str(GroupInList(*counts)),
            f"reached {self.reached} of {families} families, target {self.target_percent} %",
            *map(str, self.modules),
            f"missed: {', '.join(self.missed_months) or 'no month'}",
        ]


async def sessions(reader: Client, **filters: str) -> list[SessionInList]:
    """The sessions of groups, as p2k2 filters them."""
    pages = reader.pages(SERVICE, "/sessions", list[SessionInList], **filters)
    return [session async for page in pages for session in page]


async def see(reader: Client, number: str) -> Seen[Session]:
    """A session as it stands now."""
    return await reader.see(SERVICE, f"/sessions/{number}", Session)


async def report(recorder: Client, number: str, meeting: dict[str, object]) -> None:
    """Report that a session was held."""
    await recorder.post(SERVICE, f"/sessions/{number}/report", meeting)


async def cancel(recorder: Client, seen: Seen[Session], reason: str) -> None:
    """Cancel a session as it was shown."""
    path = f"/sessions/{seen.value.number}/cancellation"
    await recorder.post(SERVICE, path, {"reason": reason}, seen.if_match)


async def groups(reader: Client, **filters: str) -> list[GroupInList]:
    """The groups, as p2k2 filters them."""
    pages = reader.pages(SERVICE, "/groups", list[GroupInList], **filters)
    return [group async for page in pages for group in page]


async def see_group(reader: Client, group: str, year: int) -> Group:
    """A group and what it covered in a year."""
    return await reader.get(SERVICE, f"/groups/{group}", Group, year=year)
