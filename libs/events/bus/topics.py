"""The topics of the platform as contracts/topics.yaml declares them: counts, keys, namespace."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from libs.events.bus.partition import partition_of
from libs.events.domain.errors import BusRefused


@dataclass(frozen=True, slots=True)
class Topics:
    """`partitions` of each topic, who owns it, its key and its data class; `namespace` of types.

    A data class says who may read: public, pseudonymous or sealed (SECURITY.md). A topic of which
    `readers` are named has no others.
    """

    namespace: str
    partitions: dict[str, int]
    owners: dict[str, str]
    keys: dict[str, str] = field(default_factory=dict)
    data_classes: dict[str, str] = field(default_factory=dict)
    readers: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, contracts: Path) -> Topics:
        """Read topics.yaml of a contracts directory; a missing key is named by KeyError."""
        declared: dict[str, Any] = yaml.safe_load((contracts / "topics.yaml").read_text("utf-8"))
        topics = declared["topics"]
        return cls(
            declared["namespace"],
            {name: topic["partitions"] for name, topic in topics.items()},
            {name: topic["owner"] for name, topic in topics.items()},
            {name: topic["key"] for name, topic in topics.items()},
            {name: topic["data_class"] for name, topic in topics.items()},
            {name: topic["readers"] for name, topic in topics.items() if "readers" in topic},
        )

    def of(self, owner: str) -> dict[str, int]:
        """{topic: partition count} of what a service publishes."""
        return {name: self.partitions[name] for name, by in self.owners.items() if by == owner}

    def partition(self, topic: str, key: str) -> int:
        """The partition of a key, the same on every bus."""
        if topic not in self.partitions:
            raise BusRefused(topic=topic, reason="not in contracts/topics.yaml")
        return partition_of(key, self.partitions[topic])
