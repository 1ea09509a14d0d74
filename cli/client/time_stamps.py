"""Time stamps (RFC 3161) on a witness's file, by an authority outside, through OpenSSL.

Whoever has the witness's key can write its whole file anew. The authority has signed what the
file's last line was at some moment, and by their chain all lines before it, so a line that is
younger than it says shows: no stamp of its day holds it. Stamps stand beside the file, a line each:
the number of the line that was stamped, its hash, and the authority's answer in base64.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx
from joserfc.jwk import OKPKey

from cli.client.witness import Seen, read_lines
from cli.errors import Failed

ANSWER_S_MAX: Final = 30.0
OPENSSL_S_MAX: Final = 30.0
QUERY: Final = "application/timestamp-query"
_MOMENT: Final = re.compile(
    r"^Time stamp: ([A-Z][a-z]{2}) +([0-9]+) ([0-9:]{8})(?:\.[0-9]+)? ([0-9]{4}) GMT$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """An authority's word that line `number` of a file, of this hash, was there at a moment."""

    number: int
    digest: str
    at: datetime


async def stamp(file: Path, last: tuple[Seen, str], authority: str, trusted: Path) -> Stamp:
    """Have the authority at a URL stamp a file's last line, and keep its answer beside the file.

    `trusted` holds the certificates (PEM) by which it is believed. Raises `Failed` where it does
    not answer, or answers what is no stamp of this line; nothing is kept then.
    """
    seen, digest = last
    query = await _openssl("-query", "-digest", digest, "-sha256", "-cert")
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S_MAX) as http:
            answer = await http.post(authority, content=query, headers={"Content-Type": QUERY})
    except httpx.TransportError as error:
        raise Failed(f"The authority of time stamps: {type(error).__name__}.") from error
    if answer.status_code != HTTPStatus.OK:
        raise Failed(f"The authority of time stamps answered {answer.status_code}.")
    made = Stamp(seen.number, digest, await _checked(answer.content, digest, trusted))
    with stamps_of(file).open("a", encoding="ascii") as stamps:
        stamps.write(f"{seen.number} {digest} {base64.b64encode(answer.content).decode()}\n")
    return made


def stamps_of(file: Path) -> Path:
    """The file of the time stamps on a witness's file."""
    return file.with_name(f"{file.name}.stamps")


async def stamp_findings(file: Path, key: OKPKey, trusted: Path, age_h_max: int) -> list[str]:
    """The faults of the stamps on a witness's file, of which the lines are believed."""
    try:
        return list(differences(read_lines(file, key), await _stamps(file, trusted), age_h_max))
    except Failed as unbelieved:
        return [str(unbelieved)]


def differences(
    lines: Sequence[tuple[Seen, str]], stamped: Sequence[Stamp], age_h_max: int
) -> Iterator[str]:
    """Lines that are not those that were stamped, or whose first stamp came too long after them."""
    for made in stamped:
        if not 0 < made.number <= len(lines) or lines[made.number - 1][1] != made.digest:
            yield f"line {made.number} is not the one that was time-stamped on {made.at.date()}"
    for seen, _ in lines:
        first = min((made.at for made in stamped if made.number >= seen.number), default=None)
        if first is None:
            yield f"no time stamp covers line {seen.number} and those behind it"
            return
        if first - seen.at > timedelta(hours=age_h_max):
            signed, came = seen.at.date(), first.date()
            yield f"line {seen.number}, of {signed}, was first time-stamped on {came}"
            return


async def _stamps(file: Path, trusted: Path) -> list[Stamp]:
    """All stamps of a file, in their order. Raises `Failed` that names one that is not believed."""
    path = stamps_of(file)
    found = []
    lines = path.read_text("ascii", "replace").splitlines() if path.exists() else []
    for at, line in enumerate(lines, 1):
        try:
            number, digest, answer = line.split(" ")
            reply = base64.b64decode(answer, validate=True)
            found.append(Stamp(int(number), digest, await _checked(reply, digest, trusted)))
        except ValueError:
            raise Failed(f"{path}, line {at}: is no time stamp.") from None
        except Failed as unbelieved:
            raise Failed(f"{path}, line {at}: {unbelieved}") from None
    return found


async def _checked(answer: bytes, digest: str, trusted: Path) -> datetime:
    """The moment that an authority's answer names, if it is a stamp of this hash by one whom we
    believe; its certificate counts as of then."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(answer)
        file.flush()
        text = (await _openssl("-reply", "-in", file.name, "-text")).decode("utf-8", "replace")
        named = _MOMENT.search(text)
        if named is None:
            raise Failed("The authority's answer is no time stamp.")
        moment = datetime.strptime(" ".join(named.groups()), "%b %d %H:%M:%S %Y").replace(
            tzinfo=UTC
        )
        then = str(int(moment.timestamp()))
        which = ("-digest", digest, "-in", file.name, "-CAfile", str(trusted))
        await _openssl("-verify", *which, "-attime", then)
    return moment


async def _openssl(*arguments: str) -> bytes:
    """The output of `openssl ts`. Raises `Failed` where it refuses, or there is none."""
    try:
        done = await asyncio.to_thread(
            subprocess.run,
            ["openssl", "ts", *arguments],
            check=False,
            capture_output=True,
            timeout=OPENSSL_S_MAX,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise Failed("Time stamps need the program openssl.") from None
    if done.returncode:
        raise Failed("The authority's answer is no time stamp of this line by whom we believe.")
    return done.stdout
