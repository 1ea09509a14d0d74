"""Where the tests' Kafka comes from: a named one, Docker, or a broker of our own; never a fake."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from pathlib import Path
from typing import IO

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
    """A real broker: KAFKA_BOOTSTRAP, else Docker, else our own of the whole run."""
    named = os.environ.get("KAFKA_BOOTSTRAP")
    if named:
        yield named
    elif engine_has("kafka"):
        with kafka_container() as bootstrap:
            yield bootstrap
    else:
        request.getfixturevalue("kafka_jars")
        base = tmp_path_factory.getbasetemp()
        alone = os.environ.get("PYTEST_XDIST_WORKER") is None
        with shared_broker(base if alone else base.parent) as bootstrap:
            yield bootstrap


@contextmanager
def shared_broker(directory: Path) -> Iterator[str]:
    """The broker of all workers of a run, which is below `directory`.

    Whoever needs it first starts it, as its child, and ends it when no other uses it any more.
    """
    at = directory / "kafka"
    address = at.with_suffix(".address")
    with ExitStack() as own:
        turn, uses = (own.enter_context(at.with_suffix(of).open("w")) for of in (".turn", ".uses"))
        with _held(turn):
            flock(uses, LOCK_SH)
            if not address.exists():
                broker = own.enter_context(running(at.with_suffix(f".{os.getpid()}")))
                address.write_text(broker.bootstrap)
                own.callback(flock, uses, LOCK_EX)
                own.callback(_unlisted, turn, address)
            bootstrap = address.read_text()
        yield bootstrap


@contextmanager
def _held(turn: IO[str]) -> Iterator[None]:
    flock(turn, LOCK_EX)
    try:
        yield
    finally:
        flock(turn, LOCK_UN)


def _unlisted(turn: IO[str], address: Path) -> None:
    """Who comes now starts another broker."""
    with _held(turn):
        address.unlink()
