"""The topics of the platform as contracts/topics.yaml declares them: counts, keys, namespace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from libs.events.bus.envelope import inbound_source, source_of
from libs.events.bus.narrowing import Narrowing
from libs.events.bus.partition import partition_of
from libs.events.domain.errors import BusRefused

INBOUND: Final = "pkh.inbound."
"""The beginning of topics on which others than services write."""


def is_inbound(topic: str) -> bool:
    """True of a topic on which somebody outside writes, and behind which there is no log."""
    return topic.startswith(INBOUND)


@dataclass(frozen=True, slots=True)
class Topics:
    """`partitions` of each topic, who owns it, its key and its data class; `namespace` of types.

    A data class says who may read: public, pseudonymous, re-identifying or sealed (SECURITY.md). A
    topic of which `readers` are named has no others. The last day of a topic that ends is in
    `ends`: from the day after on it is neither sent nor read. A topic of `narrowings` tells less of
    what another one of its owner tells. A topic under INBOUND has no owner: `writers` are who is
    registered to write it from outside. `integrators` read from outside the topics under their
    names.
    """

    namespace: str
    partitions: dict[str, int]
    owners: dict[str, str]
    keys: dict[str, str] = field(default_factory=dict)
    data_classes: dict[str, str] = field(default_factory=dict)
    readers: dict[str, list[str]] = field(default_factory=dict)
    ends: dict[str, date] = field(default_factory=dict)
    narrowings: dict[str, Narrowing] = field(default_factory=dict)
    integrators: dict[str, list[str]] = field(default_factory=dict)
    writers: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, contracts: Path) -> Topics:
        """Read topics.yaml of a contracts directory; a missing key is named by KeyError."""
        declared: dict[str, Any] = yaml.safe_load((contracts / "topics.yaml").read_text("utf-8"))
        topics = declared["topics"]
        return cls(
            declared["namespace"],
            {name: topic["partitions"] for name, topic in topics.items()},
            {name: topic["owner"] for name, topic in topics.items() if not is_inbound(name)},
            {name: topic["key"] for name, topic in topics.items()},
            {name: topic["data_class"] for name, topic in topics.items()},
            {name: topic["readers"] for name, topic in topics.items() if "readers" in topic},
            {name: topic["ends"] for name, topic in topics.items() if "ends" in topic},
            {
                name: msgspec.convert(topic["narrows"], Narrowing)
                for name, topic in topics.items()
                if "narrows" in topic
            },
            declared.get("integrators", {}),
            {name: topic["writers"] for name, topic in topics.items() if is_inbound(name)},
        )

    def of(self, owner: str) -> dict[str, int]:
        """{topic: partition count} of what a service publishes."""
        return {name: self.partitions[name] for name, by in self.owners.items() if by == owner}

    def sources(self, topic: str) -> frozenset[str]:
        """The sources of which each message of a topic says that it is from one."""
        if is_inbound(topic):
            return frozenset(map(inbound_source, self.writers[topic]))
        return frozenset({source_of(self.owners[topic])})

    def describes(self, topic: str) -> str:
        """The service whose contract describes a topic's messages: its owner, or who reads first
        what somebody outside writes."""
        return self.readers[topic][0] if is_inbound(topic) else self.owners[topic]

    def registered(self) -> dict[str, list[str]]:
        """{who is registered to write from outside: the topics}."""
        found: dict[str, list[str]] = {}
        for topic, writers in self.writers.items():
            for writer in writers:
                found.setdefault(writer, []).append(topic)
        return found

    def has_ended(self, topic: str, on: date) -> bool:
        """True from the day after the last one of a topic on."""
        return topic in self.ends and on > self.ends[topic]

    def open(self, topics: Iterable[str], on: date) -> dict[str, int]:
        """{topic: partition count} of those that have not ended by a day."""
        return {name: self.partitions[name] for name in topics if not self.has_ended(name, on)}

    def stored_as(self, topic: str) -> str:
        """The topic that a topic narrows, under which its owner stores most of what goes out on it;
        the topic itself where it narrows none."""
        narrowing = self.narrowings.get(topic)
        return topic if narrowing is None else narrowing.topic

    def value(self, topic: str, kind: str, value: bytes) -> bytes:
        """A stored message as a topic tells it."""
        narrowing = self.narrowings.get(topic)
        return value if narrowing is None else narrowing.value(kind, value)

    def sent_on(self, stored: str, on: date, *, wide: bool = False) -> list[str]:
        """The topics on which a message that is stored for a topic goes out on a day.

        They are that one and those that narrow it, but for what has ended; where something `wide`
        is kept beside it, the one that it narrows as well.
        """
        topics = [stored, *(name for name, n in self.narrowings.items() if n.topic == stored)]
        if wide:
            topics.append(self.stored_as(stored))
        return [topic for topic in topics if not self.has_ended(topic, on)]

    def partition(self, topic: str, key: str) -> int:
        """The partition of a key, the same on every bus."""
        if topic not in self.partitions:
            raise BusRefused(topic=topic, reason="not in contracts/topics.yaml")
        return partition_of(key, self.partitions[topic])
