"""Where the tests' Kafka comes from: a named one, Docker, or a broker of our own; never a fake."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localstack.kafka_server import KafkaUnavailable, resolve, running
from tests.engine import engine_has, kafka_container


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
    elif engine_has("kafka"):
        with kafka_container() as bootstrap:
            yield bootstrap
    else:
        request.getfixturevalue("kafka_jars")
        with running(tmp_path_factory.mktemp("kafka")) as broker:
            yield broker.bootstrap
