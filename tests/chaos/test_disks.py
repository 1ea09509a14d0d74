"""Everything answered for is there after a power cut, on a full disk, on one that cannot flush."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from libs.events.relay.outbox import Relay
from libs.events.store import migrate
from libs.events.store.faults import LOST
from libs.events.store.handle import handle_many
from libs.events.store.postgres import CommitUnknown, Store
from libs.events.store.verify import verify
from localstack.kafka_server import Broker
from localstack.postgres.home import PostgresFailed
from localstack.postgres.server import PostgresServer
from tests.chaos.disks import disk, failing_flushes, grow, needs_disks, small_disk
from tests.corridor import TOPICS, Corridor, corridor_at, running
from tests.purse import CONTEXT, KEPT, TOPIC, PutIn
from tests.servers import Postgres, eventually
from tests.tiers import NIGHTLY

ROUNDS = 20 if NIGHTLY else 1
ANSWERED = 3_000
WRITERS = 3
BATCH = 20
SMALL_DISK_MB = 260
SMALL_WAL: Mapping[str, str] = {
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "shared_buffers": "32MB",
}
RISKY = {**SMALL_WAL, "fsync": "off", "full_page_writes": "off"}


@pytest.fixture(autouse=True)
def _disks() -> None:
    needs_disks()


@pytest.fixture
def room() -> Iterator[Path]:
    """A directory for servers. Every session of pytest that begins shuts `tmp_path` to others,
    among them the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="pkh-disks-") as directory:
        yield Path(directory)


@dataclass
class Writers:
    """Several at once; `answered` are the streams whose append was answered for."""

    url: str
    answered: set[str] = field(default_factory=set)
    ended_by: list[str] = field(default_factory=list)

    async def write(self, number: int) -> None:
        store = await Store.connect(self.url, "writer")
        try:
            for turn in range(1_000_000):
                streams = [f"purse-{number}-{turn}-{n}" for n in range(BATCH)]
                async with store.transaction(CONTEXT) as unit:
                    await handle_many(unit, KEPT, [(stream, PutIn(1)) for stream in streams])
                self.answered |= set(streams)
        except (*LOST, CommitUnknown, asyncpg.PostgresError) as error:
            self.ended_by.append(type(error).__name__)
        finally:
            await store.close()


@contextlib.asynccontextmanager
async def writing(server: PostgresServer) -> AsyncIterator[Writers]:
    writers = Writers(server.superuser_url())
    tasks = [asyncio.create_task(writers.write(number)) for number in range(WRITERS)]
    try:
        yield writers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def serving(directory: Path, settings: Mapping[str, str]) -> Iterator[PostgresServer]:
    server = PostgresServer(directory / "pg", settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()


async def with_a_store(server: PostgresServer) -> None:
    await migrate.apply(server.superuser_url(), [migrate.CORRIDOR], {"RUNTIME_ROLE": "postgres"})
    server.run_sql("CHECKPOINT")


async def lost(server: PostgresServer, answered: set[str]) -> set[str]:
    """The streams answered for that are missing; proves besides that the log is whole."""
    async with asyncpg.create_pool(server.superuser_url(), min_size=1, max_size=1) as pool:
        assert [finding async for finding in verify(pool)] == []
        there = await pool.fetch("SELECT stream_id FROM events")
    return answered - {row["stream_id"] for row in there}


# -- Power ----------------------------------------------------------------------------------------


async def after_a_power_cut(directory: Path, settings: Mapping[str, str]) -> tuple[int, int]:
    """(answered, lost) of writers whose machine loses its power while they write."""
    with disk(directory) as where, serving(where.mount, settings) as server:
        await with_a_store(server)
        async with writing(server) as writers:
            await eventually(lambda: len(writers.answered) >= ANSWERED, 60)
            answered = set(writers.answered)
            with where.cut() as found:
                server.kill()
                return len(answered), len(await lost_in(found, settings, answered))


async def lost_in(found: Path, settings: Mapping[str, str], answered: set[str]) -> set[str]:
    """The same on a disk that was found; raises `BeyondRepair` where it holds no whole log."""
    try:
        with serving(found, settings) as again:
            return await lost(again, answered)
    except (PostgresFailed, asyncpg.PostgresError, AssertionError) as error:
        raise BeyondRepair from error


class BeyondRepair(Exception):
    """PostgreSQL does not start on what was found, or finds its log torn."""


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_a_power_cut_loses_nothing_that_was_answered_for(room: Path, number: int) -> None:
    answered, missing = await after_a_power_cut(room, SMALL_WAL)

    assert missing == 0, f"{missing} of {answered} answered appends are gone"


async def test_the_same_cut_finds_a_server_that_does_not_flush_wanting(room: Path) -> None:
    """The test of the test: with fsync off answers are lost, or the cluster does not come up."""
    try:
        _, missing = await after_a_power_cut(room, RISKY)
    except BeyondRepair:
        return
    assert missing > 0


# -- A full disk, a failing one -------------------------------------------------------------------


async def test_a_full_disk_is_told_and_loses_nothing_that_was_answered_for(room: Path) -> None:
    place = room / "small"
    with small_disk(place, SMALL_DISK_MB):
        with serving(place, SMALL_WAL) as server:
            await with_a_store(server)
            async with writing(server) as writers:
                await eventually(lambda: len(writers.answered) >= ANSWERED, 60)
                fill(place)
                await eventually(lambda: len(writers.ended_by) == WRITERS, 60)
        grow(place, 4 * SMALL_DISK_MB)
        with serving(place, SMALL_WAL) as server:
            assert await lost(server, writers.answered) == set()
            await writes_again(server)


def fill(place: Path) -> None:
    """Leave nothing free."""
    with (place / "ballast").open("wb") as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(1024 * 1024))


async def test_a_disk_that_refuses_to_flush_loses_nothing_that_was_answered_for(
    room: Path,
) -> None:
    with serving(room, SMALL_WAL) as server:
        await with_a_store(server)
        async with writing(server) as writers:
            await eventually(lambda: len(writers.answered) >= ANSWERED, 60)
            with failing_flushes(server.pid or 0):
                await eventually(lambda: "PANIC" in server.log_file.read_text(), 60)
    with serving(room, SMALL_WAL) as server:
        assert await lost(server, writers.answered) == set()
        await writes_again(server)


async def writes_again(server: PostgresServer) -> None:
    async with writing(server) as writers:
        await eventually(lambda: len(writers.answered) >= BATCH, 60)
        assert writers.ended_by == []


# -- A broker's disk ------------------------------------------------------------------------------


@contextlib.contextmanager
def on(broker: Broker) -> Iterator[Broker]:
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


@pytest.mark.kafka
@pytest.mark.nightly  # a broker of its own for one test
async def test_what_a_broker_lost_in_a_power_cut_is_sent_again_from_the_store(
    room: Path, postgres: Postgres, kafka_jars: Path
) -> None:
    with disk(room) as where, contextlib.ExitStack() as brokers:
        broker = brokers.enter_context(on(Broker(where.mount / "kafka")))
        await broker.ready()
        async with corridor_at(postgres, f"kafka://{broker.bootstrap}") as corridor:
            os.sync()  # it has run for a while: what it holds so far is on the disk
            await passed_on(corridor, *range(1, ANSWERED + 1))

            found = brokers.enter_context(where.cut())
            broker.kill()
            again = Broker(found / "kafka", broker.port, broker.controller_port)
            await brokers.enter_context(on(again)).ready()
            assert await held(corridor) < ANSWERED, "the cut took nothing, so it shows nothing"

            await passed_on(corridor, ANSWERED + 1)
            assert await held(corridor) == ANSWERED + 1
            assert sorted(await corridor.taken()) == list(range(1, ANSWERED + 2))


async def passed_on(corridor: Corridor, *coins: int) -> None:
    async with running(Relay(corridor.writer, corridor.bus, TOPICS), corridor.consumer()):
        await corridor.put(*coins)
        await eventually(corridor.caught_up, 90)


async def held(corridor: Corridor) -> int:
    return sum((await corridor.bus.ends(TOPIC)).values())
