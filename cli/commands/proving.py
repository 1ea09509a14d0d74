"""The verbs that prove what a platform's stores hold, and have a witness see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from joserfc.jwk import OKPKey

from cli.client.far_copy import send
from cli.client.http import Connected, connected
from cli.client.proofs import ProofKind, report_proof
from cli.client.time_stamps import stamp, stamp_findings
from cli.client.verify import SEEDS, Folding, findings, repeats
from cli.client.witness import (
    AGE_H_MAX,
    LogRewritten,
    Seen,
    Witnessed,
    look,
    own_file,
    own_key,
    public_key,
    public_part,
    read_lines,
    signing_key,
)
from cli.commands.running import FOUND_SOMETHING, STATE, State, out, run
from localstack.environment import SERVICES

TrustedStamps = Annotated[
    Path | None,
    typer.Option(
        help="Certificates (PEM) of the authority of time stamps that is believed.",
        envvar="PKH_TIME_STAMP_CA",
        exists=True,
        dir_okay=False,
    ),
]


def verify(
    data: State = STATE,
    witness: Annotated[
        Path | None,
        typer.Option(help="The file of a witness.", envvar="PKH_WITNESS", dir_okay=False),
    ] = None,
    witness_key: Annotated[
        str | None,
        typer.Option(help="The witness's public key, as it printed it.", envvar="PKH_WITNESS_KEY"),
    ] = None,
    witness_hours: Annotated[
        int,
        typer.Option(
            help="How old the last look of the witness may be.", envvar="PKH_WITNESS_HOURS", min=1
        ),
    ] = AGE_H_MAX,
    time_stamp_ca: TrustedStamps = None,
    fold_all: Annotated[
        bool, typer.Option("--fold-all", help="Fold all streams again, and not some: at night.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Draw the streams of an earlier run.", min=0, max=SEEDS)
    ] = None,
) -> None:
    """Verify what a running platform holds, and that a witness saw it; exit 1 if any is wrong."""
    file = witness or own_file(data)
    folding = Folding(None) if fold_all else Folding(seed) if seed is not None else Folding.drawn()
    raise typer.Exit(run(_verify(data, file, witness_key, witness_hours, time_stamp_ca, folding)))


async def _verify(
    data: Path, file: Path, pinned: str | None, hours: int, trusted: Path | None, folding: Folding
) -> int:
    found = 0
    async with connected(data) as platform:
        witnessed = await _witnessed(data, file, pinned, hours, trusted)
        async for finding in findings(platform, folding, witnessed):
            _say(str(finding))
            found += 1
        await _report(platform, "VERIFICATION", "auditor", found)
    async for repeat in repeats(data):
        _say(repeat)
    if folding.seed is not None:
        _say(f"Folded again were streams that seed {folding.seed} draws; --fold-all folds all.")
    if not found:
        _say("Hash chains, snapshots, ledger and positions are as they should be.")
    return FOUND_SOMETHING if found else 0


async def _witnessed(
    data: Path, file: Path, pinned: str | None, hours: int, trusted: Path | None
) -> Witnessed:
    if pinned is None:
        if not own_key(data).exists():
            return Witnessed(findings=["has no key: have one look (pkh witness), and pin its key"])
        _say("The witness's key lies beside what it proves; pin that of another: --witness-key.")
    key = public_key(public_part(signing_key(own_key(data))) if pinned is None else pinned)
    witnessed = Witnessed.of(file, key, datetime.now(UTC), hours)
    if trusted is None or witnessed.findings:
        return witnessed
    return replace(witnessed, findings=await stamp_findings(file, key, trusted, hours))


def witness(
    file: Annotated[
        Path | None, typer.Argument(help="Where to add it; keep it on another machine.")
    ] = None,
    data: State = STATE,
    witness_key: Annotated[
        Path | None, typer.Option(help="The witness's private key; made on first use.")
    ] = None,
    time_stamps: Annotated[
        str | None,
        typer.Option(help="URL of an authority that time-stamps it.", envvar="PKH_TIME_STAMPS"),
    ] = None,
    time_stamp_ca: TrustedStamps = None,
    copy_to: Annotated[
        str | None,
        typer.Option(
            help="A command that appends to a copy elsewhere and prints its SHA-256: ssh HOST.",
            envvar="PKH_WITNESS_COPY",
        ),
    ] = None,
) -> None:
    """Sign the heads of the hash chains, if the logs still hold what was seen before."""
    if time_stamps is not None and time_stamp_ca is None:
        raise typer.BadParameter("needs --time-stamp-ca", param_hint="--time-stamps")
    own = own_key(data) if witness_key is None else witness_key
    own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = signing_key(own)
    for seen in run(_witness(file or own_file(data), data, key, time_stamps, time_stamp_ca)):
        _say(f"{seen.source} at {seen.position:,}: {seen.head[:16]}…")
    if copy_to is not None:
        _say(f"The copy has {send(file or own_file(data), copy_to)} lines more.")
    _say(f"Verify with --witness-key {public_part(key)}")


async def _witness(
    file: Path, data: Path, key: OKPKey, authority: str | None, trusted: Path | None
) -> list[Seen]:
    async with connected(data) as platform:
        observer = platform.client("witness", "platform:read")
        try:
            found = await look(observer, SERVICES, file, key)
        except LogRewritten:
            await _report(platform, "WITNESS", "witness", 1)
            raise
        await _report(platform, "WITNESS", "witness", 0)
    if authority is not None and trusted is not None:
        await stamp(file, read_lines(file, key)[-1], authority, trusted)
    return found


async def _report(platform: Connected, kind: ProofKind, subject: str, findings: int) -> None:
    if (why_not := await report_proof(platform, kind, subject, findings)) is not None:
        _say(why_not)


def _say(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)
