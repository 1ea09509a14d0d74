"""A real broker that asks who comes, with the settings that docker-compose.yml gives its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from libs.chassis.catalogue import ROOT, owner
from libs.chassis.dev_certificates import Authority
from libs.events.bus.connect import kafka_settings
from libs.events.bus.kafka_settings import Cluster, KafkaSecurity, KafkaSettings
from localstack.kafka_server import Broker
from localstack.ports import HOST, free_ports

SESSION_S: Final = 6.0
OTHERS: Final = {"heap.opts", "node.id", "controller.quorum.voters", "log.dirs"}
"""Properties in which a broker of one machine differs, or that say nothing of who may what."""


@dataclass(frozen=True, slots=True)
class GuardedKafka:
    """A broker with users and access lists, and the CA that its certificates are of."""

    broker: Broker
    authority: Authority
    directory: Path
    owners_port: int

    @property
    def url(self) -> str:
        """Where clients connect, who have a password."""
        return f"kafka://{self.broker.bootstrap}"

    @property
    def owners_url(self) -> str:
        """Where who gives rights connects, who has a certificate."""
        return f"kafka://{HOST}:{self.owners_port}"

    @property
    def ca_file(self) -> str:
        return str(self.directory / "kafka-ca.pem")

    def as_owner(self) -> Cluster:
        name = owner("bus")
        files = str(self.directory / f"{name}.pem"), str(self.directory / f"{name}.key")
        return Cluster(KafkaSecurity(ca_file=self.ca_file, certificate=files))

    def as_user(self, user: str, password: str, ca_file: str | None = None) -> Cluster:
        return Cluster(KafkaSecurity(user, password, ca_file=ca_file or self.ca_file))

    def settings(self) -> KafkaSettings:
        """Of its owner."""
        return kafka_settings(self.owners_url, SESSION_S, self.as_owner())


def of_compose() -> dict[str, str]:
    """The properties that the compose file gives its broker, as its image writes them."""
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    given: Mapping[str, str] = composed["services"]["kafka"]["environment"]
    found = {}
    for name, value in given.items():
        words = name.removeprefix("KAFKA_").lower().replace("___", "-").replace("__", "~")
        found[words.replace("_", ".").replace("~", "_")] = value.replace("$$", "$")
    return {name: value for name, value in found.items() if name not in OTHERS}


@contextmanager
def guarded_kafka(directory: Path, **changes: str) -> Iterator[GuardedKafka]:
    """A running one; `changes` are of its properties, with _ for a point."""
    authority = Authority.make("Kafka of a test")
    owners_port, controller_port, port = free_ports(3)
    _write(directory, authority)
    places = {"9092": port, "9094": owners_port, "9093": controller_port}
    moved = {
        name: re.sub(r"://(?:kafka)?:(\d+)", lambda at: f"://{HOST}:{places[at[1]]}", value)
        for name, value in of_compose().items()
    }
    settings = {
        name: value.replace("/run/secrets", str(directory)) for name, value in moved.items()
    } | {name.replace("_", "."): value for name, value in changes.items()}
    broker = Broker(directory / "broker", port, controller_port, settings)
    guarded = GuardedKafka(broker, authority, directory, owners_port)
    broker.asked = guarded.settings().client()
    try:
        broker.start()
        asyncio.run(broker.ready())
        yield guarded
    finally:
        broker.stop()


def _write(directory: Path, authority: Authority) -> None:
    certificate, key = authority.issue("kafka", address=HOST, peer=True)
    (directory / "kafka.keystore.pem").write_text(key + certificate)
    (directory / "kafka-ca.pem").write_text(authority.pem)
    certificate, key = authority.issue(owner("bus"))
    (directory / f"{owner('bus')}.pem").write_text(certificate)
    (directory / f"{owner('bus')}.key").write_text(key)
