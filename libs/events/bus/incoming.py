"""One message as it comes from the bus to whoever handles it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from libs.events.bus import Batch, Record
from libs.events.bus.envelope import Envelope, Envelopes


class Incoming(Struct, frozen=True, gc=False):
    """One message as a handler sees it: which one of its batch it is, and its body."""

    batch: Batch
    envelopes: Envelopes
    index: int
    position: int
    key: str
    body: Any

    @property
    def topic(self) -> str:
        """The topic it came in."""
        return self.batch.topic

    @property
    def partition(self) -> int:
        """The partition it came in."""
        return self.batch.partition

    @property
    def type(self) -> str:
        """The bare name of what happened."""
        return self.envelopes.types[self.index]

    @property
    def envelope(self) -> Envelope:
        """Everything that surrounds its data."""
        return self.envelopes.at(self.index)

    @property
    def value(self) -> bytes:
        """The bytes that its body came in."""
        return self.batch.values[self.index]

    @property
    def record(self) -> Record:
        """It all, as the bus gave it."""
        return self.batch.record(self.index)
