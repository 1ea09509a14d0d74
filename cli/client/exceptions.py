"""Exceptions from duties as conditionality tells of them, and how people make one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.client.http import Client, Seen

SERVICE: Final = "conditionality"
LOOKS_AT: Final = "conditionality:read"
PROPOSES: Final = "conditionality:investigate"
DECIDES: Final = "conditionality:approve"


@dataclass(frozen=True, slots=True)
class Terms:
    """The reason and days of an exception, and the area or family that it is of."""

    reason: str
    first_day: str
    last_day: str
    region: str | None
    family: str | None

    def __str__(self) -> str:
        return f"{self.reason} {self.first_day} to {self.last_day} in {self.region or self.family}"


@dataclass(frozen=True, slots=True)
class Change:
    """A proposal that waits: other terms, or the withdrawal where `terms` is None."""

    maker: str
    terms: Terms | None

    def __str__(self) -> str:
        return f"{self.maker} proposes {self.terms or 'that it never held'}"


@dataclass(frozen=True, slots=True)
class DutyException:
    """An exception: the terms in force, and what is proposed."""

    exception: str
    state: str
    terms: Terms | None
    proposed: Change | None

    def __str__(self) -> str:
        parts = (f"{self.exception} {self.state}", self.terms, self.proposed)
        return " · ".join(str(part) for part in parts if part is not None)


async def exceptions(reader: Client, **filters: str) -> list[DutyException]:
    """Every exception, as conditionality filters them."""
    pages = reader.pages(SERVICE, "/exceptions", list[DutyException], **filters)
    return [exception async for page in pages for exception in page]


async def see(reader: Client, exception: str) -> Seen[DutyException]:
    """An exception as it stands now."""
    return await reader.see(SERVICE, f"/exceptions/{exception}", DutyException)


async def propose(maker: Client, terms: dict[str, str]) -> str:
    """Propose an exception; answers its id."""
    answer = await maker.post(SERVICE, "/exceptions", terms)
    return answer.read(dict[str, str])["exception"]


async def change(
    person: Client, seen: Seen[DutyException], step: str, body: dict[str, str] | None
) -> None:
    """Take a step at an exception that was shown: end, correction, withdrawal or decision."""
    path = f"/exceptions/{seen.value.exception}/{step}"
    await person.post(SERVICE, path, body, seen.if_match)
