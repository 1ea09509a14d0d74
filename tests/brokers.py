"""Where the tests' Kafka comes from: a named one, Docker, or a broker of our own; never a fake."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.kafka_server import KafkaUnavailable, resolve, running

DOCKER_TIMEOUT_S = 20


def docker_answers() -> bool:
    """A Docker daemon is there and talks to us."""
    if shutil.which("docker") is None:
        return False
    asked = subprocess.run(
        ["docker", "version"], capture_output=True, timeout=DOCKER_TIMEOUT_S, check=False
    )
    return asked.returncode == 0


@contextlib.contextmanager
def docker_broker() -> Iterator[str]:
    """A broker in a container; its bootstrap address."""
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415  needs Docker

    with KafkaContainer().with_kraft() as container:
        yield container.get_bootstrap_server()


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """The jars of our own broker; skips, saying why, where they are not to be had."""
    try:
        return resolve()
    except KafkaUnavailable as reason:
        pytest.skip(f"no Kafka: {reason}")


@pytest.fixture(scope="session")
def kafka_bootstrap(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A real broker for the whole session: KAFKA_BOOTSTRAP, else Docker, else our own."""
    named = os.environ.get("KAFKA_BOOTSTRAP")
    if named:
        yield named
    elif docker_answers():
        with docker_broker() as bootstrap:
            yield bootstrap
    else:
        request.getfixturevalue("kafka_jars")
        with running(tmp_path_factory.mktemp("kafka")) as broker:
            yield broker.bootstrap
