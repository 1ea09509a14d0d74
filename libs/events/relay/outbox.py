"""Carries a service's messages from its store to the bus, in order, from the last acknowledged one.

PostgreSQL is the truth and the topic is transport: the relay only ever sends what is committed,
the same bytes each time, and where the bus holds less than it once acknowledged (a broker that
lost its tail, a topic that was deleted) it sends that part again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from time import perf_counter, time_ns

import asyncpg
import msgspec
import structlog

from libs.events.bus import Bus, Producer, Record, batched
from libs.events.bus.envelope import (
    Envelope,
    EnvelopeMalformed,
    headers_of,
    source_of,
    type_prefix,
)
from libs.events.bus.malformed import parse_own
from libs.events.bus.topics import Topics
from libs.events.domain.errors import CorridorError, safe_text
from libs.events.store.log import window_after
from libs.events.store.postgres import CHANNEL, Store
from libs.events.store.watermarks import WHOLE_LOG
from libs.events.telemetry import tracing
from libs.events.telemetry.metrics import RELAY_FAULTS, RELAY_MESSAGES, RELAY_SEND_SECONDS
from libs.events.workers.leader import Leadership

RELAY_BATCH_MAX = 2_000  # events read and sent in one window
RELAY_POLL_S = 0.25  # underneath the NOTIFY hint
RELAY_AUDIT_S = 2.0  # how often an idle relay looks whether the bus still holds what it took
RELAY_RETRY_S = 0.5

log = structlog.get_logger("relay")


class TopicShrank(CorridorError):
    """A topic holds less than it did; its messages are sent again from the store."""


_EVENTS = """
SELECT block, ord, stream_id, type, topic, key, occurred_at, trace, value, wide
FROM outgoing WHERE block = ANY($1) AND ord >= $2 AND ord < $3
"""
_ACKNOWLEDGE = """
INSERT INTO relay (topic, partition, position)
SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])
ON CONFLICT (topic, partition) DO UPDATE SET position = excluded.position
"""


@dataclass
class Progress:
    """The position up to which the log was read, and that of each partition's last message.

    `refilled` holds the partitions that lost what the bus had acknowledged, each with the position
    up to which it has it again: its messages are sent anew, others of the same window are not.
    """

    position: int
    last: dict[tuple[str, int], int] = field(default_factory=dict)
    refilled: dict[tuple[str, int], int] = field(default_factory=dict)

    def advance(self, partition: tuple[str, int], position: int) -> int | None:
        """Move a partition on to a message; the position of the one before it, which it names.

        None where the bus has this message.
        """
        last = self.last.get(partition, 0)
        previous = self.refilled.get(partition, last)
        if position <= previous:
            return None
        if position < last:
            self.refilled[partition] = position
        else:
            self.refilled.pop(partition, None)
            self.last[partition] = position
        return previous


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the log as it goes out: its messages, up to which position of the log, and the
    last position of each of their partitions."""

    records: Sequence[Record]
    end: int
    last: Mapping[tuple[str, int], int]


class Relay:
    """The relay of one store; run by whoever holds the leadership."""

    def __init__(self, store: Store, bus: Bus, topics: Topics) -> None:
        self.store, self.bus, self.topics = store, bus, topics
        self.owned = topics.of(store.source)
        self.source = source_of(store.source)

    async def run(self) -> None:
        """Lead and relay until cancelled; whatever goes wrong is logged and begun anew."""
        while True:
            try:
                async with Leadership(self.store, "relay", CHANNEL) as leadership:
                    await self._lead(leadership)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the loop must outlive every fault of bus and database
                RELAY_FAULTS.labels(self.store.source).inc()
                log.warning("relay begins anew", store=self.store.source, error=safe_text(error))
                await asyncio.sleep(RELAY_RETRY_S)

    async def _lead(self, leadership: Leadership) -> None:
        self.owned = self.topics.open(self.topics.of(self.store.source), _today())
        await self.bus.ensure_topics(self.owned)
        progress, epoch = await self._resume(), (await self.store.head())[1]
        # At the last audit; None when something was sent since, which moved them.
        ends: dict[tuple[str, int], int] | None = await self._ends()
        producer = await self.bus.producer()
        loop = asyncio.get_running_loop()
        audited = loop.time()
        # While a stretch is sent, the next is read and the last one's acknowledgement is noted.
        reading = asyncio.create_task(self._read(progress, epoch))
        noting = asyncio.create_task(asyncio.sleep(0))  # nothing to note yet
        try:
            while True:
                await leadership.confirm()
                stretch = await reading
                if stretch is None:
                    await noting
                    due = ends is None or loop.time() - audited > RELAY_AUDIT_S
                    if due and not leadership.has_news:  # it may have come after we had looked
                        ends, audited = await self._audit(ends), loop.time()
                    await leadership.wait(RELAY_POLL_S)
                reading = asyncio.create_task(self._read(progress, epoch))
                if stretch is not None:
                    await self._send(producer, stretch.records)
                    await noting  # one after the other
                    noting = asyncio.create_task(self._acknowledge(stretch))
                    ends, audited = None, loop.time()
        finally:
            reading.cancel()
            await asyncio.gather(reading, noting, return_exceptions=True)
            with contextlib.suppress(Exception):
                await producer.close()

    async def _ends(self) -> dict[tuple[str, int], int]:
        return {
            (topic, partition): end
            for topic in self.owned
            for partition, end in (await self.bus.ends(topic)).items()
        }

    async def _audit(self, before: dict[tuple[str, int], int] | None) -> dict[tuple[str, int], int]:
        now = await self._ends()
        for (topic, partition), end in (before or {}).items():
            there = now.get((topic, partition), 0)
            if there < end:
                raise TopicShrank(topic=topic, partition=partition, end=there)
        return now

    async def _resume(self) -> Progress:
        """The place to go on from: what was acknowledged, or less where a partition holds less."""
        rows = await self.store.pool.fetch("SELECT topic, partition, position FROM relay")
        last = {(row["topic"], row["partition"]): row["position"] for row in rows}
        progress = Progress(last.pop(WHOLE_LOG, 0), last)
        for topic in self.owned:
            records = await self.bus.last_records(topic)
            for partition in range(self.owned[topic]):
                acknowledged = last.get((topic, partition), 0)
                there = self._position(records.get(partition), acknowledged)
                if there < acknowledged:
                    progress.refilled[topic, partition] = there
        for (topic, partition), there in progress.refilled.items():
            log.warning("refilling", topic=topic, partition=partition, behind=there)
            progress.position = min(progress.position, there)
        progress.position = min([progress.position, *self._narrow_behind(last)])
        return progress

    def _narrow_behind(self, last: Mapping[tuple[str, int], int]) -> Iterator[int]:
        """The positions of narrow topics' partitions that are behind those of their wide ones.

        A topic that is declared now gets what was said before, too.
        """
        for topic in self.owned.keys() & self.topics.narrowings.keys():
            wide = self.topics.stored_as(topic)
            for partition in range(self.owned[topic]):
                own = last.get((topic, partition), 0)
                if own < last.get((wide, partition), 0):
                    yield own

    def _position(self, last: Record | None, acknowledged: int) -> int:
        """The last position of ours that a partition holds, by its last record.

        One that is malformed was written by somebody else, and says nothing of ours: what the bus
        has acknowledged counts then. Consumers would find a gap before it, if there were one.
        """
        if last is None:
            return 0
        [batch] = batched(last.topic, last.partition, [last])
        try:
            return parse_own(batch, self.topics).positions[0]
        except EnvelopeMalformed as error:
            log.warning("last record is malformed", topic=last.topic, error=str(error))
            return acknowledged

    async def _read(self, progress: Progress, epoch: str) -> Stretch | None:
        """The next stretch of the log, while the one before it is on its way; None at the end."""
        window = await window_after(self.store.pool, progress.position, RELAY_BATCH_MAX)
        if window is None:
            return None
        traces = {number: _trace(block["metadata"]) for number, block in window.blocks.items()}
        records, sent_on = [], lru_cache(partial(self.topics.sent_on, on=_today()))
        for position, row in await window.events(self.store.pool, _EVENTS):
            for topic in sent_on(row["topic"], wide=row["wide"] is not None):
                record = self._record(topic, position, row, progress, epoch, traces[row["block"]])
                if record is not None:
                    records.append(record)
        progress.position = window.last_position
        partitions = {(record.topic, record.partition) for record in records}
        return Stretch(
            records,
            window.last_position,
            {partition: progress.last[partition] for partition in partitions},
        )

    async def _send(self, producer: Producer, records: Sequence[Record]) -> None:
        if not records:
            return
        began, began_ns = perf_counter(), time_ns()
        await producer.send(records)
        RELAY_SEND_SECONDS.labels(self.store.source).observe(perf_counter() - began)
        RELAY_MESSAGES.labels(self.store.source).inc(len(records))
        if tracing.collected():
            tracing.sent(self.bus.system, began_ns, records)

    def _record(
        self,
        topic: str,
        position: int,
        row: asyncpg.Record,
        progress: Progress,
        epoch: str,
        trace: str | None,
    ) -> Record | None:
        _, _, stream_id, kind, stored, key, occurred_at, own_trace, value, wide = row
        partition = (topic, self.topics.partition(topic, key))
        previous = progress.advance(partition, position)
        if previous is None:
            return None
        envelope = Envelope(
            id=f"{epoch}-{position}",
            source=self.source,
            type=kind,
            major=_major(topic),
            subject=stream_id,
            time=occurred_at,
            position=position,
            previous=previous,
            epoch=epoch,
            trace=own_trace or trace,
        )
        headers = headers_of(envelope, type_prefix(self.topics.namespace, topic))
        value = wide if topic == self.topics.stored_as(stored) != stored else value
        body = self.topics.value(topic, kind, value.encode())
        return Record(topic, partition[1], key.encode(), body, headers)

    async def _acknowledge(self, stretch: Stretch) -> None:
        rows = [(*partition, position) for partition, position in sorted(stretch.last.items())]
        rows.append((*WHOLE_LOG, stretch.end))
        await self.store.pool.execute(_ACKNOWLEDGE, *map(list, zip(*rows, strict=True)))


def _today() -> date:
    return datetime.now(UTC).date()


@lru_cache
def _major(topic: str) -> int:
    return int(topic.rsplit(".v", 1)[1])


@lru_cache
def _trace(metadata: str | None) -> str | None:
    if metadata is None:
        return None
    trace: str | None = msgspec.json.decode(metadata).get("trace")
    return trace
