"""Nobody's number, name, card or account stands in clear in anything that a run leaves behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import asyncpg
import pytest

from cli.platform import BusKind
from tests.chaos.year import SMALL, Year, year

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

DATABASES = ("registry", "conditionality", "payments", "projection", "keys", "bus")
WHOLE_YEAR = (1, 2, 3, 4)
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


def holding(patterns: Path, where: Path) -> list[str]:
    """The files below a directory that hold one of the texts that `patterns` lists."""
    # grep's search for many fixed texts at once reads a gigabyte in a second.
    found = subprocess.run(
        ["grep", "-r", "-l", "-a", "-F", "-f", str(patterns), str(where)],
        env={"LC_ALL": "C", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode in (0, 1), found.stderr
    return found.stdout.splitlines()


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


async def scan(bus: BusKind, scratch: Path) -> None:
    patterns, dump = scratch / "patterns", scratch / "dump"
    dump.mkdir()
    async with year(SMALL, bus) as running:
        for number in WHOLE_YEAR:
            await running.run(number)
        differences = await running.differences(*WHOLE_YEAR)
        planted = canaries(running)
        write(patterns, b"\n".join(sorted(planted)) + b"\n")
        write(dump / "tables", await tables(running))
        hits = await asyncio.to_thread(holding, patterns, running.platform.data_dir)
        hits += await asyncio.to_thread(holding, patterns, dump)
        # The test of the test: the year's own files are full of them.
        assert len(holding(patterns, SMALL)) >= 5

    assert differences == []
    assert len(planted) > 1_000
    assert hits == []


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.mark.kafka
async def test_a_year_on_kafka_comes_to_what_is_expected_and_leaves_no_canary(
    tmp_path: Path,
) -> None:
    await scan("kafka", tmp_path)
