"""A day's sweep over open cases, beside a bare loop that passes the same ones on.

The cases are complaints of an invented year, taken in by the import as its door does it, none of
them resolved. They came in evenly over so many working days that every level has its share, and so
the sweep of each day meets only those whose terms end then, as it does in service.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any, Final

import asyncpg
import msgspec
import psutil

from benchmarks.complaints import complaints_database
from benchmarks.measure import Effort, Line, in_turn, timed
from benchmarks.report import Figure
from benchmarks.server import database
from libs.chassis.auth import NATION, Principal
from libs.chassis.csv_upload import ImportReport, read_rows
from libs.chassis.idempotency import OnceOnly
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.privacy.keys import KeyRing
from libs.privacy.versions import KeyVersions
from localstack.postgres.server import PostgresServer
from services.complaints import policy
from services.complaints.contract import SERVICE
from services.complaints.domain.deadlines import Turn
from services.complaints.http.csv_commands import COMPLAINT_COLUMNS, CsvImport
from services.complaints.http.words import CaseKeys
from services.complaints.tables.sweeps import ask
from services.complaints.workers.sweeper import CHUNK_CASES, Sweeper
from simulators.synthetic_year.files import Year, complaints
from simulators.synthetic_year.places import WEST_KALIMANTAN

IS_NIGHT: Final = os.environ.get("PKH_NIGHTLY") == "1"
CASES: Final = 1_000_000 if IS_NIGHT else 20_000
ROWS_A_FILE: Final = 20_000
ROUNDS: Final = 3 if IS_NIGHT else 9
WARMUP_ROUNDS: Final = 1
RATIO_MIN: Final = 0.2
GROWN_MB_MAX: Final = 100
BEGIN: Final = date(2026, 6, 2)
"""The day up to which all terms have been held against due days before anything is measured."""
DAYS_BEFORE: Final = 59
"""The working days of all four levels' terms."""
DAYS_BEHIND: Final = 3 * (ROUNDS + WARMUP_ROUNDS)
POLICIES: Final = policy.load()
WORKING: Final = POLICIES.ladder.working
AT_DOOR: Final = Context(datetime(2026, 12, 1, tzinfo=UTC), "bench")
YEAR: Final = Year(CASES, 2026, 61, WEST_KALIMANTAN)
HEADER: Final = (
    "complaint_no,received_at,channel,category,anonymous,no_kk,region_code,text,"
    "resolved_at,resolution"
)
LINES: Final = (
    Line(f"a day's sweep over {CASES:,} open cases", "open cases/s", "ours"),
    Line("  the same cases passed on by plain SQL", "open cases/s", "bare", "ours", RATIO_MIN),
)


def days() -> list[date]:
    """The working days over which cases came in."""
    day = BEGIN
    for _ in range(DAYS_BEFORE):
        day = WORKING.last(day - timedelta(days=1))
    found = [day]
    while len(found) < DAYS_BEFORE + DAYS_BEHIND:
        found.append(WORKING.after(found[-1]))
    return found


def files() -> Iterator[bytes]:
    """The complaints as files, open and each on its day."""
    on, rows = days(), enumerate(complaints(YEAR))
    while some := list(islice(rows, ROWS_A_FILE)):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(HEADER.split(","))
        for number, (name, _, *about) in some:
            received = f"{on[number % len(on)]}T09:00:00"
            writer.writerow((name, received, *about[:-2], "", ""))
        yield text.getvalue().encode()


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Service:
    """The sweeper of complaints, on a store in which the cases are open."""

    def __init__(self, store: Store) -> None:
        self._store, self._day = store, BEGIN
        self._sweeper = Sweeper(store, POLICIES, lambda: datetime(2026, 12, 1, tzinfo=UTC))
        self.grown_mb = 0.0
        self._memory = 0

    async def begin(self) -> None:
        """Take every file in, and hold terms against the day on which it begins."""
        # The invented complaints have no words, so no key is asked for.
        keys = CaseKeys.of(KeyRing(self._store.pool, KeyVersions.of(bytes(32))))
        imported = CsvImport(POLICIES, keys, Principal("clerk", frozenset(), (NATION,)))
        for content in files():
            report = ImportReport("complaints.csv")
            async with self._store.transaction(AT_DOOR) as unit:
                async for rows in read_rows(_whole(content), COMPLAINT_COLUMNS, report):
                    await imported.complaints(unit, rows, report)
            assert report.refused == 0, report.errors[:3]
        await self._ask()
        await self.run()

    async def prepare(self, turn: int) -> None:
        """Ask for the sweep of the next working day."""
        if turn == WARMUP_ROUNDS:
            self._memory = psutil.Process().memory_info().rss
        self._day = WORKING.after(self._day)
        await self._ask()

    async def _ask(self) -> None:
        async with self._store.transaction(AT_DOOR) as unit:
            await ask(unit, self._day, OnceOnly("bench", str(self._day), sha256()))

    async def run(self) -> None:
        """Sweep until nothing is left."""
        while await self._sweeper.step():
            pass
        if not self._memory:
            return
        grown = psutil.Process().memory_info().rss - self._memory
        self.grown_mb = max(self.grown_mb, grown / 2**20)


class Bare:
    """The least that passes the same cases on: rows that are read, counted on and written."""

    def __init__(self, connection: Any) -> None:
        self._connection, self._day = connection, BEGIN

    async def begin(self) -> None:
        """Lay the cases down as they stand on the day on which it begins."""
        await self._connection.execute(
            """CREATE TABLE open_case (id bigint PRIMARY KEY, level text, received date, due date);
               CREATE INDEX due ON open_case (due, id) WHERE level <> 'NATION';
               CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY, body json)"""
        )
        stand: dict[tuple[str, date], Turn] = {}
        on, rows = days(), []
        for number, row in enumerate(complaints(YEAR)):
            start = POLICIES.categories_on(BEGIN)[str(row[3])].start
            received = on[number % len(on)]
            if (start, received) not in stand:
                stand[start, received] = POLICIES.ladder.turns(start, received, BEGIN)[-1]
            turn = stand[start, received]
            rows.append((number, *turn[:3]))
        await self._connection.copy_records_to_table("open_case", records=rows)
        await self._connection.execute("VACUUM ANALYZE open_case")

    async def prepare(self, _turn: int) -> None:
        """Come to the next working day."""
        self._day = WORKING.after(self._day)

    async def run(self) -> None:
        """Pass on, a chunk a transaction, until nobody is late."""
        while await self._chunk():
            pass

    async def _chunk(self) -> int:
        async with self._connection.transaction():
            late = await self._connection.fetch(
                """SELECT id, level, received, due FROM open_case
                   WHERE level <> 'NATION' AND due < $1 ORDER BY due, id LIMIT $2""",
                self._day,
                CHUNK_CASES,
            )
            if late:
                await self._pass_on(late)
        return len(late)

    async def _pass_on(self, late: list[Any]) -> None:
        moved = []
        for number, level, received, due in late:
            *_, turn = POLICIES.ladder.next_turns(Turn(level, received, due), self._day)
            moved.append((number, *turn[:3]))
        await self._connection.execute(
            """UPDATE open_case AS c SET level = m.level, received = m.received, due = m.due
               FROM unnest($1::bigint[], $2::text[], $3::date[], $4::date[])
                    AS m (id, level, received, due) WHERE c.id = m.id""",
            *map(list, zip(*moved, strict=True)),
        )
        bodies = [(msgspec.json.encode(row).decode(),) for row in moved]
        await self._connection.copy_records_to_table("event", columns=["body"], records=bodies)


async def figures(server: PostgresServer, effort: Effort) -> tuple[list[Figure], list[str]]:
    """The sweeps of days, one after another, beside the bare loop's, in turn."""
    url = await complaints_database(server, "swept")
    store = await Store.connect(url, SERVICE)
    connection = await asyncpg.connect(database(server, "bare_sweeps"))
    ours, bare = Service(store), Bare(connection)
    await ours.begin()
    await bare.begin()
    ways = {"ours": timed(ours, CASES), "bare": timed(bare, CASES)}
    found = await in_turn(ways, LINES, ROUNDS, effort, WARMUP_ROUNDS)
    due = await connection.fetchval("SELECT count(*) FROM event")
    await connection.close()
    await store.close()
    grown = Figure("  memory grew in all sweeps by", "MB", ours.grown_mb, most=GROWN_MB_MAX)
    note = (
        f"A day's sweep over {CASES:,} open cases took {CASES / found[0].value:.2f} s; "
        f"{due:,} cases were passed on in all sweeps that were measured."
    )
    return [*found, grown], [note]
