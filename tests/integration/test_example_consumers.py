"""The stranger's consumers, by the commands of their README, against a real broker."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from aiokafka import AIOKafkaProducer

from cli.demo.outputs import read_csv
from libs.events.bus.connect import connect
from libs.events.bus.envelope import Envelope, headers_of, type_prefix
from libs.events.bus.partition import partition_of
from tests.guides.console import Command, Shell, commands, matches

ROOT = Path(__file__).parents[2]
HERE = ROOT / "examples" / "consumers"
YEAR = ROOT / "examples" / "kalbar-2023"
TOPIC = "pkh.payments.payment.v1"
PARTITIONS = 12
EPOCH = "fce9dc69-a3b9-41c1-aeff-06ca9b06fa61"
SHOWN_BROKER = "127.0.0.1:9092"
SENT_AGAIN = 10  # every tenth message comes twice
KEPT_RUNNING = "make demo KEEP=1 BUS=kafka"  # the fixture stands in for it


@dataclass(frozen=True)
class Sent:
    """A record as Kafka has it."""

    partition: int
    value: bytes
    headers: list[tuple[str, bytes]]


def year() -> Iterator[tuple[str, dict[str, object]]]:
    """(type, body) of what was entitled and credited in the sample year."""
    for _, row in read_csv(YEAR / "expected" / "entitlements.csv"):
        disposition = row["disposition"].partition("+")[0]
        body: dict[str, object] = {
            "payment": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{row['tahap']} {row['no_kk']}")),
            "tahap": f"2023-{row['tahap']}",
            "family": str(uuid.uuid5(uuid.NAMESPACE_OID, row["no_kk"])),
            "amount": int(row["amount"]),
        }
        if disposition != "GRADUATED_NATURAL":
            yield "PaymentEntitled", body
        if disposition in ("PAID", "BLOCKED"):
            yield "PaymentCredited", body


def records(said: Iterator[tuple[str, dict[str, object]]], epoch: str = EPOCH) -> list[Sent]:
    """As the relay sends them, each with its position and the one before in its partition."""
    last: dict[int, int] = {}
    sent: list[Sent] = []
    for position, (kind, body) in enumerate(said, 1):
        key = str(body["family"])
        partition = partition_of(key, PARTITIONS)
        envelope = Envelope(
            id=f"{epoch}-{position}",
            source="/services/payments",
            type=kind,
            major=1,
            subject=f"payment-{body['payment']}",
            time=datetime(2023, 4, 20, tzinfo=UTC),
            position=position,
            previous=last.get(partition, 0),
            epoch=epoch,
            trace=None,
        )
        last[partition] = position
        headers = headers_of(envelope, type_prefix("id.go.kemensos", TOPIC))
        sent.append(Sent(partition, json.dumps(body, separators=(",", ":")).encode(), headers))
    return sent


@pytest.fixture
def program() -> ModuleType:
    """follow_payments.py as a module."""
    spec = importlib.util.spec_from_file_location("follow", HERE / "follow_payments.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def state(program: ModuleType) -> sqlite3.Connection:
    """An empty state of it."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(program.TABLES)
    return connection


def of_partition(number: int, sent: Sequence[Sent]) -> list[Sent]:
    return [each for each in sent if each.partition == number]


def test_what_comes_twice_counts_once_wherever_it_stopped(
    program: ModuleType, state: sqlite3.Connection
) -> None:
    published = of_partition(3, records(year()))

    assert program.handle(state, 3, published[:5]) == 5
    assert program.handle(state, 3, published[2:9]) == 4  # sent again from the third on
    assert program.handle(state, 3, [published[8], *published[8:]]) == len(published) - 9

    assert state.execute("SELECT sum(messages) FROM total").fetchone() == (len(published),)


@pytest.mark.parametrize("wrong", ["a message is missing", "another epoch"])
def test_it_stops_rather_than_going_on_with_what_can_not_be_right(
    program: ModuleType, state: sqlite3.Connection, wrong: str
) -> None:
    published = of_partition(3, records(year()))
    other = of_partition(3, records(year(), epoch=str(uuid.UUID(int=1))))
    program.handle(state, 3, published[:5])
    coming = published[6:] if wrong == "a message is missing" else other[5:]

    with pytest.raises(SystemExit):
        program.handle(state, 3, coming)

    assert state.execute("SELECT sum(messages) FROM total").fetchone() == (5,)


@pytest.mark.kafka
def test_the_readme_s_commands_do_what_it_shows(kafka_bootstrap: str, tmp_path: Path) -> None:
    asyncio.run(_fill(kafka_bootstrap))
    for each in (".venv", "examples"):
        (tmp_path / each).symlink_to(ROOT / each)
    shown = list(commands((HERE / "README.md").read_text()))
    assert shown[0].text == KEPT_RUNNING

    with Shell(tmp_path, {}) as shell:
        for command in shown[1:]:
            _run(shell, command, kafka_bootstrap)

    if shutil.which("kcat"):
        ids = [line.split("ce_id=")[1].split(",")[0] for line in _lines(tmp_path / "payments.tsv")]
        assert len(ids) == len(set(ids)) == len(list(year()))


def _run(shell: Shell, command: Command, broker: str) -> None:
    if shutil.which("kcat") is None and any(
        word in command.text for word in ("kcat", "payments.tsv", "follow-payments.sh")
    ):
        return
    code, printed = shell.run(command.text.replace(SHOWN_BROKER, broker))
    assert code == 0, f"line {command.line}: {command.text}: {printed}"
    assert matches(command.shown, printed), f"line {command.line}: {command.text}: {printed}"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


async def _fill(broker: str) -> None:
    """A topic of the year, in which every tenth message comes twice."""
    await _create(broker)
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        for number, each in enumerate(records(year())):
            for _ in range(2 if number % SENT_AGAIN == 0 else 1):
                await producer.send(
                    TOPIC, each.value, partition=each.partition, headers=each.headers
                )


async def _create(broker: str) -> None:
    bus = await connect(f"kafka://{broker}")
    await bus.ensure_topics({TOPIC: PARTITIONS})
    written = any((await bus.ends(TOPIC)).values())
    await bus.close()
    if written:
        pytest.skip("the broker has a platform's payments, which are not ours to change")
