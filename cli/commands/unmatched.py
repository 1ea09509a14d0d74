"""Commands about facts of persons whom no family has: who sent them, and in which lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import connected
from cli.commands.running import STATE, State, out, run

READS: Final = "conditionality:read"

Reporter = Annotated[str | None, typer.Option(help="Only this school (NPSN) or facility.")]
Month = Annotated[str | None, typer.Option(help="Only this month, such as 2023-01.")]
Job = Annotated[str | None, typer.Option(help="Only this import, line by line of its file.")]
As = Annotated[str, typer.Option("--as", help="Who asks.")]


@dataclass(frozen=True, slots=True)
class Count:
    """A count of facts of a school or facility and month whose persons no family has."""

    kind: str
    reporter: str
    month: str
    facts: int

    def __str__(self) -> str:
        return f"{self.kind} {self.reporter or '-'} {self.month}: {self.facts:,}"


@dataclass(frozen=True, slots=True)
class Line:
    """The line of an import's file that such a fact came from."""

    line: int
    kind: str
    reporter: str
    month: str
    service: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.kind} {self.reporter or '-'} {self.month} {self.service}"


def unmatched(
    reporter: Reporter = None,
    month: Month = None,
    job: Job = None,
    person: As = "reader",
    data: State = STATE,
) -> None:
    """List attendance and visits of persons whom no registered family has, by who reported."""
    asked = {"reporter": reporter, "month": month, "source": job}
    query = {name: value for name, value in asked.items() if value is not None}
    found = run(_unmatched(query, person, data))
    for shown in found:
        out.print(str(shown).rstrip(), markup=False, highlight=False, soft_wrap=True)
    count = sum(shown.facts if isinstance(shown, Count) else 1 for shown in found)
    out.print(f"{count:,} facts are of persons whom no family has.", highlight=False)


async def _unmatched(query: Mapping[str, str], person: str, data: Path) -> list[Count] | list[Line]:
    async with connected(data) as platform:
        asker = platform.client(person, READS)
        if "source" in query:
            lines = asker.pages("conditionality", "/unmatched-facts/lines", list[Line], **query)
            return [line async for page in lines for line in page]
        counts = asker.pages("conditionality", "/unmatched-facts", list[Count], **query)
        return [count async for page in counts for count in page]
