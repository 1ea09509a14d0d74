"""A whole tahap at a platform that runs: taken from its announcement to its end, or watched."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import connected
from cli.client.jobs import looking
from cli.client.screen import Screen
from cli.client.tahap_jobs import show_tahap
from cli.client.tahap_state import OVER, TahapState
from cli.client.waiting import while_it_moves
from cli.commands.announcement import calendar_entry
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, TahapId
from cli.commands.supplementary import verbs as supplementary_verbs
from cli.demo.tahap_run import run_tahap

verbs: Final = supplementary_verbs
"""Those of announcement, cancellation, supplementary runs and single steps, and those from here."""

SCOPES: Final = ("payments:read", "platform:read")


@verbs.command("run")
def run_(
    name: TahapId,
    calendar: Annotated[Path, typer.Option(help="The directory of calendar.csv.")],
    data: State = STATE,
) -> None:
    """Take a tahap from its announcement to its end, as all of its people; what was done stays."""
    took = run(_run(name, calendar, data))
    out.print(f"{name} took {took:.1f} s", highlight=False)


async def _run(name: str, calendar: Path, data: Path) -> float:
    wanted = calendar_entry(name, calendar)
    async with connected(data) as platform:
        with Screen(out) as screen:
            return await run_tahap(platform, wanted, None, screen)


@verbs.command()
def watch(name: TahapId, person: As = "observer", data: State = STATE) -> None:
    """Show the progress of a tahap until its runs are settled."""
    out.print(f"{name} {run(_watch(name, person, data))}", highlight=False, soft_wrap=True)


async def _watch(name: str, person: str, data: Path) -> TahapState:
    async with connected(data) as platform:
        observer = platform.client(person, *SCOPES)

        async def look() -> TahapState:
            return await observer.get("payments", f"/tahap/{name}", TahapState)

        with Screen(out) as screen:
            bar = screen.bar(f"tahap {name}")
            async with looking(partial(show_tahap, observer, name, bar)):
                # However long it takes: it may wait for people.
                return await while_it_moves(
                    look, lambda state: state.phase in OVER, str, still_s_max=math.inf
                )
