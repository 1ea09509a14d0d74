"""Commands about late facts of families without a category: look, approve, reject."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import connected
from cli.client.reopenings import DECIDES, LOOKS_AT, Reopening, decide, see, waiting
from cli.commands.investigation import FamilyId
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, TahapId, Yes, sure

FOLLOWS: Final = {
    "APPROVED": "The family is back, and a supplementary run pays what it is owed",
    "REJECTED": "The tahap stays as it is",
}

reopening = typer.Typer(
    no_args_is_help=True,
    help="Decide on late facts about families that had no category left at a closing.",
)


@reopening.command("list")
def list_(
    tahap: Annotated[str | None, typer.Option(help="Only re-openings of this tahap.")] = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List proposed re-openings, each with its late facts."""
    found = run(_list(tahap, person, data))
    for family in found:
        out.print(str(family), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} waiting", highlight=False)


async def _list(tahap: str | None, person: str, data: Path) -> list[Reopening]:
    async with connected(data) as platform:
        return await waiting(platform.client(person, LOOKS_AT), tahap)


@reopening.command()
def approve(
    family: FamilyId, tahap: TahapId, person: As, data: State = STATE, yes: Yes = False
) -> None:
    """Approve a re-opening, as somebody who recorded none of its late facts."""
    run(_decide(family, tahap, "APPROVED", person, data, yes))
    out.print("Approved.", highlight=False)


@reopening.command()
def reject(
    family: FamilyId, tahap: TahapId, person: As, data: State = STATE, yes: Yes = False
) -> None:
    """Reject a re-opening: TAHAP stays as it is for the family."""
    run(_decide(family, tahap, "REJECTED", person, data, yes))
    out.print("Rejected.", highlight=False)


async def _decide(
    family: str, tahap: str, decision: str, person: str, data: Path, yes: bool
) -> None:
    async with connected(data) as platform:
        checker = platform.client(person, LOOKS_AT, DECIDES)
        seen = await see(checker, family, tahap)
        out.print(str(seen.value), highlight=False, soft_wrap=True)
        sure(f"{FOLLOWS[decision]}. Sure?", yes)
        # What was shown is what is decided: had it changed since, this would be refused.
        await decide(checker, seen, decision)
