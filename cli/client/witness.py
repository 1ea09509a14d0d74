"""A witness of the platform's logs: signed heads of their hash chains, in a file kept elsewhere.

Whoever may write a whole database can also compute a whole new chain for it. The witness has seen
the old one: it asks each service for its head once a day, makes sure that what it saw before is
still there, signs what it sees and adds a line to a file. It belongs to somebody who cannot write
the databases, such as the auditor, on a machine of theirs; who verifies has the public key alone.

Each line is a JWS (RFC 7515) and holds the hash of the line before it, so that none can be taken
out or put in; that the end was cut off shows by the age of the last line of a service.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from cli.client.http import Client, Connected, Refused
from cli.errors import Failed
from libs.chassis.durable_files import replace_file
from libs.events.store.chain import GENESIS
from localstack.environment import SERVICES

ALGORITHM: Final = "Ed25519"
EMPTY: Final = "position-without"  # a log that holds nothing has no head to see
AGE_H_MAX: Final = 24


class LogRewritten(Failed):
    """A log no longer holds what the witness has seen of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The chain of a service as seen: `head` in hex at a block's end, `number` in the file.

    A log that holds nothing is seen at position 0. `previous` is the SHA-256 of the line before in
    hex, empty in the first one and in those of a release that did not write it.
    """

    number: int
    at: datetime
    source: str
    epoch: str
    position: int
    head: str
    previous: str = ""


@dataclass(frozen=True, slots=True)
class _Head:
    source: str
    epoch: str
    position: int
    head: str


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The heads that a witness saw, {service: {position: head}}, and the faults of its file."""

    heads: Mapping[str, Mapping[int, bytes]] = field(default_factory=dict)
    findings: Sequence[str] = ()

    @classmethod
    def of(cls, file: Path, key: OKPKey, now: datetime, age_h_max: int = AGE_H_MAX) -> Self:
        """The heads that this key signed; a finding where it signed none of some service's log in
        the last `age_h_max` hours."""
        try:
            seen = read(file, key)
        except Failed as unbelieved:
            return cls(findings=[str(unbelieved)])
        last = {line.source: line.at for line in seen}
        age_max = timedelta(hours=age_h_max)
        return cls(
            by_source(seen),
            [
                f"has not seen the log of {service} in the last {age_h_max} hours"
                for service in SERVICES
                if service not in last or abs(now - last[service]) > age_max
            ],
        )


# -- Its key and its file -------------------------------------------------------------------------


def own_file(data_dir: Path) -> Path:
    """The file of the witness that a platform on one machine has beside it."""
    return data_dir / "witness" / "heads.jws"


def own_key(data_dir: Path) -> Path:
    """The key of that witness."""
    return data_dir / "witness" / "key.json"


def signing_key(path: Path) -> OKPKey:
    """The witness's own key, made on first use and readable by its owner alone."""
    if not path.exists():
        key = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
        replace_file(path, json.dumps(key.as_dict(private=True)), 0o600)
    return OKPKey.import_key(json.loads(path.read_text()))


def public_part(key: OKPKey) -> str:
    """The public key in base64url, 43 characters, as a verifier is told it."""
    return str(key.as_dict(private=False)["x"])


def public_key(text: str) -> OKPKey:
    """The key that a verifier was told. Raises `Failed` where it is none."""
    try:
        return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": text})
    except (JoseError, ValueError):
        raise Failed("The witness's key must be the 43 characters that it printed.") from None


def read(file: Path, key: OKPKey) -> list[Seen]:
    """Everything that was seen, in order. Raises `Failed` that names the line which is not ours."""
    return [seen for seen, _ in read_lines(file, key)]


def read_lines(file: Path, key: OKPKey) -> list[tuple[Seen, str]]:
    """As `read`, each with the SHA-256 of its line in hex."""
    return list(_lines(file, key)) if file.exists() else []


def _lines(file: Path, key: OKPKey) -> Iterator[tuple[Seen, str]]:
    previous, chained = "", False
    with file.open(encoding="ascii", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            try:
                signed = jws.deserialize_compact(line.strip(), key, algorithms=[ALGORITHM])
                seen = msgspec.json.decode(signed.payload, type=Seen)
            except (JoseError, ValueError, msgspec.MsgspecError):
                raise Failed(f"{file}, line {number}: was not signed by this witness.") from None
            if seen.number != number:
                raise Failed(f"{file}, line {number}: is line {seen.number} of what was signed.")
            chained = chained or bool(seen.previous)
            if chained and seen.previous != previous:
                raise Failed(f"{file}, line {number}: was not signed behind the line before it.")
            previous = hash_of_line(line)
            yield seen, previous


def hash_of_line(line: str) -> str:
    """The SHA-256 of a line without its end, in hex."""
    return hashlib.sha256(line.strip().encode()).hexdigest()


def by_source(seen: Sequence[Seen]) -> dict[str, dict[int, bytes]]:
    """{service: {position: head}} as `verify` takes it; an empty log says nothing of its later."""
    found: dict[str, dict[int, bytes]] = {}
    for line in seen:
        if line.position:
            found.setdefault(line.source, {})[line.position] = bytes.fromhex(line.head)
    return found


def append(file: Path, key: OKPKey, found: Sequence[Seen], previous: str = "") -> None:
    """Sign what was seen, each behind the one before it, and add it to the file, a line each.

    `previous` is the hash of the file's last line. It is on the disk when we return.
    """
    header: dict[str, Any] = {"alg": ALGORITHM, "kid": key.kid}
    written = []
    for seen in found:
        payload = msgspec.json.encode(replace(seen, previous=previous))
        written.append(jws.serialize_compact(header, payload, key, algorithms=[ALGORITHM]))
        previous = hash_of_line(written[-1])
    with file.open("a", encoding="ascii") as lines:
        lines.write("".join(f"{line}\n" for line in written))
        lines.flush()
        os.fsync(lines.fileno())


# -- Looking --------------------------------------------------------------------------------------


async def witness_here(platform: Connected) -> None:
    """Have the witness beside a platform look. For one machine: who can write here can also sign
    as it does."""
    key_file = own_key(platform.data_dir)
    key_file.parent.mkdir(mode=0o700, exist_ok=True)
    observer = platform.client("witness", "platform:read")
    await look(observer, SERVICES, own_file(platform.data_dir), signing_key(key_file))


def witnessed_here(data_dir: Path) -> Witnessed:
    """All that the witness beside a platform has seen."""
    return Witnessed.of(own_file(data_dir), signing_key(own_key(data_dir)), datetime.now(UTC))


async def look(observer: Client, services: Sequence[str], file: Path, key: OKPKey) -> list[Seen]:
    """Add today's heads to the file; gives the lines that are new.

    Raises `LogRewritten`, and adds nothing, where a log no longer holds what was seen of it before.
    """
    before = read_lines(file, key)
    last = {seen.source: seen for seen, _ in before}
    found: list[Seen] = []
    for service in services:
        head = await _head(observer, service, None)
        last_seen = last.get(service)
        if last_seen is not None and last_seen.position:
            await _still_there(observer, last_seen)
        number = len(before) + len(found) + 1
        stands = head or _Head(service, "", 0, GENESIS.hex())
        found.append(Seen(number, datetime.now(UTC), **asdict(stands)))
    append(file, key, found, before[-1][1] if before else "")
    return found


async def _still_there(observer: Client, last_seen: Seen) -> None:
    there = await _head(observer, last_seen.source, last_seen.position)
    if there is None or there.head != last_seen.head:
        raise LogRewritten(
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
