"""Numbers, names, cards and accounts of people, looked for in clear in what a platform keeps."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg

from libs.chassis.catalogue import catalogue
from tests.chaos.year import Year

DATABASES = (*catalogue().names, "keys", "bus")
LONG_ENOUGH = 10  # characters; a shorter text may stand somewhere by chance
CANARIES_MIN = 1_000


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


WORDS: Final = tuple(
    f"Kenari {said} yang tidak keluar"
    for said in ("tempat", "jadwal", "catatan", "rencana", "temuan", "alasan")
)
"""People's own words of sessions, which stay in p2k2: a venue, a schedule, notes, a follow-up plan,
a finding, a reason."""


async def plant_words(running: Year) -> None:
    """Have people say `WORDS` of sessions and groups of the small year."""
    venue, schedule, notes, follow_up, findings, reason = WORDS
    session = running.rows("p2k2_sessions.csv")[0]
    recorder = running.front.client("recorder", "p2k2:record", "p2k2:read")
    arranged = {"venue": venue, "schedule": schedule}
    await recorder.post("p2k2", f"/groups/{session['group_id']}/arrangement", arranged)
    held = f"/sessions/{session['session_id']}"
    noted = {"notes": notes, "follow_up": follow_up, "photo": "photos/S0000001"}
    await recorder.post("p2k2", f"{held}/notes", noted)
    visit = {"supervisor": "SV610300", "on": session["held_on"], "findings": findings}
    await recorder.post("p2k2", f"{held}/supervision", visit)
    planned = {
        "group": session["group_id"],
        "facilitator": session["facilitator_id"],
        "on": "2030-01-05",
        "venue": venue,
        "module": session["module"],
        "session": 1,
    }
    await recorder.post("p2k2", "/sessions/S9999999/plan", planned)
    seen = await recorder.see("p2k2", "/sessions/S9999999", dict[str, object])
    cancelled = {"reason": reason}
    await recorder.post("p2k2", "/sessions/S9999999/cancellation", cancelled, seen.if_match)


COMPLAINED: Final = (
    "Kenari Pelapor Rahasia",
    "kenari.pelapor@example.org",
    "Kenari mengadu lewat formulir",
    "Kenari mengadu lewat berkas",
    "Kenari catatan petugas pengaduan",
)
"""The words of a reporter about themselves and of their complaint, at the door and in a file, and
a note of staff: no table, file, log, message or trace holds it in clear, those of complaints
included."""


async def plant_complaints(running: Year) -> None:
    """Have somebody complain, at the door and by a file, in `COMPLAINED`."""
    name, contact, text, filed, note = COMPLAINED
    scopes = ("complaints:receive", "complaints:read", "complaints:handle")
    desk = running.front.client("desk", *scopes)
    region = running.rows("complaints.csv")[0]["region_code"]
    complaint = {"category": "NO_CARD", "channel": "WEB", "region": region, "confidential": True}
    statement = {"received_on": "2023-03-30", "name": name, "contact": contact, "text": text}
    answer = await desk.post("complaints", "/cases", complaint | statement)
    received = answer.read(dict[str, str])
    await desk.post("complaints", f"/cases/{received['case']}/notes", {"words": note})
    file = (
        "complaint_no,received_at,channel,category,anonymous,region_code,text\n"
        f"K000001,2023-03-30T10:00:00,WEB,NO_CARD,Y,{region},{filed}\n"
    )
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / "complaints.csv"
        path.write_text(file)
        await desk.upload("complaints", "/imports/complaints", path)
    # The words are there, for whoever may read them: the test of the test.
    words = await desk.see("complaints", f"/cases/{received['case']}/words", dict[str, object])
    assert text in str(words)


async def tables(running: Year, databases: Sequence[str] = DATABASES) -> bytes:
    """Every row of every table of databases, as text: what compression might hide in files."""
    postgres = running.platform._environment.postgres
    texts: list[str] = []
    for name in databases:
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


async def found_in_clear(running: Year) -> list[str]:
    """The files, and the dump of the tables, in which anybody stands who should not."""
    content = await tables(running)
    return await asyncio.to_thread(_found, running, content)


def _found(running: Year, content: bytes) -> list[str]:
    planted = canaries(running)
    assert len(planted) > CANARIES_MIN
    with tempfile.TemporaryDirectory() as scratch:
        patterns, dump = Path(scratch) / "patterns", Path(scratch) / "tables"
        patterns.write_bytes(b"\n".join(sorted(planted)) + b"\n")
        dump.write_bytes(content)
        # The test of the test: the year's own files are full of them.
        assert len(holding(patterns, running.directory)) >= 5
        return holding(patterns, running.platform.data_dir) + holding(patterns, dump)
