"""The command by which a person opens a supplementary run at a platform that runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import Client, connected, if_match
from cli.client.tahap_state import Deferral, look_again
from cli.commands.cancellation import verbs as cancellation_verbs
from cli.commands.running import STATE, State, out, run
from cli.commands.steps import As, TahapId, Yes, as_seen, differences, see, sure

verbs: Final = cancellation_verbs
"""Those of its announcement and cancellation, and the one that stands here."""

Families = Annotated[
    list[str] | None,
    typer.Option(
        "--family", help="A family to pay; without it, all that are complete and not held."
    ),
]
Day = Annotated[str, typer.Option(help="The day that its payments count for, such as 2023-08-01.")]


@dataclass(frozen=True, slots=True)
class Opened:
    """A supplementary run: its kind, what its list comes to, who is left out of it; with a `diff`
    it is not proposed before its maker has seen that."""

    kind: str
    hash: str
    count: int
    rupiah: int
    deferred: tuple[Deferral, ...] = ()
    diff: str | None = None


@verbs.command()
def supplement(
    name: TahapId,
    person: As,
    family: Families = None,
    day: Day = "",
    data: State = STATE,
    yes: Yes = False,
) -> None:
    """Open a run for deferred families, and propose to freeze its list."""
    opened = run(_open(name, family or [], day, person, data, yes))
    comes_to = f"{opened.count:,} families, Rp {opened.rupiah:,}"
    text = f"{opened.kind} {opened.hash}: {comes_to}\nProposed; another person approves the hash."
    out.print(text, highlight=False, soft_wrap=True)


async def _open(
    name: str, families: list[str], day: str, person: str, data: Path, yes: bool
) -> Opened:
    found: list[Opened] = []
    async with connected(data) as platform:
        maker = platform.client(person, "payments:make", "payments:read")

        async def propose() -> None:
            found.append(await _propose(maker, name, families, day, yes))

        await look_again(propose)
    return found[0]


async def _propose(maker: Client, name: str, families: list[str], day: str, yes: bool) -> Opened:
    seen = await see(maker, name)
    whom = f"{len(families):,} families" if families else "all deferred families that are complete"
    sure(f"Open a supplementary run of {name} for {whom}?", yes)
    body: dict[str, object] = {"families": families} | ({"day": day} if day else {})
    path = f"/tahap/{name}/supplementary-runs"
    answer = await maker.post("payments", path, body, seen.if_match)
    opened = answer.read(Opened)
    if opened.diff:
        diff = await differences(maker, name, opened.kind)
        sure(f"Propose {opened.count:,} families{as_seen(diff)}?", yes)
        proposal = {"hash": opened.hash, "deferred": opened.deferred, **diff.acknowledged}
        path = f"/tahap/{name}/runs/{opened.kind}/freeze-proposal"
        await maker.post("payments", path, proposal, if_match(answer.etag))
    return opened
