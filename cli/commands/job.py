"""Commands about long work: see it, wait for it, end it."""

from __future__ import annotations

import math
from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.client.http import Client, connected
from cli.client.jobs import MOVING, SERVICES, Job, Page, find, job_of
from cli.client.screen import Screen
from cli.client.waiting import while_it_moves
from cli.commands.running import FOUND_SOMETHING, STATE, State, out, run

SHOWN_MAX: Final = 20
SCOPES: Final = ("platform:read",)

JobId = Annotated[str, typer.Argument(metavar="JOB", help="Such as listing-2023-1.")]
As = Annotated[str, typer.Option("--as", help="Who asks.")]

jobs = typer.Typer(no_args_is_help=True, help="Long work: imports, lists, evaluations, runs.")


@jobs.command("list")
def list_(person: As = "observer", data: State = STATE) -> None:
    """List the newest jobs of every service."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0))
    for name in ("job", "about", "state", "done", "begun"):
        table.add_column(name, no_wrap=True)
    for job in run(_list(person, data)):
        begun = f"{job.started_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(job.id, job.about, job.state, job.amount, begun)
    out.print(table)


async def _list(person: str, data: Path) -> list[Job]:
    async with connected(data) as platform:
        asker = platform.client(person, *SCOPES)
        pages = [await asker.get(service, "/jobs", Page, limit=SHOWN_MAX) for service in SERVICES]
    found = chain.from_iterable(page.items for page in pages)
    return sorted(found, key=lambda job: job.started_at, reverse=True)[:SHOWN_MAX]


@jobs.command()
def show(job: JobId, person: As = "observer", data: State = STATE) -> None:
    """Show a job, step by step."""
    found = run(_show(job, person, data))
    out.print(f"{found.id} {found}", highlight=False, soft_wrap=True)
    for step in found.steps:
        of = "" if step.total is None else f" of {step.total:,}"
        out.print(f"  {step.name}: {step.state} · {step.done:,}{of}", highlight=False)
    for name, value in (found.result or {}).items():
        out.print(f"  {name}: {value}", highlight=False, soft_wrap=True)


async def _show(job: str, person: str, data: Path) -> Job:
    async with connected(data) as platform:
        return (await find(platform.client(person, *SCOPES), job))[1]


@jobs.command()
def watch(job: JobId, person: As = "observer", data: State = STATE) -> None:
    """Show the progress of a job until it ends; exit 1 if it does not end well."""
    ended = run(_watch(job, person, data))
    out.print(f"{ended.id} {ended}", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if ended.state == "DONE" else FOUND_SOMETHING)


def has_ended(job: Job) -> bool:
    """True if nothing more comes of a job by itself."""
    return job.state not in MOVING


async def _watch(job: str, person: str, data: Path) -> Job:
    async with connected(data) as platform:
        asker = platform.client(person, *SCOPES)
        return await watched(asker, *await find(asker, job))


async def watched(asker: Client, service: str, job: Job) -> Job:
    """A bar of a service's job until it has ended; how it ended."""
    with Screen(out) as screen:
        bar = screen.bar(job.id)

        async def look() -> Job:
            seen = await job_of(asker, service, job.id) or job
            bar.show(seen.done, str(seen), seen.total)
            return seen

        # However long it takes: a job may wait for people.
        return await while_it_moves(look, has_ended, str, still_s_max=math.inf)


@jobs.command()
def cancel(job: JobId, person: As = "operator", data: State = STATE) -> None:
    """Cancel a job, as who began it or as operations; it leaves nothing."""
    run(_cancel(job, person, data))
    out.print(f"{job} ends at its next step; see: pkh jobs show {job}", highlight=False)


async def _cancel(job: str, person: str, data: Path) -> None:
    async with connected(data) as platform:
        ender = platform.client(person, *SCOPES, "platform:operate")
        service, _ = await find(ender, job)
        await ender.post(service, f"/jobs/{job}/cancellation")
