"""Commands of single people at a platform that runs: send a file, take a tahap one step further."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.client.http import Client, Seen, connected
from cli.client.jobs import Job, upload
from cli.client.screen import Screen
from cli.client.tahap_jobs import failing_jobs
from cli.client.tahap_state import REGULAR, ListDiff, TahapState, Unanswered, look_again
from cli.commands.running import STATE, State, out, run
from cli.demo.loading import IMPORTS, SCOPES
from cli.errors import Failed

Proposal = Callable[[Client, str, bool], Awaitable[None]]

As = Annotated[str, typer.Option("--as", help="The person who acts; money takes two.")]
TahapId = Annotated[str, typer.Argument(metavar="TAHAP", help="Such as 2023-1.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]

tahap = typer.Typer(no_args_is_help=True, help="Take a tahap from announcement to payment.")


FREEZE: Final = "freeze-approval"
COUNTS: Final = ("accepted", "unchanged", "proposed", "matched", "unmatched")

# -- Files ----------------------------------------------------------------------------------------


def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file.")],
    kind: Annotated[str, typer.Argument(help=f"What it holds: {', '.join(IMPORTS)}.")],
    person: As,
    data: State = STATE,
    key: Annotated[
        str, typer.Option(help="The Idempotency-Key; that of an import that broke off goes on.")
    ] = "",
) -> None:
    """Send a file to the service that takes its kind; all of its rows are taken, or none."""
    if kind not in IMPORTS:
        raise typer.BadParameter(f"must be one of {', '.join(IMPORTS)}", param_hint="KIND")
    if not file.is_file():
        raise typer.BadParameter(f"{file} is no file", param_hint="FILE")
    report = run(_import(file, file.stat().st_size, kind, person, data, key))
    counts = " · ".join(f"{name} {report[name]:,}" for name in COUNTS if name in report)
    out.print(f"{file.name}: {counts}", highlight=False)
    for warning in report.get("warnings", []):
        out.print(f"line {warning['line']}: {warning['message']}", highlight=False)


async def _import(
    file: Path, size: int, kind: str, person: str, data: Path, key: str
) -> dict[str, Any]:
    where, key = IMPORTS[kind], key or str(uuid.uuid4())
    async with connected(data) as platform:
        clerk = platform.client(person, *SCOPES)
        with Screen(out) as screen:
            bar = screen.file(file.name, size)
            answer = await upload(clerk, where.service, where.path, file, key, bar)
            bar.finish()
        return answer.read(dict[str, Any])


# -- A tahap --------------------------------------------------------------------------------------


@tahap.command()
def show(name: TahapId, person: As = "observer", data: State = STATE) -> None:
    """Show a tahap: its phase, its figures, and what it waits for."""
    state, failing = run(_show(name, person, data))
    out.print(f"{name} {state}", highlight=False)
    for job in failing:
        out.print(f"fails: {job.id} {job}", highlight=False, soft_wrap=True)
    if state.list.hash:
        cut = f", Rp {state.list.cut:,} of it cut" if state.list.cut else ""
        comes_to = f"{state.list.count:,} families, Rp {state.list.rupiah:,}{cut}"
        figures = f"list {state.list.hash}: {comes_to}"
        out.print(figures, highlight=False, soft_wrap=True)
    for candidate in state.list.deferred_candidates:
        out.print(f"can only be deferred: {candidate.family} {candidate.reason}", highlight=False)
    if state.regular and (silent := state.regular.unanswered):
        figures = f"without an answer {silent.hash}: {silent.count:,} accounts"
        out.print(figures, highlight=False, soft_wrap=True)
    for paid in state.runs:
        for found in paid.incidents:
            text = f"to be judged: {paid.kind} {found.partner}: {found.error}"
            out.print(text, highlight=False, soft_wrap=True)
    if state.regular and (order := state.regular.order):
        figures = f"order {order.hash}: {order.count:,} payments, Rp {order.rupiah:,}"
        out.print(figures, highlight=False, soft_wrap=True)


async def _show(name: str, person: str, data: Path) -> tuple[TahapState, list[Job]]:
    async with connected(data) as platform:
        observer = platform.client(person, "payments:read", "platform:read")
        return (await see(observer, name)).value, await failing_jobs(observer, name)


async def see(client: Client, name: str) -> Seen[TahapState]:
    """A tahap as it stands, and the ETag by which a person decides on it."""
    return await client.see("payments", f"/tahap/{name}", TahapState)


def _propose(proposal: Proposal, name: str, person: str, data: Path, yes: bool) -> None:
    """Have a person propose a step of a tahap, and say what another one has to do."""

    async def propose() -> None:
        async with connected(data) as platform:
            maker = platform.client(person, "payments:make", "payments:read")
            await look_again(lambda: proposal(maker, name, yes))

    run(propose())
    out.print(
        f"Proposed; another person approves it with: pkh tahap approve {name}", highlight=False
    )


@tahap.command()
def freeze(name: TahapId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Propose to freeze the list as it stands, without the families that can only be deferred."""
    _propose(_propose_freeze, name, person, data, yes)


async def _propose_freeze(maker: Client, name: str, yes: bool) -> None:
    seen = await see(maker, name)
    lines = seen.value.list
    if lines.hash is None:
        raise Failed(f"The list of {name} is not complete yet.")
    for candidate in lines.deferred_candidates:
        out.print(f"deferred: {candidate.family} {candidate.reason}", highlight=False)
    found = await differences(maker, name) if lines.differences else ListDiff()
    sure(f"Freeze {lines.count:,} families and Rp {lines.rupiah:,}{as_seen(found)}?", yes)
    proposal = {"hash": lines.hash, "deferred": lines.deferred_candidates, **found.acknowledged}
    await maker.post("payments", f"/tahap/{name}/freeze-proposal", proposal, seen.if_match)


async def differences(client: Client, name: str, kind: str = REGULAR) -> ListDiff:
    """Show a person how a run's list differs from the last frozen one, before they are asked."""
    seen = await client.see("payments", f"/tahap/{name}/diff?kind={kind}", ListDiff)
    if (figures := seen.value.figures) is None:
        return seen.value
    out.print(f"unlike {figures.against}: {figures}", highlight=False, soft_wrap=True)
    for family in dict.fromkeys((*seen.value.families, *seen.value.largest)):
        out.print(f"  {family}", highlight=False, soft_wrap=True)
    return seen.value


def as_seen(diff: ListDiff) -> str:
    """The words of a question by which a person says that the differences were seen."""
    return " with these differences" if diff.acknowledged else ""


@tahap.command()
def diff(
    name: TahapId,
    person: As = "observer",
    kind: Annotated[str, typer.Option(help="The run.")] = REGULAR,
    data: State = STATE,
) -> None:
    """Show how a list that is ready differs from the last one that was frozen."""
    if run(_diff(name, person, kind, data)).figures is None:
        out.print(f"No list was frozen before that of {name}.", highlight=False)


async def _diff(name: str, person: str, kind: str, data: Path) -> ListDiff:
    async with connected(data) as platform:
        return await differences(platform.client(person, "payments:read"), name, kind)


@tahap.command()
def order(name: TahapId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Propose to order what passed the account check."""
    _propose(_propose_order, name, person, data, yes)


async def _propose_order(maker: Client, name: str, yes: bool) -> None:
    seen = await see(maker, name)
    run_of = seen.value.regular
    if run_of is None or run_of.order is None:
        raise Failed(f"There is nothing to order of {name} yet.")
    wanted = run_of.order
    sure(f"Order {wanted.count:,} payments of Rp {wanted.rupiah:,}?", yes)
    path = f"/tahap/{name}/runs/{REGULAR}/order-proposal"
    await maker.post("payments", path, {"hash": wanted.hash}, seen.if_match)


@tahap.command()
def unanswered(name: TahapId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Propose to go on without the accounts that the treasury leaves without an answer."""
    _propose(_propose_unanswered, name, person, data, yes)


async def _propose_unanswered(maker: Client, name: str, yes: bool) -> None:
    seen = await see(maker, name)
    silent = seen.value.regular.unanswered if seen.value.regular else None
    if silent is None:
        raise Failed(f"The treasury leaves no account of {name} without an answer.")
    sure(_without(silent), yes)
    path = f"/tahap/{name}/runs/{REGULAR}/unanswered-proposal"
    await maker.post("payments", path, {"hash": silent.hash}, seen.if_match)


def _without(silent: Unanswered) -> str:
    return f"Go on without {silent.count:,} payments of Rp {silent.rupiah:,}?"


@tahap.command()
def close(
    name: TahapId,
    person: As,
    lapsed: Annotated[
        list[str] | None,
        typer.Option(help="A family that nobody will pay, and why: FAMILY=REASON; repeat it."),
    ] = None,
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Propose to close a tahap whose runs are settled, without the families that are named."""
    named = [dict(zip(("family", "reason"), one.split("="), strict=False)) for one in lapsed or []]
    _propose(partial(_propose_close, named), name, person, data, yes)


async def _propose_close(lapsed: list[dict[str, str]], maker: Client, name: str, yes: bool) -> None:
    seen = await see(maker, name)
    sure(f"Close {name} without paying {len(lapsed):,} families?", yes)
    path = f"/tahap/{name}/close-proposal"
    await maker.post("payments", path, {"lapsed": lapsed}, seen.if_match)


@tahap.command()
def judge(
    name: TahapId,
    partner: Annotated[str, typer.Argument(help="TREASURY or a bank, as `show` names it.")],
    reason: Annotated[str, typer.Argument(help="What was found; it holds no long number.")],
    person: As,
    kind: Annotated[str, typer.Option(help="The run.")] = REGULAR,
    data: State = STATE,
) -> None:
    """Have a partner asked again whose word could not be its own, once somebody knows why."""
    run(_judge(name, kind, {"partner": partner, "reason": reason}, person, data))
    out.print(f"Judged; {partner} is asked again.", highlight=False)


async def _judge(name: str, kind: str, judgement: dict[str, str], person: str, data: Path) -> None:
    async with connected(data) as platform:
        checker = platform.client(person, "payments:check", "payments:read")
        seen = await see(checker, name)
        path = f"/tahap/{name}/runs/{kind}/incident-judgement"
        await checker.post("payments", path, judgement, seen.if_match)


@tahap.command()
def approve(name: TahapId, person: As, data: State = STATE, yes: Yes = False) -> None:
    """Approve what another person proposed: the freeze of the list, the order, to go on without
    accounts that have no answer, or the close."""
    run(_approve(name, person, data, yes))
    out.print("Approved.", highlight=False)


async def _approve(name: str, person: str, data: Path, yes: bool) -> None:
    async with connected(data) as platform:
        checker = platform.client(person, "payments:check", "payments:read")
        await look_again(lambda: _approve_proposed(checker, name, yes))


async def _approve_proposed(checker: Client, name: str, yes: bool) -> None:
    seen = await see(checker, name)
    path, hash_, question = _proposed(seen.value)
    approval = {"hash": hash_}
    if path == FREEZE and seen.value.list.differences:
        found = await differences(checker, name)
        approval, question = approval | found.acknowledged, question[:-1] + as_seen(found) + "?"
    sure(question, yes)
    await checker.post("payments", f"/tahap/{name}/{path}", approval, seen.if_match)


def _proposed(state: TahapState) -> tuple[str, str, str]:
    """A thing that waits for approval: its path, its hash, the question that a person is asked."""
    lines, paid = state.list, state.regular
    if state.phase == "FREEZE_PROPOSED" and lines.hash:
        question = f"Freeze {lines.count:,} families and Rp {lines.rupiah:,}?"
        return FREEZE, lines.hash, question
    if paid and paid.unanswered and paid.unanswered.maker:
        silent = paid.unanswered
        return f"runs/{REGULAR}/unanswered-approval", silent.hash, _without(silent)
    if paid and paid.phase == "ORDER_PROPOSED" and paid.order:
        question = f"Order {paid.order.count:,} payments of Rp {paid.order.rupiah:,}?"
        return f"runs/{REGULAR}/order-approval", paid.order.hash, question
    if state.closing:
        question = f"Close {state.tahap} without paying {state.closing.count:,} families?"
        return "close-approval", state.closing.hash, question
    raise Failed(f"Nothing of {state.tahap} waits for an approval; it is at {state.stage}.")


def sure(question: str, yes: bool) -> None:
    """Ask a person, who has said yes beforehand or says it now; raises `Failed` where not."""
    if not yes and not typer.confirm(question):
        raise Failed("Nothing was done.")
