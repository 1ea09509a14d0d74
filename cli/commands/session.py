"""Commands about group sessions at a platform that runs: what was held, and what groups covered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.client.check_ins import (
    check_in,
    keep,
    keep_private,
    kept_list,
    listed,
    read_scans,
    sheet,
)
from cli.client.http import connected
from cli.client.members import PROPOSES, assign_group
from cli.client.sessions import (
    LOOKS_AT,
    RECORDS,
    Group,
    GroupInList,
    SessionInList,
    cancel,
    groups,
    report,
    see,
    see_group,
    sessions,
)
from cli.commands.investigation import FamilyId
from cli.commands.member import say_how_it_goes_on
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, Yes, sure

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The session's number.")]
Region = Annotated[str | None, typer.Option(help="Only groups of this region.")]

session = typer.Typer(no_args_is_help=True, help="Report the sessions of groups, and see them.")
group = typer.Typer(
    no_args_is_help=True, help="See groups of families and what they covered; assign families."
)


@session.command("list")
def list_(
    group: Annotated[str | None, typer.Option(help="Only sessions of this group.")] = None,
    facilitator: Annotated[str | None, typer.Option(help="Only sessions of this one.")] = None,
    region: Region = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List sessions, in order of their numbers."""
    asked = {"group": group, "facilitator": facilitator, "region": region}
    found = run(_list({name: value for name, value in asked.items() if value}, person, data))
    for row in found:
        out.print(str(row), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} sessions", highlight=False)


async def _list(filters: dict[str, str], person: str, data: Path) -> list[SessionInList]:
    async with connected(data) as platform:
        return await sessions(platform.client(person, LOOKS_AT), **filters)


@session.command()
def show(number: Number, person: As = "observer", data: State = STATE) -> None:
    """Show one session and how many were there."""
    out.print(run(_show(number, person, data)), highlight=False, soft_wrap=True)


async def _show(number: str, person: str, data: Path) -> str:
    async with connected(data) as platform:
        return str((await see(platform.client(person, LOOKS_AT), number)).value)


@session.command("report")
def report_(
    number: Number,
    group: Annotated[str, typer.Option(help="The group that met.")],
    facilitator: Annotated[str, typer.Option(help="Who led it.")],
    on: Annotated[str, typer.Option(help="The day, such as 2023-01-05.")],
    module: Annotated[str, typer.Option(help="The module, such as KEUANGAN.")],
    lesson: Annotated[int, typer.Option(help="Which of the module's sessions.")],
    person: As,
    data: State = STATE,
) -> None:
    """Report that a session was held; the same report again changes nothing."""
    meeting: dict[str, object] = {
        "group": group,
        "facilitator": facilitator,
        "on": on,
        "module": module,
        "session": lesson,
    }
    run(_report(number, meeting, person, data))
    out.print(f"{number} is reported.", highlight=False)


async def _report(number: str, meeting: dict[str, object], person: str, data: Path) -> None:
    async with connected(data) as platform:
        await report(platform.client(person, RECORDS), number, meeting)


@session.command("cancel")
def cancel_(
    number: Number,
    reason: Annotated[str, typer.Option(help="Why, in words that name nobody.")],
    person: As,
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Cancel a session: its marks stay on record and count nowhere."""
    run(_cancel(number, reason, person, data, yes))
    out.print(f"{number} is cancelled.", highlight=False)


async def _cancel(number: str, reason: str, person: str, data: Path, yes: bool) -> None:
    async with connected(data) as platform:
        recorder = platform.client(person, LOOKS_AT, RECORDS)
        seen = await see(recorder, number)
        out.print(str(seen.value), highlight=False, soft_wrap=True)
        sure("It counts nowhere from now on. Sure?", yes)
        await cancel(recorder, seen, reason)


@session.command()
def tokens(
    number: Number,
    to: Annotated[Path, typer.Option(help="The file that keeps the list.")],
    person: As,
    print_to: Annotated[
        Path | None, typer.Option(help="A page of HTML to print, with a QR code a family.")
    ] = None,
    data: State = STATE,
) -> None:
    """Download the tokens of a session's families, to be scanned where there is no network."""
    count = run(_tokens(number, to, print_to, person, data))
    out.print(f"{count:,} tokens of {number}; they count on its day alone.", highlight=False)


async def _tokens(number: str, to: Path, print_to: Path | None, person: str, data: Path) -> int:
    async with connected(data) as platform:
        recorder = platform.client(person, RECORDS)
        found = await listed(recorder, number)
        keep(to, found)
        if print_to is not None:
            keep_private(print_to, await sheet(recorder, number))
        return len(found.tokens)


@session.command("check-in")
def check_in_(
    downloaded: Annotated[
        Path, typer.Argument(metavar="LIST", help="The list that was downloaded.")
    ],
    scanned: Annotated[
        Path, typer.Argument(metavar="SCANS", help="A CSV file: token, scanned_at (UTC).")
    ],
    person: As,
    data: State = STATE,
) -> None:
    """Send what was scanned at a session: these families were present. All or none is taken."""
    number, count = run(_check_in(downloaded, scanned, person, data))
    out.print(f"{count:,} families are checked in at {number}.", highlight=False)


async def _check_in(downloaded: Path, scanned: Path, person: str, data: Path) -> tuple[str, int]:
    of = kept_list(downloaded)
    scans = read_scans(scanned, of)
    async with connected(data) as platform:
        await check_in(platform.client(person, RECORDS), of.number, scans)
    return of.number, len({scan.family for scan in scans})


@group.command("list")
def list_groups(region: Region = None, person: As = "observer", data: State = STATE) -> None:
    """List groups and their sizes; those outside of what a group should have are warned of."""
    found = run(_groups({"region": region} if region else {}, person, data))
    for row in found:
        out.print(str(row), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} groups", highlight=False)


async def _groups(filters: dict[str, str], person: str, data: Path) -> list[GroupInList]:
    async with connected(data) as platform:
        return await groups(platform.client(person, LOOKS_AT), **filters)


@group.command("assign")
def assign(
    family: FamilyId,
    group: Annotated[str, typer.Argument(metavar="GROUP", help="Its group from then on.")],
    facilitator: Annotated[str, typer.Option(help="Who leads the group.")],
    since: Annotated[str, typer.Option(help="The first day of that, such as 2023-03-01.")],
    person: As,
    data: State = STATE,
) -> None:
    """Propose that FAMILY is of GROUP from a day on."""
    run(_assign(family, group, facilitator, since, person, data))
    say_how_it_goes_on(family, "GROUP")


async def _assign(
    family: str, group: str, facilitator: str, since: str, person: str, data: Path
) -> None:
    async with connected(data) as platform:
        await assign_group(platform.client(person, PROPOSES), family, group, facilitator, since)


@group.command("show")
def show_group(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group's id.")],
    year: Annotated[int, typer.Option(help="The year of its sessions.")],
    person: As = "observer",
    data: State = STATE,
) -> None:
    """Show what a group covered in a year, and the months that it missed."""
    for line in run(_group(group, year, person, data)).lines():
        out.print(line, highlight=False, soft_wrap=True)


async def _group(name: str, year: int, person: str, data: Path) -> Group:
    async with connected(data) as platform:
        return await see_group(platform.client(person, LOOKS_AT), name, year)
