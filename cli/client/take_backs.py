"""Orders to take a termination back as the registry tells of them, and the decision on one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.client.http import Client, Seen

SERVICE: Final = "registry"
LOOKS_AT: Final = "registry:read"
DECIDES: Final = "registry:approve"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that waits for a person other than those who asked."""

    family: str
    case: str
    tahap: str
    region: str
    asked_by: tuple[str, ...]

    def __str__(self) -> str:
        people = ", ".join(self.asked_by)
        return (
            f"{self.family} terminated with {self.tahap} · {self.region} · case {self.case} · "
            f"asked by {people}"
        )


@dataclass(frozen=True, slots=True)
class TakeBack:
    """The latest order about a family, and where it stands."""

    family: str
    case: str
    asked_by: tuple[str, ...]
    standing: str

    def __str__(self) -> str:
        people = ", ".join(self.asked_by)
        return f"{self.family} {self.standing} · case {self.case} · asked by {people}"


async def waiting(reader: Client, tahap: str | None = None) -> list[Waiting]:
    """All that nobody has decided yet; `tahap` is that of the termination, None for all."""
    query: dict[str, str | int] = {"tahap": tahap} if tahap else {}
    pages = reader.pages(SERVICE, "/take-backs", list[Waiting], **query)
    return [order async for page in pages for order in page]


async def see(reader: Client, family: str) -> Seen[TakeBack]:
    """The latest order about a family as it stands."""
    return await reader.see(SERVICE, f"/take-backs/{family}", TakeBack)


async def decide(checker: Client, seen: Seen[TakeBack], decision: str) -> None:
    """Take the termination back that was shown, or let it stay."""
    path = f"/take-backs/{seen.value.family}/decision"
    await checker.post(SERVICE, path, {"decision": decision}, seen.if_match)
