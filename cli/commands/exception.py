"""Commands by which officers excuse duties of an area or a family at a platform that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.exceptions import (
    DECIDES,
    LOOKS_AT,
    PROPOSES,
    DutyException,
    change,
    exceptions,
    propose,
    see,
)
from cli.client.http import connected
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, Yes, sure
from cli.errors import Failed

DECISIONS: Final = ("APPROVED", "REJECTED")

Number = Annotated[str, typer.Argument(metavar="EXCEPTION", help="The exception's id.")]
Reason = Annotated[str, typer.Option(help="NO_FACILITY, DISASTER, OUTBREAK, DISABILITY, ...")]
FirstDay = Annotated[str, typer.Option(help="The first day, as YYYY-MM-DD.")]
LastDay = Annotated[str, typer.Option(help="The last day, as YYYY-MM-DD.")]
Region = Annotated[str, typer.Option(help="The area, such as 61.03.01.")]
Family = Annotated[str, typer.Option(help="The family's id, in the place of an area.")]

exception = typer.Typer(
    no_args_is_help=True, help="Let duties of an area or a family not count, by two people."
)


@exception.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only this state, such as HOLDS.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only exceptions for this reason.")] = None,
    region: Annotated[str | None, typer.Option(help="Only those within this region.")] = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List exceptions, and proposals that wait for a decision."""
    asked = {"state": state, "reason": reason, "region": region}
    found = run(_list({name: value for name, value in asked.items() if value}, person, data))
    for found_one in found:
        out.print(str(found_one), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} exceptions", highlight=False)


async def _list(filters: dict[str, str], person: str, data: Path) -> list[DutyException]:
    async with connected(data) as platform:
        return await exceptions(platform.client(person, LOOKS_AT), **filters)


@exception.command("propose")
def propose_(
    reason: Reason,
    first_day: FirstDay,
    last_day: LastDay,
    person: As,
    region: Region = "",
    family: Family = "",
    data: State = STATE,
) -> None:
    """Propose that duties of an area or of a family do not count."""
    number = run(_propose(_terms(reason, first_day, last_day, region, family), person, data))
    _say_how_it_goes_on(number)


def _terms(reason: str, first_day: str, last_day: str, region: str, family: str) -> dict[str, str]:
    whose = {"region": region, "family": family}
    terms = {"reason": reason, "first_day": first_day, "last_day": last_day}
    return terms | {name: value for name, value in whose.items() if value}


async def _propose(terms: dict[str, str], person: str, data: Path) -> str:
    async with connected(data) as platform:
        return await propose(platform.client(person, PROPOSES), terms)


def _say_how_it_goes_on(number: str) -> None:
    hint = f"Proposed; another person decides on it with: pkh exception decide {number} APPROVED"
    out.print(hint, highlight=False, soft_wrap=True)


@exception.command()
def correct(
    number: Number,
    reason: Reason,
    first_day: FirstDay,
    last_day: LastDay,
    person: As,
    region: Region = "",
    family: Family = "",
    data: State = STATE,
) -> None:
    """Propose other terms of EXCEPTION; not once it has counted."""
    terms = _terms(reason, first_day, last_day, region, family)
    run(_change(number, "correction", terms, person, data))
    _say_how_it_goes_on(number)


@exception.command()
def end(number: Number, last_day: LastDay, person: As, data: State = STATE) -> None:
    """Propose another last day of EXCEPTION."""
    run(_change(number, "end", {"last_day": last_day}, person, data))
    _say_how_it_goes_on(number)


@exception.command()
def withdraw(number: Number, person: As, data: State = STATE) -> None:
    """Propose that EXCEPTION never held; not once it has counted."""
    run(_change(number, "withdrawal", None, person, data))
    _say_how_it_goes_on(number)


async def _change(
    number: str, step: str, body: dict[str, str] | None, person: str, data: Path
) -> None:
    async with connected(data) as platform:
        maker = platform.client(person, LOOKS_AT, PROPOSES)
        await change(maker, await see(maker, number), step, body)


@exception.command()
def decide(
    number: Number,
    decision: Annotated[str, typer.Argument(help=f"{' or '.join(DECISIONS)}.")],
    person: As,
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Approve or reject what another person proposed of EXCEPTION."""
    if decision not in DECISIONS:
        raise typer.BadParameter(f"must be {' or '.join(DECISIONS)}", param_hint="DECISION")
    run(_decide(number, decision, person, data, yes))
    out.print("Decided.", highlight=False)


async def _decide(number: str, decision: str, person: str, data: Path, yes: bool) -> None:
    async with connected(data) as platform:
        checker = platform.client(person, LOOKS_AT, DECIDES)
        seen = await see(checker, number)
        if seen.value.proposed is None:
            raise Failed(f"Nobody has proposed anything of {number} that is not decided yet.")
        out.print(str(seen.value), highlight=False, soft_wrap=True)
        judged = "The cycles that it bears on are judged again"
        sure(f"{judged if decision == 'APPROVED' else 'Nothing changes'}. Sure?", yes)
        # What was shown is what is decided: had it changed since, this would be refused.
        await change(checker, seen, "decision", {"decision": decision})
