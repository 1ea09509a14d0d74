"""A hunt for lost events: many writers at once, readers beside them, every event accounted for.

The seed decides every batch, its streams, how long it is held open and whether it is taken back;
only who overtakes whom is left to the machine. A log is hunted through `Log`, so that the same
hunt can be shown to find one wanting whose readers miss events.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Final, NamedTuple, Protocol

import asyncpg

from libs.events.domain.errors import ConcurrencyConflict

BATCH_MAX: Final = 500
SMALL_BATCH: Final = 10  # small ones meet on few streams, large ones seldom
HOT_STREAMS: Final = 200
HELD_OPEN: Final = 0.3
HELD_OPEN_MAX_S: Final = 0.02
HELD_IN_COMMIT: Final = 0.05
HELD_IN_COMMIT_MAX_S: Final = 0.01
ROLLBACKS: Final = 0.01
WINDOWS: Final = (1, 7, 100, 500, 2_000)
NAMED_MAX: Final = 10

# What stands in `holds` makes COMMIT itself take its time, or fail: behind the last statement of
# the transaction, when its numbers are taken and nobody can see them yet. Writers that are decided
# again within a transaction may come to wait in a circle; one of them is told so at once.
HOLDS: Final = """
CREATE TABLE holds (seconds double precision, refused boolean);
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(NEW.seconds);
    IF NEW.refused THEN
        RAISE EXCEPTION 'refused in COMMIT';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON holds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold();
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 20', current_database());
END $$;
"""
BEGIN_AGAIN: Final = (
    ConcurrencyConflict,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)


class Fate(Enum):
    """The fate of a batch."""

    KEPT = "kept"
    GIVEN_UP = "given up by its writer"
    REFUSED = "refused in COMMIT"


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction: an event for each stream, marked `first`, `first` + 1 and so on."""

    number: int
    first: int
    streams: Sequence[str]
    open_s: float
    commit_s: float
    fate: Fate

    def events(self) -> list[tuple[str, int]]:
        """(stream, mark) of each event."""
        return [(stream, self.first + n) for n, stream in enumerate(self.streams)]

    async def hold(self, connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record]) -> None:
        """Keep the transaction open, then lay down what shall happen to it in COMMIT."""
        if self.open_s:
            await connection.execute("SELECT pg_sleep($1)", self.open_s)
        refused = self.fate is Fate.REFUSED
        if self.commit_s or refused:
            await connection.execute("INSERT INTO holds VALUES ($1, $2)", self.commit_s, refused)
        if self.fate is Fate.GIVEN_UP:
            raise GivenUp


class GivenUp(Exception):
    """A writer takes its batch back."""


class Seen(NamedTuple):
    """An event as a reader finds it; `version` is None where the log keeps none."""

    position: int
    mark: int
    stream: str
    version: int | None


class Log(Protocol):
    """The streams that writers append to and readers follow."""

    async def append(self, writer: int, batch: Batch) -> Sequence[int]:
        """The marks of those that were committed; raises what ended the transaction."""

    async def after(self, position: int, at_most: int) -> Sequence[Seen]:
        """The next events behind a position, in order; empty at the end."""


@dataclass(frozen=True, slots=True)
class Terms:
    """All that a hunt is made from: at least `events` are committed."""

    seed: int
    writers: int
    events: int
    readers: int = 2


def plan(terms: Terms) -> Iterator[Batch]:
    """The batches of a seed, in the order in which writers take them."""
    chance = Random(terms.seed)
    kept = first = number = 0
    while kept < terms.events:
        streams = [*_streams(chance, terms, number)]
        fate = Fate.KEPT
        if chance.random() < ROLLBACKS:
            fate = chance.choice((Fate.GIVEN_UP, Fate.REFUSED))
        else:
            kept += len(streams)
        yield Batch(
            number,
            first,
            streams,
            _hold(chance, HELD_OPEN, HELD_OPEN_MAX_S),
            _hold(chance, HELD_IN_COMMIT, HELD_IN_COMMIT_MAX_S),
            fate,
        )
        number, first = number + 1, first + len(streams)


def _streams(chance: Random, terms: Terms, number: int) -> Iterator[str]:
    size = round(BATCH_MAX ** chance.random())
    group = number % (2 * terms.writers)
    for _ in range(size):
        if size <= SMALL_BATCH:
            yield f"purse-hot-{chance.randrange(HOT_STREAMS)}"
        else:
            yield f"purse-{group}-{chance.randrange(BATCH_MAX)}"


def _hold(chance: Random, share: float, most_s: float) -> float:
    return chance.uniform(0, most_s) if chance.random() < share else 0.0


# -- What was found -------------------------------------------------------------------------------


@dataclass
class Sight:
    """The events that one reader has seen, and what was wrong with it there and then."""

    seen: bytearray
    position: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def note(self, event: Seen) -> None:
        """Take in the next event."""
        if event.position != self.position + 1:
            self.findings.append(f"position {event.position} follows {self.position}")
        self.position = event.position
        if event.version is not None:
            before = self.versions.get(event.stream, 0)
            if event.version != before + 1:
                self.findings.append(f"{event.stream}: version {event.version} follows {before}")
            self.versions[event.stream] = event.version
        if self.seen[event.mark]:
            self.findings.append(f"event {event.mark} is seen twice")
        self.seen[event.mark] = 1


@dataclass
class Hunt:
    """One hunt while it goes on, and its report."""

    log: Log
    terms: Terms
    batches: list[Batch] = field(default_factory=list)
    committed: bytearray = field(default_factory=bytearray)
    sights: list[Sight] = field(default_factory=list)
    taken_back: int = 0
    tried_again: int = 0
    seconds: float = 0.0

    async def run(self) -> None:
        """Write the whole plan while the readers follow."""
        self.batches = list(plan(self.terms))
        last = self.batches[-1]
        events = last.first + len(last.streams)
        self.committed = bytearray(events)
        self.sights = [Sight(bytearray(events)) for _ in range(self.terms.readers)]
        moved, done = asyncio.Condition(), asyncio.Event()
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for n, sight in enumerate(self.sights):
                chance = Random(self.terms.seed + n)
                group.create_task(self._read(sight, chance, moved, done))
            batches = iter(self.batches)
            async with asyncio.TaskGroup() as writers:
                for n in range(self.terms.writers):
                    writers.create_task(self._write(n, batches, moved))
            done.set()
            async with moved:
                moved.notify_all()
        self.seconds = time.monotonic() - began

    async def _write(self, writer: int, batches: Iterator[Batch], moved: asyncio.Condition) -> None:
        for batch in batches:
            for mark in await self._kept(writer, batch):
                self.committed[mark] = 1
            async with moved:
                moved.notify_all()

    async def _kept(self, writer: int, batch: Batch) -> Sequence[int]:
        while True:
            try:
                return await self.log.append(writer, batch)
            except (GivenUp, asyncpg.RaiseError):
                self.taken_back += 1
                return ()
            except BEGIN_AGAIN:
                self.tried_again += 1

    async def _read(
        self, sight: Sight, chance: Random, moved: asyncio.Condition, done: asyncio.Event
    ) -> None:
        while True:
            last = done.is_set()
            found = await self.log.after(sight.position, chance.choice(WINDOWS))
            for event in found:
                sight.note(event)
            if found:
                continue
            if last:
                return
            async with moved:
                if not done.is_set():
                    await moved.wait()

    # -- The report

    def missed(self) -> list[int]:
        """The marks of committed events that some reader never saw."""
        return [
            mark
            for mark, committed in enumerate(self.committed)
            if committed and not all(sight.seen[mark] for sight in self.sights)
        ]

    def findings(self) -> list[str]:
        """Everything that is wrong, the missed events by name first."""
        unwritten = [
            mark
            for mark, committed in enumerate(self.committed)
            if not committed and any(sight.seen[mark] for sight in self.sights)
        ]
        return [
            *(f"missed: {self.name(mark)}" for mark in self.missed()),
            *(f"seen, though never committed: {self.name(mark)}" for mark in unwritten),
            *(finding for sight in self.sights for finding in sight.findings),
        ]

    def name(self, mark: int) -> str:
        """An event as a person looks for it."""
        batch = self.batches[bisect_right(self.batches, mark, key=lambda each: each.first) - 1]
        stream = batch.streams[mark - batch.first]
        return f"event {mark} of {stream}, batch {batch.number} of {len(batch.streams)}"

    def __str__(self) -> str:
        findings, events = self.findings(), sum(self.committed)
        figures = (
            f"{events} events in {len(self.batches)} batches, {self.taken_back} taken back, "
            f"{self.tried_again} tried again, {self.seconds:.1f} s, {events / self.seconds:.0f}/s, "
            f"{len(self.missed())} missed, {len(findings)} findings"
        )
        return "\n".join([f"{self.terms}: {figures}", *findings[:NAMED_MAX]])
