"""The verb of the auditor: whose data a person or a system saw, at every service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import connected
from cli.commands.running import STATE, State, out, run
from libs.chassis import forms
from localstack.environment import SERVICES

READS: Final = "platform:audit"

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="The name that a token says.")]
Since = Annotated[
    str | None, typer.Option(help="From this day (UTC) or moment on, else from today on.")
]
Until = Annotated[str | None, typer.Option(help="Up to this day, or before this moment.")]
Families = Annotated[
    bool, typer.Option("--families", help="Each family once, and how often its data were told.")
]
As = Annotated[str, typer.Option("--as", help="Who asks; that is on record too.")]


@dataclass(frozen=True, slots=True)
class Record:
    """A record of what somebody was told, by which operation, and of which families."""

    at: datetime
    operation: str
    purpose: str | None
    filters: Mapping[str, str]
    families: tuple[str, ...]

    def __str__(self) -> str:
        asked = "".join(f" {name}={value}" for name, value in sorted(self.filters.items()))
        purpose = f" for {self.purpose}" if self.purpose else ""
        of = self.families[0] if len(self.families) == 1 else f"{len(self.families):,} families"
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} {self.operation}{asked}{purpose}: {of}"


def reads(
    subject: Subject,
    since: Since = None,
    until: Until = None,
    families: Families = False,
    person: As = "auditor",
    data: State = STATE,
) -> None:
    """List what somebody was told of families, service by service, as the logs have it."""
    between = _moments(since, until)
    run(_show(subject, between, person, data, by_family=families))


def _moments(since: str | None, until: str | None) -> tuple[str, str]:
    today = datetime.now(UTC).date().isoformat()
    return _moment(since or today, timedelta(0)), _moment(until or today, timedelta(days=1))


def _moment(text: str, beyond: timedelta) -> str:
    """A moment as a service takes it; of a day its beginning, and so much `beyond` it."""
    if forms.MOMENT.fullmatch(text):
        return text
    try:
        return f"{forms.day(text) + beyond}T00:00:00Z"
    except ValueError as wrong:
        raise typer.BadParameter(f"{text} is {wrong}") from None


async def _show(
    subject: str, between: tuple[str, str], person: str, data: Path, *, by_family: bool
) -> None:
    times: dict[str, int] = {}
    count = 0
    async for service, record in _records(subject, between, person, data):
        count += 1
        for family in record.families:
            times[family] = times.get(family, 0) + 1
        if not by_family:
            out.print(f"{service} {record}", markup=False, highlight=False, soft_wrap=True)
    if by_family:
        for family, count_of in sorted(times.items()):
            out.print(f"{family} {count_of}", highlight=False)
    out.print(f"{count:,} records, of {len(times):,} families.", highlight=False)


async def _records(
    subject: str, between: tuple[str, str], person: str, data: Path
) -> AsyncIterator[tuple[str, Record]]:
    since, until = between
    query = {"subject": subject, "since": since, "until": until}
    async with connected(data) as platform:
        auditor = platform.client(person, READS)
        for service in SERVICES:
            async for page in auditor.pages(service, "/reads", list[Record], **query):
                for record in page:
                    yield service, record
