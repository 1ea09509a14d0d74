"""Nobody's number, name, address or account stands in clear in what the services keep or say."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import asyncpg

from libs.events.bus.connect import connect
from tests.doors import TOPICS, Door, Sender
from tests.integration.registry.kit import as_csv, child, family, life_event, member
from tests.integration.registry.processes import Platform, platform
from tests.servers import Postgres, eventually

CARD, ODD_CARD = "6103010101017771", "6103010101017772"
MOTHER, CHILD, BABY, AUNT = (f"61030145059077{number}" for number in ("71", "72", "73", "74"))
NAMES = ("ROSITA KENARI", "BUDI KENARI", "BAYI KENARI", "AUNT KENARI")
ACCOUNT, NEW_ACCOUNT = "300000777001", "300000777002"
ADDRESS, DTKS, NISN, NPSN = "JL. KENARI GANG 77", "DTKS-000777001", "0077700001", "30177701"
CANARIES: Final = (
    *(CARD, ODD_CARD, MOTHER, CHILD, BABY, AUNT, *NAMES),
    *(ACCOUNT, NEW_ACCOUNT, ADDRESS, DTKS, NISN, NPSN),
)
REPORTER: Final = "30177702"  # the school that reports is named, whoever goes there
IN_CLEAR: Final = "PD610377"  # a facilitator's id, to show that the search finds what is there
TO_STANDARD: Final = str.maketrans("-_", "+/")
BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")


# -- What is planted ------------------------------------------------------------------------------

PUPIL = {"school_level": "SD", "npsn": NPSN, "nisn": NISN}
FAMILIES = [
    family(
        CARD,
        MOTHER,
        address=ADDRESS,
        dtks_id=DTKS,
        account_no=ACCOUNT,
        account_name=NAMES[0],
        facilitator_id=IN_CLEAR,
    ),
    family(ODD_CARD, address=ADDRESS, account_no=NEW_ACCOUNT),
]
MEMBERS = [
    member(CARD, MOTHER, name=NAMES[0]),
    child(CARD, CHILD) | {"name": NAMES[1]} | PUPIL,
    member(CARD, AUNT, born="1990-05-05", name=NAMES[3]),
]
EVENTS = [
    life_event(
        "BIRTH",
        CARD,
        "2023-01-13",
        "2023-01-17",
        nik=BABY,
        name=NAMES[2],
        sex="F",
        birth_date="2023-01-13",
    ),
    life_event("SCHOOL_CHANGE", CARD, "2023-01-14", "2023-01-17", nik=CHILD, **PUPIL),
    life_event("PREGNANCY", CARD, "2023-02-01", "2023-02-02", nik=MOTHER, due_date="2023-08-01"),
    life_event("DEATH", CARD, "2023-02-01", "2023-02-02", nik=AUNT),
    life_event(
        "PAYEE_CHANGE",
        CARD,
        "2023-02-03",
        "2023-02-04",
        new_payee_nik=MOTHER,
        bank_code="BRI",
        account_no=NEW_ACCOUNT,
        account_name=NAMES[0],
    ),
]
FILES: Final = {
    "families": as_csv("families", FAMILIES),
    "members": as_csv("members", MEMBERS),
    "life-events": as_csv("life-events", EVENTS),
}
DAYS: Final = ("effective_days", "absent", "permitted", "sick")
FACTS: Final = {
    "school-attendance": "npsn,nisn,nik,month,effective_days,absent,permitted,sick\r\n"
    + "".join(f"{REPORTER},{NISN},{CHILD},2023-0{month},20,0,0,0\r\n" for month in (1, 2, 3)),
    "school-form": "npsn,nisn,nik,first_month,"
    + ",".join(f"{name}_{month}" for month in (1, 2, 3) for name in DAYS)
    + f"\r\n{REPORTER},{NISN},{CHILD},2023-01,20,0,0,0,20,0,0,0,,,,\r\n",
    "health-verification": "facility_code,nik,month,service,attended,service_date\r\n"
    f"PKM610301,{BABY},2023-02,WEIGHING,Y,2023-02-19\r\n",
}


def spoilt(text: str) -> Iterator[bytes]:
    """A file as it must not be: without header, shifted, cut off, of the wrong bytes."""
    header, rows = text.split("\r\n", 1)
    yield rows.encode()
    yield f"{header}\r\n,{rows}".encode()
    yield f'{text}"{CARD},{NAMES[0]}'.encode()
    yield f"{text}{MOTHER}\0".encode()
    yield text.encode() + NAMES[0].encode() + b"\xff\r\n"


# -- What is searched -----------------------------------------------------------------------------


async def kept(url: str) -> dict[str, str]:
    """Every row of every table of a database, all columns as text, by table."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            """SELECT format('%I.%I', table_schema, table_name) AS name
               FROM information_schema.tables WHERE table_type = 'BASE TABLE'
               AND table_schema NOT IN ('pg_catalog', 'information_schema')"""
        )
        found = {}
        for (name,) in tables:
            rows = await connection.fetch(f"SELECT whole::text FROM {name} AS whole")
            found[name] = "\n".join(row[0] for row in rows)
        return found
    finally:
        await connection.close()


def told_in(text: str, secrets: tuple[str, ...]) -> list[str]:
    """The secrets that stand in a text: plainly, as the hex of a bytea, or within base64."""
    places = [text, *_decoded(text)]
    return [
        secret
        for secret in secrets
        if any(secret in place or secret.encode().hex() in place for place in places)
    ]


def _decoded(text: str) -> Iterator[str]:
    for token in set(BASE64.findall(text)):
        with contextlib.suppress(binascii.Error):
            bare = token.rstrip("=").translate(TO_STANDARD)
            yield base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("latin-1")


# -- The test -------------------------------------------------------------------------------------


async def test_what_is_planted_is_told_to_nobody(postgres: Postgres, tmp_path: Path) -> None:
    async with platform(postgres, tmp_path) as running:
        registry, conditionality = running.doors["registry"], running.doors["conditionality"]
        for file, text in FILES.items():
            await hand_in(registry, "registry:import", file, text)
        for file, text in FACTS.items():
            await hand_in(conditionality, "conditionality:record", file, text)
        await close_a_tahap(running)
        identity = await look_up(running)
        answers = "\n".join([text async for text in knock_in_vain(registry, conditionality)])
        tables = {
            f"{service} {name}": text
            for service, url in running.databases.items()
            for name, text in (await kept(url)).items()
        }

    assert told_in(identity, (CARD, MOTHER, BABY))  # told to who may ask, so they are in there
    assert told_in(tables["registry public.events"], (IN_CLEAR,))
    for table in ("registry bus.segments", "registry public.keys", "conditionality public.events"):
        assert tables[table]
    assert running.said["registry"]
    assert running.said["conditionality"]
    texts = tables | running.said | {"answers": answers, "server": server_log(postgres)}
    assert {
        where: leaked for where, text in texts.items() if (leaked := told_in(text, CANARIES))
    } == {}


async def hand_in(door: Door, scope: str, file: str, text: str) -> None:
    answer = await door.post(f"/imports/{file}", door.who("importer-1", scope), content=text)
    assert answer.status_code == 200, answer.text


async def close_a_tahap(running: Platform) -> None:
    """Have the closing announced over the bus, listed, and every listed family evaluated."""
    body = {
        "tahap": "2023-1",
        "months": ["2023-01", "2023-02", "2023-03"],
        "closing_date": "2023-03-31",
        "policies": {"rule_set": "2021-2024"},
        "after": {},
    }
    topic = "pkh.payments.tahap.v1"
    bus = await connect(running.registry.bus_url)
    await bus.ensure_topics({topic: TOPICS.partitions[topic]})
    producer = await bus.producer()
    await producer.send([Sender(topic).record("ClosingAnnounced", "2023-1", body)])
    await producer.close()
    await bus.close()
    connection = await asyncpg.connect(running.databases["conditionality"])
    closed = "SELECT count(*) FROM events WHERE type = 'EvaluationClosed'"
    await eventually(lambda: connection.fetchval(closed), 30, "the evaluation is closed")
    await connection.close()


async def look_up(running: Platform) -> str:
    """The identities of everybody, which only this answer holds in clear."""
    connection = await asyncpg.connect(running.databases["registry"])
    families = [row[0] for row in await connection.fetch("SELECT family::text FROM keys")]
    await connection.close()
    door = running.doors["registry"]
    who, body = door.who("demo-1", "registry:identify"), {"purpose": "REPORT", "families": families}
    answer = await door.client.post("/identities/lookup", headers=who, json=body)
    return answer.text


async def knock_in_vain(registry: Door, conditionality: Door) -> AsyncIterator[str]:
    """Everything that is refused, with people's data wherever a caller may put it."""
    for door, scope, files in (
        (registry, "registry:import", FILES),
        (conditionality, "conditionality:record", FACTS),
    ):
        who = door.who("importer-1", scope)
        for file, text in files.items():
            for body in spoilt(text):
                answer = await door.post(f"/imports/{file}", who, content=body)
                assert answer.status_code == 422, answer.text
                yield answer.text
    reader = registry.who("reader-1", "registry:read", "conditionality:read")
    yield (await registry.client.get(f"/families/{MOTHER}", headers=reader)).text
    yield (await registry.client.get(f"/families?nik={MOTHER}", headers=reader)).text
    yield (await conditionality.client.get(f"/commitments/{MOTHER}", headers=reader)).text
    recorder = conditionality.who("school-1", "conditionality:record")
    for json in ({"nik": MOTHER, MOTHER: CHILD}, {"nik": [MOTHER], "month": CHILD}, [NAMES[0]]):
        yield (await conditionality.post("/school-months", recorder, json=json)).text
    broken = f'{{"nik": "{MOTHER}", "month": {CHILD}'
    yield (await conditionality.post("/visits", recorder, content=broken)).text


def server_log(postgres: Postgres) -> str:
    """The database server's own log, where it is one of our own."""
    file: Path | None = getattr(postgres, "log_file", None)
    return file.read_text() if file else ""
