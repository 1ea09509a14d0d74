"""The relay's program on a bus that puts every record on its topic twice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import uvloop

from libs.chassis import logs, relay
from libs.events.bus import Bus, Producer, Record
from libs.events.bus.connect import connect


class Twice:
    """A producer that sends each record again."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    async def send(self, records: Sequence[Record]) -> None:
        await self._producer.send([record for record in records for _ in range(2)])

    async def close(self) -> None:
        await self._producer.close()


async def doubling(url: str, **options: Any) -> Bus:
    """The bus at an address, whose producers send everything twice."""
    bus: Any = await connect(url, **options)
    once = bus.producer

    async def twice() -> Producer:
        return Twice(await once())

    bus.producer = twice
    doubled: Bus = bus
    return doubled


if __name__ == "__main__":
    logs.configure("relay", "info")
    uvloop.run(relay.run(os.environ, doubling))
