"""Commands by which two people announce a tahap at a platform that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.changes import LOOKS_AT, left_out
from cli.client.http import Client, connected
from cli.client.tahap_state import ANNOUNCEMENT, announcement, announcement_approval, look_again
from cli.client.year import Tahap, read_calendar
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, TahapId, Yes, see, sure, tahap
from cli.errors import Failed

verbs: Final = tahap
"""Those of a tahap's single steps and those that stand here."""

Calendar = Annotated[Path, typer.Option(help="The directory of calendar.csv.")]
Table = Annotated[
    str, typer.Option(help="Pay by this benefit table although its source is not verified.")
]
Reason = Annotated[str, typer.Option(help="Why, for everybody who asks about an amount.")]


@verbs.command()
def announce(
    name: TahapId,
    calendar: Calendar,
    person: As,
    data: State = STATE,
    override_table: Table = "",
    reason: Reason = "",
) -> None:
    """Propose to open a tahap on its calendar's terms; nothing starts before the approval."""
    override = {"table": override_table, "reason": reason} if override_table else None
    run(_announce(name, calendar, override, person, data))
    approval = f"pkh tahap approve-announcement {name}"
    out.print(f"Proposed; another person approves it with: {approval}", highlight=False)


async def _announce(
    name: str, calendar: Path, override: dict[str, str] | None, person: str, data: Path
) -> None:
    wanted = calendar_entry(name, calendar)
    async with connected(data) as platform:
        announcer = platform.client(person, "payments:announce", LOOKS_AT)
        proposal = announcement(wanted) | {"override": override}
        await announcer.post("payments", "/tahap", proposal)
        await _say_left_out(announcer)


async def _say_left_out(reader: Client) -> None:
    if sentence := await left_out(reader):
        out.print(sentence, highlight=False, soft_wrap=True)


def calendar_entry(name: str, calendar: Path) -> Tahap:
    """A tahap as its calendar has it; raises `Failed` where it has none of this name."""
    found = [entry for entry in read_calendar(calendar) if entry.id == name]
    if not found:
        raise Failed(f"{calendar}'s calendar has no tahap {name}.")
    return found[0]


@verbs.command("approve-announcement")
def approve_announcement(name: TahapId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Announce what another person proposed: the services start on what they know by now."""
    run(_approve(name, person, data, yes))
    out.print(f"{name} is announced; see how it goes with: pkh tahap show {name}", highlight=False)


async def _approve(name: str, person: str, data: Path, yes: bool) -> None:
    async with connected(data) as platform:
        approver = platform.client(person, "payments:announce", "payments:read", LOOKS_AT)
        await look_again(lambda: _approve_proposed(approver, name, yes))


async def _approve_proposed(approver: Client, name: str, yes: bool) -> None:
    seen = await see(approver, name)
    proposal = seen.value.proposal
    if proposal is None or proposal.what != ANNOUNCEMENT:
        raise Failed(f"No announcement of {name} waits for an approval.")
    heads = ", ".join(f"{service} at {head}" for service, head in proposal.heads.items())
    await _say_left_out(approver)
    sure(f"Announce {name}, {seen.value.terms}, with {heads}{proposal.and_anew}?", yes)
    path, body = f"/tahap/{name}/announcement-approval", announcement_approval(proposal)
    await approver.post("payments", path, body, seen.if_match)


@verbs.command()
def withdraw(name: TahapId, person: As, data: State = STATE) -> None:
    """Take back what waits for its approval: an announcement, a cancellation or a correction."""
    run(_withdraw(name, person, data))
    out.print("Withdrawn.", highlight=False)


async def _withdraw(name: str, person: str, data: Path) -> None:
    async with connected(data) as platform:
        announcer = platform.client(person, "payments:announce", "payments:read")
        seen = await see(announcer, name)
        path = f"/tahap/{name}/announcement-withdrawal"
        await announcer.post("payments", path, {}, seen.if_match)
