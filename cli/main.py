"""The command line `pkh`: runs the platform, and does at its front doors what a person does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client.http import connected, local_issuer
from cli.client.screen import Screen
from cli.client.witness import witness_here
from cli.commands import (
    arrears,
    change,
    complaint,
    erasure,
    exception,
    hold,
    investigation,
    job,
    keys,
    member,
    parked,
    proving,
    reads,
    reopening,
    session,
    steps,
    synth,
    take_back,
    unmatched,
    why,
    withheld,
)
from cli.commands import tahap as tahap_verbs
from cli.commands.rebuild import REBUILT, rebuild
from cli.commands.running import STATE, State, err, out, run
from cli.commands.where import where
from cli.demo.run import Plan, demo
from cli.errors import Failed
from libs.chassis.dev_issuer import LIFETIME_S_MAX
from libs.chassis.dev_sign_in import PEOPLE
from libs.chassis.version import VERSION
from localstack.platform import BUSES, Options, Platform
from localstack.supervisor import foreground

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("import")(steps.import_file)
app.command("where")(where)
app.command("why")(why.why)
app.command("reads")(reads.reads)
app.command("unmatched")(unmatched.unmatched)
app.command("arrears")(arrears.arrears)
app.command("withheld")(withheld.withheld)
app.command("synth")(synth.synth)
app.command("verify")(proving.verify)
app.command("witness")(proving.witness)
app.add_typer(tahap_verbs.verbs, name="tahap")
app.add_typer(job.jobs, name="jobs")
app.add_typer(parked.parked, name="parked")
app.add_typer(change.changes, name="changes")
app.add_typer(member.member, name="member")
app.add_typer(investigation.investigation, name="investigation")
app.add_typer(exception.exception, name="exception")
app.add_typer(reopening.reopening, name="reopening")
app.add_typer(take_back.take_back, name="take-back")
app.add_typer(hold.hold, name="hold")
app.add_typer(erasure.erasure, name="erasure")
app.add_typer(keys.keys, name="keys")
app.add_typer(session.session, name="session")
app.add_typer(session.group, name="group")
app.add_typer(complaint.complaint, name="complaint")

Bus = Annotated[str, typer.Option(help=f"What carries the messages: {' or '.join(BUSES)}.")]


def _show_version(asked: bool) -> None:
    if asked:
        out.print(VERSION, highlight=False)
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """The platform of the conditional cash transfer programme, from the command line."""


# -- Running a platform ---------------------------------------------------------------------------


@app.command()
def up(
    bus: Bus = "embedded",
    data: State = STATE,
    books: Annotated[
        Path | None,
        typer.Option(help="bank_accounts.csv, from which simulated treasury and banks answer."),
    ] = None,
) -> None:
    """Run the whole platform in the foreground until Ctrl-C."""
    platform = Platform(Options(data, bus=_bus(bus), books=books))

    async def announce(ready: Platform) -> None:
        for name, address in ready.addresses.items():
            out.print(f"{name:<16}{address}", highlight=False)
        for name, url in ready.metrics_urls.items():
            out.print(f"{name + ' metrics':<24}{url}", highlight=False)
        async with connected(ready.data_dir) as front:
            try:
                await witness_here(front)
            except Failed as rewritten:  # the platform serves on; `pkh verify` says it too
                err.print(str(rewritten), style="red", markup=False, soft_wrap=True)
        out.print(
            f"Open the console at {ready.console_url} and sign in as {PEOPLE[0].name}.",
            highlight=False,
            soft_wrap=True,
        )
        out.print(f"Ready; state in {ready.data_dir}. Ctrl-C stops it.", highlight=False)

    run(foreground(platform, announce))


def _bus(name: str) -> Any:
    if name not in BUSES:
        raise typer.BadParameter(f"must be {' or '.join(BUSES)}", param_hint="--bus")
    return name


# -- Doing a whole year ---------------------------------------------------------------------------


@app.command("demo")
def demo_(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The year's files.")],
    results: Annotated[Path, typer.Option("--out", help="Where the results are written.")],
    bus: Bus = "embedded",
    tahap: Annotated[str | None, typer.Option(help="Only these tahaps, such as 1-2.")] = None,
    keep: Annotated[bool, typer.Option(help="Keep the platform running.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            help="A directory for the platform's state; a run that was cut off there goes on."
        ),
    ] = None,
) -> None:
    """Run a year on a fresh platform and compare it with DIR/expected; exit 1 if it differs."""
    plan = Plan(directory, results, _bus(bus), tahap, keep, data)
    raise typer.Exit(run(demo(plan, out)))


# -- Looking after a platform that runs -----------------------------------------------------------


@app.command()
def token(
    subject: Annotated[str, typer.Option(help="The person whom the token names.")],
    scope: Annotated[str, typer.Option(help='What it allows, such as "payments:read".')] = "",
    role: Annotated[
        str, typer.Option(help="A role, such as regency; of its scopes --scope leaves some.")
    ] = "",
    region: Annotated[
        list[str] | None, typer.Option(help="Where: a region's code, * for everywhere; repeat it.")
    ] = None,
    lifetime: Annotated[
        int, typer.Option(min=1, max=LIFETIME_S_MAX, help="Seconds.")
    ] = LIFETIME_S_MAX,
    data: State = STATE,
) -> None:
    """Print a bearer token, signed by the platform's own issuer."""
    if not scope and not role:
        raise typer.BadParameter("name it, or a role", param_hint="--scope")
    print(run(_token(data, subject, scope.split(), region or [], lifetime, role or None)))


async def _token(
    data: Path,
    subject: str,
    scopes: list[str],
    regions: list[str],
    lifetime_s: int,
    role: str | None,
) -> str:
    return local_issuer(data).token(subject, scopes, regions, lifetime_s, role)


@app.command("rebuild")
def rebuild_read_models(
    service: Annotated[str, typer.Argument(help=f"Whose: {', '.join(REBUILT)}.")],
    data: State = STATE,
) -> None:
    """Build a service's read models anew from the topics, beside the live ones, and swap them."""
    if service not in REBUILT:
        raise typer.BadParameter(f"must be one of {', '.join(REBUILT)}", param_hint="SERVICE")
    with Screen(out) as screen:
        progress = run(rebuild(data, service, screen))
    out.print(f"{service} was rebuilt from {progress.done:,} messages.", highlight=False)
    if progress.parked:
        still = f"{progress.parked:,} of them stay parked: pkh parked list {service}."
        out.print(still, highlight=False)


if __name__ == "__main__":
    app()
