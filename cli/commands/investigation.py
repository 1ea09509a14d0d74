"""Commands about investigations at a platform that runs: look, find, decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import connected
from cli.client.investigations import (
    DECIDES,
    DECISIONS,
    FINDS,
    LOOKS_AT,
    OUTCOMES,
    Investigation,
    bring_finding,
    decide_finding,
    open_investigations,
    see,
)
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, TahapId, Yes, sure
from cli.errors import Failed

FOLLOWS: Final = {
    ("APPROVED", "CONFIRMED"): "It ends the family's participation and returns what is held",
    ("APPROVED", "NOT_CONFIRMED"): "It releases what is held and begins to count anew",
}

FamilyId = Annotated[str, typer.Argument(metavar="FAMILY", help="The family's id.")]

investigation = typer.Typer(
    no_args_is_help=True, help="Investigations after three failures in a row: list, find, decide."
)


@investigation.command("list")
def list_(
    tahap: Annotated[str | None, typer.Option(help="Only those that opened at this tahap.")] = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List open investigations."""
    found = run(_list(tahap, person, data))
    for family in found:
        out.print(str(family), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} under investigation", highlight=False)


async def _list(tahap: str | None, person: str, data: Path) -> list[Investigation]:
    async with connected(data) as platform:
        return await open_investigations(platform.client(person, LOOKS_AT), tahap)


@investigation.command()
def find(
    family: FamilyId,
    tahap: TahapId,
    outcome: Annotated[str, typer.Argument(help=f"{' or '.join(OUTCOMES)}.")],
    person: As,
    data: State = STATE,
) -> None:
    """Bring the finding of the investigation that opened at TAHAP."""
    _one_of(outcome, OUTCOMES, "OUTCOME")
    run(_find(family, tahap, outcome, person, data))
    text = f"Found; another person decides on it with: pkh investigation decide {family} {tahap}"
    out.print(text, highlight=False, soft_wrap=True)


async def _find(family: str, tahap: str, outcome: str, person: str, data: Path) -> None:
    async with connected(data) as platform:
        maker = platform.client(person, LOOKS_AT, FINDS)
        await bring_finding(maker, await see(maker, family, tahap), outcome)


@investigation.command()
def decide(
    family: FamilyId,
    tahap: TahapId,
    decision: Annotated[str, typer.Argument(help=f"{' or '.join(DECISIONS)}.")],
    person: As,
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Approve or reject the finding that another person brought."""
    _one_of(decision, DECISIONS, "DECISION")
    run(_decide(family, tahap, decision, person, data, yes))
    out.print("Decided.", highlight=False)


async def _decide(
    family: str, tahap: str, decision: str, person: str, data: Path, yes: bool
) -> None:
    async with connected(data) as platform:
        checker = platform.client(person, LOOKS_AT, DECIDES)
        seen = await see(checker, family, tahap)
        finding = seen.value.finding
        if finding is None:
            raise Failed(f"Nobody has brought a finding of {family} at {tahap} yet.")
        out.print(str(seen.value), highlight=False, soft_wrap=True)
        follows = FOLLOWS.get((decision, finding.outcome), "The investigation goes on")
        sure(f"{follows}. Sure?", yes)
        # What was shown is what is decided: had it changed since, this would be refused.
        await decide_finding(checker, seen, decision)


def _one_of(value: str, allowed: tuple[str, ...], hint: str) -> None:
    if value not in allowed:
        raise typer.BadParameter(f"must be {' or '.join(allowed)}", param_hint=hint)
