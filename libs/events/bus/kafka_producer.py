"""The producer's side of Kafka: idempotent, in order, and useless after its first error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from aiokafka import AIOKafkaProducer

from libs.events.bus import Record
from libs.events.bus.kafka_client import start, stop
from libs.events.bus.kafka_settings import KafkaSettings
from libs.events.bus.limits import refuse_oversize
from libs.events.domain.errors import BusRefused

START_TIMEOUT_S: Final = 60.0
BATCH_BYTES_MAX: Final = 262_144
SEVER_STEP_S: Final = 0.1

Counts: TypeAlias = Callable[[], Awaitable[Mapping[str, int]]]


class KafkaProducer:
    """Publishes batches made here, each to its partition, one after the other.

    `counts` answers {topic: partitions} of all topics of the cluster. `BusRefused` leaves the
    producer as it was; after any other error, or a cancellation, it refuses to go on.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        counts: Counts,
        on_close: Callable[[KafkaProducer], None],
    ) -> None:
        self._counts = counts
        self._on_close = on_close
        self._partition_counts: Mapping[str, int] = {}
        self._failed = False
        self._send_s = settings.send_s
        self._client = SeverableProducer(
            **settings.client(),
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES_MAX,
        )

    async def open(self) -> None:
        """Connect and be given the id that makes repeated batches harmless."""
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await start(self._client)
        except BaseException:
            self._failed = True
            await self.close()
            raise

    async def send(self, records: Sequence[Record]) -> None:
        """Publish in order; see the protocol. `ConnectionError` when it has failed before."""
        if self._failed:
            raise ConnectionError("this producer has failed before: close it and take a new one")
        if not records:
            return
        refuse_oversize(records)
        await self._refuse_unknown({record.topic for record in records})
        grouped = self._grouped(records)
        try:
            async with asyncio.timeout(self._send_s):
                await asyncio.gather(*(self._publish(*to, group) for to, group in grouped.items()))
        except BaseException:
            self._failed = True
            raise

    async def close(self) -> None:
        """Give the connection back; after an error without waiting for what is still under way."""
        self._on_close(self)
        await stop(self._end())

    async def _end(self) -> None:
        if self._failed:
            await self._client.sever()
        await self._client.stop()

    async def _refuse_unknown(self, names: set[str]) -> None:
        if names - self._partition_counts.keys():
            self._partition_counts = await self._counts()
        if missing := sorted(names - self._partition_counts.keys()):
            raise BusRefused(topics=missing, reason="no such topic")

    def _grouped(self, records: Sequence[Record]) -> dict[tuple[str, int], list[Record]]:
        grouped: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            if not 0 <= record.partition < self._partition_counts[record.topic]:
                raise BusRefused(
                    topic=record.topic,
                    partition=record.partition,
                    partitions=self._partition_counts[record.topic],
                )
            grouped.setdefault((record.topic, record.partition), []).append(record)
        return grouped

    async def _publish(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        for batch in self._batches(records):
            # The next batch of a partition waits for the last one's acknowledgement: behind a
            # batch that failed nothing may be published.
            await (await self._client.send_batch(batch, topic, partition=partition))

    def _batches(self, records: Sequence[Record]) -> Iterator[Any]:
        timestamp_ms = time.time_ns() // 1_000_000
        batch = self._client.create_batch()
        for record in records:
            parts = {"key": record.key, "value": record.value, "headers": list(record.headers)}
            if batch.append(timestamp=timestamp_ms, **parts) is None:
                yield batch
                batch = self._client.create_batch()
                batch.append(timestamp=timestamp_ms, **parts)
        # Closed, so that it leaves at once instead of waiting for more of its kind.
        batch.close()
        yield batch


class SeverableProducer(AIOKafkaProducer):  # type: ignore[misc]
    """An aiokafka producer that can be made to stop sending, whatever the cluster does.

    `stop` waits until everything was delivered, and until then the library repeats what it could
    not deliver: records of a producer that was given up would arrive behind its successor's.
    """

    async def sever(self) -> None:
        """Stop sending, forget what was not acknowledged; `stop` then ends at once."""
        sending = self._sender.sender_task
        while sending is not None and not sending.done():
            # The task takes a cancellation as a wish to finish its requests first, so their
            # connections are cut and the wish is repeated.
            sending.cancel()
            await self.client.close()
            await asyncio.wait({sending}, timeout=SEVER_STEP_S)
        waiting = self._message_accumulator
        queued = [batch for batches in waiting._batches.values() for batch in batches]  # noqa: SLF001
        for batch in [*queued, *waiting._pending_batches]:  # noqa: SLF001 - no other way to them
            batch.future.cancel()
