"""Commands by which officers erase one family at a platform that runs, as the law has it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.erasures import ERASES, Erasure, approve, erasures, propose, see
from cli.client.http import connected
from cli.commands.investigation import FamilyId
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, Yes, sure

FOLLOWS: Final = "It leaves the programme, and nobody can ever read who it was"

erasure = typer.Typer(
    no_args_is_help=True, help="Erase one family by two people, once no money of it is under way."
)


@erasure.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Such as PROPOSED or ERASED; all else.")] = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List the families that are erased or are proposed to be."""
    found = run(_list({"state": state} if state else {}, person, data))
    for one in found:
        out.print(str(one), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} families", highlight=False)


async def _list(filters: dict[str, str], person: str, data: Path) -> list[Erasure]:
    async with connected(data) as platform:
        return await erasures(platform.client(person, ERASES), **filters)


@erasure.command("propose")
def propose_(
    family: FamilyId,
    ground: Annotated[str, typer.Option(help="The legal ground, such as SUBJECT_REQUEST.")],
    evidence: Annotated[str, typer.Option(help="A document's number, never what it says.")],
    person: As,
    data: State = STATE,
) -> None:
    """Propose to erase FAMILY."""
    run(_propose(family, ground, evidence, person, data))
    hint = f"Proposed; another person approves it with: pkh erasure approve {family}"
    out.print(hint, highlight=False, soft_wrap=True)


async def _propose(family: str, ground: str, evidence: str, person: str, data: Path) -> None:
    async with connected(data) as platform:
        await propose(platform.client(person, ERASES), family, ground, evidence)


@erasure.command("approve")
def approve_(family: FamilyId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Erase FAMILY as another person proposed; nobody can take that back."""
    run(_approve(family, person, data, yes))
    out.print("Approved.", highlight=False)


async def _approve(family: str, person: str, data: Path, yes: bool) -> None:
    async with connected(data) as platform:
        eraser = platform.client(person, ERASES)
        seen = await see(eraser, family)
        out.print(str(seen.value), highlight=False, soft_wrap=True)
        sure(f"{FOLLOWS}. Sure?", yes)
        # What was shown is what is approved: had it changed since, this would be refused.
        await approve(eraser, seen)
