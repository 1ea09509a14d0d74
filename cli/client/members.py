"""Members of families as the registry tells of them: their numbers, and whose a person is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.client.http import Client

SERVICE: Final = "registry"
LOOKS_AT: Final = "registry:read"
PROPOSES: Final = "registry:import"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A member whom another family names too, and nothing of that family."""

    family: str
    member: int
    region: str
    counts_here: bool
    decided: bool

    def __str__(self) -> str:
        where = "here" if self.counts_here else "elsewhere"
        why = "decided" if self.decided else "named first"
        return f"{self.family} {self.member} · {self.region} · counts {where}, {why}"


async def duplicates(reader: Client, **filters: str) -> list[Duplicate]:
    """Every member whom another family names too; `filters` are family, region and decided."""
    pages = reader.pages(SERVICE, "/duplicates", list[Duplicate], **filters)
    return [duplicate async for page in pages for duplicate in page]


async def adjudicate(maker: Client, family: str, member: int, evidence: str) -> None:
    """Propose that a member is this family's."""
    path = f"/families/{family}/members/{member}/adjudication"
    await maker.post(SERVICE, path, {"evidence": evidence})


async def assign_group(
    maker: Client, family: str, group: str, facilitator: str, since: str
) -> None:
    """Propose that a family is of another group from a day on."""
    assignment = {"group": group, "facilitator": facilitator, "since": since}
    await maker.post(SERVICE, f"/families/{family}/group", assignment)


async def say_number(maker: Client, family: str, member: int, nik: str) -> None:
    """Say the number of a member without a valid one."""
    await maker.post(SERVICE, f"/families/{family}/members/{member}/nik", {"nik": nik})
