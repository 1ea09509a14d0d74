"""Writers on topics from outside: numbers closed for the platform, messages by their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from joserfc.jwe import encrypt_compact
from joserfc.jwk import ECKey

from libs.events.bus import Record
from libs.events.bus.envelope import inbound_source, type_prefix
from libs.privacy.closed_numbers import ALGORITHM, ENCRYPTION
from tests.doors import MOMENT, TOPICS

PublicSet = Mapping[str, list[dict[str, str]]]


def closed(number: str, public: PublicSet, **header: str) -> str:
    """A number as a writer closes it: for the first key of the platform's set."""
    key = public["keys"][0]
    protected = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": key["kid"]} | header
    return encrypt_compact(protected, number, ECKey.import_key(dict(key)))


@dataclass
class Writer:
    """A writer's messages on one topic, each at the next offset of its partition."""

    name: str
    topic: str
    public: PublicSet
    ends: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    count: int = 0

    def record(self, kind: str, key: str, body: Any, **headers: str) -> Record:
        """The next message; `headers` are others than its own."""
        self.count += 1
        partition = TOPICS.partition(self.topic, key)
        offset = self.ends[partition]
        self.ends[partition] += 1
        prefix, suffix = type_prefix(TOPICS.namespace, self.topic)
        sent = {
            "ce_specversion": "1.0",
            "ce_id": f"{self.name}-{self.count}",
            "ce_source": inbound_source(self.name),
            "ce_type": f"{prefix}{kind}{suffix}",
            "ce_time": MOMENT.isoformat(),
        } | headers
        packed = tuple((name, value.encode()) for name, value in sent.items())
        value = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return Record(self.topic, partition, key.encode(), value, packed, offset)

    def close(self, number: str) -> str:
        """A person's number, closed."""
        return closed(number, self.public)


DAPODIK: Final = "dapodik"
EMIS: Final = "emis"
SATUSEHAT: Final = "satusehat"
