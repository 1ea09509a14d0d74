"""Investigations as conditionality tells of them, and the two steps by which people end one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.client.http import Client, Seen

SERVICE: Final = "conditionality"
LOOKS_AT: Final = "conditionality:read"
FINDS: Final = "conditionality:investigate"
DECIDES: Final = "conditionality:approve"

OUTCOMES: Final = ("CONFIRMED", "NOT_CONFIRMED")
DECISIONS: Final = ("APPROVED", "REJECTED")


@dataclass(frozen=True, slots=True)
class Finding:
    """The finding, by whom; WAITING, APPROVED or REJECTED by another person."""

    outcome: str
    maker: str
    decision: str


@dataclass(frozen=True, slots=True)
class Investigation:
    """A family's investigation, by the tahap at which it opened; `held` is what would move."""

    family: str
    tahap: str
    outcome: str
    finding: Finding | None
    held: tuple[str, ...]

    def __str__(self) -> str:
        held = ", ".join(self.held) or "nothing"
        text = f"{self.family} {self.tahap} {self.outcome} · held: {held}"
        if self.finding is None:
            return text
        found = self.finding
        return f"{text} · {found.maker} found {found.outcome}: {found.decision}"


async def open_investigations(reader: Client, tahap: str | None = None) -> list[Investigation]:
    """All that nobody has decided yet; `tahap` is the one at which they opened, None for all."""
    query: dict[str, str | int] = {"tahap": tahap} if tahap else {}
    pages = reader.pages(SERVICE, "/investigations", list[Investigation], **query)
    return [investigation async for page in pages for investigation in page]


async def see(reader: Client, family: str, tahap: str) -> Seen[Investigation]:
    """An investigation as it stands."""
    return await reader.see(SERVICE, f"/investigations/{family}/{tahap}", Investigation)


async def bring_finding(maker: Client, seen: Seen[Investigation], outcome: str) -> None:
    """Say what the investigation found."""
    path = f"/investigations/{seen.value.family}/{seen.value.tahap}/finding"
    await maker.post(SERVICE, path, {"outcome": outcome}, seen.if_match)


async def decide_finding(checker: Client, seen: Seen[Investigation], decision: str) -> None:
    """Let the finding that waits stand, or not."""
    path = f"/investigations/{seen.value.family}/{seen.value.tahap}/decision"
    await checker.post(SERVICE, path, {"decision": decision}, seen.if_match)
