"""Words of the bus's tests: given records, members that are read to an end, other processes."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from libs.events.bus import Batch, Bus, Member, Record
from libs.events.domain.errors import StaleMember

ROOT = Path(__file__).parents[3]
DEADLINE_S = 30.0
PARTITIONS = 4


@dataclass(frozen=True)
class Address:
    """Where a bus is, and how short a session its groups may have."""

    url: str
    session_s: float


def record(topic: str, partition: int, value: str) -> Record:
    return Record(topic, partition, b"key", value.encode(), (("kind", b"test"),))


def one_each(topic: str, value: str) -> list[Record]:
    """One record for every partition."""
    return [record(topic, partition, f"{value}-{partition}") for partition in range(PARTITIONS)]


def numbered(topic: str, partition: int, count: int) -> list[Record]:
    return [record(topic, partition, str(number)) for number in range(count)]


def values(records: Iterable[Record]) -> list[str]:
    return [record.value.decode() for record in records]


def content(record: Record) -> tuple[object, ...]:
    """The content of a record, whatever its offset and the type its headers are kept in."""
    return record.key, record.value, tuple(tuple(header) for header in record.headers)


def by_partition(records: Iterable[Record]) -> dict[int, list[tuple[object, ...]]]:
    found: dict[int, list[tuple[object, ...]]] = {}
    for each in records:
        found.setdefault(each.partition, []).append(content(each))
    return found


async def publish(bus: Bus, records: Sequence[Record]) -> None:
    """Send with a producer of its own."""
    producer = await bus.producer()
    await producer.send(records)
    await producer.close()


async def batches(
    member: Member, count: int, max_records: int = 500, deadline_s: float = DEADLINE_S
) -> list[Batch]:
    """The records that a member is given, until they are `count` or more."""
    taken: list[Batch] = []
    try:
        async with asyncio.timeout(deadline_s):
            while sum(map(len, taken)) < count:
                taken += await member.fetch(max_records, wait_s=0.2)
    except TimeoutError:
        pytest.fail(f"{sum(map(len, taken))} of {count} came in {deadline_s} s")
    return taken


async def take(
    member: Member, count: int, max_records: int = 500, deadline_s: float = DEADLINE_S
) -> list[Record]:
    """The records of `batches`."""
    taken = await batches(member, count, max_records, deadline_s)
    return [record for batch in taken for record in batch.records]


async def take_until(member: Member, wanted: set[str], deadline_s: float = DEADLINE_S) -> list[str]:
    """The values a member is given, until all of `wanted` were among them."""
    taken: list[str] = []
    try:
        async with asyncio.timeout(deadline_s):
            while not wanted <= set(taken):
                for batch in await member.fetch(500, wait_s=0.2):
                    taken += values(batch.records)
    except TimeoutError:
        pytest.fail(f"{sorted(wanted - set(taken))} did not come in {deadline_s} s")
    return taken


async def rewound(member: Member, topic: str, partition: int) -> None:
    """Rewind a partition as soon as the member has it (again)."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                return await member.rewind(topic, partition)
            except StaleMember:
                await member.fetch(1, wait_s=0.2)


async def commit_all(member: Member, taken: Iterable[Batch]) -> None:
    for batch in taken:
        await member.commit({(batch.topic, batch.partition): batch.offsets[-1] + 1})


class Elsewhere:
    """A member in a process of its own, to be frozen and killed. It says a line at each step."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def says(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            return (await self._process.stdout.readline()).decode().strip()

    def go_on(self) -> None:
        """Let it commit what it was given."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def member_elsewhere(address: Address, group: str, topic: str) -> AsyncIterator[Elsewhere]:
    """Another process that joins, fetches once, waits for `go_on` and commits."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.bus.elsewhere"),
        *(address.url, str(address.session_s), group, topic),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    member = Elsewhere(process)
    try:
        yield member
    finally:
        await member.kill()
        # The pipes are closed by the loop a turn after the process has ended.
        assert process.stdin is not None
        process.stdin.close()
