"""The broker that we start ourselves keeps what it acknowledged, even through kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from localstack import kafka_server
from localstack.kafka_server import Broker, KafkaUnavailable, running

TOPIC = "kept"
PARTITION = TopicPartition(TOPIC, 0)


@pytest.fixture
def broker(kafka_jars: Path, tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "data")
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def shared(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that each test leaves running."""
    with running(tmp_path_factory.mktemp("shared")) as found:
        yield found


async def start(broker: Broker) -> None:
    broker.start()
    await broker.ready()


async def create_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def produce(bootstrap: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, value, key=b"family", partition=0)
    finally:
        await producer.stop()


async def read_first(bootstrap: str) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([PARTITION])
        value: bytes | None = (await consumer.getone()).value
        return value
    finally:
        await consumer.stop()


@pytest.mark.kafka
async def test_a_killed_broker_comes_back_with_what_it_acknowledged(shared: Broker) -> None:
    await create_topic(shared.bootstrap)
    await produce(shared.bootstrap, b"acknowledged")

    shared.kill()
    assert not shared.alive
    await start(shared)

    assert await read_first(shared.bootstrap) == b"acknowledged"


@pytest.mark.kafka
async def test_a_misspelt_topic_is_refused_and_not_created(kafka_bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        [described] = await admin.describe_topics(["misspelt"])
        assert described["error_code"] == UnknownTopicOrPartitionError.errno
        assert "misspelt" not in await admin.list_topics()
    finally:
        await admin.close()


@pytest.mark.kafka
async def test_a_broker_that_ends_by_itself_says_why(broker: Broker) -> None:
    broker.settings = {"process.roles": "nonsense"}

    with pytest.raises(KafkaUnavailable, match="nonsense"):
        await start(broker)


@pytest.mark.kafka
async def test_a_broker_that_hangs_is_not_taken_for_a_ready_one(shared: Broker) -> None:
    shared.signal(signal.SIGSTOP)
    try:
        with pytest.raises(KafkaUnavailable, match="did not answer in"):
            await shared.ready(timeout_s=1)
    finally:
        shared.signal(signal.SIGCONT)


def test_without_java_the_error_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(KafkaUnavailable, match="java, mvn"):
        kafka_server.resolve(tmp_path)


@pytest.mark.kafka
def test_a_start_reads_the_classes_that_were_kept_before_it(
    broker: Broker, kafka_jars: Path, tmp_path: Path
) -> None:
    # Of its own: what is kept of other jars, or was moved with them, is passed over.
    broker.lib_dir = tmp_path / "lib"
    jars = shutil.copytree(kafka_jars, broker.lib_dir / kafka_jars.name, copy_function=os.link)

    broker.start()

    assert broker.process is not None
    archive = f"-XX:SharedArchiveFile={jars}.jsa"
    # By what it was started with: until it is Java, the process has no command line of its own.
    assert archive in cast("list[str]", broker.process.args)
    broker.kill()
    # Refused where Java cannot use it.
    assert version_of(jars, "-Xshare:on", archive) == 0


@pytest.mark.kafka
def test_java_starts_where_what_was_kept_is_of_no_use(kafka_jars: Path, tmp_path: Path) -> None:
    (tmp_path / "other.jsa").write_bytes(b"of another Java")

    assert version_of(kafka_jars, f"-XX:SharedArchiveFile={tmp_path / 'other.jsa'}") == 0


def version_of(jars: Path, *options: str) -> int:
    command = ["java", "-XX:+UseSerialGC", *options, "-cp", f"{jars}/*", "-version"]
    return subprocess.run(command, capture_output=True, check=False).returncode
