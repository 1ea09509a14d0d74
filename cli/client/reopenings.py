"""Re-openings as the registry tells of them, and the step by which a second person decides one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.client.http import Client, Seen

SERVICE: Final = "registry"
LOOKS_AT: Final = "registry:read"
DECIDES: Final = "registry:approve"


@dataclass(frozen=True, slots=True)
class LateFact:
    """A fact that the list did not know; what came with the family's card has no date."""

    fact: str
    effective_on: str | None
    reported_on: str | None
    recorded_by: str

    def __str__(self) -> str:
        dates = f" of {self.effective_on}, reported {self.reported_on}" if self.reported_on else ""
        return f"{self.fact}{dates} by {self.recorded_by}"


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member by number, and what they would be listed with."""

    member: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reopening:
    """A re-opening: the line of a family at a tahap that had found no category in it."""

    family: str
    tahap: str
    standing: str
    region: str
    late: tuple[LateFact, ...]
    members: tuple[ListedMember, ...]
    bank: str | None

    def __str__(self) -> str:
        held = [f"{m.member} {'+'.join(m.categories)}" for m in self.members if m.categories]
        facts = "; ".join(map(str, self.late))
        return (
            f"{self.family} {self.tahap} {self.standing} · {self.region} · {self.bank} · "
            f"{', '.join(held)} · {facts}"
        )


async def waiting(reader: Client, tahap: str | None = None) -> list[Reopening]:
    """All that nobody has decided yet; `tahap` is the one they would re-open, None for all."""
    query: dict[str, str | int] = {"tahap": tahap} if tahap else {}
    pages = reader.pages(SERVICE, "/reopenings", list[Reopening], **query)
    return [reopening async for page in pages for reopening in page]


async def see(reader: Client, family: str, tahap: str) -> Seen[Reopening]:
    """A re-opening as it stands."""
    return await reader.see(SERVICE, f"/reopenings/{family}/{tahap}", Reopening)


async def decide(checker: Client, seen: Seen[Reopening], decision: str) -> None:
    """Let a re-opening take effect, or not."""
    path = f"/reopenings/{seen.value.family}/{seen.value.tahap}/decision"
    await checker.post(SERVICE, path, {"decision": decision}, seen.if_match)
