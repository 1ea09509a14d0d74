"""The command about what families are owed since their cycle was decided otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import connected
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As

READS: Final = "payments:read"


@dataclass(frozen=True, slots=True)
class Arrear:
    """Rupiah that were cut of a payment and are owed since; `case` is null where late facts decided
    the cycle otherwise."""

    payment: str
    tahap: str
    family: str
    region: str
    amount: int
    case: str | None
    reason: str
    since: str

    def __str__(self) -> str:
        by = f"case {self.case}" if self.case else "late facts"
        return (
            f"{self.family} {self.tahap} · {self.region} · Rp{self.amount:,} · {by} · "
            f"since {self.since} · {self.reason}"
        )


def arrears(
    tahap: Annotated[str | None, typer.Option(help="Only money of this tahap.")] = None,
    region: Annotated[str | None, typer.Option(help="Only families of this region.")] = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List what families are owed of a cut that a correction has lifted, and no run has paid."""
    asked: dict[str, str | int | None] = {"tahap": tahap, "region": region}
    query = {name: value for name, value in asked.items() if value is not None}
    found = run(_arrears(query, person, data))
    for owed in found:
        out.print(str(owed), highlight=False, soft_wrap=True)
    total = sum(owed.amount for owed in found)
    out.print(f"{len(found):,} owed Rp{total:,}", highlight=False)


async def _arrears(query: dict[str, str | int], person: str, data: Path) -> list[Arrear]:
    async with connected(data) as platform:
        reader = platform.client(person, READS)
        pages = reader.pages("payments", "/arrears", list[Arrear], **query)
        return [owed async for page in pages for owed in page]
