"""Administrative holds as payments tells of them, and the four steps by which people take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.client.http import Client, Seen

SERVICE: Final = "payments"
LOOKS_AT: Final = "payments:read"
PROPOSES: Final = "payments:make"
APPROVES: Final = "payments:check"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a family is held."""

    kind: str
    reason: str
    evidence: str
    from_tahap: str | None
    last_day: str | None

    def __str__(self) -> str:
        since = f" from {self.from_tahap}" if self.from_tahap else ""
        until = f" until {self.last_day}" if self.last_day else ""
        return f"{self.kind} {self.reason}{since}{until} · {self.evidence}"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal that waits for another person: new terms, or the end where `terms` is None."""

    maker: str
    reason: str
    terms: Terms | None

    def __str__(self) -> str:
        return f"{self.maker} proposes {self.terms or f'the end: {self.reason}'}"


@dataclass(frozen=True, slots=True)
class FamilyHold:
    """The administrative hold of a family."""

    family: str
    state: str
    terms: Terms | None
    proposed: Proposed | None

    def __str__(self) -> str:
        parts = (f"{self.family} {self.state}", self.terms, self.proposed)
        return " · ".join(str(part) for part in parts if part is not None)


async def holds(reader: Client, **filters: str) -> list[FamilyHold]:
    """Every family that is held, was held or is proposed to be, as payments filters them."""
    pages = reader.pages(SERVICE, "/holds", list[FamilyHold], **filters)
    return [hold async for page in pages for hold in page]


async def see(reader: Client, family: str) -> Seen[FamilyHold]:
    """The administrative hold of a family as it stands now."""
    return await reader.see(SERVICE, f"/families/{family}/holds", FamilyHold)


async def propose(maker: Client, family: str, terms: dict[str, str]) -> None:
    """Propose to hold a family."""
    await maker.post(SERVICE, f"/families/{family}/holds", terms)


async def propose_end(maker: Client, seen: Seen[FamilyHold], reason: str) -> None:
    """Propose that the family is held no more."""
    path = f"/families/{seen.value.family}/holds/end-proposal"
    await maker.post(SERVICE, path, {"reason": reason}, seen.if_match)


async def approve(checker: Client, seen: Seen[FamilyHold]) -> None:
    """Approve what was proposed and shown: a hold, or its end."""
    ends = seen.value.proposed is not None and seen.value.proposed.terms is None
    step = "end-approval" if ends else "approval"
    path = f"/families/{seen.value.family}/holds/{step}"
    await checker.post(SERVICE, path, None, seen.if_match)
