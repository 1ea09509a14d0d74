"""Command about messages of writers from outside that were not taken in, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import connected
from cli.commands.running import STATE, State, out, run

READS: Final = "conditionality:read"

Writer = Annotated[str | None, typer.Option(help="Only this writer, as it is registered.")]
Reporter = Annotated[str | None, typer.Option(help="Only this school (NPSN) or facility.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason, such as KEY_UNKNOWN.")]
As = Annotated[str, typer.Option("--as", help="Who asks.")]


@dataclass(frozen=True, slots=True)
class Withheld:
    """One message, by its place on its topic and its id, and why it was not taken in."""

    topic: str
    partition: int
    offset: int
    writer: str
    reporter: str
    message: str
    reason: str
    field: str
    detail: str

    def __str__(self) -> str:
        message = f"{self.topic}/{self.partition}@{self.offset}"
        where = f" ({self.field})" if self.field else ""
        names = f"{self.writer} {self.reporter or '-'} {self.message or '-'}"
        return f"{message} {names}: {self.reason}{where}. {self.detail}"


def withheld(
    writer: Writer = None,
    reporter: Reporter = None,
    reason: Reason = None,
    person: As = "reader",
    data: State = STATE,
) -> None:
    """List messages that schools and facilities sent by topic and that were not taken in."""
    asked = {"writer": writer, "reporter": reporter, "reason": reason}
    query = {name: value for name, value in asked.items() if value is not None}
    found = run(_withheld(query, person, data))
    for message in found:
        out.print(str(message), markup=False, highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} messages were not taken in.", highlight=False)


async def _withheld(query: Mapping[str, str], person: str, data: Path) -> list[Withheld]:
    async with connected(data) as platform:
        asker = platform.client(person, READS)
        pages = asker.pages("conditionality", "/withheld-messages", list[Withheld], **query)
        return [message async for page in pages for message in page]
