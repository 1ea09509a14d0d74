"""Commands about members: the number of one without, and whose a person of two families is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.client.http import connected
from cli.client.members import (
    LOOKS_AT,
    PROPOSES,
    Duplicate,
    adjudicate,
    duplicates,
    say_number,
)
from cli.commands.investigation import FamilyId
from cli.commands.running import STATE, State, out, run, secret
from cli.commands.steps import As
from cli.errors import Failed

MemberNumber = Annotated[
    int, typer.Argument(metavar="MEMBER", min=1, help="The member's number in the family.")
]

member = typer.Typer(
    no_args_is_help=True,
    help="Say the number of a member who has none, and whose a person of two families is.",
)


@member.command("duplicates")
def duplicates_(
    family: Annotated[str, typer.Option(help="Only members of this family.")] = "",
    region: Annotated[str, typer.Option(help="Only within this region, such as 61.03.")] = "",
    decided: Annotated[
        bool, typer.Option("--decided", help="Those of whom two people have decided.")
    ] = False,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List members whom another family names too, and whether they count here."""
    filters = {"family": family, "region": region, "decided": "true" if decided else ""}
    found = run(_duplicates({name: text for name, text in filters.items() if text}, person, data))
    for duplicate in found:
        out.print(str(duplicate), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} members", highlight=False)


async def _duplicates(filters: dict[str, str], person: str, data: Path) -> list[Duplicate]:
    async with connected(data) as platform:
        return await duplicates(platform.client(person, LOOKS_AT), **filters)


@member.command("adjudicate")
def adjudicate_(
    family: FamilyId,
    number: MemberNumber,
    evidence: Annotated[str, typer.Option(help="A document's number, never what it says.")],
    person: As,
    data: State = STATE,
) -> None:
    """Propose that MEMBER, whom another family names too, is FAMILY's."""
    run(_adjudicate(family, number, evidence, person, data))
    say_how_it_goes_on(family, "ADJUDICATION")


async def _adjudicate(family: str, number: int, evidence: str, person: str, data: Path) -> None:
    async with connected(data) as platform:
        await adjudicate(platform.client(person, PROPOSES), family, number, evidence)


@member.command("nik")
def nik(family: FamilyId, number: MemberNumber, person: As, data: State = STATE) -> None:
    """Say the NIK of MEMBER of FAMILY, who has no valid one; it is asked for, or read."""
    run(_nik(family, number, secret("NIK of the member"), person, data))
    say_how_it_goes_on(family, "NIK")


async def _nik(family: str, number: int, digits: str, person: str, data: Path) -> None:
    if not digits:
        raise Failed("No NIK was given.")
    async with connected(data) as platform:
        await say_number(platform.client(person, PROPOSES), family, number, digits)


def say_how_it_goes_on(family: str, kind: str) -> None:
    """Say by which command another person lets a change be."""
    hint = f"another person approves it with: pkh changes approve --kind {kind} --family {family}"
    out.print(f"Proposed; {hint}", highlight=False, soft_wrap=True)
