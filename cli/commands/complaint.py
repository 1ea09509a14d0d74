"""Commands about complaints at a platform that runs: received, worked on, appealed, followed.

What people say is asked for or read from standard input, a line each: an argument would stand in
the shell's history and in every list of processes.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.complaints import (
    DECIDES,
    FOLLOWS,
    HANDLES,
    LOOKS_AT,
    RECEIVES,
    Case,
    Receipt,
    ask_remedy,
    cases,
    decide_appeal,
    erase,
    follow,
    receive,
    see,
    see_remedy,
    take,
)
from cli.client.http import connected
from cli.client.sweeps import sweep
from cli.commands.running import STATE, State, line, out, run, secret
from cli.commands.steps import As, TahapId, Yes, sure
from libs.chassis.forms import day

DECISIONS: Final = ("UPHELD", "REJECTED")
ERASURES: Final = ("APPROVED", "REJECTED")
RESOLUTIONS: Final = (*DECISIONS, "REFERRED")

CaseId = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
Template = Annotated[str, typer.Option(help="A template of answers, such as UPHELD.")]

complaint = typer.Typer(no_args_is_help=True, help="Receive complaints, and work on their cases.")


# -- Seen -----------------------------------------------------------------------------------------


@complaint.command("list")
def list_(
    region: Annotated[str | None, typer.Option(help="Only cases within this region.")] = None,
    level: Annotated[str | None, typer.Option(help="Only this level, such as REGENCY.")] = None,
    status: Annotated[str | None, typer.Option(help="Only OPEN, LINKED or RESOLVED.")] = None,
    due_by: Annotated[str | None, typer.Option(help="Due on this day or before.")] = None,
    assigned: Annotated[str | None, typer.Option(help="Only the work of this subject.")] = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List cases, the one first that is due first."""
    asked = {
        "region": region,
        "level": level,
        "status": status,
        "due_by": due_by,
        "assigned": assigned,
    }
    found = run(_list({name: value for name, value in asked.items() if value}, person, data))
    for case in found:
        out.print(str(case), highlight=False, soft_wrap=True)
    out.print(f"{len(found):,} cases", highlight=False)


async def _list(filters: dict[str, str], person: str, data: Path) -> list[Case]:
    async with connected(data) as platform:
        return await cases(platform.client(person, LOOKS_AT), **filters)


@complaint.command()
def show(case: CaseId, person: As = "observer", data: State = STATE) -> None:
    """Show one case, its appeal, and what it asked other services."""
    out.print(run(_show(case, person, data)), highlight=False, soft_wrap=True)


async def _show(case: str, person: str, data: Path) -> str:
    async with connected(data) as platform:
        reader = platform.client(person, LOOKS_AT)
        seen = (await see(reader, case)).value
        return "\n".join(filter(None, (str(seen), str((await see_remedy(reader, case)).value))))


@complaint.command("follow")
def follow_(
    receipt: Annotated[str, typer.Argument(metavar="RECEIPT", help="The receipt's number.")],
    data: State = STATE,
) -> None:
    """Show a case to whoever has its receipt; the PIN is asked for."""
    pin = secret("PIN")
    out.print(run(_follow(receipt, pin, data)), highlight=False, soft_wrap=True, markup=False)


async def _follow(receipt: str, pin: str, data: Path) -> str:
    async with connected(data) as platform:
        return str(await follow(platform.client("portal", FOLLOWS), receipt, pin))


@complaint.command("erase-own")
def erase_own(
    receipt: Annotated[str, typer.Argument(metavar="RECEIPT", help="The receipt's number.")],
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Erase name, contact and words of a case that has ended, for who has its receipt and PIN."""
    pin = secret("PIN")
    run(_erase_own(receipt, pin, data, yes))
    out.print("Erased.")


async def _erase_own(receipt: str, pin: str, data: Path, yes: bool) -> None:
    sure("Nobody reads them again, and nobody follows the case. Sure?", yes)
    async with connected(data) as platform:
        await erase(platform.client("portal", FOLLOWS), receipt, pin)


# -- Received -------------------------------------------------------------------------------------


@complaint.command("receive")
def receive_(
    category: Annotated[str, typer.Option(help="What about, such as AMOUNT_WRONG.")],
    channel: Annotated[str, typer.Option(help="How it came in, such as CALL_CENTER.")],
    region: Annotated[str, typer.Option(help="The village, such as 61.03.01.2026.")],
    person: As,
    family: Annotated[str, typer.Option(help="The family that it is about.")] = "",
    anonymous: Annotated[bool, typer.Option(help="Nobody is named.")] = False,
    confidential: Annotated[bool, typer.Option(help="The name is the regency's alone.")] = False,
    data: State = STATE,
) -> None:
    """Receive a complaint; its words, and the reporter's name and contact, are asked for."""
    words = {"text": line("Complaint")}
    if not anonymous:
        words |= {"name": line("Name of the reporter"), "contact": line("Contact")}
    about = {"category": category, "channel": channel, "region": region, "family": family}
    flags = {"anonymous": anonymous, "confidential": confidential}
    given = {name: value for name, value in (about | words).items() if value}
    became = run(_receive({**given, **flags}, person, data))
    out.print(f"Case {became.case}", highlight=False)
    out.print(f"Receipt {became.receipt}, PIN {became.pin}: told once.", highlight=False)


async def _receive(complaint: dict[str, object], person: str, data: Path) -> Receipt:
    async with connected(data) as platform:
        return await receive(platform.client(person, RECEIVES), complaint)


# -- Worked on ------------------------------------------------------------------------------------


@complaint.command()
def assign(
    case: CaseId,
    to: Annotated[str, typer.Option(help="The subject whose work it is.")],
    person: As,
    data: State = STATE,
) -> None:
    """Say whose work a case is."""
    _work(case, "assignment", {"to": to}, person, data)


@complaint.command()
def note(case: CaseId, person: As, data: State = STATE) -> None:
    """Note words of staff, which the reporter does not see."""
    _work(case, "notes", {"words": line("Note")}, person, data)


@complaint.command()
def attach(
    case: CaseId,
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="Where it is kept.")],
    media_type: Annotated[str, typer.Option(help="Such as image/jpeg.")],
    size: Annotated[int, typer.Option(help="Bytes.")],
    person: As,
    data: State = STATE,
) -> None:
    """Attach a file by its reference."""
    body: dict[str, object] = {"reference": reference, "media_type": media_type, "size": size}
    _work(case, "attachments", body, person, data)


@complaint.command()
def ask(case: CaseId, person: As, template: Template = "", data: State = STATE) -> None:
    """Ask the reporter; the case's term is paused until they answered, or had time to."""
    _work(case, "question", _answer("Question", template), person, data)


@complaint.command()
def answer(case: CaseId, person: As, data: State = STATE) -> None:
    """Write down what the reporter answered by another way."""
    _work(case, "answer", {"words": line("Answer")}, person, data)


@complaint.command()
def resolve(
    case: CaseId,
    resolution: Annotated[str, typer.Argument(help=f"{', '.join(RESOLUTIONS)}.")],
    person: As,
    template: Template = "",
    data: State = STATE,
) -> None:
    """End a case, and say what the reporter is told."""
    if resolution not in RESOLUTIONS:
        raise typer.BadParameter(f"must be {', '.join(RESOLUTIONS)}", param_hint="RESOLUTION")
    body = _answer("Reply to the reporter", template) | {"resolution": resolution}
    _work(case, "resolution", body, person, data)


@complaint.command()
def close(case: CaseId, person: As, data: State = STATE) -> None:
    """Close a case that is resolved."""
    _work(case, "closing", None, person, data)


@complaint.command()
def reopen(case: CaseId, person: As, data: State = STATE) -> None:
    """Open a resolved case again, within its term."""
    _work(case, "reopening", None, person, data)


@complaint.command()
def link(
    case: CaseId,
    to: Annotated[str, typer.Argument(metavar="OTHER", help="The case that stands for it.")],
    person: As,
    data: State = STATE,
) -> None:
    """Have another case stand for this one, which is about the same."""
    _work(case, "link", {"to": to}, person, data)


@complaint.command()
def unlink(case: CaseId, person: As, data: State = STATE) -> None:
    """Have a case stand for itself again."""
    _work(case, "unlinking", None, person, data)


@complaint.command("erase")
def erase_(
    case: CaseId,
    evidence: Annotated[str, typer.Option(help="The number of the request's document.")],
    person: As,
    data: State = STATE,
) -> None:
    """Propose to erase what was said on a case that has ended; another person decides."""
    _work(case, "erasure", {"evidence": evidence}, person, data, DECIDES)


@complaint.command("decide-erasure")
def decide_erasure(
    case: CaseId,
    decision: Annotated[str, typer.Argument(help=f"{' or '.join(ERASURES)}.")],
    person: As,
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Have name, contact and words of a case erased for ever, or let them stay."""
    if decision not in ERASURES:
        raise typer.BadParameter(f"must be {' or '.join(ERASURES)}", param_hint="DECISION")
    body: dict[str, object] = {"decision": decision}
    question = "Nobody reads them again. Sure?" if decision == ERASURES[0] else ""
    decided = _decide_erasure(case, body, person, data, yes or not question, question)
    out.print(run(decided), highlight=False, soft_wrap=True)


async def _decide_erasure(
    case: str, body: dict[str, object], person: str, data: Path, yes: bool, question: str
) -> str:
    sure(question, yes)
    return await _worked(case, "erasure/decision", body, person, data, DECIDES)


@complaint.command("sweep")
def sweep_(
    on: Annotated[
        str, typer.Argument(metavar="DAY", help="The business date, such as 2023-05-02.")
    ],
    data: State = STATE,
) -> None:
    """Have every case whose term is over by DAY received by the next level."""
    run(_sweep(_day(on), data))
    out.print(f"Swept to {on}.", highlight=False)


async def _sweep(on: date, data: Path) -> None:
    async with connected(data) as platform:
        await sweep(platform, on)


def _day(text: str) -> date:
    try:
        return day(text)
    except ValueError:
        raise typer.BadParameter("must be a day, such as 2023-05-02", param_hint="DAY") from None


def _answer(what: str, template: str) -> dict[str, object]:
    answer = {"template": template, "words": line(what)}
    return {name: value for name, value in answer.items() if value}


def _work(
    case: str,
    step: str,
    body: dict[str, object] | None,
    person: str,
    data: Path,
    scope: str = HANDLES,
) -> None:
    worked = run(_worked(case, step, body, person, data, scope))
    out.print(worked, highlight=False, soft_wrap=True)


async def _worked(
    case: str, step: str, body: dict[str, object] | None, person: str, data: Path, scope: str
) -> str:
    async with connected(data) as platform:
        worker = platform.client(person, LOOKS_AT, scope)
        await take(worker, case, step, body)
        return str((await see(worker, case)).value)


# -- Appeals and orders ---------------------------------------------------------------------------


@complaint.command()
def appeal(
    case: CaseId,
    tahap: TahapId,
    effect: Annotated[str, typer.Argument(metavar="EFFECT", help="HOLD, CUT or TERMINATION.")],
    received_on: Annotated[str, typer.Option(help="The day on which the appeal came in.")],
    person: As,
    data: State = STATE,
) -> None:
    """Open a case's appeal against an effect of TAHAP; another person decides on it."""
    body: dict[str, object] = {"tahap": tahap, "effect": effect, "received_on": received_on}
    out.print(run(_remedied(case, "appeal", body, person, data)), highlight=False, soft_wrap=True)


@complaint.command()
def decide(
    case: CaseId,
    outcome: Annotated[str, typer.Argument(help=f"{' or '.join(DECISIONS)}.")],
    person: As,
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Decide on a case's appeal; upheld, its cycle is decided again."""
    if outcome not in DECISIONS:
        raise typer.BadParameter(f"must be {' or '.join(DECISIONS)}", param_hint="OUTCOME")
    run(_decide(case, outcome, person, data, yes))


async def _decide(case: str, outcome: str, person: str, data: Path, yes: bool) -> None:
    async with connected(data) as platform:
        decider = platform.client(person, LOOKS_AT, DECIDES)
        seen = await see_remedy(decider, case)
        out.print(str(seen.value), highlight=False, soft_wrap=True)
        sure("Other services act on it. Sure?", yes)
        await decide_appeal(decider, case, seen, outcome)
        out.print(f"{case}: {outcome}", highlight=False)


@complaint.command()
def order(
    case: CaseId,
    ordered: Annotated[str, typer.Argument(metavar="ORDER", help="Such as REEVALUATE_CYCLE.")],
    person: As,
    tahap: Annotated[str, typer.Option(help="The tahap of the cycle, such as 2023-1.")] = "",
    data: State = STATE,
) -> None:
    """Order something of another service, which does it under its own rules of two people."""
    body: dict[str, object] = {"ordered": ordered, **({"tahap": tahap} if tahap else {})}
    out.print(run(_remedied(case, "orders", body, person, data)), highlight=False, soft_wrap=True)


async def _remedied(case: str, step: str, body: dict[str, object], person: str, data: Path) -> str:
    async with connected(data) as platform:
        decider = platform.client(person, LOOKS_AT, DECIDES)
        await ask_remedy(decider, case, step, body)
        return str((await see_remedy(decider, case)).value)
