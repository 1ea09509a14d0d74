"""Nobody's number, name, card or account stands in clear in anything that a run leaves behind."""

from __future__ import annotations

import asyncio
import mmap
import re
from pathlib import Path

import asyncpg
import pytest

from cli.platform import BusKind
from tests.chaos.year import SMALL, Year, year

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

DATABASES = ("registry", "conditionality", "payments", "projection", "keys", "bus")
LONG_ENOUGH = 10  # characters; a shorter text may stand somewhere by chance


def canaries(running: Year) -> set[bytes]:
    """Every card, person and account number and every full name of the year's files."""
    columns = {
        "families.csv": ("no_kk", "payee_nik", "account_no", "account_name", "address"),
        "members.csv": ("nik", "name"),
        "life_events.csv": ("nik", "name", "new_payee_nik", "account_no", "account_name"),
        "bank_accounts.csv": ("holder_name", "holder_nik"),
    }
    return {
        row[column].encode()
        for file, names in columns.items()
        for row in running.rows(file)
        for column in names
        if len(row[column]) >= LONG_ENOUGH
    }


def found_in(data: bytes | mmap.mmap, wanted: re.Pattern[bytes]) -> set[bytes]:
    return set(wanted.findall(data))


async def tables(running: Year) -> bytes:
    """Every row of every table of every database, as text: what compression might hide in files."""
    postgres = running.platform._around.postgres
    texts: list[str] = []
    for name in DATABASES:
        connection = await asyncpg.connect(postgres.superuser_url(f"pkh_{name}"))
        await connection.execute("CHECKPOINT")
        rows = await connection.fetch(
            """SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
               WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""
        )
        for (table,) in rows:
            found = await connection.fetch(f"SELECT t::text FROM {table} AS t")
            texts += [row[0] for row in found]
        await connection.close()
    return "\n".join(texts).encode()


def files(directory: Path, wanted: re.Pattern[bytes]) -> dict[str, int]:
    """The files below a directory that hold a canary, and how many."""
    hits: dict[str, int] = {}
    for path in directory.rglob("*"):
        if not path.is_file() or path.stat().st_size == 0:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
            if found := found_in(data, wanted):
                hits[str(path.relative_to(directory))] = len(found)
    return hits


async def scan(bus: BusKind) -> None:
    async with year(SMALL, bus) as running:
        await running.run(1)
        planted = canaries(running)
        # One after another, longest first: an alternation this long is a search of each place once.
        alternatives = b"|".join(re.escape(each) for each in sorted(planted, key=len, reverse=True))
        wanted = re.compile(alternatives)
        dumped = await tables(running)
        hits = await asyncio.to_thread(files, running.platform.data_dir, wanted)

    assert len(planted) > 1_000
    assert len(dumped) > 1_000_000
    assert found_in(dumped, wanted) == set()
    assert hits == {}


async def test_no_canary_is_left_by_a_run_on_the_embedded_bus() -> None:
    await scan("embedded")


@pytest.mark.kafka
async def test_no_canary_is_left_by_a_run_on_kafka() -> None:
    await scan("kafka")
