"""PostgreSQL and Kafka in containers, of the images that docker-compose.yml names."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from localstack.ports import free_ports
from tests.architecture.tree import ROOT

HOST: Final = "127.0.0.1"
ANSWER_S_MAX: Final = 20
PULL_S_MAX: Final = 300
START_S_MAX: Final = 60
DATA: Final = "/var/lib/postgresql"
PASSWORD: Final = "test"  # on the loopback interface, gone with its container


def image_of(service: str) -> str:
    """The image of a server, as production has it."""
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    image: str = compose["services"][service]["image"]
    return image


def engine_has(service: str) -> bool:
    """A Docker engine answers, and has the server's image or pulls it."""
    if shutil.which("docker") is None or not _succeeds("version", seconds=ANSWER_S_MAX):
        return False
    image = image_of(service)
    return _succeeds("image", "inspect", image, seconds=ANSWER_S_MAX) or _succeeds(
        "pull", "--quiet", image, seconds=PULL_S_MAX
    )


def _succeeds(*arguments: str, seconds: int) -> bool:
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@contextlib.contextmanager
def postgres_container(settings: Mapping[str, str]) -> Iterator[str]:
    """A PostgreSQL with these settings; the address of its superuser."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - needs an engine
    from testcontainers.core.wait_strategies import ExecWaitStrategy  # noqa: PLC0415 - as well

    [port] = free_ports(1)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    container = (
        # In memory, as there is nothing to keep: most of a test is the copy of a database.
        DockerContainer(image_of("postgres"), user="postgres")
        .with_tmpfs_mount(DATA)
        .with_env("POSTGRES_PASSWORD", PASSWORD)
        .with_command(["postgres", *options])
    )
    _publish(container, 5432, port)
    # By TCP: while the first start initialises, the server answers on its socket alone.
    ready = ["pg_isready", "-q", "-h", HOST, "-U", "postgres"]
    container.waiting_for(ExecWaitStrategy(ready).with_startup_timeout(START_S_MAX))
    with container:
        yield f"postgresql://postgres:{PASSWORD}@{HOST}:{port}/postgres"


def _publish(container: Any, inner: int, port: int) -> None:
    # The container's own method would publish it to everybody.
    container.ports[inner] = (HOST, port)


@contextlib.contextmanager
def kafka_container() -> Iterator[str]:
    """A broker; its bootstrap address."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - needs an engine
    from testcontainers.core.wait_strategies import ExecWaitStrategy  # noqa: PLC0415 - as well

    [port] = free_ports(1)  # a broker says itself where it is, so it has to know before
    container = DockerContainer(image_of("kafka"))
    _publish(container, port, port)
    for name, value in _kafka_environment(port).items():
        container = container.with_env(name, value)
    ready = ["bash", "-c", f"exec 3<> /dev/tcp/localhost/{port}"]
    container.waiting_for(ExecWaitStrategy(ready).with_startup_timeout(START_S_MAX))
    with container:
        yield f"{HOST}:{port}"


def _kafka_environment(port: int) -> dict[str, str]:
    """The broker's environment of docker-compose.yml, but for where it is."""
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    production: dict[str, str] = compose["services"]["kafka"]["environment"]
    return production | {
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{port}",
        # A group's first member need not wait three seconds for a second one.
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        # Tests of a member that dies do not wait six seconds for it either.
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    }
