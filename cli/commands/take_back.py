"""Commands about terminations that cases ask to take back: look, approve, reject."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import connected
from cli.client.take_backs import DECIDES, LOOKS_AT, Waiting, decide, see, waiting
from cli.commands.investigation import FamilyId
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, Yes, sure

FOLLOWS: Final = {
    "APPROVED": "The family is in the programme again, from its next list on",
    "REJECTED": "The termination stays",
}

take_back = typer.Typer(
    no_args_is_help=True, help="Decide on terminations that cases ask to take back."
)


@take_back.command("list")
def list_(
    tahap: Annotated[
        str | None, typer.Option(help="Only families that were terminated with this tahap.")
    ] = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List the orders that wait for a person who did not ask."""
    found = run(_list(tahap, person, data))
    for order in found:
        out.print(str(order), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} waiting", highlight=False)


async def _list(tahap: str | None, person: str, data: Path) -> list[Waiting]:
    async with connected(data) as platform:
        return await waiting(platform.client(person, LOOKS_AT), tahap)


@take_back.command()
def approve(family: FamilyId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Take a family's termination back, as somebody who did not ask for it."""
    run(_decide(family, "APPROVED", person, data, yes))
    out.print("Approved.", highlight=False)


@take_back.command()
def reject(family: FamilyId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Let a family's termination stay."""
    run(_decide(family, "REJECTED", person, data, yes))
    out.print("Rejected.", highlight=False)


async def _decide(family: str, decision: str, person: str, data: Path, yes: bool) -> None:
    async with connected(data) as platform:
        checker = platform.client(person, LOOKS_AT, DECIDES)
        seen = await see(checker, family)
        out.print(str(seen.value), highlight=False, soft_wrap=True)
        sure(f"{FOLLOWS[decision]}. Sure?", yes)
        # What was shown is what is decided: had it changed since, this would be refused.
        await decide(checker, seen, decision)
