"""A witness of the platform's logs: signed heads of their hash chains, in a file kept elsewhere.

Whoever may write a whole database can also compute a whole new chain for it. The witness has seen
the old one: it asks each service for its head now and then, makes sure that what it saw before is
still there, signs what it sees and adds a line to a file. It belongs to somebody who cannot write
the databases, such as the auditor, on a machine of theirs. Each line is a JWS (RFC 7515).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from cli.client.http import Client, Refused
from cli.errors import Failed
from libs.chassis.durable_files import replace_file

ALGORITHM: Final = "Ed25519"
EMPTY: Final = "position-without"  # a log that holds nothing has no head to see


@dataclass(frozen=True, slots=True)
class Seen:
    """The chain of a service as seen: `head` in hex at a block's end, `number` in the file."""

    number: int
    at: datetime
    source: str
    epoch: str
    position: int
    head: str


@dataclass(frozen=True, slots=True)
class _Head:
    source: str
    epoch: str
    position: int
    head: str


def signing_key(path: Path) -> OKPKey:
    """The witness's own key, made on first use and readable by its owner alone."""
    if not path.exists():
        key = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
        replace_file(path, json.dumps(key.as_dict(private=True)), 0o600)
    return OKPKey.import_key(json.loads(path.read_text()))


def read(file: Path, key: OKPKey) -> list[Seen]:
    """Everything that was seen, in order. Raises `Failed` that names the line which is not ours."""
    return list(_lines(file, key)) if file.exists() else []


def _lines(file: Path, key: OKPKey) -> Iterator[Seen]:
    with file.open(encoding="ascii") as lines:
        for number, line in enumerate(lines, 1):
            try:
                signed = jws.deserialize_compact(line.strip(), key, algorithms=[ALGORITHM])
                seen = msgspec.json.decode(signed.payload, type=Seen)
            except (JoseError, ValueError, msgspec.MsgspecError):
                raise Failed(f"{file}, line {number}: was not signed by this witness.") from None
            if seen.number != number:
                raise Failed(f"{file}, line {number}: is line {seen.number} of what was signed.")
            yield seen


def by_source(seen: Sequence[Seen]) -> dict[str, dict[int, bytes]]:
    """{service: {position: head}} as `verify` takes it."""
    found: dict[str, dict[int, bytes]] = {}
    for line in seen:
        found.setdefault(line.source, {})[line.position] = bytes.fromhex(line.head)
    return found


async def look(observer: Client, services: Sequence[str], file: Path, key: OKPKey) -> list[Seen]:
    """Add today's heads to the file; gives the lines that are new.

    Raises `Failed`, and adds nothing, where a log no longer holds what was seen of it before.
    """
    before = read(file, key)
    last = {seen.source: seen for seen in before}
    found: list[Seen] = []
    for service in services:
        head = await _head(observer, service, None)
        last_seen = last.get(service)
        if last_seen is not None:
            await _still_there(observer, last_seen)
        if head is not None and (last_seen is None or head.position > last_seen.position):
            number = len(before) + len(found) + 1
            found.append(Seen(number, datetime.now(UTC), **asdict(head)))
    append(file, key, found)
    return found


async def _still_there(observer: Client, last_seen: Seen) -> None:
    there = await _head(observer, last_seen.source, last_seen.position)
    if there is None or there.head != last_seen.head:
        raise Failed(
            f"{last_seen.source}: position {last_seen.position} is not what was seen there "
            f"on {last_seen.at.date()}; the log was rewritten, cut off or restored."
        )


async def _head(observer: Client, service: str, position: int | None) -> _Head | None:
    query = {} if position is None else {"at": position}
    try:
        return await observer.get(service, "/chain", _Head, **query)
    except Refused as refusal:
        if refusal.kind == EMPTY:
            return None
        raise


def append(file: Path, key: OKPKey, found: Sequence[Seen]) -> None:
    """Sign what was seen and add it to the file, a line each."""
    header: dict[str, Any] = {"alg": ALGORITHM, "kid": key.kid}
    with file.open("a", encoding="ascii") as lines:
        for seen in found:
            payload = msgspec.json.encode(seen)
            lines.write(jws.serialize_compact(header, payload, key, algorithms=[ALGORITHM]) + "\n")
