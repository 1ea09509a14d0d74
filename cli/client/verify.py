"""Proves what the platform's stores hold: hash chains, snapshots, the ledger's sums, positions."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from cli.client.http import Client, Connected
from cli.client.witness import Witnessed
from cli.errors import Failed
from libs.chassis.catalogue import role
from libs.chassis.settings import POSTGRES, SettingRefused, url
from libs.events.bus.topics import Topics
from libs.events.store.taken import Mark, come_again, marks, untrue
from libs.events.store.verify import NO_WITNESS, verify
from libs.events.store.watermarks import Positions, WaitedTooLong, until
from localstack.environment import CONTRACTS, RELAYED, SERVICES, Environment
from localstack.postgres.roles import password_file
from localstack.postgres.server import PostgresServer

RELAY_S_MAX: Final = 15.0
DRAWS: Final = 100
FOLDED_A_REQUEST: Final = 500
SEEDS: Final = 2**32


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be, in a service; names a block, a stream or a topic."""

    service: str
    what: str

    def __str__(self) -> str:
        return f"{self.service}: {self.what}"


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant of the ledger that does not hold, and what it came to where."""

    invariant: str
    where: str
    expected: int | str
    found: int | str

    def __str__(self) -> str:
        return f"{self.invariant} at {self.where}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """Payments' own check of its ledger."""

    broken: tuple[Broken, ...]


@dataclass(frozen=True, slots=True)
class InboundCheck:
    """Conditionality's own check of what it took in from outside."""

    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folding:
    """Which streams are folded again: those that a seed draws, all where it is None."""

    seed: int | None

    @classmethod
    def drawn(cls) -> Folding:
        """Others each time, so that nobody knows beforehand what is not looked at."""
        return cls(secrets.randbelow(SEEDS))


class _Refolded(msgspec.Struct):
    streams: int
    findings: list[str]
    next: str | None


async def findings(
    platform: Connected,
    folding: Folding,
    witnessed: Witnessed,
) -> AsyncIterator[Finding]:
    """Everything that is wrong with a running platform; nothing when all is well.

    That no witness has seen its logs lately is wrong too: a chain proves nothing without.
    """
    for what in witnessed.findings:
        yield Finding("witness", what)
    auditor = platform.client("auditor", "platform:read")
    for service in SERVICES:
        seen = witnessed.heads.get(service, NO_WITNESS)
        async for what in chain_findings(platform.data_dir, service, seen):
            yield Finding(service, what)
        async for what in snapshot_findings(auditor, service, folding):
            yield Finding(service, what)
    async for finding in taken_findings(platform.data_dir):
        yield finding
    async for finding in ledger_findings(platform):
        yield finding
    async for finding in inbound_findings(platform):
        yield finding
    async for finding in position_findings(auditor):
        yield finding


async def chain_findings(
    data_dir: Path, service: str, witnessed: Mapping[int, bytes] = NO_WITNESS
) -> AsyncIterator[str]:
    """The faults of the hash chain of one service's store."""
    async with await _store(data_dir, service) as pool:
        async for what in verify(pool, witnessed):
            yield what


async def taken_findings(data_dir: Path) -> AsyncIterator[Finding]:
    """The partitions from which a service took in what their owner's log does not hold."""
    topics = Topics.load(CONTRACTS)
    marked: list[Mark] = []
    for reader in SERVICES:
        async with await _store(data_dir, reader) as pool:
            marked += await marks(pool, reader)
    for service in RELAYED:
        own = [mark for mark in marked if topics.owners.get(mark.topic) == service]
        async with await _store(data_dir, service) as pool:
            async for mark in untrue(pool, topics, own):
                yield Finding(
                    mark.reader,
                    f"has taken in from {mark.topic}/{mark.partition}, behind position "
                    f"{mark.since} up to {mark.position}, what {service}'s log does not hold",
                )


async def repeats(data_dir: Path) -> AsyncIterator[str]:
    """The messages that stand on a topic a second time. Nothing is wrong with what is stored: they
    had no effect. Yet somebody sent them, as a relay does where it cannot know that it had."""
    for reader in SERVICES:
        async with await _store(data_dir, reader) as pool:
            for again in await come_again(pool, reader):
                yield (
                    f"{reader}: {again.count} messages came again on {again.topic}/"
                    f"{again.partition}, the last at offset {again.at}, and had no effect"
                )


async def _store(data_dir: Path, service: str) -> asyncpg.Pool[asyncpg.Record]:
    try:
        address = _address(data_dir, service)
        return await asyncpg.create_pool(address, min_size=1, max_size=1)
    except (OSError, SettingRefused, asyncpg.PostgresError) as error:
        raise Failed(f"{service}'s database does not answer ({type(error).__name__}).") from error


async def snapshot_findings(auditor: Client, service: str, folding: Folding) -> AsyncIterator[str]:
    """The snapshots of a service that are not what it folds again from its events."""
    asked: dict[str, str | int] = {"limit": FOLDED_A_REQUEST}
    if folding.seed is not None:
        asked = {"limit": DRAWS, "seed": folding.seed}
    while True:
        page = await auditor.get(service, "/refolded", _Refolded, **asked)
        for what in page.findings:
            yield what
        if page.next is None:
            return
        asked["cursor"] = page.next


def _address(data_dir: Path, service: str) -> str:
    """The address of a service's database: of the form that the card names, else the platform's."""
    card = data_dir / "run" / "platform.json"
    form = json.loads(card.read_text()).get("database") if card.exists() else None
    if form is None:
        # The ports of a platform do not matter to its database, which listens on a socket.
        environment = Environment(data_dir, PostgresServer(data_dir / "postgres"), None, {})
        return environment.address(service, role(service))
    password = password_file(data_dir / "secrets", role(service))
    address = form.format(service=service)
    variables = {
        **os.environ,
        "PKH_DATABASE_URL": address,
        "PKH_DATABASE_PASSWORD_FILE": str(password),
    }
    return url(variables, "PKH_DATABASE_URL", POSTGRES)


async def ledger_findings(platform: Connected) -> AsyncIterator[Finding]:
    """The faults that payments finds in its own ledger."""
    auditor = platform.client("auditor", "payments:read")
    for broken in (await auditor.get("payments", "/ledger/check", LedgerCheck)).broken:
        yield Finding("payments", str(broken))


async def inbound_findings(platform: Connected) -> AsyncIterator[Finding]:
    """The faults that conditionality finds in what it took in from outside: no owner's log stands
    behind that, so what was consumed is held against what was noted."""
    auditor = platform.client("auditor", "conditionality:read")
    check = await auditor.get("conditionality", "/inbound-check", InboundCheck)
    for broken in check.broken:
        yield Finding("conditionality", broken)


async def position_findings(
    auditor: Client, relay_s_max: float = RELAY_S_MAX
) -> AsyncIterator[Finding]:
    """Relays that stand still, readers that know more than was said, and parked messages."""
    # Readers are looked at first: their publisher can only have got further by then.
    readers = {service: await auditor.positions(service) for service in SERVICES}
    for service in RELAYED:
        publisher = await _caught_up(auditor, service, readers, relay_s_max)
        for reader, positions in readers.items():
            for what in reading_findings(positions, service, publisher):
                yield Finding(reader, what)
        if publisher.relayed < readers[service].head:
            what = f"has relayed {publisher.relayed} of {readers[service].head} positions"
            yield Finding(service, what)
    for service, positions in readers.items():
        if positions.parked:
            yield Finding(
                service, f"{positions.parked} messages are parked; see: pkh parked list {service}"
            )


async def _caught_up(
    auditor: Client, service: str, readers: Mapping[str, Positions], relay_s_max: float
) -> Positions:
    """A publisher's positions, once its relay has written down what readers already have."""
    head = readers[service].head

    def caught_up(publisher: Positions) -> bool:
        overtaken = (reading_findings(reader, service, publisher) for reader in readers.values())
        return publisher.relayed >= head and not any(chain.from_iterable(overtaken))

    with suppress(WaitedTooLong):
        await until(lambda: _is(caught_up, auditor, service), service, relay_s_max)
    return await auditor.positions(service)


async def _is(what: Callable[[Positions], bool], auditor: Client, service: str) -> bool:
    return what(await auditor.positions(service))


def reading_findings(reader: Positions, service: str, publisher: Positions) -> Iterator[str]:
    """Where a reader is ahead of what its publisher has relayed, as after a restore of one side."""
    for topic, relayed in publisher.topics.items():
        for partition, position in reader.consumed.get(topic, {}).items():
            if position > relayed.get(partition, 0):
                yield (
                    f"has consumed {topic}/{partition} up to position {position}, "
                    f"but {service} has relayed {relayed.get(partition, 0)}"
                )
