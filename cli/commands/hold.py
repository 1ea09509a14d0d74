"""Commands by which officers hold one family's money at a platform that runs, and let it go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.holds import (
    APPROVES,
    LOOKS_AT,
    PROPOSES,
    FamilyHold,
    approve,
    holds,
    propose,
    propose_end,
    see,
)
from cli.client.http import connected
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, Yes, sure
from cli.errors import Failed

HOLDS: Final = {
    "HOLD": "What is not sent yet is kept back until the hold ends",
    "EXCLUSION": "What is not sent yet is kept back and lapses with its tahap",
}
ENDS: Final = "What was kept back may be paid by a supplementary run"

FamilyId = Annotated[str, typer.Argument(metavar="FAMILY", help="The family's id.")]
Reason = Annotated[str, typer.Option(help="Why, as a code such as DATA_UNDER_REVIEW.")]

hold = typer.Typer(
    no_args_is_help=True, help="Keep one family's money back by two people, and let it go."
)


@hold.command("list")
def list_(
    state: Annotated[
        str | None, typer.Option(help="Only this state, such as HELD or PROPOSED.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Only holds for this reason.")] = None,
    region: Annotated[str | None, typer.Option(help="Only families of this region.")] = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List held families, and holds that wait for approval."""
    asked = {"state": state, "reason": reason, "region": region}
    found = run(_list({name: value for name, value in asked.items() if value}, person, data))
    for family in found:
        out.print(str(family), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} families", highlight=False)


async def _list(filters: dict[str, str], person: str, data: Path) -> list[FamilyHold]:
    async with connected(data) as platform:
        return await holds(platform.client(person, LOOKS_AT), **filters)


@hold.command("propose")
def propose_(
    family: FamilyId,
    reason: Reason,
    evidence: Annotated[str, typer.Option(help="A document's number, never what it says.")],
    person: As,
    last_day: Annotated[
        str | None, typer.Option(help="The last day of the hold; without it, until it is ended.")
    ] = None,
    from_tahap: Annotated[str | None, typer.Option(help="The first tahap that is held.")] = None,
    exclusion: Annotated[
        bool, typer.Option("--exclusion", help="The money lapses with its tahap.")
    ] = False,
    data: State = STATE,
) -> None:
    """Propose to hold FAMILY, or to hold it on other terms."""
    terms = {
        "kind": "EXCLUSION" if exclusion else "HOLD",
        "reason": reason,
        "evidence": evidence,
        **({"last_day": last_day} if last_day else {}),
        **({"from_tahap": from_tahap} if from_tahap else {}),
    }
    run(_propose(family, terms, person, data))
    _say_how_it_goes_on(family)


def _say_how_it_goes_on(family: str) -> None:
    hint = f"Proposed; another person approves it with: pkh hold approve {family}"
    out.print(hint, highlight=False, soft_wrap=True)


async def _propose(family: str, terms: dict[str, str], person: str, data: Path) -> None:
    async with connected(data) as platform:
        await propose(platform.client(person, PROPOSES), family, terms)


@hold.command()
def end(family: FamilyId, reason: Reason, person: As, data: State = STATE) -> None:
    """Propose to end the hold of FAMILY."""
    run(_end(family, reason, person, data))
    _say_how_it_goes_on(family)


async def _end(family: str, reason: str, person: str, data: Path) -> None:
    async with connected(data) as platform:
        maker = platform.client(person, LOOKS_AT, PROPOSES)
        await propose_end(maker, await see(maker, family), reason)


@hold.command("approve")
def approve_(family: FamilyId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Approve what another person proposed of FAMILY: a hold, or its end."""
    run(_approve(family, person, data, yes))
    out.print("Approved.", highlight=False)


async def _approve(family: str, person: str, data: Path, yes: bool) -> None:
    async with connected(data) as platform:
        checker = platform.client(person, LOOKS_AT, APPROVES)
        seen = await see(checker, family)
        proposed = seen.value.proposed
        if proposed is None:
            raise Failed(f"Nobody has proposed anything of {family} that is not decided yet.")
        out.print(str(seen.value), highlight=False, soft_wrap=True)
        follows = ENDS if proposed.terms is None else HOLDS[proposed.terms.kind]
        sure(f"{follows}. Sure?", yes)
        # What was shown is what is approved: had it changed since, this would be refused.
        await approve(checker, seen)
