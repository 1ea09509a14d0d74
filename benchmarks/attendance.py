"""20,000 rows of attendance, from the bytes of their file to the commit, beside a bare loop."""

from __future__ import annotations

import csv
import io
import os
import uuid
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, cast

import asyncpg

from benchmarks.domain import CONTEXT
from benchmarks.measure import WARMUP_ROUNDS, Effort, Line, in_turn, timed
from benchmarks.report import Figure
from benchmarks.server import corridor_database, database
from libs.chassis.auth import NATION, Principal
from libs.chassis.csv_upload import ImportReport, read_rows
from libs.events.store import migrate
from libs.events.store.postgres import Store
from libs.privacy.pseudonyms import Pseudonymizer
from libs.privacy.recognition import Recognition
from libs.privacy.versions import KeyVersions
from localstack.postgres.server import PostgresServer
from services.p2k2 import policy
from services.p2k2.contract import SERVICE, GroupAssigned
from services.p2k2.http.csv_commands import ATTENDANCE_COLUMNS, SESSION_COLUMNS, CsvImport
from services.p2k2.tables.groups import assign

ROWS: Final = 20_000
FAMILIES_A_GROUP: Final = 25
GROUPS: Final = ROWS // FAMILIES_A_GROUP
ROUNDS: Final = 10
RATIO_MIN: Final = 0.15  # which is 20,000 rows a second where the loop takes 130,000
BEGIN: Final = date(2020, 1, 1)
VILLAGE: Final = "61.03.01.2026"
MIGRATIONS: Final = Path(__file__).parents[1] / "services" / SERVICE / "migrations"
UNIT: Final = "rows/s"
LINES: Final = (
    Line(f"attendance: a file of {ROWS:,} rows taken in", UNIT, "ours"),
    Line("  its rows read, made tokens and copied", UNIT, "bare", "ours", RATIO_MIN),
)


def card(family: int) -> str:
    """The number of a family's card."""
    return f"{6103010000000000 + family}"


def attendance(turn: int) -> bytes:
    """The file of a turn: each group's session of a day, at which all of its families were."""
    rows = [
        f"S{turn}-{family // FAMILIES_A_GROUP},{card(family)},{'HIA'[family % 3]}"
        for family in range(ROWS)
    ]
    return "\n".join(["session_id,no_kk,status", *rows, ""]).encode()


def sessions(turn: int) -> bytes:
    """The file of a turn's sessions, one a group."""
    on = BEGIN + timedelta(days=turn)
    rows = [f"S{turn}-{group},G{group},PD{group},{on},KEUANGAN,1" for group in range(GROUPS)]
    return "\n".join(
        ["session_id,group_id,facilitator_id,held_on,module,session", *rows, ""]
    ).encode()


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Service:
    """The import of p2k2, on a store whose families are assigned to groups."""

    def __init__(self, store: Store, key: bytes) -> None:
        # Under a key that was never changed nothing is looked up in the database of the keys.
        recognition = Recognition(KeyVersions.of(key), cast("Any", None))
        clerk = Principal("clerk", frozenset(), (NATION,))
        self._store, self._import = store, CsvImport(recognition, policy.load(), clerk)
        self._file = b""

    async def begin(self, key: bytes) -> None:
        """Assign every family to a group."""
        pseudonymizer = Pseudonymizer(key)
        assigned = [
            GroupAssigned(
                str(uuid.UUID(int=family + 1)),
                pseudonymizer.card(card(family)),
                VILLAGE,
                f"G{family // FAMILIES_A_GROUP}",
                "PD1",
            )
            for family in range(ROWS)
        ]
        async with self._store.transaction(CONTEXT) as unit:
            await assign(unit, assigned)

    async def prepare(self, turn: int) -> None:
        """Hold the turn's sessions."""
        report = ImportReport("p2k2_sessions.csv")
        async with self._store.transaction(CONTEXT) as unit:
            async for rows in read_rows(_whole(sessions(turn)), SESSION_COLUMNS, report):
                await self._import.sessions(unit, rows, report)
        assert (report.accepted, report.refused) == (GROUPS, 0), report.errors[:3]
        self._file = attendance(turn)

    async def run(self) -> None:
        """Take the file in as its door does: batch by batch, in one transaction."""
        report = ImportReport("p2k2_attendance.csv")
        async with self._store.transaction(CONTEXT) as unit:
            async for rows in read_rows(_whole(self._file), ATTENDANCE_COLUMNS, report):
                await self._import.attendance(unit, rows, report)
        assert (report.accepted, report.refused) == (ROWS, 0), report.errors[:3]


class Bare:
    """The least that keeps the same marks: no check, no session, no event."""

    def __init__(self, connection: Any, key: bytes) -> None:
        self._connection, self._pseudonymizer = connection, Pseudonymizer(key)
        self._file = b""

    async def begin(self) -> None:
        """Make the table."""
        await self._connection.execute(
            "CREATE TABLE mark (session text, card text, status text, PRIMARY KEY (session, card))"
        )

    async def prepare(self, turn: int) -> None:
        """Make the file."""
        self._file = attendance(turn)

    async def run(self) -> None:
        """Copy its rows."""
        rows = csv.reader(io.StringIO(self._file.decode()))
        next(rows)
        tokens = [(session, self._pseudonymizer.card(no), status) for session, no, status in rows]
        async with self._connection.transaction():
            await self._connection.copy_records_to_table("mark", records=tokens)


async def figures(server: PostgresServer, effort: Effort) -> list[Figure]:
    """The import beside the bare loop, in turn."""
    key, url = os.urandom(32), await corridor_database(server, SERVICE)
    await migrate.apply(url, [migrate.CORRIDOR, MIGRATIONS], {"RUNTIME_ROLE": "postgres"})
    store = await Store.connect(url, SERVICE)
    connection = await asyncpg.connect(database(server, "bare_attendance"))
    ours, bare = Service(store, key), Bare(connection, key)
    await ours.begin(key)
    await bare.begin()
    ways = {"ours": timed(ours, ROWS), "bare": timed(bare, ROWS)}
    found = await in_turn(ways, LINES, ROUNDS, effort, WARMUP_ROUNDS)
    await connection.close()
    await store.close()
    return found
