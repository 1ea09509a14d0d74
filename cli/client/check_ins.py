"""Check-in at sessions: tokens that are downloaded before, and what was scanned, sent later."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from cli.client.http import Client
from cli.client.sending import opened
from cli.client.sessions import SERVICE
from cli.errors import Failed
from libs.chassis.durable_files import write_private
from libs.chassis.forms import MOMENT

COLUMNS: Final = ("token", "scanned_at")


@dataclass(frozen=True, slots=True)
class FamilyToken:
    """A family's token for a session."""

    family: str
    token: str


@dataclass(frozen=True, slots=True)
class CheckInList:
    """The tokens of a session, when they may be scanned, and the key that proves them (a JWK)."""

    number: str
    group: str
    on: str
    begins: str
    ends: str
    key: dict[str, str]
    tokens: tuple[FamilyToken, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """A family whose token was scanned, and when."""

    family: str
    token: str
    scanned_at: str


async def listed(recorder: Client, number: str) -> CheckInList:
    """New tokens of a session's families, for all of its day."""
    path = f"/sessions/{number}/check-in-tokens"
    return await recorder.get(SERVICE, path, CheckInList, listed="true")


async def sheet(recorder: Client, number: str) -> bytes:
    """A page of HTML to be printed, with a QR code for each of a session's families."""
    return await recorder.content(SERVICE, f"/sessions/{number}/check-in-sheet")


async def check_in(recorder: Client, number: str, scans: list[Scan]) -> None:
    """Say whose tokens were scanned; all are taken or none, and the same again change nothing."""
    await recorder.post(SERVICE, f"/sessions/{number}/check-ins", {"scans": scans})


def keep(path: Path, tokens: CheckInList) -> None:
    """Keep a list for who scans without a network; nobody else on this machine reads it."""
    keep_private(path, msgspec.json.encode(tokens))


def keep_private(path: Path, content: bytes) -> None:
    """Keep what lets a family be checked in. Raises `Failed`."""
    try:
        write_private(path, content.decode())
    except OSError as error:
        raise Failed(f"{path} cannot be written ({error.strerror}).") from None


def kept_list(path: Path) -> CheckInList:
    """A list that was kept. Raises `Failed`."""
    try:
        with opened(path) as (content, _):
            return msgspec.json.decode(content.read(), type=CheckInList)
    except msgspec.MsgspecError:
        raise Failed(
            f"{path} is no list of tokens; download one with: pkh session tokens"
        ) from None


def read_scans(path: Path, tokens: CheckInList) -> list[Scan]:
    """The scans of a file, each of a token of the list. Raises `Failed`, naming file and line.

    A token that does not stand there was forged, or belongs to another list: nobody is asked.
    """
    families = {one.token: one.family for one in tokens.tokens}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"{path} cannot be read ({type(error).__name__}).") from None
    rows = csv.DictReader(lines)
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise Failed(f"{path}: line 1 must be {','.join(COLUMNS)}")
    scans = []
    for line, row in enumerate(rows, 2):
        token, at = row["token"] or "", row["scanned_at"] or ""
        if token not in families:
            raise Failed(f"{path}: line {line}: token: is not of this list")
        if not MOMENT.fullmatch(at):
            raise Failed(f"{path}: line {line}: scanned_at: must be as 2023-01-20T02:15:00Z (UTC)")
        scans.append(Scan(families[token], token, at))
    if not scans:
        raise Failed(f"{path} holds no scan.")
    return scans
