"""Commands by which two people cancel a tahap, or correct it: cancel it and announce it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import Client, connected
from cli.client.tahap_state import (
    ANNOUNCEMENT,
    CORRECTION,
    announcement,
    announcement_approval,
    look_again,
)
from cli.commands.announcement import Calendar, calendar_entry
from cli.commands.announcement import verbs as announcement_verbs
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, TahapId, Yes, see, sure
from cli.errors import Failed

verbs: Final = announcement_verbs
"""Those of its announcement and those that stand here."""

Reason = Annotated[str, typer.Option(help="Why, as a code such as WRONG_DATES.")]


@verbs.command()
def cancel(name: TahapId, person: As, reason: Reason, data: State = STATE) -> None:
    """Propose to cancel a tahap: every service takes back what it did for it."""
    run(_propose(name, "cancellation", {"reason": reason}, person, data))
    _tell(name)


@verbs.command()
def correct(
    name: TahapId, calendar: Calendar, person: As, reason: Reason, data: State = STATE
) -> None:
    """Propose to cancel a tahap and to announce it anew as its calendar has it now."""
    run(_correct(name, calendar, reason, person, data))
    _tell(name)


def _tell(name: str) -> None:
    approval = f"pkh tahap approve-cancellation {name}"
    out.print(f"Proposed; another person approves it with: {approval}", highlight=False)


async def _correct(name: str, calendar: Path, reason: str, person: str, data: Path) -> None:
    terms = announcement(calendar_entry(name, calendar))
    await _propose(name, "correction", terms | {"reason": reason}, person, data)


async def _propose(name: str, what: str, body: dict[str, object], person: str, data: Path) -> None:
    async with connected(data) as platform:
        announcer = platform.client(person, "payments:announce", "payments:read")
        seen = await see(announcer, name)
        path = f"/tahap/{name}/{what}-proposal"
        await announcer.post("payments", path, body, seen.if_match)


@verbs.command("approve-cancellation")
def approve_cancellation(name: TahapId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Cancel a tahap, or correct it, as another person proposed."""
    run(_approve(name, person, data, yes))
    out.print(f"Approved; see how it goes with: pkh tahap show {name}", highlight=False)


async def _approve(name: str, person: str, data: Path, yes: bool) -> None:
    async with connected(data) as platform:
        approver = platform.client(person, "payments:announce", "payments:read")
        await look_again(lambda: _approve_proposed(approver, name, yes))


async def _approve_proposed(approver: Client, name: str, yes: bool) -> None:
    seen = await see(approver, name)
    proposal = seen.value.proposal
    if proposal is None or proposal.what == ANNOUNCEMENT:
        raise Failed(f"No cancellation of {name} waits for an approval.")
    if proposal.what == CORRECTION:
        sure(f"Cancel {name} and announce it anew, {proposal.terms}{proposal.and_anew}?", yes)
        path, body = "correction-approval", announcement_approval(proposal)
    else:
        sure(f"Cancel {name} ({proposal.reason}){proposal.and_anew}?", yes)
        path, body = "cancellation-approval", {"hash": proposal.hash}
    await approver.post("payments", f"/tahap/{name}/{path}", body, seen.if_match)
