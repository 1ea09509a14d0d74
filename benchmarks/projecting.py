"""Families of an invented year into projection (20,000, by night 1,000,000), and their figures."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import asyncpg
import msgspec

from benchmarks import bare_bus
from benchmarks.measure import Effort, Line, in_turn
from benchmarks.report import Figure
from benchmarks.server import database
from benchmarks.sweeps import IS_NIGHT
from libs.chassis.reading import Reading
from libs.events.bus import Bus, Record, embedded
from libs.events.bus.connect import connect
from libs.events.bus.envelope import Envelope, headers_of, source_of, type_prefix
from libs.events.bus.topics import Topics
from libs.events.consumer.inbox import Consumer
from libs.events.store import migrate
from libs.events.store.postgres import Store
from localstack.postgres.server import PostgresServer
from services.projection.consumers import SUBSCRIPTIONS
from services.projection.contract import COMMITMENT_TOPIC, PAYMENT_TOPIC, SERVICE, TAHAP_TOPIC
from services.projection.policy.areas import Level
from services.projection.tables.figures import FiguresWanted, figures
from services.projection.tables.models import ModelName
from services.projection.tables.sums import settle
from simulators.synthetic_year.files import Year, write_year
from simulators.synthetic_year.places import WEST_KALIMANTAN

FAMILIES: Final = 1_000_000 if IS_NIGHT else 20_000
OF_A_FAMILY: Final = 4  # entitled, evaluated, instructed, credited
MESSAGES: Final = FAMILIES * OF_A_FAMILY
ROUNDS: Final = 1 if IS_NIGHT else 3
DEADLINE_S: Final = bare_bus.DEADLINE_S * FAMILIES / 20_000
QUESTIONS: Final = 20
LOOK_S: Final = 0.005
WINDOW: Final = 5_000
TAHAP: Final = "2023-1"
MOMENT: Final = datetime(2023, 4, 20, tzinfo=UTC)
EPOCH: Final = "11111111-1111-4111-8111-111111111111"
ROOT: Final = Path(__file__).parents[1]
TOPICS: Final = Topics.load(ROOT / "contracts")
MIGRATIONS: Final = ROOT / "services" / SERVICE / "migrations"
READER: Final = "bench_reader"
EVENTS: Final = "messages/s"
TAKEN_IN: Final = (
    Line(f"projection: {MESSAGES:,} messages of {FAMILIES:,} families taken in", EVENTS, "ours"),
    Line("  a bare loop that copies the same bodies", EVENTS, "bare", "ours"),
)
ANSWERED: Final[tuple[tuple[ModelName, Level], ...]] = (
    ("coverage", "REGENCY"),
    ("commitment", "DISTRICT"),
    ("payments", "NATION"),
    ("indicators", "NATION"),
)
"""Questions about all families of a tahap at once: the widest that there are."""


def bodies(regions: Sequence[str]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(topic, type, family, body) of what services say of families in a tahap, in order."""
    months = {"tahap": TAHAP, "months": ["2023-01", "2023-02", "2023-03"]}
    yield TAHAP_TOPIC, "ClosingAnnounced", TAHAP, months | {"closing_date": "2023-03-31"}
    for number, region in enumerate(regions):
        family = str(uuid.uuid5(uuid.NAMESPACE_OID, f"family-{number}"))
        payment = str(uuid.uuid5(uuid.NAMESPACE_OID, f"payment-{number}"))
        about = {"family": family, "tahap": TAHAP, "payment": payment, "amount": 225_000}
        failed = number % 20 == 0
        duties = [
            {"member": 3, "duty": "SD", "month": month, "outcome": "PASSED", "reason": None}
            for month in months["months"]
        ]
        judged = {"result": "FAILED" if failed else "COMPLIANT", "revision": 1, "duties": duties}
        entitled = {"kind": "REGULAR", "region": region, "payee_valid": True, "cut": 0}
        counted = {"components": [{"category": "SD", "members": 1}], "benefit_policy": "2021-2024"}
        access = {"counter": int(failed), "access": [{"of": "EDUCATION", "reached": True}]}
        yield PAYMENT_TOPIC, "PaymentEntitled", family, about | entitled | counted
        yield COMMITMENT_TOPIC, "CycleEvaluated", family, about | judged | access
        yield PAYMENT_TOPIC, "PaymentInstructed", family, about | {"bank": "BNI"}
        credited = {"hold": "HELD" if failed else "NONE", "bank_reference": "BNI-1"}
        yield PAYMENT_TOPIC, "PaymentCredited", family, about | credited


def windows(regions: Sequence[str]) -> Iterator[list[Record]]:
    """Those messages as their owners' relays send them, so many at a time."""
    left = records(regions)
    while some := list(islice(left, WINDOW)):
        yield some


def records(regions: Sequence[str]) -> Iterator[Record]:
    """Each of those messages, in order."""
    positions: dict[str, int] = {}
    last: dict[tuple[str, int], int] = {}
    for topic, kind, key, body in bodies(regions):
        position = positions[topic] = positions.get(topic, 0) + 1
        partition = TOPICS.partition(topic, key)
        envelope = Envelope(
            id=f"{EPOCH}-{position}",
            source=source_of(TOPICS.owners[topic]),
            type=kind,
            major=1,
            subject=key,
            time=MOMENT,
            position=position,
            previous=last.get((topic, partition), 0),
            epoch=EPOCH,
            trace=None,
        )
        last[topic, partition] = position
        headers = headers_of(envelope, type_prefix(TOPICS.namespace, topic))
        value = msgspec.json.encode(body)
        yield Record(topic, partition, key.encode(), value, headers)


def invented_regions() -> list[str]:
    """Where the families of an invented year live, as `pkh synth` makes it."""
    with tempfile.TemporaryDirectory(prefix="pkh-bench-") as directory:
        write_year(Path(directory), Year(FAMILIES, 2023, 1, WEST_KALIMANTAN), lambda _: None)
        with (Path(directory) / "families.csv").open(encoding="utf-8", newline="") as rows:
            return [row["region_code"] for row in csv.DictReader(rows)]


async def measured(server: PostgresServer, effort: Effort) -> tuple[list[Figure], list[str]]:
    """Projection catching up beside a bare loop, then questions over what it has."""
    server.run_sql(f"CREATE ROLE {READER}")
    bus_url = database(server, "bus")
    await embedded.migrate(bus_url)
    bus = await connect(bus_url)
    regions = invented_regions()
    try:
        await _send(bus, regions)
        names = count()
        latest = ""

        async def ours() -> float:
            nonlocal latest
            latest = f"projection_{next(names)}"
            return await _taken_in(server, bus, latest)

        async def bare() -> float:
            return await _copied(server, f"bare_{next(names)}", regions)

        found = await in_turn({"ours": ours, "bare": bare}, TAKEN_IN, ROUNDS, effort)
        url = server.superuser_url(latest)
        return found, [await _summed(url), *await _asked(url, ""), *await _changed(url)]
    finally:
        await bus.close()


async def _send(bus: Bus, regions: Sequence[str]) -> None:
    topics = {subscription.topic for subscription in SUBSCRIPTIONS}
    await bus.ensure_topics({topic: TOPICS.partitions[topic] for topic in topics})
    producer = await bus.producer()
    for some in windows(regions):
        await producer.send(some)
    await producer.close()


async def _taken_in(server: PostgresServer, bus: Bus, name: str) -> float:
    """All that was sent into a fresh projection; messages a second."""
    url = database(server, name)
    roles = {"RUNTIME_ROLE": "postgres", "READER_ROLE": READER, "GRAFANA_ROLE": "postgres"}
    await migrate.apply(url, [migrate.CORRIDOR, MIGRATIONS], roles)
    store = await Store.connect(url, SERVICE)
    consumer = Consumer(store, bus, name, SUBSCRIPTIONS, TOPICS)
    running = asyncio.create_task(consumer.run())
    begin = perf_counter()
    try:
        async with asyncio.timeout(DEADLINE_S):
            while consumer.tally.handled <= MESSAGES:  # noqa: ASYNC110 - the consumer counts
                await asyncio.sleep(LOOK_S)
        return MESSAGES / (perf_counter() - begin)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await store.close()


async def _copied(server: PostgresServer, name: str, regions: Sequence[str]) -> float:
    """The least that keeps the same bodies: no row of a model, no order, no position."""
    connection = await asyncpg.connect(database(server, name))
    await connection.execute("CREATE TABLE kept (family text, body json)")
    seconds = 0.0  # without those in which the messages are made
    for some in windows(regions):
        begin = perf_counter()
        rows = [((record.key or b"").decode(), record.value.decode()) for record in some]
        await connection.copy_records_to_table("kept", records=rows)
        seconds += perf_counter() - begin
    await connection.close()
    return MESSAGES / seconds


async def _summed(url: str) -> str:
    """Every village summed once; the seconds of it."""
    store = await Store.connect(url, SERVICE)
    begin = perf_counter()
    await settle(store)
    taken = perf_counter() - begin
    await store.pool.execute("VACUUM ANALYZE")
    await store.close()
    return f"all sums of {FAMILIES:,} families made in {taken:.1f} s"


async def _changed(url: str) -> list[str]:
    """The same questions while a regency's villages wait to be summed anew."""
    store = await Store.connect(url, SERVICE)
    await store.pool.execute(_CHANGE, TAHAP)
    count = await store.pool.fetchval("SELECT count(*) FROM unsummed")
    await store.close()
    return await _asked(url, f", {count} villages changed")


_CHANGE: Final = """
INSERT INTO unsummed SELECT DISTINCT tahap, region FROM payment
WHERE tahap = $1 AND left(region, 5) = (SELECT min(left(region, 5)) FROM payment)
"""


async def _asked(url: str, when: str) -> list[str]:
    """The seconds that the widest questions take, as the role that requests read as."""
    pool = await asyncpg.create_pool(url, min_size=1, max_size=1, server_settings={"role": READER})
    reading = Reading(pool)
    timings = []
    for regions in (("*",), ("61",)):
        for model, level in ANSWERED:
            wanted = FiguresWanted(model, TAHAP, regions, level)
            times = sorted([await _timed(reading, wanted) for _ in range(QUESTIONS)])
            p95 = times[int(0.95 * QUESTIONS) - 1]
            about = f"figures of {model} by {level} of {FAMILIES:,} families"
            timings.append(
                f"{about}, regions {regions[0]}{when}: "
                f"median {1000 * times[QUESTIONS // 2]:.0f} ms, p95 {1000 * p95:.0f} ms"
            )
    await pool.close()
    return timings


async def _timed(reading: Reading, wanted: FiguresWanted) -> float:
    begin = perf_counter()
    await figures(reading, wanted, None, 1_000)
    return perf_counter() - begin
