"""Erasures of families as the registry tells of them, and the two steps of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.client.http import Client, Seen

SERVICE: Final = "registry"
ERASES: Final = "registry:erase"


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of a family, and nothing of the family itself."""

    family: str
    state: str
    ground: str
    maker: str
    checker: str | None

    def __str__(self) -> str:
        people = " and ".join(person for person in (self.maker, self.checker) if person)
        return f"{self.family} {self.state} · {self.ground}" + (f" · {people}" if people else "")


async def erasures(eraser: Client, **filters: str) -> list[Erasure]:
    """Every family that is erased or is proposed to be."""
    pages = eraser.pages(SERVICE, "/erasures", list[Erasure], **filters)
    return [erasure async for page in pages for erasure in page]


async def see(eraser: Client, family: str) -> Seen[Erasure]:
    """The erasure of a family as it stands now."""
    return await eraser.see(SERVICE, f"/erasures/{family}", Erasure)


async def propose(eraser: Client, family: str, ground: str, evidence: str) -> None:
    """Propose to erase a family."""
    body = {"ground": ground, "evidence": evidence}
    await eraser.post(SERVICE, f"/erasures/{family}", body)


async def approve(eraser: Client, seen: Seen[Erasure]) -> None:
    """Approve the erasure that was shown."""
    path = f"/erasures/{seen.value.family}/approval"
    await eraser.post(SERVICE, path, None, seen.if_match)
