"""Commands about changes that wait for a second person: look, approve, reject, take back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.changes import (
    DECIDES,
    LOOKS_AT,
    PROPOSES,
    Change,
    decide,
    diffs,
    waiting,
    withdraw,
)
from cli.client.http import connected
from cli.commands.investigation import FamilyId
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, Yes, sure

FOLLOWS: Final = {
    "APPROVED": "These {count:,} changes count from the next list on",
    "REJECTED": "These {count:,} families stay as they are",
}
_NAMES: Final = ("kind", "batch", "maker", "region", "family")

Kind = Annotated[str, typer.Option(help="Such as PAYEE_CHANGE or ADMISSION; all else.")]
Batch = Annotated[str, typer.Option(help="The job of the import that brought them.")]
Maker = Annotated[str, typer.Option(help="The person who proposed them.")]
Region = Annotated[str, typer.Option(help="Only within this region, such as 61.03.")]
Family = Annotated[str, typer.Option(help="Only of this family.")]

changes = typer.Typer(
    no_args_is_help=True,
    help="Decide on changes of payee, account or membership that somebody else proposed.",
)


@changes.command("list")
def list_(
    kind: Kind = "",
    batch: Batch = "",
    maker: Maker = "",
    region: Region = "",
    family: Family = "",
    person: As = "observer",
    data: State = STATE,
) -> None:
    """Say which changes wait for a second person."""
    found = run(_list(_filters(kind, batch, maker, region, family), person, data))
    for change in found:
        out.print(str(change), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} waiting", highlight=False)


async def _list(filters: dict[str, str], person: str, data: Path) -> list[Change]:
    async with connected(data) as platform:
        return await waiting(platform.client(person, LOOKS_AT), **filters)


@changes.command()
def diff(
    person: As,
    kind: Kind = "",
    batch: Batch = "",
    maker: Maker = "",
    region: Region = "",
    family: Family = "",
    data: State = STATE,
) -> None:
    """Say what the changes that wait would change, and who shares an account."""
    filters = _filters(kind, batch, maker, region, family)
    run(_decide(filters, None, person, data, yes=True))


@changes.command()
def approve(
    person: As,
    kind: Kind = "",
    batch: Batch = "",
    maker: Maker = "",
    region: Region = "",
    family: Family = "",
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Let be what is shown; never by the person who proposed it."""
    filters = _filters(kind, batch, maker, region, family)
    count = run(_decide(filters, "APPROVED", person, data, yes))
    out.print(f"{count:,} approved.", highlight=False)


@changes.command()
def reject(
    person: As,
    kind: Kind = "",
    batch: Batch = "",
    maker: Maker = "",
    region: Region = "",
    family: Family = "",
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Refuse what is shown: the families stay as they are."""
    filters = _filters(kind, batch, maker, region, family)
    count = run(_decide(filters, "REJECTED", person, data, yes))
    out.print(f"{count:,} rejected.", highlight=False)


@changes.command("withdraw")
def withdraw_(family: FamilyId, person: As, data: State = STATE) -> None:
    """Take back what one proposed for FAMILY oneself and nobody decided yet."""
    count = run(_withdraw(family, person, data))
    out.print(f"{count:,} withdrawn.", highlight=False)


def _filters(*values: str) -> dict[str, str]:
    return {name: value for name, value in zip(_NAMES, values, strict=True) if value}


async def _decide(
    filters: dict[str, str], decision: str | None, person: str, data: Path, yes: bool
) -> int:
    """Show the changes page by page, and decide on each page that was shown."""
    count = 0
    async with connected(data) as platform:
        checker = platform.client(person, DECIDES)
        async for seen in diffs(checker, **filters):
            for change in seen.value:
                out.print(str(change), highlight=False, soft_wrap=True)
            if decision is not None:
                sure(f"{FOLLOWS[decision].format(count=len(seen.value))}. Sure?", yes)
                # What was shown is what is decided: had it changed since, this would be refused.
                await decide(checker, seen, decision)
            count += len(seen.value)
    return count


async def _withdraw(family: str, person: str, data: Path) -> int:
    async with connected(data) as platform:
        maker = platform.client(person, LOOKS_AT, PROPOSES)
        found = await waiting(maker, family=family, maker=person)
        if found:
            await withdraw(maker, found)
        return len(found)
