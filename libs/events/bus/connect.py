"""From a bus's address to the bus: the one place that knows which adapters there are."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from libs.events.bus import Bus
from libs.events.bus.embedded import EmbeddedBus
from libs.events.bus.kafka import KafkaBus
from libs.events.bus.kafka_settings import Cluster, KafkaSettings

EMBEDDED_SESSION_S: Final = 4.0
KAFKA_SESSION_S: Final = 10.0
"""The seconds of silence after which a member's partitions go to the others."""


async def connect(
    url: str, *, session_s: float | None = None, cluster: Cluster | None = None
) -> Bus:
    """The bus at `postgresql://...` (embedded) or `kafka://host:port[,host:port]`.

    Opens no connection yet: a bus that is away is told by `ping` and by the first call, and may
    come later. `cluster` concerns Kafka alone. Raises `ValueError` for an address of another kind.
    """
    scheme = urlsplit(url).scheme
    if scheme in ("postgresql", "postgres"):
        return await EmbeddedBus.connect(url, session_s or EMBEDDED_SESSION_S)
    if scheme == "kafka":
        return KafkaBus(kafka_settings(url, session_s or KAFKA_SESSION_S, cluster))
    raise ValueError(f"no bus speaks {scheme!r}: give postgresql:// or kafka://")


def kafka_settings(
    url: str, session_s: float = KAFKA_SESSION_S, cluster: Cluster | None = None
) -> KafkaSettings:
    """The settings towards the cluster at a `kafka://` address."""
    return KafkaSettings(url.removeprefix("kafka://").rstrip("/"), session_s, cluster or Cluster())
